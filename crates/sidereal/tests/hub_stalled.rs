//! One subscriber among many that stops reading, over real sockets: it lags, and is treated as its
//! topic says; the others get every event. Sockets know no paused time, so this waits for what
//! happens, and not for times.

#![cfg(feature = "serve")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "serve_support/mod.rs"]
mod serve_support;

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use http::{Request, Response};
use hyper::body::Incoming;
use serve_support::*;
use sidereal::{Hub, Lag, PatchElements, Topic, TopicOptions, serve::serve};
use sidereal_sse::{Client, Connect, EndReason, Ended, Observer, SseBody, StreamOptions};
use tokio::{
    io::AsyncReadExt,
    net::TcpStream,
    task::JoinHandle,
    time::{sleep, timeout},
};
use tower::{Service, service_fn};

const READERS: usize = 20;
/// Far more than what the kernel's buffers and the topic's ring hold.
const EVENTS: u64 = 1500;
const KEPT: usize = 100;

/// What streams tell of the one that is stalled, and of the others.
#[derive(Clone, Default)]
struct Told {
    missed: Arc<AtomicU64>,
    ends: Arc<Mutex<Vec<EndReason>>>,
}

impl Observer for Told {
    fn lagged(&self, _: &Client, missed: u64) {
        self.missed.fetch_add(missed, Ordering::SeqCst);
    }

    fn ended(&self, _: &Client, ended: &Ended) {
        self.ends.lock().unwrap().push(ended.reason());
    }
}

fn service(
    topic: &Topic,
    told: &Told,
) -> impl Service<Request<Incoming>, Response = Response<SseBody>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ use<> {
    let (topic, told) = (topic.clone(), told.clone());
    service_fn(move |request: Request<Incoming>| {
        let options = StreamOptions::new().observer(told.clone());
        let connect = Connect::from_request(&request).with_options(options);
        let response = connect.watch(&topic).into_http();
        async move { Ok(response) }
    })
}

/// Reads whatever comes, and keeps the numbers of the events.
trait Reader: Send + 'static {
    async fn read(&mut self) -> Option<Vec<u8>>;
}

struct Http1(TcpStream);

impl Reader for Http1 {
    async fn read(&mut self) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(64 << 10);
        match self.0.read_buf(&mut bytes).await {
            Ok(1..) => Some(bytes),
            _ => None,
        }
    }
}

struct Http2(h2::RecvStream);

impl Reader for Http2 {
    async fn read(&mut self) -> Option<Vec<u8>> {
        let data = self.0.data().await?.ok()?;
        self.0.flow_control().release_capacity(data.len()).unwrap();
        Some(data.to_vec())
    }
}

/// The numbers of all events until the last one, or until the stream ends.
async fn numbers(reader: &mut impl Reader, progress: &AtomicU64) -> Vec<u64> {
    let mut numbers = Vec::new();
    let mut text = String::new();
    while let Some(bytes) = reader.read().await {
        text.push_str(&String::from_utf8_lossy(&bytes));
        // An event whose beginning is here, and perhaps not its end, is left for later.
        while let Some(start) = text.find("<p id=\"n") {
            let rest = &text[start + 8..];
            let Some(end) = rest.find('"') else { break };
            let number = rest[..end].parse().unwrap();
            numbers.push(number);
            progress.store(number, Ordering::SeqCst);
            text.drain(..start + 8 + end);
            if numbers.last() == Some(&EVENTS) {
                return numbers;
            }
        }
        let keep = text.len().saturating_sub(40);
        let keep = (0..=keep)
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap();
        text.drain(..keep);
    }
    numbers
}

