//! `sidereal::serve` and clients that are slow, leave, or send what nobody reads. Sockets know no
//! paused time, so the deadlines are short ones.

#![cfg(feature = "serve")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod serve_support;

use std::{
    convert::Infallible,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response, header::CONTENT_LENGTH};
use hyper::body::Incoming;
use serve_support::*;
use sidereal::serve::serve;
use sidereal_sse::{Connect, End, EndReason, Event};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{mpsc, oneshot},
    time::{sleep, sleep_until, timeout},
};
use tower::service_fn;

/// What the server says to every path.
async fn hello(_: Request<Incoming>) -> Result<Response<String>, Infallible> {
    Ok(Response::new("hello".to_owned()))
}

// Clients that leave.

/// A request, and how many bytes come after it, a little later. None of them are read.
const UNREAD: [(&str, usize); 5] = [
    ("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n", 2),
    (
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 20000\r\n\r\n",
        20_000,
    ),
    (
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2000\r\n\r\n",
        2,
    ),
    (
        "POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2000\r\n\r\n",
        0,
    ),
    (
        "GET / HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\nhost: x\r\n\r\n",
        0,
    ),
];

#[cfg(any(target_os = "linux", target_os = "android"))]
#[tokio::test]
async fn a_client_whose_request_was_not_read_is_seen_to_leave_at_once() {
    for (head, more) in UNREAD {
        for half in [false, true] {
            let (ends, mut ended) = ends();
            let (app, _tell) = App::new(ends);
            let server = run(serve(listener().await, service(&app)));
            let mut client = TcpStream::connect(server.address).await.unwrap();
            client.set_nodelay(true).unwrap();
            client.write_all(head.as_bytes()).await.unwrap();
            sleep(Duration::from_millis(50)).await;
            // A server that reads none of it may leave no room for all of it.
            let _ = timeout(
                Duration::from_millis(500),
                client.write_all(&vec![b'a'; more]),
            )
            .await;
            read_until(&mut client, "data: first\n\n").await;
            sleep(Duration::from_millis(300)).await;
            assert!(ended.try_recv().is_err(), "left before it left: {head:?}");
            if half {
                client.shutdown().await.unwrap();
            } else {
                drop(client);
            }
            let reason = timeout(Duration::from_secs(4), ended.recv()).await;
            assert_eq!(
                reason,
                Ok(Some(EndReason::Disconnected)),
                "half: {half}, {head:?}"
            );
        }
    }
}

/// Its kernel has no room to say so; the first heartbeat gets that answered.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[tokio::test]
async fn a_client_that_leaves_with_more_to_send_is_noticed_by_the_first_heartbeat() {
    const HEARTBEAT: Duration = Duration::from_secs(2);
    const LENGTH: usize = 30_000_000;
    let (ends, mut ended) = ends();
    let service = service_fn(move |request: Request<Incoming>| {
        let ends = ends.clone();
        let sse = Connect::from_request(&request)
            .run(async |tx| {
                tx.send(Event::new("first")).await?;
                std::future::pending().await
            })
            .keep_alive(HEARTBEAT)
            .on_disconnect(move |_, ended| ends.send(ended.reason()).unwrap_or_default());
        async move { Ok::<_, Infallible>(sse.into_http()) }
    });
    let server = run(serve(listener().await, service));
    let mut client = TcpStream::connect(server.address).await.unwrap();
    let head = format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {LENGTH}\r\n\r\n");
    client.write_all(head.as_bytes()).await.unwrap();
    read_until(&mut client, "data: first\n\n").await;
    let begun = Instant::now();
    let body = vec![b'a'; LENGTH];
    let sent = timeout(Duration::from_millis(500), client.write_all(&body)).await;
    assert!(sent.is_err(), "all of it was taken in");
    drop(client);
    let reason = timeout(SOON, ended.recv()).await.unwrap();
    assert_eq!(reason, Some(EndReason::Disconnected));
    assert!(
        begun.elapsed() < HEARTBEAT * 2 - Duration::from_millis(500),
        "{:?}",
        begun.elapsed()
    );
}

// Readers that are slow, and those that only look it.

