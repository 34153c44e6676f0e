//! The brokers are there, keep what they have written when they are killed, and stand still when told to.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{io, net::SocketAddr, time::Duration};

use async_nats::{
    ConnectOptions,
    jetstream::{self, stream},
};
use futures_util::StreamExt as _;
use nodes::Server;
use redis::AsyncCommands as _;
use tokio::{
    io::AsyncReadExt as _,
    net::TcpStream,
    time::{sleep, timeout},
};

const LIMIT: Duration = Duration::from_secs(20);
/// How long it is tried whether something does _not_ happen.
const SHORT: Duration = Duration::from_millis(300);

async fn nats(server: &Server) -> async_nats::Client {
    let options = ConnectOptions::new().reconnect_delay_callback(|_| Duration::from_millis(20));
    let options = match (server.user(), server.password()) {
        (Some(user), Some(password)) => options.user_and_password(user.into(), password.into()),
        (None, Some(token)) => options.token(token.into()),
        (_, None) => options,
    };
    let options = match server.authority() {
        Some(authority) => options.add_root_certificates(authority.to_owned()),
        None => options,
    };
    timeout(LIMIT, options.connect(server.url()))
        .await
        .unwrap()
        .unwrap()
}

async fn redis(url: &str) -> redis::RedisResult<redis::aio::MultiplexedConnection> {
    let client = redis::Client::open(format!("{url}/?protocol=resp3"))?;
    let config = redis::AsyncConnectionConfig::new()
        .set_connection_timeout(Some(LIMIT))
        .set_response_timeout(Some(LIMIT));
    client
        .get_multiplexed_async_connection_with_config(&config)
        .await
}

/// Waits until the connection is lost: that of a server which is killed.
async fn is_cut(mut stream: TcpStream) {
    let mut bytes = Vec::new();
    let read = timeout(LIMIT, stream.read_to_end(&mut bytes)).await;
    assert!(read.is_ok(), "the connection is still there");
}

async fn is_refused(address: SocketAddr) {
    let refused = timeout(LIMIT, TcpStream::connect(address)).await.unwrap();
    assert_eq!(
        refused.unwrap_err().kind(),
        io::ErrorKind::ConnectionRefused
    );
}

#[tokio::test]
async fn nats_keeps_its_streams_when_it_is_killed_and_loses_them_when_it_is_wiped() {
    let Some(server) = Server::nats().start().await else {
        return;
    };
    let client = nats(&server).await;
    let jetstream = jetstream::new(client.clone());
    let config = stream::Config {
        name: "news".into(),
        subjects: vec!["news.>".into()],
        ..Default::default()
    };
    jetstream.create_stream(config).await.unwrap();
    let published = jetstream.publish("news.one", "hello".into()).await.unwrap();
    assert_eq!(published.await.unwrap().sequence, 1);

    let open = TcpStream::connect(server.address()).await.unwrap();
    let address = server.address();
    server.kill();
    assert!(!server.is_running());
    is_cut(open).await;
    is_refused(address).await;
    server.restart().await;
    assert_eq!(server.address(), address);

    let again = jetstream::new(nats(&server).await);
    let stream = again.get_stream("news").await.unwrap();
    let message = stream.get_raw_message(1).await.unwrap();
    assert_eq!(&message.payload[..], b"hello");

    server.wipe().await;
    let again = jetstream::new(nats(&server).await);
    assert!(again.get_stream("news").await.is_err());
}

#[tokio::test]
async fn nats_that_stands_answers_when_it_goes_on() {
    let Some(server) = Server::nats().start().await else {
        return;
    };
    let client = nats(&server).await;
    timeout(LIMIT, client.flush()).await.unwrap().unwrap();
    let mut messages = client.subscribe("a").await.unwrap();
    timeout(LIMIT, client.flush()).await.unwrap().unwrap();
    server.stop();
    client.publish("a", "1".into()).await.unwrap();
    assert!(timeout(SHORT, messages.next()).await.is_err());
    server.cont();
    let message = timeout(LIMIT, messages.next()).await.unwrap().unwrap();
    assert_eq!(&message.payload[..], b"1");
    server.terminate().await;
    is_refused(server.address()).await;
    assert!(server.log().contains("Server Exiting"), "{}", server.log());
}

#[tokio::test]
async fn nats_asks_for_a_token_or_a_name_and_a_password() {
    for settings in [
        Server::nats().password("s3cret"),
        Server::nats().user("node", "s3cret"),
    ] {
        let Some(server) = settings.start().await else {
            return;
        };
        nats(&server).await;
        let open = format!("nats://{}", server.address());
        assert!(async_nats::connect(open).await.is_err());
    }
}

#[tokio::test]
async fn nats_takes_messages_up_to_what_is_set() {
    let Some(server) = Server::nats().max_payload(2000).start().await else {
        return;
    };
    let client = nats(&server).await;
    assert_eq!(client.server_info().max_payload, 2000);
    assert!(client.publish("a", vec![0; 2000].into()).await.is_ok());
    assert!(client.publish("a", vec![0; 2001].into()).await.is_err());
}

