//! Real brokers and real clients with the proxy in between.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{collections::BTreeMap, time::Duration};

use async_nats::{
    Client, ConnectOptions, HeaderMap, Subscriber,
    jetstream::{self, stream},
};
use futures_util::StreamExt as _;
use nodes::{Fault, Faults, Proxy, Server};
use redis::{AsyncCommands as _, PushInfo, PushKind, aio::MultiplexedConnection};
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::{sleep, timeout},
};

const LIMIT: Duration = Duration::from_secs(20);

async fn nats(url: String) -> Client {
    let options = ConnectOptions::new()
        .reconnect_delay_callback(|_| Duration::from_millis(20))
        .retry_on_initial_connect();
    timeout(LIMIT, options.connect(url)).await.unwrap().unwrap()
}

/// A subscription of which the server knows: `flush` writes what is to be sent, and waits for no answer.
async fn subscribe(client: &Client, subject: &'static str) -> Subscriber {
    let mut messages = client.subscribe(subject).await.unwrap();
    client.publish(subject, "subscribed".into()).await.unwrap();
    assert_eq!(&next(&mut messages).await.payload[..], b"subscribed");
    messages
}

/// Waits until the proxy has seen so many messages.
async fn wait_for_messages(proxy: &Proxy, count: u64) {
    let all = async {
        while proxy.counts().messages < count {
            sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = timeout(LIMIT, all).await;
    assert!(waited.is_ok(), "{:?}", proxy.counts());
}

async fn next(messages: &mut Subscriber) -> async_nats::Message {
    timeout(LIMIT, messages.next()).await.unwrap().unwrap()
}

fn payload(number: u32, length: usize) -> Vec<u8> {
    let mut bytes = vec![b'x'; length];
    bytes.extend_from_slice(format!("\r\nMSG a 1 1\r\n{number}").as_bytes());
    bytes
}

fn number(payload: &[u8]) -> u32 {
    let text = String::from_utf8_lossy(payload);
    text.lines().last().unwrap().parse().unwrap()
}

/// How often each number came.
fn tally(numbers: &[u32]) -> BTreeMap<u32, u32> {
    numbers.iter().fold(BTreeMap::new(), |mut tally, number| {
        *tally.entry(*number).or_default() += 1;
        tally
    })
}

#[tokio::test]
async fn nats_messages_with_headers_and_of_any_size_have_the_faults_and_no_others() {
    let Some(server) = Server::nats().max_payload(4 << 20).start().await else {
        return;
    };
    let proxy = Proxy::before(&server, 3);
    let publisher = nats(server.url()).await;
    let subscriber = nats(server.url_at(proxy.address())).await;
    let mut messages = subscribe(&subscriber, "news").await;
    proxy.faults(Faults {
        duplicate: 0.1,
        drop: 0.1,
        hold: 0.1,
        ..Faults::default()
    });
    let count = 300;
    for at in 0..count {
        let length = match at % 100 {
            50 => 3 << 20,
            _ => (at as usize % 7) * 1000,
        };
        let payload = payload(at, length).into();
        let mut headers = HeaderMap::new();
        headers.insert("Number", at.to_string());
        match at % 2 {
            0 => publisher.publish("news", payload).await.unwrap(),
            _ => publisher
                .publish_with_headers("news", headers, payload)
                .await
                .unwrap(),
        }
    }
    timeout(LIMIT, publisher.flush()).await.unwrap().unwrap();
    wait_for_messages(&proxy, u64::from(count) + 1).await;
    proxy.heal();
    // All that is held back has come when it may be held no longer.
    sleep(Faults::default().hold_at_most * 2).await;
    publisher
        .publish("news", payload(count, 0).into())
        .await
        .unwrap();
    let mut got = Vec::new();
    loop {
        let message = next(&mut messages).await;
        let number = number(&message.payload);
        if number == count {
            break;
        }
        let header = message
            .headers
            .map(|headers| headers.get("Number").unwrap().to_string());
        assert_eq!(header, (number % 2 == 1).then(|| number.to_string()));
        let length = if number % 100 == 50 {
            3 << 20
        } else {
            (number as usize % 7) * 1000
        };
        assert_eq!(message.payload, payload(number, length));
        got.push(number);
    }
    let (counts, tally) = (proxy.counts(), tally(&got));
    let twice = tally.values().filter(|times| **times == 2).count() as u64;
    assert!(
        counts.duplicated > 0 && counts.dropped > 0 && counts.reordered > 0,
        "{counts:?}"
    );
    assert_eq!(twice, counts.duplicated);
    assert_eq!(tally.len() as u64, u64::from(count) - counts.dropped);
    assert!(!got.is_sorted());
    assert_eq!(counts.unreadable, 0);
}

#[tokio::test]
async fn jetstream_gets_it_twice_and_keeps_it_once() {
    let Some(server) = Server::nats().start().await else {
        return;
    };
    let proxy = Proxy::before(&server, 3);
    let client = nats(server.url_at(proxy.address())).await;
    let jetstream = jetstream::new(client);
    let config = stream::Config {
        name: "news".into(),
        subjects: vec!["news".into()],
        ..Default::default()
    };
    let stream = timeout(LIMIT, jetstream.create_stream(config))
        .await
        .unwrap()
        .unwrap();
    proxy.faults(Faults {
        publish_twice: 1.0,
        only: Some("news".into()),
        ..Faults::default()
    });
    for (id, kept) in [(None, 2), (Some("one"), 3)] {
        let mut headers = HeaderMap::new();
        if let Some(id) = id {
            headers.insert("Nats-Msg-Id", id);
        }
        let published = jetstream
            .publish_with_headers("news", headers, "hi".into())
            .await;
        timeout(LIMIT, published.unwrap()).await.unwrap().unwrap();
        let start = tokio::time::Instant::now();
        // The second has an answer too, which comes to nobody.
        while stream.get_info().await.unwrap().state.messages < kept {
            assert!(start.elapsed() < LIMIT);
        }
        assert_eq!(stream.get_info().await.unwrap().state.messages, kept);
    }
    assert_eq!(proxy.counts().published_twice, 2);
}

#[tokio::test]
async fn nats_clients_come_back_through_the_proxy() {
    let Some(server) = Server::nats().start().await else {
        return;
    };
    let proxy = Proxy::before(&server, 3);
    let client = nats(server.url_at(proxy.address())).await;
    let mut messages = subscribe(&client, "a").await;
    for at in 0..6 {
        let connections = proxy.counts().connections;
        match at % 3 {
            // One that it has given up may be there too.
            0 => assert!(proxy.cut() >= 1),
            1 => {
                proxy.refuse(true);
                assert!(proxy.close() >= 1);
                sleep(Duration::from_millis(100)).await;
                assert_eq!(proxy.counts().connections, connections);
                proxy.refuse(false);
            }
            _ => server.restart().await,
        }
        let start = tokio::time::Instant::now();
        let other = nats(server.url()).await;
        while proxy.counts().connections == connections || proxy.open() == 0 {
            assert!(start.elapsed() < LIMIT, "it does not come back");
            sleep(Duration::from_millis(5)).await;
        }
        // Its subscription may be a moment later than its connection.
        let message = loop {
            assert!(start.elapsed() < LIMIT, "it gets nothing");
            other.publish("a", at.to_string().into()).await.unwrap();
            match timeout(Duration::from_millis(50), messages.next()).await {
                Ok(message) => break message.unwrap(),
                Err(_) => continue,
            }
        };
        let text = String::from_utf8_lossy(&message.payload).into_owned();
        assert!(text.parse::<u32>().unwrap() <= at);
    }
}

#[tokio::test]
async fn tls_passes_and_can_be_cut() {
    let Some(server) = Server::nats().tls().start().await else {
        return;
    };
    let proxy = Proxy::before(&server, 3);
    let client = ConnectOptions::new()
        .add_root_certificates(server.authority().unwrap().to_owned())
        .reconnect_delay_callback(|_| Duration::from_millis(20))
        .connect(server.url_at(proxy.address()))
        .await
        .unwrap();
    timeout(LIMIT, client.flush()).await.unwrap().unwrap();
    assert_eq!(proxy.cut(), 1);
    let back = async {
        while proxy.open() == 0 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LIMIT, back).await.unwrap();
    timeout(LIMIT, client.flush()).await.unwrap().unwrap();
    assert_eq!(proxy.counts().unreadable, 0);
}

async fn redis(url: String) -> (MultiplexedConnection, UnboundedReceiver<PushInfo>) {
    let client = redis::Client::open(format!("{url}/?protocol=resp3")).unwrap();
    let (sender, pushes) = unbounded_channel();
    let config = redis::AsyncConnectionConfig::new()
        .set_push_sender(sender)
        .set_connection_timeout(Some(LIMIT))
        .set_response_timeout(Some(LIMIT));
    let connection = client
        .get_multiplexed_async_connection_with_config(&config)
        .await;
    (connection.unwrap(), pushes)
}

/// The number in the next message, or the end of the connection.
async fn next_number(pushes: &mut UnboundedReceiver<PushInfo>) -> Option<u32> {
    loop {
        let push = timeout(LIMIT, pushes.recv()).await.unwrap()?;
        match push.kind {
            PushKind::Message => match &push.data[1] {
                redis::Value::BulkString(bytes) => return Some(number(bytes)),
                other => panic!("{other:?}"),
            },
            PushKind::Disconnection => return None,
            _ => {}
        }
    }
}

#[tokio::test]
async fn redis_messages_have_the_faults_and_no_others() {
    let Some(server) = Server::redis().start().await else {
        return;
    };
    let proxy = Proxy::before(&server, 3);
    let (mut publisher, _) = redis(server.url()).await;
    let (mut subscriber, mut pushes) = redis(server.url_at(proxy.address())).await;
    subscriber.subscribe("news").await.unwrap();
    proxy.faults(Faults {
        duplicate: 0.1,
        drop: 0.1,
        hold: 0.1,
        ..Faults::default()
    });
    let count = 300;
    for at in 0..count {
        let length = match at % 100 {
            50 => 3 << 20,
            _ => (at as usize % 7) * 1000,
        };
        let _: () = publisher
            .publish("news", payload(at, length))
            .await
            .unwrap();
        // Answers on the same connection are not disturbed.
        let echo: String = redis::cmd("ECHO")
            .arg(at)
            .query_async(&mut subscriber)
            .await
            .unwrap();
        assert_eq!(echo, at.to_string());
    }
    wait_for_messages(&proxy, u64::from(count)).await;
    proxy.heal();
    sleep(Faults::default().hold_at_most * 2).await;
    let _: () = publisher.publish("news", payload(count, 0)).await.unwrap();
    let mut got = Vec::new();
    while let Some(number) = next_number(&mut pushes).await.filter(|at| *at < count) {
        got.push(number);
    }
    let (counts, tally) = (proxy.counts(), tally(&got));
    let twice = tally.values().filter(|times| **times == 2).count() as u64;
    assert!(
        counts.duplicated > 0 && counts.dropped > 0 && counts.reordered > 0,
        "{counts:?}"
    );
    assert_eq!(twice, counts.duplicated);
    assert_eq!(tally.len() as u64, u64::from(count) - counts.dropped);
    assert!(!got.is_sorted());
    assert_eq!(counts.unreadable, 0);
    assert_eq!(proxy.cut(), 1);
    assert_eq!(next_number(&mut pushes).await, None);
}

#[tokio::test]
async fn redis_does_a_command_twice_or_without_an_answer() {
    let Some(server) = Server::redis().start().await else {
        return;
    };
    let proxy = Proxy::before(&server, 3);
    let (mut direct, _) = redis(server.url()).await;
    let (mut client, _) = redis(server.url_at(proxy.address())).await;
    let script = "return redis.call('INCR', KEYS[1])";
    let mut eval = redis::cmd("EVAL");
    eval.arg(script).arg(1).arg("n");
    proxy.faults(Faults {
        publish_twice: 1.0,
        ..Faults::default()
    });
    assert_eq!(eval.query_async::<u32>(&mut client).await.unwrap(), 1);
    assert_eq!(eval.query_async::<u32>(&mut client).await.unwrap(), 3);
    let n: u32 = client.get("n").await.unwrap();
    assert_eq!(n, 4);
    proxy.heal();
    proxy.next(Fault::LoseReply);
    assert!(eval.query_async::<u32>(&mut client).await.is_err());
    let n: u32 = direct.get("n").await.unwrap();
    assert_eq!(n, 5);
    let counts = proxy.counts();
    assert_eq!((counts.published_twice, counts.replies_lost), (2, 1));
}
