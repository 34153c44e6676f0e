//! `sidereal::serve` over real sockets on the loopback interface. Sockets know no paused time, so
//! the deadlines are short ones.

#![cfg(feature = "serve")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod adapter;
mod serve_support;

use std::{
    convert::Infallible,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use serve_support::*;
use sidereal::serve::{Peer, serve};
use sidereal_sse::{Connect, End, EndReason, Event, Shutdown, SseBody};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};
use tower::service_fn;

// Shutdown.

/// How many connections this process can hold both ends of. To raise the limit takes `setrlimit`,
/// which is unsafe, so where it is low there are fewer.
fn affordable(wanted: usize) -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let soft = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    let count = soft.map_or(wanted, |soft| wanted.min(soft.saturating_sub(200) / 2));
    if count < wanted {
        eprintln!("`ulimit -n` is too low for {wanted} streams: testing with {count}");
    }
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_streams_do_not_block_a_shutdown_nor_do_ten_that_nobody_reads() {
    const STALLED: usize = 10;
    let grace = Duration::from_secs(1);
    let count = affordable(1_000) - STALLED;
    let (ends, mut ended) = ends();
    let (app, tell) = App::new(ends);
    let server = run(serve(listener().await, service(&app)).grace(grace));

    let mut idle = Vec::new();
    for _ in 0..STALLED {
        idle.push(ask(narrow(server.address).await, "/flood").await);
    }
    let mut readers = Vec::new();
    for _ in 0..count {
        let mut reader = get(server.address, "/").await;
        readers.push(tokio::spawn(async move {
            read_until(&mut reader, "data: first\n\n").await;
            reader
        }));
    }
    let mut reading = Vec::new();
    for reader in readers {
        let mut reader = reader.await.unwrap();
        reading.push(tokio::spawn(async move { read_to_end(&mut reader).await }));
    }
    stalled(&app).await;

    tell.send_replace(true);
    while app.lasts.load(Ordering::SeqCst) < count {
        sleep(Duration::from_millis(1)).await;
    }
    let begun = Instant::now();
    let served = server.shut_down().await;
    let took = begun.elapsed();
    assert!(took >= grace, "{took:?}");
    assert!(took < grace + Duration::from_secs(1), "{took:?}");
    assert_eq!(served.forced(), STALLED);

    for reader in reading {
        let read = String::from_utf8(reader.await.unwrap()).unwrap();
        assert!(read.contains("data: last\n\n"), "{read:?}");
        assert!(!read.ends_with("0\r\n\r\n"), "not broken off: {read:?}");
    }
    for _ in 0..count + STALLED {
        assert_eq!(ended.try_recv(), Ok(EndReason::Shutdown));
    }
    assert!(ended.try_recv().is_err());
}

#[tokio::test]
async fn streams_may_end_cleanly_at_a_shutdown_which_is_then_quick() {
    let (ends, _ended) = ends();
    let (app, _tell) = App::new(ends);
    let (signal, told) = tokio::sync::oneshot::channel::<()>();
    let server = run(
        serve(listener().await, service(&app)).shutdown_on(async move {
            let _ = told.await;
        }),
    );
    let mut clean = get(server.address, "/clean").await;
    read_until(&mut clean, "data: first\n\n").await;
    let idle = TcpStream::connect(server.address).await.unwrap();

    let begun = Instant::now();
    signal.send(()).unwrap();
    assert!(read_to_end(&mut clean).await.ends_with(b"0\r\n\r\n"));
    let served = timeout(SOON, server.server)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert_eq!(served.forced(), 0);
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert!(server.shutdown.is_triggered());
    assert!(TcpStream::connect(server.address).await.is_err());
    drop(idle);
}

