//! What a viewer makes of servers that end, break off, refuse and say nothing.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{net::SocketAddr, time::Duration};

use nodes::{Port, Viewer};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

const LIMIT: Duration = Duration::from_secs(10);
const HEAD: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

/// A server of which the test does every step.
struct Node(TcpListener);

impl Node {
    async fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    fn url(&self) -> String {
        format!("http://{}/events?a=b", self.address())
    }

    /// The next connection, and what it asks.
    async fn asked(&self) -> (TcpStream, String) {
        let asked = timeout(LIMIT, async {
            let (mut stream, _) = self.0.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0);
            }
            (stream, String::from_utf8(request).unwrap())
        });
        asked.await.unwrap()
    }
}

/// Sends text as chunks, each byte by itself: nothing depends on how it comes.
async fn send(stream: &mut TcpStream, text: &str) {
    for byte in text.bytes() {
        let chunk = [b"1\r\n", &[byte][..], b"\r\n"].concat();
        stream.write_all(&chunk).await.unwrap();
    }
}

/// The request's last event id.
fn last_id(request: &str) -> Option<&str> {
    let mut lines = request.lines();
    lines.find_map(|line| line.strip_prefix("last-event-id: "))
}

#[tokio::test]
async fn it_comes_back_to_one_after_the_other_with_the_last_id() {
    let (one, other) = (Node::new().await, Node::new().await);
    let viewer = Viewer::at(one.url())
        .or(other.url())
        .header("Cookie", "who=me")
        .open();
    let (mut stream, request) = one.asked().await;
    assert!(
        request.starts_with("GET /events?a=b HTTP/1.1\r\n"),
        "{request}"
    );
    let host = format!("host: {}\r\n", one.address());
    assert!(request.contains(&host) && request.contains("cookie: who=me\r\n"));
    assert_eq!(last_id(&request), None);
    assert!(!viewer.is_open());
    stream.write_all(HEAD.as_bytes()).await.unwrap();
    viewer.wait_for_streams(1).await;
    send(
        &mut stream,
        ": beat\n\nevent: e\nid: 7\ndata: one\ndata: more\n\ndata: two\n\n",
    )
    .await;
    let first = viewer.wait_for("one").await;
    assert_eq!(
        (first.event.as_str(), first.data.as_str()),
        ("e", "one\nmore")
    );
    assert_eq!(
        (first.id.as_deref(), first.connection, first.url),
        (Some("7"), 1, 0)
    );
    viewer.wait_for("two").await;
    assert_eq!(viewer.last_id(), "7");
    // A proper end.
    stream.write_all(b"0\r\n\r\n").await.unwrap();

    let (mut stream, request) = other.asked().await;
    assert_eq!(last_id(&request), Some("7"));
    stream.write_all(HEAD.as_bytes()).await.unwrap();
    send(&mut stream, "id: 8\ndata: three\n\nid: 9\ndata: half").await;
    viewer.wait_for("three").await;
    // In the middle of an event, whose id does not count.
    drop(stream);

    let (mut stream, request) = one.asked().await;
    assert_eq!(last_id(&request), Some("8"));
    stream.write_all(HEAD.as_bytes()).await.unwrap();
    send(&mut stream, "data: four\n\nodd: line\n").await;
    let fourth = viewer.wait_for("four").await;
    assert_eq!((fourth.connection, fourth.url, fourth.id), (3, 0, None));
    viewer.wait_for_streams(3).await;
    assert_eq!(viewer.reconnects(), 2);
    let visits = viewer.visits();
    assert_eq!((visits.streams, visits.ended, visits.broken), (3, 1, 1));
    assert_eq!((visits.comments, visits.failed), (1, 0));
    let texts = ["one\nmore", "two", "three", "four"];
    assert_eq!(viewer.texts(), texts);
    let events = viewer.stop().await;
    assert_eq!(events.len(), 4);
    // It has left.
    let mut rest = Vec::new();
    let _ = timeout(LIMIT, stream.read_to_end(&mut rest)).await.unwrap();
}

#[tokio::test]
async fn what_is_no_stream_is_told_apart() {
    let node = Node::new().await;
    let port = Port::free().unwrap();
    let viewer = Viewer::at(node.url())
        .or(format!("http://{}", port.address()))
        .last_id("5")
        .open();
    let (mut stream, request) = node.asked().await;
    assert_eq!(last_id(&request), Some("5"));
    let busy = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
    stream.write_all(busy.as_bytes()).await.unwrap();
    let (mut stream, _) = node.asked().await;
    let page = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 0\r\n\r\n";
    stream.write_all(page.as_bytes()).await.unwrap();
    let (stream, _) = node.asked().await;
    // No answer.
    drop(stream);
    let (mut stream, _) = node.asked().await;
    stream
        .write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
        .await
        .unwrap();
    let (mut stream, request) = node.asked().await;
    assert_eq!(last_id(&request), Some("5"));
    stream.write_all(HEAD.as_bytes()).await.unwrap();
    viewer.wait_for_streams(1).await;
    let visits = viewer.visits();
    assert_eq!(visits.refused.len(), 3, "{visits:?}");
    assert!(visits.refused[0].contains("503") && visits.refused[1].contains("text/html"));
    assert!(visits.refused[2].contains("204"));
    // Three times the port where nobody listens, and the missing answer.
    assert_eq!(
        (visits.failed, visits.streams, viewer.reconnects()),
        (5, 1, 0)
    );
}

#[tokio::test]
async fn with_patience_silence_is_an_end() {
    let node = Node::new().await;
    let patience = Duration::from_millis(200);
    let viewer = Viewer::at(node.url()).patience(patience).open();
    let (silent, _) = node.asked().await;
    let (mut stream, _) = node.asked().await;
    stream.write_all(HEAD.as_bytes()).await.unwrap();
    for _ in 0..8 {
        send(&mut stream, ":\n").await;
        sleep(patience / 4).await;
    }
    assert!(viewer.is_open());
    assert_eq!(viewer.visits().streams, 1);
    let (mut again, _) = node.asked().await;
    again.write_all(HEAD.as_bytes()).await.unwrap();
    viewer.wait_for_streams(2).await;
    let visits = viewer.visits();
    assert_eq!((visits.failed, visits.broken, visits.comments), (1, 1, 8));
    drop((silent, stream, viewer));
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "no event with \"never\"")]
async fn what_does_not_come_is_an_error() {
    let node = Node::new().await;
    let viewer = Viewer::at(node.url()).open();
    viewer.wait_for("never").await;
}
