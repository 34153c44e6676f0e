//! Redis.

use std::{
    fs,
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use nodes::{Proxy, Server};
use sidereal_sse::{
    Event, Hub, StartAt, TopicOptions,
    broker::{Broker, BrokerOptions, Redis, WhenAway},
};

use crate::{
    contract::Engine,
    log::log,
    page::{events, follow, hubs, next, nothing, say, texts, until},
};

struct RedisServer(Server);

impl Engine for RedisServer {
    async fn start() -> Option<Self> {
        // Else it answers, now and then, before it has written: see `flushAppendOnlyFile`.
        let settings = Server::redis().config("appendfsync always");
        Some(Self(settings.start().await?))
    }

    fn server(&self) -> &Server {
        &self.0
    }

    fn broker(&self, namespace: &str) -> impl Broker {
        Redis::new(self.0.url()).unwrap().namespace(namespace)
    }
}

contract!(RedisServer);

fn history() -> TopicOptions {
    TopicOptions::new()
        .keep(100_000)
        .keep_bytes(128 << 20)
        .replay(true)
}

fn all_history() -> TopicOptions {
    history().start_at(StartAt::Oldest)
}

fn hub(engine: &RedisServer) -> Hub {
    Hub::new().with_broker(engine.broker("shop"), BrokerOptions::new())
}

fn holding_hub(engine: &RedisServer) -> Hub {
    let options = BrokerOptions::new().when_away(WhenAway::Hold);
    Hub::new().with_broker(engine.broker("shop"), options)
}

async fn connected(hubs: &[&Hub]) {
    for hub in hubs {
        until(|| hub.is_connected()).await;
    }
}

async fn away(hubs: &[&Hub]) {
    for hub in hubs {
        until(|| !hub.is_connected()).await;
    }
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

/// Which log an id is of.
fn log_of(event: &(String, Option<String>)) -> &str {
    let id = event.1.as_deref();
    id.and_then(|id| id.split_once('-')).expect("no id").0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_loses_nothing_of_logs() {
    let Some(engine) = RedisServer::start().await else {
        return;
    };
    let nodes = [holding_hub(&engine), holding_hub(&engine)];
    connected(&nodes.each_ref()).await;
    let mut plain = follow(&nodes[1].topic("news")).await;
    let mut chat = follow(&nodes[1].topic_with("chat", history())).await;
    let topic = nodes[0].topic_with("chat", history());
    let mut sent = 0;
    for _ in 0..3 {
        for _ in 0..200 {
            say(&topic, &sent.to_string());
            sent += 1;
        }
        engine.server().kill();
        for _ in 0..200 {
            say(&topic, &sent.to_string());
            sent += 1;
        }
        engine.server().restart().await;
        connected(&nodes.each_ref()).await;
    }
    assert_eq!(texts(&mut chat, sent).await, numbers(0..sent));
    nothing(&mut chat).await;
    nothing(&mut plain).await;
}

/// What was sent and not answered is sent again, and done once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stands_still_does_nothing_twice() {
    let Some(engine) = RedisServer::start().await else {
        return;
    };
    let nodes = [holding_hub(&engine), holding_hub(&engine)];
    connected(&nodes.each_ref()).await;
    let mut chat = follow(&nodes[1].topic_with("chat", history())).await;
    let topic = nodes[0].topic_with("chat", history());
    for number in numbers(0..50) {
        say(&topic, &number);
    }
    topic.publish_confirmed(Event::new("50")).await.unwrap();
    engine.server().stop();
    for number in numbers(51..150) {
        say(&topic, &number);
    }
    away(&nodes.each_ref()).await;
    engine.server().cont();
    connected(&nodes.each_ref()).await;
    topic.publish_confirmed(Event::new("150")).await.unwrap();
    assert_eq!(texts(&mut chat, 151).await, numbers(0..151));
    nothing(&mut chat).await;
}

/// From many restarts nothing is left, and hubs that are gone leave nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restarts_leave_nothing_behind() {
    let Some(engine) = RedisServer::start().await else {
        return;
    };
    let nodes = hubs::<2, _>(|| engine.broker("shop")).await;
    let mut chat = follow(&nodes[1].topic_with("chat", history())).await;
    for round in 0..8 {
        engine.server().restart().await;
        connected(&nodes.each_ref()).await;
        let topic = nodes[0].topic_with("chat", history());
        // Whoever has not noticed yet that it was killed learns it now.
        while topic
            .publish_confirmed(Event::new(round.to_string()))
            .await
            .is_err()
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    assert_eq!(texts(&mut chat, 8).await, numbers(0..8));
    has_connections(engine.server(), 2).await;
    drop((nodes, chat));
    has_connections(engine.server(), 0).await;
}

/// How many connections the server has, without the one that asks.
async fn connections(server: &Server) -> usize {
    let clients = ask(server, &["CLIENT", "LIST"]).await.unwrap();
    let clients: String = ::redis::from_redis_value(clients).unwrap();
    clients.lines().count() - 1
}

async fn has_connections(server: &Server, count: usize) {
    let began = Instant::now();
    while connections(server).await != count {
        assert!(began.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn ask(server: &Server, words: &[&str]) -> ::redis::RedisResult<::redis::Value> {
    let client = ::redis::Client::open(server.url())?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    let mut command = ::redis::cmd(words[0]);
    command.arg(&words[1..]);
    command.query_async(&mut connection).await
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(copied.unwrap().success());
}

/// What reading a log rests on: what came in before an answer was given to the hub before it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_gives_what_comes_in_before_the_answers_that_come_after() {
    let Some(engine) = RedisServer::start().await else {
        return;
    };
    let url = format!("{}/?protocol=resp3", engine.server().url());
    let client = ::redis::Client::open(url).unwrap();
    let heard = Arc::new(AtomicUsize::new(0));
    let count = heard.clone();
    let config = ::redis::AsyncConnectionConfig::new().set_push_sender(
        move |push: ::redis::PushInfo| -> Result<(), ::redis::aio::SendError> {
            if push.kind == ::redis::PushKind::Message {
                count.fetch_add(1, Ordering::SeqCst);
            }
            Ok(())
        },
    );
    let connecting = client.get_multiplexed_async_connection_with_config(&config);
    let mut one = connecting.await.unwrap();
    let mut other = client.get_multiplexed_async_connection().await.unwrap();
    one.subscribe("a").await.unwrap();
    let mut publish = ::redis::pipe();
    for _ in 0..50 {
        publish.cmd("PUBLISH").arg("a").arg("x".repeat(500));
    }
    for round in 1..=200 {
        let sent: Vec<usize> = publish.query_async(&mut other).await.unwrap();
        assert_eq!(sent, [1; 50]);
        let _: () = ::redis::cmd("PING").query_async(&mut one).await.unwrap();
        assert_eq!(heard.load(Ordering::SeqCst), round * 50);
    }
}

/// The server comes back as it was some time ago.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_has_lost_its_end_is_another_one() {
    let Some(engine) = RedisServer::start().await else {
        return;
    };
    let nodes = hubs::<2, _>(|| engine.broker("shop")).await;
    let topic = nodes[0].topic_with("chat", all_history());
    let mut chat = follow(&nodes[1].topic_with("chat", all_history())).await;
    for number in numbers(0..20) {
        say(&topic, &number);
    }
    let old = events(&mut chat, 20).await;
    engine.server().terminate().await;
    let data = engine.server().folder().join("data");
    let saved = engine.server().folder().join("saved");
    copy(&data, &saved);
    engine.server().restart().await;
    connected(&nodes.each_ref()).await;
    topic.publish_confirmed(Event::new("20")).await.unwrap();
    assert_eq!(
        texts(&mut chat, 1).await,
        numbers(20..21),
        "nothing was lost"
    );
    // Now it is.
    engine.server().kill();
    away(&nodes.each_ref()).await;
    fs::remove_dir_all(&data).unwrap();
    copy(&saved, &data);
    engine.server().restart().await;
    connected(&nodes.each_ref()).await;
    assert!(next(&mut chat).await.is_err());
    topic.publish_confirmed(Event::new("again")).await.unwrap();
    let mut again = nodes[1].topic_with("chat", all_history()).subscribe();
    let event = next(&mut again).await.unwrap();
    assert_eq!(event.0, "again");
    assert_ne!(log_of(&old[0]), log_of(&event));
}

/// Those who come back first append more than was lost, before the one node comes that has seen it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_end_is_noticed_where_others_have_gone_on_already() {
    let Some(engine) = RedisServer::start().await else {
        return;
    };
    let proxy = Proxy::bytes(engine.server().address());
    let redis = Redis::new(engine.server().url_at(proxy.address())).unwrap();
    let one = Hub::new().with_broker(redis.namespace("shop"), BrokerOptions::new());
    connected(&[&one]).await;
    let topic = one.topic_with("chat", all_history());
    let mut chat = follow(&topic).await;
    let data = engine.server().folder().join("data");
    let saved = engine.server().folder().join("saved");
    engine.server().terminate().await;
    copy(&data, &saved);
    engine.server().restart().await;
    away(&[&one]).await;
    connected(&[&one]).await;
    for number in numbers(0..10) {
        topic.publish_confirmed(Event::new(number)).await.unwrap();
    }
    let old = events(&mut chat, 10).await;
    proxy.refuse(true);
    engine.server().kill();
    away(&[&one]).await;
    fs::remove_dir_all(&data).unwrap();
    copy(&saved, &data);
    engine.server().restart().await;
    let [other] = hubs(|| engine.broker("shop")).await;
    let theirs = other.topic_with("chat", all_history());
    let mut theirs_chat = follow(&theirs).await;
    for number in numbers(0..30) {
        theirs.publish_confirmed(Event::new(number)).await.unwrap();
    }
    let ids = events(&mut theirs_chat, 30).await;
    assert_eq!(log_of(&old[0]), log_of(&ids[0]), "nobody knows");
    proxy.refuse(false);
    assert!(next(&mut chat).await.is_err());
    assert!(
        next(&mut theirs_chat).await.is_err(),
        "their places are taken twice"
    );
    connected(&[&one, &other]).await;
    topic.publish_confirmed(Event::new("end")).await.unwrap();
    for hub in [&one, &other] {
        let mut again = hub.topic_with("chat", all_history()).subscribe();
        let event = next(&mut again).await.unwrap();
        assert_eq!(event.0, "end");
        assert_ne!(log_of(&old[0]), log_of(&event));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_said_and_not_shown() {
    let log = log();
    let server = Server::redis().user("app", "right-hunter2").start().await;
    let Some(server) = server else { return };
    let wrong = server.url().replace("right", "wrong");
    let redis = Redis::new(wrong).unwrap();
    let hub = Hub::new().with_broker(redis, BrokerOptions::new());
    until(|| log.text().contains("WRONGPASS") || log.text().contains("Password auth")).await;
    assert!(!hub.is_connected());
    let redis = Redis::new(server.url()).unwrap();
    let right = Hub::new().with_broker(redis, BrokerOptions::new());
    until(|| right.is_connected()).await;
    assert!(!log.text().contains("hunter2"), "{}", log.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_resp3_is_named() {
    let log = log();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = [0; 4096];
            let _ = stream.read(&mut bytes).await;
            let _ = stream.write_all(b"-ERR unknown command `HELLO`, with args beginning with: `3`, \r\n+OK\r\n+OK\r\n").await;
            let _ = stream.read(&mut bytes).await;
        }
    });
    let redis = Redis::new(format!("redis://{address}/?protocol=resp2")).unwrap();
    let hub = Hub::new().with_broker(redis, BrokerOptions::new());
    until(|| log.text().contains("resp3 cannot be used")).await;
    assert!(!hub.is_connected());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_write_is_left_out() {
    let Some(engine) = RedisServer::start().await else {
        return;
    };
    let [one] = hubs(|| engine.broker("shop")).await;
    let mut chat = follow(&one.topic_with("chat", history())).await;
    let mut plain = follow(&one.topic("news")).await;
    for payload in [
        "",
        "x",
        "\0\0\0\u{1}",
        "a message that is long enough to have a head",
    ] {
        for channel in [
            "{shop}:live:chat",
            "{shop}:plain:topic/news",
            "{shop}:renewed",
            "{shop}:plain:nodes",
        ] {
            ask(engine.server(), &["PUBLISH", channel, payload])
                .await
                .unwrap();
        }
    }
    say(&one.topic("news"), "b");
    assert_eq!(texts(&mut plain, 1).await, ["b"]);
    let topic = one.topic_with("chat", history());
    topic.publish_confirmed(Event::new("a")).await.unwrap();
    assert_eq!(texts(&mut chat, 1).await, ["a"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_that_the_server_has_forgotten_are_given_again() {
    let Some(engine) = RedisServer::start().await else {
        return;
    };
    let [one] = hubs(|| engine.broker("shop")).await;
    let topic = one.topic_with("chat", all_history());
    topic.publish_confirmed(Event::new("a")).await.unwrap();
    ask(engine.server(), &["SCRIPT", "FLUSH"]).await.unwrap();
    topic.publish_confirmed(Event::new("b")).await.unwrap();
    ask(engine.server(), &["SCRIPT", "FLUSH"]).await.unwrap();
    let other = hub(&engine);
    let mut chat = other.topic_with("chat", all_history()).subscribe();
    assert_eq!(texts(&mut chat, 2).await, ["a", "b"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_room_refuses_and_stays() {
    let Some(engine) = RedisServer::start().await else {
        return;
    };
    let nodes = hubs::<2, _>(|| engine.broker("shop")).await;
    let topic = nodes[0].topic_with("chat", history());
    topic.publish_confirmed(Event::new("a")).await.unwrap();
    let mut plain = follow(&nodes[1].topic("news")).await;
    ask(engine.server(), &["CONFIG", "SET", "maxmemory", "1mb"])
        .await
        .unwrap();
    let error = topic.publish_confirmed(Event::new("b")).await.unwrap_err();
    assert!(error.is_refused(), "{error}");
    say(&nodes[0].topic("news"), "still");
    assert_eq!(texts(&mut plain, 1).await, ["still"]);
    let other = hub(&engine);
    let mut chat = other.topic_with("chat", all_history()).subscribe();
    assert_eq!(texts(&mut chat, 1).await, ["a"]);
    ask(engine.server(), &["CONFIG", "SET", "maxmemory", "0"])
        .await
        .unwrap();
    topic.publish_confirmed(Event::new("c")).await.unwrap();
    assert_eq!(texts(&mut chat, 1).await, ["c"]);
}

/// More than a client that subscribes may be behind by: 32 MB.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_log_is_read_in_pieces() {
    let Some(engine) = RedisServer::start().await else {
        return;
    };
    let [one] = hubs(|| engine.broker("shop")).await;
    let topic = one.topic_with("chat", all_history());
    for number in 0..60 {
        let text = format!("{number} {}", "x".repeat(1 << 20));
        topic.publish_confirmed(Event::new(text)).await.unwrap();
    }
    let other = hub(&engine);
    let mut chat = other.topic_with("chat", all_history()).subscribe();
    for number in 0..60 {
        let (text, _) = next(&mut chat).await.unwrap();
        assert!(text.starts_with(&format!("{number} x")), "{number}");
    }
    assert!(other.is_connected());
}

/// A primary that becomes a replica is no place to write to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_read_only_is_left() {
    let Some(engine) = RedisServer::start().await else {
        return;
    };
    let one = holding_hub(&engine);
    connected(&[&one]).await;
    let topic = one.topic_with("chat", history());
    let mut chat = follow(&topic).await;
    ask(
        engine.server(),
        &["CONFIG", "SET", "replica-serve-stale-data", "yes"],
    )
    .await
    .unwrap();
    ask(engine.server(), &["REPLICAOF", "127.0.0.1", "1"])
        .await
        .unwrap();
    say(&topic, "a");
    away(&[&one]).await;
    ask(engine.server(), &["REPLICAOF", "NO", "ONE"])
        .await
        .unwrap();
    assert_eq!(texts(&mut chat, 1).await, ["a"]);
}

/// Not a test: what it costs. `cargo test --release … measure -- --ignored --nocapture`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn measure() {
    let Some(engine) = RedisServer::start().await else {
        return;
    };
    ask(
        engine.server(),
        &["CONFIG", "SET", "appendfsync", "everysec"],
    )
    .await
    .unwrap();
    let memory = || {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS"))
            .unwrap();
        line.split_whitespace()
            .nth(1)
            .unwrap()
            .parse::<usize>()
            .unwrap()
    };
    let roomy = BrokerOptions::new().outbox(1_000_000, 1 << 30);
    let nodes = [(); 2].map(|()| Hub::new().with_broker(engine.broker("shop"), roomy));
    connected(&nodes.each_ref()).await;
    for (kind, options) in [
        ("plain", TopicOptions::new()),
        ("log", TopicOptions::new().replay(true)),
    ] {
        let topics: Vec<_> = (0..10_000)
            .map(|it| nodes[1].topic_with(format!("{kind}{it}"), options))
            .collect();
        let (before, began) = (memory(), Instant::now());
        let mut subscriptions: Vec<_> = topics.iter().map(|topic| topic.subscribe()).collect();
        for subscription in &mut subscriptions {
            subscription.ready().await;
        }
        let info = ask(engine.server(), &["INFO", "memory"]).await.unwrap();
        let info: String = ::redis::from_redis_value(info).unwrap();
        println!(
            "10,000 {kind}: {:?}, {} KiB here, {}",
            began.elapsed(),
            memory() - before,
            info.lines().nth(1).unwrap()
        );
        if kind == "log" {
            engine.server().restart().await;
            let began = Instant::now();
            away(&nodes.each_ref()).await;
            connected(&nodes.each_ref()).await;
            let topic = nodes[0].topic_with("log9999", options);
            let mut some = subscriptions.pop().unwrap();
            topic.publish_confirmed(Event::new("x")).await.unwrap();
            next(&mut some).await.unwrap();
            println!("again after a restart: {:?}", began.elapsed());
        }
    }
    for (kind, options) in [
        (
            "plain",
            TopicOptions::new().keep(50_000).keep_bytes(1 << 30),
        ),
        ("log", history()),
    ] {
        let topic = nodes[0].topic_with(format!("speed {kind}"), options);
        let mut there = follow(&nodes[1].topic_with(format!("speed {kind}"), options)).await;
        let mut times = Vec::new();
        for _ in 0..2000 {
            let began = Instant::now();
            say(&topic, "x");
            next(&mut there).await.unwrap();
            times.push(began.elapsed());
        }
        times.sort();
        println!(
            "{kind}: publish to arrival {:?}, 99 % {:?}",
            times[1000], times[1980]
        );
        let began = Instant::now();
        let text = "x".repeat(200);
        for _ in 0..50_000 {
            say(&topic, &text);
        }
        let mut count = 0;
        while count < 50_000 {
            next(&mut there).await.unwrap();
            count += 1;
        }
        println!(
            "{kind}: {:.0} events a second",
            50_000.0 / began.elapsed().as_secs_f64()
        );
    }
}

/// What the documentation says that a user must be allowed to is enough.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_may_be_allowed_to_do_no_more_than_that() {
    const COMMANDS: &str = "+eval +evalsha +script|load +publish +subscribe +unsubscribe +info \
        +del +exists +get +hmget +hset +lindex +lpush +lrange +ltrim +pexpire +set +time +xadd \
        +xrevrange +zadd +zrangebyscore +zremrangebyscore +zrevrange";
    let Some(engine) = RedisServer::start().await else {
        return;
    };
    let mut rules = vec![
        "ACL",
        "SETUSER",
        "app",
        "on",
        ">secret",
        "~{shop}:*",
        "&{shop}:*",
    ];
    rules.extend(COMMANDS.split_whitespace());
    ask(engine.server(), &rules).await.unwrap();
    let url = engine.server().url().replace("://", "://app:secret@");
    let broker = || Redis::new(&url).unwrap().namespace("shop");
    let nodes = hubs::<2, _>(broker).await;
    let mut plain = follow(&nodes[1].topic("news")).await;
    let mut chat = follow(&nodes[1].topic_with("chat", history())).await;
    say(&nodes[0].topic("news"), "a");
    assert_eq!(texts(&mut plain, 1).await, ["a"]);
    for text in ["b", "c"] {
        let topic = nodes[0].topic_with("chat", history());
        topic.publish_confirmed(Event::new(text)).await.unwrap();
        engine.server().restart().await;
        ask(engine.server(), &rules).await.unwrap();
        connected(&nodes.each_ref()).await;
    }
    assert_eq!(texts(&mut chat, 2).await, ["b", "c"]);
    let denied = ask(engine.server(), &["ACL", "LOG"]).await.unwrap();
    assert_eq!(denied, ::redis::Value::Array(Vec::new()));
    let refused = Hub::new().with_broker(broker().namespace("other"), BrokerOptions::new());
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!refused.is_connected());
}

/// The scripts by themselves, with times that are short.
struct Scripts {
    connection: ::redis::aio::MultiplexedConnection,
    keep_for: u64,
    window: u64,
}

impl Scripts {
    async fn call(&mut self, script: &str, arguments: &[String]) -> Vec<::redis::Value> {
        let prelude = include_str!("../../src/broker/redis/log.lua");
        let mut command = ::redis::cmd("EVAL");
        command
            .arg([prelude, script].concat())
            .arg(1)
            .arg("{x}:log");
        command.arg(7).arg("run").arg("{x}:").arg(arguments);
        command.query_async(&mut self.connection).await.unwrap()
    }

    /// Appends one message, of which the origin is 1; says its number, or 0 if it was there.
    async fn append(&mut self, channel: &str, sequence: u64) -> u64 {
        let (keep_for, window) = (self.keep_for, self.window);
        let head = [
            "".into(),
            "0".into(),
            keep_for.to_string(),
            window.to_string(),
        ];
        let entry = [
            channel.into(),
            "1".into(),
            sequence.to_string(),
            "10".into(),
            "payload".into(),
        ];
        let script = include_str!("../../src/broker/redis/append.lua");
        let answer = self.call(script, &[&head[..], &entry].concat()).await;
        let numbers: Vec<u64> = ::redis::from_redis_value(answer[1].clone()).unwrap();
        numbers[0]
    }

    /// Up to which number messages may be missing, and how many there are.
    async fn read(&mut self, channel: &str, after: u64) -> (u64, usize) {
        let arguments = [
            channel.into(),
            after.to_string(),
            "10".into(),
            "+".into(),
            self.window.to_string(),
        ];
        let script = include_str!("../../src/broker/redis/read.lua");
        let answer = self.call(script, &arguments).await;
        let number =
            |index: usize| -> u64 { ::redis::from_redis_value(answer[index].clone()).unwrap() };
        let count = usize::try_from(number(5)).unwrap();
        let known = if count == 0 { number(1) } else { number(2) };
        (if known > after { known } else { 0 }, count)
    }
}

#[tokio::test]
async fn what_has_expired_is_not_taken_for_what_never_was() {
    let Some(engine) = RedisServer::start().await else {
        return;
    };
    let client = ::redis::Client::open(engine.server().url()).unwrap();
    let connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut scripts = Scripts {
        connection,
        keep_for: 200,
        window: 1500,
    };
    let wait = |time: u64| tokio::time::sleep(Duration::from_millis(time));
    assert_eq!(scripts.read("quiet", 0).await, (0, 0));
    assert_eq!(scripts.append("a", 1).await, 1);
    assert_eq!(scripts.append("a", 2).await, 2);
    assert_eq!(scripts.append("a", 2).await, 0, "it is there");
    assert_eq!(scripts.append("a", 1).await, 0);
    assert_eq!(scripts.read("a", 0).await, (0, 2));
    assert_eq!(scripts.read("a", 1).await, (0, 1));
    assert_eq!(scripts.read("a", 2).await, (0, 0));
    // Nothing was ever said on these, and the log is young.
    assert_eq!(scripts.read("b", 0).await, (0, 0));
    wait(400).await;
    assert_eq!(
        scripts.read("a", 1).await,
        (2, 0),
        "gone, and known for that"
    );
    assert_eq!(scripts.read("a", 2).await, (0, 0));
    for sequence in 3..40 {
        assert!(scripts.append("c", sequence).await > 0);
        assert_eq!(
            scripts.read("quiet", 0).await,
            (0, 0),
            "somebody follows it"
        );
        wait(50).await;
    }
    // Not known any more what there was on it: nothing of the last 1.5 s.
    let (dropped, count) = scripts.read("a", 1).await;
    assert!((2..39).contains(&dropped) && count == 0, "{dropped}");
    assert_eq!(
        scripts.read("a", dropped).await,
        (0, 0),
        "read once, it is followed"
    );
    let last = scripts.append("a", 100).await;
    assert_eq!(scripts.read("a", dropped).await, (0, 1));
    assert_eq!(scripts.read("a", 1).await, (dropped, 1));
    // What is new in a log that is old.
    let next = scripts.append("d", 101).await;
    assert_eq!(next, last + 1);
    let (dropped, count) = scripts.read("d", 1).await;
    assert!((2..39).contains(&dropped) && count == 1, "{dropped}");
}