#[tokio::test]
async fn one_switch_shuts_several_servers_down_and_http2_streams_on_them() {
    let (ends, mut ended) = ends();
    let (app, tell) = App::new(ends);
    let shutdown = Shutdown::new();
    let one = run(serve(listener().await, service(&app)).shutdown(shutdown.clone()));
    let two = run(serve(listener().await, service(&app)).shutdown(shutdown.clone()));
    let (mut client, connection) =
        h2(TcpStream::connect(one.address).await.unwrap(), 1 << 20).await;
    let mut body = h2_get(&mut client, "/").await;
    let first = body.data().await.unwrap().unwrap();
    assert_eq!(first, "data: first\n\n");
    tell.send_replace(true);
    let last = body.data().await.unwrap().unwrap();
    assert_eq!(last, "data: last\n\n");

    shutdown.trigger();
    assert!(
        timeout(SOON, body.data()).await.unwrap().unwrap().is_err(),
        "not broken off"
    );
    for server in [one, two] {
        assert_eq!(server.shut_down().await.forced(), 0);
    }
    let _ = timeout(SOON, connection).await.unwrap();
    assert_eq!(ended.recv().await, Some(EndReason::Shutdown));
}

#[tokio::test]
async fn a_stalled_http2_stream_is_closed_by_force_with_its_reason() {
    let (ends, mut ended) = ends();
    let (app, _tell) = App::new(ends);
    let server = run(serve(listener().await, service(&app)).grace(DEADLINE));
    let (mut client, _connection) =
        h2(TcpStream::connect(server.address).await.unwrap(), 1 << 16).await;
    let _body = h2_get(&mut client, "/flood").await;
    stalled(&app).await;
    assert_eq!(server.shut_down().await.forced(), 1);
    assert_eq!(ended.try_recv(), Ok(EndReason::Shutdown));
}

#[tokio::test]
async fn a_server_that_is_dropped_closes_its_connections() {
    let (ends, mut ended) = ends();
    let (app, _tell) = App::new(ends);
    let server = run(serve(listener().await, service(&app)));
    let mut reader = get(server.address, "/").await;
    read_until(&mut reader, "data: first\n\n").await;
    server.server.abort();
    read_to_end(&mut reader).await;
    assert_eq!(ended.recv().await, Some(EndReason::Shutdown));
}

// Readers that stall.

#[tokio::test]
async fn a_stalled_http1_reader_is_closed_at_the_write_deadline() {
    let (ends, mut ended) = ends();
    let (app, _tell) = App::new(ends);
    let server = run(serve(listener().await, service(&app)).write_deadline(DEADLINE));
    let begun = Instant::now();
    let mut reader = ask(narrow(server.address).await, "/flood").await;
    let reason = timeout(SOON, ended.recv()).await.unwrap();
    assert_eq!(reason, Some(EndReason::WriteDeadline));
    assert!(begun.elapsed() >= DEADLINE);
    assert!(begun.elapsed() < DEADLINE + Duration::from_secs(1));
    read_to_end(&mut reader).await;
    assert_eq!(server.shut_down().await.forced(), 0);
}

/// A proxy's connection carries many viewers. One of them stalls; the others read on.
#[tokio::test]
async fn a_stalled_http2_stream_is_reset_at_the_write_deadline_and_its_neighbours_are_not() {
    let (ends, mut ended) = ends();
    let (app, tell) = App::new(ends);
    let server = run(serve(listener().await, service(&app)).write_deadline(DEADLINE));
    let (client, connection) = h2::client::Builder::new()
        .initial_window_size(32 << 10)
        .initial_connection_window_size(1 << 20)
        .handshake::<_, Bytes>(TcpStream::connect(server.address).await.unwrap())
        .await
        .unwrap();
    let mut client = client;
    tokio::spawn(connection);
    let mut neighbour = h2_get(&mut client, "/").await;
    assert_eq!(neighbour.data().await.unwrap().unwrap(), "data: first\n\n");

    let begun = Instant::now();
    let mut body = h2_get(&mut client, "/flood").await;
    let reason = timeout(SOON, ended.recv()).await.unwrap();
    assert_eq!(reason, Some(EndReason::WriteDeadline));
    assert!(begun.elapsed() >= DEADLINE);
    assert!(begun.elapsed() < DEADLINE + Duration::from_secs(1));
    let error = timeout(SOON, async {
        loop {
            if let Err(error) = body.data().await.expect("a clean end") {
                return error;
            }
        }
    });
    assert_eq!(error.await.unwrap().reason(), Some(h2::Reason::CANCEL));

    sleep(DEADLINE).await;
    tell.send_replace(true);
    let last = timeout(SOON, neighbour.data()).await.unwrap().unwrap();
    assert_eq!(last.unwrap(), "data: last\n\n");
    assert!(ended.try_recv().is_err());
}