/// 200 KB a second over a wire that holds half a megabyte, as slow networks and proxies do: what is
/// written, a ping too, is read two and a half seconds later.
#[tokio::test]
async fn a_slow_http2_reader_is_not_closed() {
    const DELAY: Duration = Duration::from_millis(2_500);
    let (ends, mut ended) = ends();
    let (app, _tell) = App::new(ends);
    let server = run(serve(listener().await, service(&app)).write_deadline(Duration::from_secs(1)));
    let (mut from_server, mut to_server) = narrow(server.address).await.into_split();
    let (near, far) = tokio::io::duplex(1 << 20);
    let (mut from_client, mut to_client) = tokio::io::split(far);
    tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
    let (wire, mut wired) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut buffer = [0; 4 << 10];
        while let Ok(length @ 1..) = from_server.read(&mut buffer).await {
            let arrives = Instant::now() + DELAY;
            let _ = wire.send((arrives, buffer[..length].to_vec()));
            sleep(Duration::from_millis(20)).await;
        }
    });
    let carried = Arc::new(AtomicUsize::new(0));
    let carrying = Arc::clone(&carried);
    tokio::spawn(async move {
        while let Some((arrives, bytes)) = wired.recv().await {
            sleep_until(arrives.into()).await;
            to_client.write_all(&bytes).await.unwrap();
            carrying.fetch_add(bytes.len(), Ordering::SeqCst);
        }
    });
    let (mut client, connection) = h2::client::Builder::new()
        .initial_window_size(1 << 30)
        .initial_connection_window_size(1 << 30)
        .handshake::<_, Bytes>(near)
        .await
        .unwrap();
    tokio::spawn(connection);
    let mut body = h2_get(&mut client, "/flood").await;
    tokio::spawn(async move { while let Some(Ok(_)) = body.data().await {} });

    let end = timeout(Duration::from_secs(8), ended.recv()).await;
    assert!(end.is_err(), "{end:?}");
    let carried = carried.load(Ordering::SeqCst);
    assert!(carried > 300_000, "it has read only {carried} bytes");
}

/// Its kernel takes in the little that comes; nobody answers the pings.
#[tokio::test]
async fn an_http2_peer_that_is_silent_is_closed_with_the_reason_and_one_that_answers_is_not() {
    let (ends, mut ended) = ends();
    let (app, _tell) = App::new(ends);
    let server = run(serve(listener().await, service(&app)).write_deadline(DEADLINE));
    let (mut client, _connection) =
        h2(TcpStream::connect(server.address).await.unwrap(), 1 << 16).await;
    let mut body = h2_get(&mut client, "/").await;
    assert_eq!(body.data().await.unwrap().unwrap(), "data: first\n\n");
    sleep(DEADLINE * 10).await;
    assert!(ended.try_recv().is_err(), "it answers");

    let (mut client, mut connection) =
        h2::client::handshake(TcpStream::connect(server.address).await.unwrap())
            .await
            .unwrap();
    tokio::select! {
        _ = h2_get(&mut client, "/") => {}
        _ = &mut connection => panic!("the connection ended"),
    }
    // From here on nobody polls the connection.
    let begun = Instant::now();
    let reason = timeout(SOON, ended.recv()).await.unwrap();
    assert_eq!(reason, Some(EndReason::WriteDeadline));
    assert!(begun.elapsed() > DEADLINE * 2, "{:?}", begun.elapsed());
    drop(body);
}

/// All of them fit what hyper would let go of at once.
#[tokio::test]
async fn small_http2_replies_that_nobody_reads_are_reset_too() {
    const REPLIES: usize = 50;
    let sizes = [2 << 10, 16 << 10];
    for size in sizes {
        let held = Arc::new(());
        let holds = Arc::downgrade(&held);
        let service = service_fn(move |_: Request<Incoming>| {
            let reply = Held {
                data: vec![b'x'; size],
                _held: holds.upgrade(),
            };
            let response = Response::new(Body::from(Bytes::from_owner(reply)));
            async move { Ok::<_, Infallible>(response) }
        });
        let server = run(serve(listener().await, service).write_deadline(DEADLINE));
        let (mut client, _connection) =
            h2(TcpStream::connect(server.address).await.unwrap(), 1).await;
        let mut bodies = Vec::new();
        for _ in 0..REPLIES {
            bodies.push(h2_get(&mut client, "/").await);
        }
        let begun = Instant::now();
        while Arc::strong_count(&held) > 1 {
            assert!(
                begun.elapsed() < SOON,
                "{} replies of {size} bytes are still held",
                Arc::strong_count(&held) - 1
            );
            sleep(Duration::from_millis(50)).await;
        }
        drop(bodies);
    }
}

/// The bytes of a reply, and what tells that they are still there.
struct Held {
    data: Vec<u8>,
    _held: Option<Arc<()>>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.data
    }
}

// Breaks on purpose.