/// What the stalled one read in the end, and what was told of it.
async fn one_stalls(lag: Lag, is_http2: bool) -> (Vec<u64>, Told) {
    let hub = Hub::new();
    let options = TopicOptions::new()
        .keep(KEPT)
        .keep_bytes(usize::MAX)
        .lag(lag);
    let topic = hub.topic_with("numbers", options);
    let told = Told::default();
    let server = run(serve(listener().await, service(&topic, &told)));
    let mut stalled = stalled_one(server.address, is_http2).await;
    let progress: Arc<[AtomicU64; READERS]> = Arc::new([const { AtomicU64::new(0) }; READERS]);
    let mut readers = Vec::new();
    for index in 0..READERS {
        readers.push(reader(server.address, is_http2, progress.clone(), index).await);
    }
    while hub.connections() <= READERS {
        sleep(Duration::from_millis(5)).await;
    }
    let publishing = tokio::spawn(async move {
        let padding = "x".repeat(16 << 10);
        for n in 1..=EVENTS {
            let html = format!("<p id=\"n{n}\">{padding}</p>");
            topic.publish(PatchElements::new(html)).unwrap();
            // The others do not lag: as fast as the slowest of them.
            while progress
                .iter()
                .any(|read| read.load(Ordering::SeqCst) + KEPT as u64 / 2 < n)
            {
                sleep(Duration::from_millis(1)).await;
            }
        }
        topic
    });
    for reader in readers {
        let read = timeout(SOON * 12, reader)
            .await
            .expect("a reader waits")
            .unwrap();
        match lag {
            Lag::NewestOnly => assert!(read.is_sorted() && read.last() == Some(&EVENTS)),
            _ => assert!(read.into_iter().eq(1..=EVENTS), "a reader missed something"),
        }
    }
    let topic = publishing.await.unwrap();
    assert_eq!(
        told.missed.load(Ordering::SeqCst),
        0,
        "only one that reads can be told"
    );
    let read = match &mut stalled {
        Stalled::Http1(reader) => timeout(SOON, numbers(reader, &AtomicU64::new(0))).await,
        Stalled::Http2(reader) => timeout(SOON, numbers(reader, &AtomicU64::new(0))).await,
    };
    drop(stalled);
    drop(topic);
    while hub.connections() > 0 {
        sleep(Duration::from_millis(5)).await;
    }
    server.shut_down().await;
    (read.expect("the stalled reader waits for ever"), told)
}

enum Stalled {
    Http1(Http1),
    Http2(Http2),
}

async fn stalled_one(address: SocketAddr, is_http2: bool) -> Stalled {
    let narrow = narrow(address).await;
    if !is_http2 {
        return Stalled::Http1(Http1(ask(narrow, "/").await));
    }
    let (mut client, _) = h2(narrow, 1 << 16).await;
    Stalled::Http2(Http2(h2_get(&mut client, "/").await))
}

async fn reader(
    address: SocketAddr,
    is_http2: bool,
    progress: Arc<[AtomicU64; READERS]>,
    index: usize,
) -> JoinHandle<Vec<u64>> {
    if !is_http2 {
        let mut reader = Http1(get(address, "/").await);
        return tokio::spawn(async move { numbers(&mut reader, &progress[index]).await });
    }
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut client, connection) = h2(stream, 4 << 20).await;
    let mut reader = Http2(h2_get(&mut client, "/").await);
    tokio::spawn(async move {
        let _client = client;
        let _connection = connection;
        numbers(&mut reader, &progress[index]).await
    })
}

fn gaps(read: &[u64]) -> usize {
    read.windows(2)
        .filter(|pair| pair[1] != pair[0] + 1)
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closed_with_its_reason() {
    for is_http2 in [false, true] {
        let (read, told) = one_stalls(Lag::Close, is_http2).await;
        assert_eq!(gaps(&read), 0);
        assert!((read.len() as u64) < EVENTS - KEPT as u64, "it did not lag");
        let ends = told.ends.lock().unwrap();
        assert_eq!(
            ends.iter()
                .filter(|reason| **reason == EndReason::Lagged)
                .count(),
            1
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resumed_from_the_ring() {
    for is_http2 in [false, true] {
        let (read, told) = one_stalls(Lag::Resume, is_http2).await;
        assert_eq!(
            (gaps(&read), read.last()),
            (1, Some(&EVENTS)),
            "it did not lag"
        );
        let missed = told.missed.load(Ordering::SeqCst);
        assert_eq!(missed + read.len() as u64, EVENTS);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shown_the_newest() {
    for is_http2 in [false, true] {
        let (read, _) = one_stalls(Lag::NewestOnly, is_http2).await;
        assert!(gaps(&read) > 0, "it did not lag");
        assert_eq!(read.last(), Some(&EVENTS));
    }
}