/// The body has ended long before its bytes are through: hyper's task for the stream would be over,
/// and a megabyte would stay for as long as the client answers pings.
#[tokio::test]
async fn an_http2_reply_that_nobody_reads_is_reset_too() {
    let service = service_fn(|request: Request<Incoming>| async move {
        let reply = Connect::from_request(&request).reply([Event::new("x".repeat(1 << 20))]);
        Ok::<_, Infallible>(reply.into_http())
    });
    let server = run(serve(listener().await, service).write_deadline(DEADLINE));
    let (mut client, _connection) =
        h2(TcpStream::connect(server.address).await.unwrap(), 1 << 16).await;
    let mut body = h2_get(&mut client, "/").await;
    sleep(DEADLINE * 3).await;
    let error = timeout(SOON, async {
        loop {
            if let Err(error) = body.data().await.expect("a clean end") {
                return error;
            }
        }
    });
    assert_eq!(error.await.unwrap().reason(), Some(h2::Reason::CANCEL));
}

/// No flow control holds the stream back here; the peer's socket does.
#[tokio::test]
async fn an_http2_peer_that_reads_nothing_at_all_is_closed_at_the_write_deadline() {
    let (ends, mut ended) = ends();
    let (app, _tell) = App::new(ends);
    let server = run(serve(listener().await, service(&app)).write_deadline(DEADLINE));
    let (mut client, mut connection) = h2::client::Builder::new()
        .initial_window_size(1 << 30)
        .initial_connection_window_size(1 << 30)
        .handshake::<_, Bytes>(narrow(server.address).await)
        .await
        .unwrap();
    let body = h2_get(&mut client, "/flood");
    tokio::select! {
        _ = body => {}
        _ = &mut connection => panic!("the connection ended"),
    }
    // From here on nobody polls the connection.
    let reason = timeout(SOON, ended.recv()).await.unwrap();
    assert_eq!(reason, Some(EndReason::WriteDeadline));
}

/// At 200 KB a second, with always more to read. The kernel takes new bytes in steps: seen with
/// this reader's buffer, a second is enough for one at 20 KB a second, and too short at 10. The rest
/// is for a machine that is busy.
#[tokio::test]
async fn a_slow_reader_is_not_closed() {
    let deadline = Duration::from_secs(1);
    let (ends, mut ended) = ends();
    let (app, _tell) = App::new(ends);
    let server = run(serve(listener().await, service(&app)).write_deadline(deadline));
    let mut reader = ask(narrow(server.address).await, "/flood").await;
    let mut buffer = [0; 4 << 10];
    let begun = Instant::now();
    while begun.elapsed() < deadline * 3 {
        sleep(Duration::from_millis(20)).await;
        assert_ne!(reader.read(&mut buffer).await.unwrap(), 0);
    }
    assert!(ended.try_recv().is_err());
}

/// Far more than fits any buffer, and then a break on purpose.
const EVENTS: usize = 40;
const EVENT: usize = 10_000;

fn breaks_off(connect: Connect, ends: Ends) -> Response<SseBody> {
    connect
        .run(async |tx| {
            for _ in 0..EVENTS {
                tx.send(Event::new("x".repeat(EVENT - 8))).await?;
            }
            tx.close();
            std::future::pending().await
        })
        .end_with(EndReason::Closed, End::Broken)
        .on_disconnect(move |_, ended| ends.send(ended.reason()).unwrap_or_default())
        .into_http()
}