#[tokio::test]
async fn nats_speaks_tls_to_those_who_trust_its_authority() {
    let Some(server) = Server::nats().tls().user("node", "s3cret").start().await else {
        return;
    };
    let stranger = ConnectOptions::with_user_and_password("node".into(), "s3cret".into());
    assert!(stranger.connect(server.url()).await.is_err());
    let client = nats(&server).await;
    timeout(LIMIT, client.flush()).await.unwrap().unwrap();
}

#[tokio::test]
async fn redis_keeps_what_it_has_when_it_is_killed_and_loses_it_when_it_is_wiped() {
    let Some(server) = Server::redis().start().await else {
        return;
    };
    let mut connection = redis(&server.url()).await.unwrap();
    let _: () = connection.set("a", "hello").await.unwrap();
    // To the file at once, and to the disk within a second: what the process wrote stays when it is killed.
    let open = TcpStream::connect(server.address()).await.unwrap();
    server.kill();
    is_cut(open).await;
    is_refused(server.address()).await;
    server.restart().await;
    let mut connection = redis(&server.url()).await.unwrap();
    assert_eq!(
        connection.get::<_, Option<String>>("a").await.unwrap(),
        Some("hello".into())
    );
    server.wipe().await;
    let mut connection = redis(&server.url()).await.unwrap();
    assert_eq!(
        connection.get::<_, Option<String>>("a").await.unwrap(),
        None
    );
    let saves: Vec<String> = connection.config("save").await.unwrap();
    assert_eq!(saves, ["save", ""]);
}

/// `CONFIG GET`, which the crate has for its blocking connections only.
trait Config {
    async fn config(&mut self, name: &str) -> redis::RedisResult<Vec<String>>;
}

impl Config for redis::aio::MultiplexedConnection {
    async fn config(&mut self, name: &str) -> redis::RedisResult<Vec<String>> {
        let values: std::collections::HashMap<String, String> = redis::cmd("CONFIG")
            .arg(&["GET", name])
            .query_async(self)
            .await?;
        Ok(values.into_iter().flat_map(|(k, v)| [k, v]).collect())
    }
}

#[tokio::test]
async fn redis_that_stands_answers_when_it_goes_on() {
    let Some(server) = Server::redis().config("maxmemory 64mb").start().await else {
        return;
    };
    let mut connection = redis(&server.url()).await.unwrap();
    assert_eq!(
        connection.config("maxmemory").await.unwrap()[1],
        (64 << 20).to_string()
    );
    server.stop();
    assert!(server.is_running());
    let asked = tokio::spawn(async move { connection.incr::<_, _, i64>("n", 1).await });
    sleep(SHORT).await;
    assert!(!asked.is_finished());
    server.cont();
    assert_eq!(timeout(LIMIT, asked).await.unwrap().unwrap().unwrap(), 1);
    server.terminate().await;
    is_refused(server.address()).await;
    server.restart().await;
    let mut connection = redis(&server.url()).await.unwrap();
    assert_eq!(connection.incr::<_, _, i64>("n", 1).await.unwrap(), 2);
}

#[tokio::test]
async fn redis_asks_for_a_password_or_for_a_name_too() {
    for settings in [
        Server::redis().password("a secret: \"50%\""),
        Server::redis().user("node", "a secret"),
    ] {
        let Some(server) = settings.start().await else {
            return;
        };
        let mut connection = redis(&server.url()).await.unwrap();
        let _: () = connection.set("a", "1").await.unwrap();
        let mut stranger = redis::Client::open(format!("redis://{}", server.address()))
            .unwrap()
            .get_multiplexed_async_connection()
            .await
            .unwrap();
        assert!(stranger.get::<_, Option<String>>("a").await.is_err());
    }
}

#[tokio::test]
async fn redis_speaks_tls_to_those_who_trust_its_authority() {
    let Some(server) = Server::redis().tls().password("s3cret").start().await else {
        return;
    };
    assert!(redis(&server.url()).await.is_err());
    let authority = std::fs::read(server.authority().unwrap()).unwrap();
    let certificates = redis::TlsCertificates {
        client_tls: None,
        root_cert: Some(authority),
    };
    let client = redis::Client::build_with_tls(server.url(), certificates).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let _: () = connection.set("a", "1").await.unwrap();
}

#[tokio::test]
async fn one_that_does_not_start_says_why() {
    let Some(_) = Server::redis().start().await else {
        return;
    };
    let failed = Server::redis()
        .config("no-such-setting 1")
        .try_start()
        .await;
    let text = failed.map_err(|error| error.to_string()).unwrap_err();
    assert!(
        text.contains("has ended") && text.contains("no-such-setting"),
        "{text}"
    );
}

#[tokio::test]
async fn dropping_it_leaves_nothing() {
    let Some(server) = Server::redis().start().await else {
        return;
    };
    let (address, folder) = (server.address(), server.folder().to_owned());
    assert!(folder.join("log").exists());
    let panicked = tokio::spawn(async move {
        let _server = server;
        panic!("a test that fails");
    });
    assert!(panicked.await.is_err());
    assert!(!folder.exists());
    is_refused(address).await;
}
