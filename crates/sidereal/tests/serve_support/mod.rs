//! What the tests of `sidereal::serve` share: what they serve, and the clients.

// Each test file uses a part of it.
#![allow(dead_code)]

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use sidereal::serve::{Listener, Served, Server};
use sidereal_sse::{Connect, End, EndReason, Event, Shutdown, SseBody};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{sleep, timeout},
};
use tower::{Service, service_fn};

pub(crate) const SOON: Duration = Duration::from_secs(5);
pub(crate) const DEADLINE: Duration = Duration::from_millis(300);

// What the tests serve.

/// Tells why streams ended.
pub(crate) type Ends = mpsc::UnboundedSender<EndReason>;

pub(crate) fn ends() -> (Ends, mpsc::UnboundedReceiver<EndReason>) {
    mpsc::unbounded_channel()
}

/// Two kinds of streams, by path:
/// - `/flood`: events of 64 KiB without end, counted when they are accepted;
/// - anything else: "first", and when told so "last", and then nothing.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) ends: Ends,
    pub(crate) flooded: Arc<AtomicUsize>,
    pub(crate) last: watch::Receiver<bool>,
    pub(crate) lasts: Arc<AtomicUsize>,
}

impl App {
    pub(crate) fn new(ends: Ends) -> (Self, watch::Sender<bool>) {
        let (tell, last) = watch::channel(false);
        let app = Self {
            ends,
            flooded: Arc::default(),
            last,
            lasts: Arc::default(),
        };
        (app, tell)
    }

    pub(crate) fn respond(&self, request: Request<Incoming>) -> Response<SseBody> {
        let connect = Connect::from_request(&request);
        let ends = self.ends.clone();
        let sse = if request.uri().path() == "/flood" {
            let flooded = Arc::clone(&self.flooded);
            let data = "x".repeat(64 << 10);
            connect.every(Duration::ZERO, move |tx| {
                let event = Event::new(&data);
                let flooded = Arc::clone(&flooded);
                async move {
                    tx.send(event).await?;
                    flooded.fetch_add(1, Ordering::SeqCst);
                    Ok(())
                }
            })
        } else {
            let mut last = self.last.clone();
            let lasts = Arc::clone(&self.lasts);
            connect.run(async move |tx| {
                tx.send(Event::new("first")).await?;
                last.wait_for(|last| *last).await?;
                tx.send(Event::new("last")).await?;
                lasts.fetch_add(1, Ordering::SeqCst);
                std::future::pending().await
            })
        };
        let sse = if request.uri().path() == "/clean" {
            sse.end_with(EndReason::Shutdown, End::Clean)
        } else {
            sse
        };
        sse.on_disconnect(move |_, ended| ends.send(ended.reason()).unwrap_or_default())
            .into_http()
    }
}

pub(crate) fn service(
    app: &App,
) -> impl Service<Request<Incoming>, Response = Response<SseBody>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ use<> {
    let app = app.clone();
    service_fn(move |request: Request<Incoming>| {
        let response = app.respond(request);
        async move { Ok(response) }
    })
}

pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) shutdown: Shutdown,
    pub(crate) server: JoinHandle<io::Result<Served>>,
}

pub(crate) fn run<S>(server: Server<S>) -> Running
where
    Server<S>: IntoFuture<Output = io::Result<Served>, IntoFuture: Send + 'static>,
{
    Running {
        address: server.local_addr().unwrap(),
        shutdown: server.shutdown_handle(),
        server: tokio::spawn(server.into_future()),
    }
}

impl Running {
    pub(crate) async fn shut_down(self) -> Served {
        self.shutdown.trigger();
        let served = timeout(SOON, self.server).await;
        served.expect("the server does not end").unwrap().unwrap()
    }
}

pub(crate) async fn listener() -> Listener {
    Listener::bind("127.0.0.1:0").await.unwrap()
}

// The clients.

/// An HTTP/1.1 client that has asked for a path.
pub(crate) async fn get(address: SocketAddr, path: &str) -> TcpStream {
    let stream = TcpStream::connect(address).await.unwrap();
    ask(stream, path).await
}

pub(crate) async fn ask(mut stream: TcpStream, path: &str) -> TcpStream {
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// A client for whom the kernel takes in next to nothing.
pub(crate) async fn narrow(address: SocketAddr) -> TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 << 10).unwrap();
    socket.connect(address).await.unwrap()
}

/// Reads until the text has come.
pub(crate) async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut read = Vec::new();
    timeout(SOON, async {
        while !String::from_utf8_lossy(&read).contains(text) {
            let length = stream.read_buf(&mut read).await.unwrap();
            assert_ne!(
                length,
                0,
                "ended after {:?}",
                String::from_utf8_lossy(&read)
            );
        }
    })
    .await
    .unwrap_or_else(|_| panic!("no {text:?} in {:?}", String::from_utf8_lossy(&read)));
    String::from_utf8(read).unwrap()
}

/// Reads to the end, an abrupt one included.
pub(crate) async fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut read = Vec::new();
    let _ = timeout(SOON, stream.read_to_end(&mut read))
        .await
        .expect("the connection stays open");
    read
}

/// Waits until no more events are accepted: all who flood are stalled.
pub(crate) async fn stalled(app: &App) {
    let mut before = 0;
    for _ in 0..50 {
        sleep(Duration::from_millis(100)).await;
        let now = app.flooded.load(Ordering::SeqCst);
        if now > 0 && now == before {
            return;
        }
        before = now;
    }
    panic!("the readers do not stall");
}

pub(crate) async fn h2(
    stream: TcpStream,
    window: u32,
) -> (
    h2::client::SendRequest<Bytes>,
    JoinHandle<Result<(), h2::Error>>,
) {
    stream.set_nodelay(true).unwrap();
    let (client, connection) = h2::client::Builder::new()
        .initial_window_size(window)
        .initial_connection_window_size(window)
        .handshake(stream)
        .await
        .unwrap();
    (client, tokio::spawn(connection))
}

pub(crate) async fn h2_get(
    client: &mut h2::client::SendRequest<Bytes>,
    path: &str,
) -> h2::RecvStream {
    let request = Request::get(format!("http://x{path}")).body(()).unwrap();
    let (response, _) = client.send_request(request, true).unwrap();
    timeout(SOON, response).await.unwrap().unwrap().into_body()
}