/// A server throws away what it has not written when a body fails. The engine's linger of 100 ms
/// is not enough for a reader that takes longer than that.
#[tokio::test]
async fn a_break_on_purpose_loses_nothing_that_a_slow_reader_has_yet_to_read() {
    let (ends, mut ended) = ends();
    let service = service_fn(move |request: Request<Incoming>| {
        let response = breaks_off(Connect::from_request(&request), ends.clone());
        async move { Ok::<_, Infallible>(response) }
    });
    let server = run(serve(listener().await, service).write_deadline(DEADLINE * 4));

    let mut reader = ask(narrow(server.address).await, "/").await;
    let mut read = Vec::new();
    while timeout(SOON, reader.read_buf(&mut read))
        .await
        .unwrap()
        .unwrap()
        > 0
    {
        sleep(Duration::from_millis(10)).await;
    }
    let events = String::from_utf8_lossy(&read).matches("data: x").count();
    assert_eq!(events, EVENTS);
    assert!(read.ends_with(b"x\n\n\r\n"), "the last one is not whole");
    assert!(!read.ends_with(b"0\r\n\r\n"), "a clean end");
    assert_eq!(ended.recv().await, Some(EndReason::Closed));

    let (mut client, _connection) =
        h2(TcpStream::connect(server.address).await.unwrap(), 1 << 16).await;
    let mut body = h2_get(&mut client, "/").await;
    let mut read = 0;
    let error = loop {
        match timeout(SOON, body.data())
            .await
            .unwrap()
            .expect("a clean end")
        {
            Ok(data) => {
                read += data.len();
                sleep(Duration::from_millis(15)).await;
                body.flow_control().release_capacity(data.len()).unwrap();
            }
            Err(error) => break error,
        }
    };
    assert_eq!(read, EVENTS * EVENT);
    assert!(error.is_reset(), "{error}");
    assert_eq!(ended.recv().await, Some(EndReason::Closed));
}

// Clients that leave.

#[tokio::test]
async fn a_client_that_leaves_is_seen_to_at_once() {
    let (ends, mut ended) = ends();
    let (app, _tell) = App::new(ends);
    let server = run(serve(listener().await, service(&app)));

    let mut leaves = get(server.address, "/").await;
    read_until(&mut leaves, "data: first\n\n").await;
    let begun = Instant::now();
    drop(leaves);
    assert_eq!(ended.recv().await, Some(EndReason::Disconnected));
    let closed = begun.elapsed();

    let mut half = get(server.address, "/").await;
    read_until(&mut half, "data: first\n\n").await;
    let begun = Instant::now();
    half.shutdown().await.unwrap();
    assert_eq!(ended.recv().await, Some(EndReason::Disconnected));
    let half_closed = begun.elapsed();

    let (mut client, connection) =
        h2(TcpStream::connect(server.address).await.unwrap(), 1 << 16).await;
    let body = h2_get(&mut client, "/").await;
    let begun = Instant::now();
    drop(body);
    assert_eq!(ended.recv().await, Some(EndReason::Disconnected));
    let reset = begun.elapsed();

    let _body = h2_get(&mut client, "/").await;
    let begun = Instant::now();
    connection.abort();
    assert_eq!(ended.recv().await, Some(EndReason::Disconnected));
    let http2_closed = begun.elapsed();

    eprintln!(
        "seen after: close {closed:?}, half close {half_closed:?}, \
         HTTP/2 reset {reset:?}, HTTP/2 close {http2_closed:?}"
    );
    for took in [closed, half_closed, reset, http2_closed] {
        assert!(took < Duration::from_millis(500), "{took:?}");
    }
}

// Limits.

#[tokio::test]
async fn connections_over_the_limit_wait() {
    let (ends, _ended) = ends();
    let (app, _tell) = App::new(ends);
    let server = run(serve(listener().await, service(&app)).max_connections(2));
    let mut one = get(server.address, "/").await;
    let mut two = get(server.address, "/").await;
    read_until(&mut one, "data: first\n\n").await;
    read_until(&mut two, "data: first\n\n").await;
    let mut three = get(server.address, "/").await;
    let nothing = timeout(Duration::from_millis(200), three.read_u8()).await;
    assert!(nothing.is_err(), "served beyond the limit");
    drop(one);
    read_until(&mut three, "data: first\n\n").await;
    server.shut_down().await;
}

