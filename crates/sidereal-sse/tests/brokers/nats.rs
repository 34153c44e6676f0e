//! NATS.

use std::time::Duration;

use nodes::{Proxy, Server};
use sidereal_sse::{
    Event, Hub, Lag, StartAt, TopicOptions,
    broker::{
        Broker, BrokerOptions, Nats,
        async_nats::{self, ConnectOptions},
    },
};

use crate::{
    contract::Engine,
    log::log,
    page::{events, follow, hubs, insist, next, nothing, say, texts, until},
};

struct NatsServer(Server);

impl Engine for NatsServer {
    async fn start() -> Option<Self> {
        Some(Self(Server::nats().start().await?))
    }

    fn server(&self) -> &Server {
        &self.0
    }

    fn broker(&self, namespace: &str) -> impl Broker {
        Nats::new(self.0.url()).namespace(namespace)
    }
}

contract!(NatsServer);

const LOG: TopicOptions = TopicOptions::new().replay(true);

/// The connections of this process to a port, as the system knows them, and its threads for them.
fn left(port: u16) -> (usize, usize) {
    let port = format!("{port:04X}");
    let text = std::fs::read_to_string("/proc/self/net/tcp").unwrap();
    let connections = text.lines().skip(1).filter(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        // Established, or closed by the other side.
        fields[2].ends_with(&port) && ["01", "08"].contains(&fields[3])
    });
    let threads = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let names = threads.filter_map(|it| std::fs::read_to_string(it.path().join("comm")).ok());
    let threads = names.filter(|name| name.trim() == "sidereal-nats");
    (connections.count(), threads.count())
}

#[tokio::test]
async fn restarts_leave_nothing_behind() {
    let Some(server) = Server::nats().start().await else {
        return;
    };
    let port = server.address().port();
    let [hub] = hubs(|| Nats::new(server.url())).await;
    for number in 0..8 {
        let topic = hub.topic(number.to_string());
        let _following = follow(&topic).await;
        server.restart().await;
        until(|| !hub.is_connected()).await;
        until(|| hub.is_connected()).await;
    }
    until(|| left(port).0 == 1).await;
    // Other tests have their own.
    assert!(left(port).1 < 30, "{:?}", left(port));
    drop(hub);
    until(|| left(port).0 == 0).await;
}

#[tokio::test]
async fn passwords_are_needed_and_are_not_shown() {
    let Some(server) = Server::nats().user("anna", "s3cret&").start().await else {
        return;
    };
    let log = log();
    let address = server.address();
    let hub = |broker| Hub::new().with_broker(broker, BrokerOptions::new());
    let wrong = Nats::new(format!("nats://anna:wr0ng&@{address}"));
    assert!(format!("{wrong:?}").contains(&address.to_string()));
    assert!(!format!("{wrong:?}").contains("wr0ng"));
    let wrong = hub(wrong);
    let none = hub(Nats::new(address.to_string()));
    let invalid = hub(Nats::new("http://anna:inv4lid@localhost"));
    let right = hub(Nats::new(format!("nats://anna:s3cret%26@{address}")));
    let options = ConnectOptions::new().user_and_password("anna".into(), "s3cret&".into());
    let by_options = hub(Nats::with_options(address.to_string(), options));
    until(|| right.is_connected() && by_options.is_connected()).await;
    let mut there = follow(&right.topic("news")).await;
    say(&by_options.topic("news"), "a");
    assert_eq!(texts(&mut there, 1).await, ["a"]);
    until(|| log.text().contains("uthorization")).await;
    assert!(!wrong.is_connected() && !none.is_connected() && !invalid.is_connected());
    assert!(log.text().contains("1 of 1 addresses"));
    for secret in ["s3cret", "wr0ng", "inv4lid"] {
        assert!(!log.text().contains(secret), "{}", log.text());
    }
}

#[tokio::test]
async fn tls_is_spoken() {
    let Some(server) = Server::nats().tls().start().await else {
        return;
    };
    let authority = server.authority().unwrap().to_owned();
    let options = ConnectOptions::new().add_root_certificates(authority);
    let url = format!("tls://localhost:{}", server.address().port());
    let broker = || Nats::with_options(&url, options.clone());
    let [one, other] = hubs(broker).await;
    for options in [TopicOptions::new(), LOG] {
        let name = format!("{}", options == LOG);
        let mut there = follow(&other.topic_with(&*name, options)).await;
        say(&one.topic_with(&*name, options), "a");
        assert_eq!(texts(&mut there, 1).await, ["a"]);
    }
    let stranger = Hub::new().with_broker(Nats::new(&url), BrokerOptions::new());
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!stranger.is_connected());
}

async fn client(server: &Server) -> async_nats::jetstream::Context {
    async_nats::jetstream::new(async_nats::connect(server.url()).await.unwrap())
}

#[tokio::test]
async fn a_stream_that_is_deleted_is_another_log() {
    let Some(server) = Server::nats().start().await else {
        return;
    };
    let [one, other] = hubs(|| Nats::new(server.url())).await;
    let chat = one.topic_with("chat", LOG);
    let mut there = follow(&other.topic_with("chat", LOG)).await;
    say(&chat, "a");
    let before = events(&mut there, 1).await;
    let client = client(&server).await;
    client.delete_stream("sidereal_log").await.unwrap();
    insist(&chat, "b").await;
    assert!(next(&mut there).await.is_err());
    let mut there = follow(&other.topic_with("chat", LOG.start_at(StartAt::Oldest))).await;
    insist(&chat, "c").await;
    let after = loop {
        let event = next(&mut there).await.unwrap();
        if event.0 == "c" {
            break event;
        }
    };
    assert_ne!(before[0].1.as_ref().unwrap()[..8], after.1.unwrap()[..8]);
}