/// The kernel resets a connection that is closed with something unread, and takes back what was not
/// delivered.
#[tokio::test]
async fn a_break_on_purpose_loses_nothing_after_a_request_that_was_not_read() {
    const EVENTS: usize = 40;
    for more in [20_000, 200_000] {
        let service = service_fn(|request: Request<Incoming>| async move {
            let connect = Connect::from_request(&request);
            drop(request);
            let sse = connect
                .run(async |tx| {
                    for _ in 0..EVENTS {
                        tx.send(Event::new("x".repeat(9_992))).await?;
                    }
                    tx.close();
                    std::future::pending().await
                })
                .end_with(EndReason::Closed, End::Broken);
            Ok::<_, Infallible>(sse.into_http())
        });
        let server = run(serve(listener().await, service));
        let mut client = narrow(server.address).await;
        let head = format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {more}\r\n\r\n");
        client.write_all(head.as_bytes()).await.unwrap();
        client.write_all(&vec![b'a'; more]).await.unwrap();
        let mut read = Vec::new();
        let mut buffer = [0; 4 << 10];
        loop {
            sleep(Duration::from_millis(5)).await;
            match timeout(SOON, client.read(&mut buffer)).await.unwrap() {
                Ok(length @ 1..) => read.extend_from_slice(&buffer[..length]),
                _ => break,
            }
        }
        let events = String::from_utf8_lossy(&read).matches("x\n\n").count();
        assert_eq!(events, EVENTS, "after {more} bytes");
        assert!(!read.ends_with(b"0\r\n\r\n"), "a clean end");
    }
}

/// The client has sent no end of a request, and does not close.
#[tokio::test]
async fn a_connection_that_lingers_is_closed_all_the_same() {
    let service = service_fn(|_: Request<Incoming>| async move {
        let response = Response::builder()
            .header("connection", "close")
            .body("hello".to_owned());
        Ok::<_, Infallible>(response.unwrap())
    });
    let server = run(serve(listener().await, service).max_connections(1));
    let mut client = TcpStream::connect(server.address).await.unwrap();
    client
        .write_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9000000\r\n\r\n")
        .await
        .unwrap();
    let (stop, mut stopped) = oneshot::channel::<()>();
    let (mut from_server, mut to_server) = client.into_split();
    let sending = tokio::spawn(async move {
        while stopped.try_recv().is_err() && to_server.write_all(&[b'a'; 1_000]).await.is_ok() {
            sleep(Duration::from_millis(10)).await;
        }
    });
    let mut read = Vec::new();
    let _ = timeout(SOON, from_server.read_to_end(&mut read)).await;
    assert!(read.ends_with(b"hello"));
    // Its place is free again.
    let mut next = get(server.address, "/").await;
    read_until(&mut next, "hello").await;
    let _ = stop.send(());
    sending.await.unwrap();
}

// Settings.

#[tokio::test]
async fn the_longest_times_are_for_ever() {
    let server = run(serve(listener().await, service_fn(hello))
        .header_read_timeout(Duration::MAX)
        .write_deadline(Duration::MAX)
        .grace(Duration::MAX));
    let mut client = get(server.address, "/").await;
    read_until(&mut client, "hello").await;
    let (mut client, _connection) =
        h2(TcpStream::connect(server.address).await.unwrap(), 1 << 16).await;
    let mut body = h2_get(&mut client, "/").await;
    assert_eq!(body.data().await.unwrap().unwrap(), "hello");
    assert_eq!(server.shut_down().await.forced(), 0);
}

/// In a process of its own, where no thread can be had: their stacks would be larger than memory.
#[test]
fn threads_that_cannot_be_had_are_an_error() {
    const ALONE: &str = "SIDEREAL_TEST_WITHOUT_THREADS";
    if std::env::var_os(ALONE).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let served = serve(listener().await, service_fn(hello)).threads(2).await;
            assert!(served.is_err(), "there are threads");
        });
        return;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "threads_that_cannot_be_had_are_an_error"])
        .args(["--test-threads", "1"])
        .env(ALONE, "1")
        .env("RUST_MIN_STACK", (1_u64 << 60).to_string())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
}

// HEAD.

#[tokio::test]
async fn the_answer_to_head_on_http2_has_no_body() {
    let server = run(serve(listener().await, service_fn(hello)));
    let (mut client, _connection) =
        h2(TcpStream::connect(server.address).await.unwrap(), 1 << 16).await;
    let request = Request::head("http://x/").body(()).unwrap();
    let (response, _) = client.send_request(request, true).unwrap();
    let response = timeout(SOON, response).await.unwrap().unwrap();
    assert_eq!(response.headers()[CONTENT_LENGTH], "5");
    let mut body = response.into_body();
    let data = timeout(SOON, body.data()).await.unwrap();
    assert!(data.is_none(), "{data:?}");
    assert_eq!(
        h2_get(&mut client, "/")
            .await
            .data()
            .await
            .unwrap()
            .unwrap(),
        "hello"
    );
}