/// The preface and an empty SETTINGS frame (RFC 9113, section 3.4).
const HTTP2_BEGINS: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

#[tokio::test]
async fn the_protocol_is_told_from_bytes_that_come_one_by_one() {
    let (ends, _ended) = ends();
    let (app, _tell) = App::new(ends);
    let server = run(serve(listener().await, service(&app)));
    let trickle = async |bytes: &[u8]| {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        for byte in bytes {
            stream.write_u8(*byte).await.unwrap();
            sleep(Duration::from_millis(1)).await;
        }
        stream
    };
    // One that begins as the preface of HTTP/2 does, one that does not, and one longer than it.
    let long = format!(
        "GET / HTTP/1.1\r\nHost: here\r\nX: {}\r\n\r\n",
        "x".repeat(100)
    );
    for request in [
        "PRI / HTTP/1.1\r\nHost: here\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        &long,
    ] {
        let mut stream = trickle(request.as_bytes()).await;
        read_until(&mut stream, "data: first\n\n").await;
    }
    let mut stream = trickle(HTTP2_BEGINS).await;
    let mut frame = [0; 9];
    stream.read_exact(&mut frame).await.unwrap();
    assert_eq!(frame[3], 4, "{frame:?}");
}

#[tokio::test]
async fn a_client_that_says_nothing_is_closed() {
    let (ends, _ended) = ends();
    let (app, _tell) = App::new(ends);
    let server = run(serve(listener().await, service(&app)).header_read_timeout(DEADLINE));
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    let mut half = TcpStream::connect(server.address).await.unwrap();
    half.write_all(b"GET / HT").await.unwrap();
    let mut undecided = TcpStream::connect(server.address).await.unwrap();
    undecided.write_all(b"PRI * HT").await.unwrap();
    let mut asks_nothing = TcpStream::connect(server.address).await.unwrap();
    asks_nothing.write_all(HTTP2_BEGINS).await.unwrap();
    let mut reader = get(server.address, "/").await;
    assert_eq!(read_to_end(&mut silent).await, b"");
    read_to_end(&mut half).await;
    assert_eq!(read_to_end(&mut undecided).await, b"");
    let settings = read_to_end(&mut asks_nothing).await;
    assert_eq!(settings[3], 4, "{settings:?}");
    // Who has asked is not concerned.
    sleep(DEADLINE).await;
    read_until(&mut reader, "data: first\n\n").await;
}

// Threads, and what is put into requests.

/// Of a connection that is closed without an answer, Firefox asks ten times, and Chromium again and
/// again: a service that panics is answered for, and the connection goes on.
#[tokio::test]
async fn a_service_that_panics_is_a_500() {
    let service = service_fn(|request: Request<Incoming>| async move {
        assert_ne!(request.uri().path(), "/panics", "on purpose");
        let reply = Connect::from_request(&request).reply([Event::new("fine")]);
        Ok::<_, Infallible>(reply.into_http())
    });
    let server = run(serve(listener().await, service));
    let mut stream = get(server.address, "/panics").await;
    let answer = read_until(&mut stream, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
    let mut stream = ask(stream, "/").await;
    let answer = read_until(&mut stream, "data: fine").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn threads_share_connections_evenly() {
    let service = service_fn(|request: Request<Incoming>| async move {
        let thread = std::thread::current().name().unwrap_or("").to_owned();
        let peer = request.extensions().get::<Peer>().copied();
        let sse = Connect::from_request(&request).run(async move |tx| {
            tx.send(Event::new(format!("{thread} {}", peer.unwrap().0)))
                .await?;
            std::future::pending().await
        });
        Ok::<_, Infallible>(sse.into_http())
    });
    let server = run(serve(listener().await, service).threads(2));
    let mut clients = Vec::new();
    let mut first = 0;
    for _ in 0..8 {
        let mut client = get(server.address, "/").await;
        let read = read_until(&mut client, "data: sidereal-serve-").await;
        let read = if read.ends_with('-') {
            read + &read_until(&mut client, "\n\n").await
        } else {
            read
        };
        first += usize::from(read.contains("sidereal-serve-0 "));
        assert!(
            read.contains(&client.local_addr().unwrap().to_string()),
            "{read}"
        );
        clients.push(client);
    }
    assert_eq!(first, 4);
    assert_eq!(server.shut_down().await.forced(), 0);
    for mut client in clients {
        read_to_end(&mut client).await;
    }
}

#[tokio::test]
async fn a_busy_thread_stops_only_its_own_streams() {
    let board = adapter::workers::Board::new();
    let served = board.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let board = served.clone();
        async move {
            let connect = sidereal::Connect::from_request(&request);
            Ok::<_, Infallible>(match request.uri().path() {
                "/watch" => board.watch(connect).into_http().map(Body::new),
                _ => Response::new(Body::from(board.work(request.uri().query()))),
            })
        }
    });
    let server = run(serve(listener().await, service).threads(2));
    let address = server.address;
    let asked = tokio::task::spawn_blocking(move || {
        adapter::workers::a_busy_thread_stops_only_its_own_streams(address, &board);
    });
    asked.await.unwrap();
    assert_eq!(server.shut_down().await.forced(), 0);
}