/// A node that was away when the log became another one reads that from its beginning.
#[tokio::test]
async fn who_was_away_has_all_of_another_log() {
    let Some(server) = Server::nats().start().await else {
        return;
    };
    let proxy = Proxy::before(&server, 1);
    let [one] = hubs(|| Nats::new(server.url())).await;
    let [other] = hubs(|| Nats::new(server.url_at(proxy.address()))).await;
    let options = LOG.lag(Lag::Resume);
    let chat = one.topic_with("chat", options);
    let mut there = follow(&other.topic_with("chat", options)).await;
    for number in 0..50 {
        say(&chat, &number.to_string());
    }
    texts(&mut there, 50).await;
    proxy.refuse(true);
    proxy.cut();
    until(|| !other.is_connected()).await;
    let client = client(&server).await;
    client.delete_stream("sidereal_log").await.unwrap();
    // What notices it waits, and is appended to the new log.
    insist(&chat, "a").await;
    until(|| !one.is_connected()).await;
    for text in ["b", "c"] {
        insist(&chat, text).await;
    }
    chat.publish_confirmed(Event::new("d")).await.unwrap();
    proxy.refuse(false);
    assert_eq!(texts(&mut there, 4).await, ["a", "b", "c", "d"]);
    assert!(there.missed() > 0);
}

#[tokio::test]
async fn a_stream_keeps_more_when_a_topic_does() {
    let Some(server) = Server::nats().start().await else {
        return;
    };
    let [one] = hubs(|| Nats::new(server.url())).await;
    let client = client(&server).await;
    for keep in [1, 64, 65, 1000, 10] {
        let options = LOG.keep(keep).start_at(StartAt::Oldest);
        let topic = one.topic_with(keep.to_string(), options);
        for number in 0..keep + 20 {
            insist(&topic, &number.to_string()).await;
        }
        let sent = topic.publish_confirmed(Event::new("last")).await;
        sent.unwrap();
        let [other] = hubs(|| Nats::new(server.url())).await;
        let mut there = other.topic_with(keep.to_string(), options).subscribe();
        let events = texts(&mut there, keep).await;
        assert_eq!(events.last().unwrap(), "last");
        nothing(&mut there).await;
        let mut stream = client.get_stream("sidereal_log").await.unwrap();
        let limit = stream.info().await.unwrap().config.max_messages_per_subject;
        let expected = match keep {
            10 => 1000,
            keep => keep.max(64),
        };
        assert_eq!(limit, i64::try_from(expected).unwrap());
        assert_eq!(stream.cached_info().state.consumer_count, 0);
    }
}

#[tokio::test]
async fn plain_topics_need_no_jetstream() {
    // An account that has none.
    let accounts = "accounts { A: { users: [{ user: anna, password: b }] } }";
    let Some(server) = Server::nats().config(accounts).start().await else {
        return;
    };
    let url = format!("nats://anna:b@{}", server.address());
    let [one, other] = hubs(|| Nats::new(&url)).await;
    let mut there = follow(&other.topic("news")).await;
    say(&one.topic("news"), "a");
    assert_eq!(texts(&mut there, 1).await, ["a"]);
    let error = one
        .topic_with("chat", LOG)
        .publish_confirmed(Event::new("a"))
        .await;
    assert!(error.unwrap_err().is_refused());
    say(&one.topic("news"), "b");
    assert_eq!(texts(&mut there, 1).await, ["b"]);
}

#[tokio::test]
async fn what_the_server_does_not_allow_hinders_nothing_else() {
    let deny = r#"{ deny: ["sidereal.plain.topic.secret", "sidereal.log.hidden"] }"#;
    let user = format!(
        "{{ user: anna, password: b, permissions: {{ publish: {deny}, subscribe: {deny} }} }}"
    );
    let settings = Server::nats().config(&format!("authorization {{ users: [{user}] }}"));
    let Some(server) = settings.start().await else {
        return;
    };
    let url = format!("nats://anna:b@{}", server.address());
    let [one, other] = hubs(|| Nats::new(&url)).await;
    let mut secret = follow(&other.topic("secret")).await;
    let mut there = follow(&other.topic("news")).await;
    for topic in [one.topic("secret"), one.topic_with("hidden", LOG)] {
        let refused = topic.publish_confirmed(Event::new("a")).await;
        assert!(refused.unwrap_err().is_refused());
    }
    say(&one.topic("news"), "a");
    assert_eq!(texts(&mut there, 1).await, ["a"]);
    say(&other.topic("secret"), "stays here");
    assert_eq!(texts(&mut secret, 1).await, ["stays here"]);
    nothing(&mut there).await;
    assert!(one.is_connected() && other.is_connected());
    // That something was not sent is said again, but not all the time.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let complaints = server.log().matches("Publish Violation").count();
    assert!(complaints < 100, "{complaints}");
}