#[tokio::test]
async fn connections_can_be_upgraded() {
    let service = service_fn(|mut request: Request<Incoming>| async move {
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let mut io = hyper_util::rt::TokioIo::new(upgrade.await.unwrap());
            let mut bytes = [0; 4];
            io.read_exact(&mut bytes).await.unwrap();
            io.write_all(&bytes).await.unwrap();
            io.flush().await.unwrap();
            let _ = io.read_u8().await;
        });
        let response = Response::builder()
            .status(101)
            .header("connection", "upgrade")
            .header("upgrade", "echo")
            .body(String::new());
        Ok::<_, Infallible>(response.unwrap())
    });
    let server = run(serve(listener().await, service));
    let mut client = TcpStream::connect(server.address).await.unwrap();
    client
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n")
        .await
        .unwrap();
    read_until(&mut client, "\r\n\r\n").await;
    client.write_all(b"ping").await.unwrap();
    read_until(&mut client, "ping").await;
    // It is no longer the server's to wait for.
    assert_eq!(server.shut_down().await.forced(), 0);
    client.write_all(b"x").await.unwrap();
    read_to_end(&mut client).await;
}

// axum.

#[tokio::test]
async fn an_axum_router_is_a_service() {
    let app = axum::Router::new().route("/", axum::routing::get(|| async { "hello" }));
    let server = run(serve(listener().await, app));
    let mut client = get(server.address, "/").await;
    let read = read_until(&mut client, "hello").await;
    assert!(read.starts_with("HTTP/1.1 200 OK\r\n"), "{read}");
    server.shut_down().await;
}

#[cfg(feature = "axum-listener")]
#[tokio::test]
async fn the_listener_brings_the_write_deadline_to_axum() {
    use std::net::SocketAddr;

    use sidereal::serve::with_transport;

    let (ends, mut ended) = ends();
    let data = "x".repeat(64 << 10);
    let flood = move |request: axum::extract::Request| async move {
        let extensions = request.extensions();
        let Peer(peer) = *extensions.get().unwrap();
        let info: &axum::extract::ConnectInfo<SocketAddr> = extensions.get().unwrap();
        assert_eq!(info.0, peer);
        let connect = Connect::from_request(&request);
        let sse = connect
            .every(Duration::ZERO, move |tx| {
                let event = Event::new(&data);
                async move { Ok(tx.send(event).await?) }
            })
            .on_disconnect(move |_, ended| ends.send(ended.reason()).unwrap_or_default());
        sse.into_http().map(Body::new)
    };
    let app = axum::Router::new().route("/flood", axum::routing::get(flood));
    let listener = listener().await.write_deadline(DEADLINE);
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, with_transport(app)).into_future());

    let begun = Instant::now();
    let _reader = ask(narrow(address).await, "/flood").await;
    let reason = timeout(SOON, ended.recv()).await.unwrap();
    assert_eq!(reason, Some(EndReason::WriteDeadline));
    assert!(begun.elapsed() < DEADLINE + Duration::from_secs(1));
}
