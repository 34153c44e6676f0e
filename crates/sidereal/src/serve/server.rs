//! The server: its settings, and its life from the first connection to the last.

use std::{
    fmt, io,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use sidereal_sse::Shutdown;
use tokio::sync::{Semaphore, mpsc, watch};
use tower_service::Service;

use super::{
    BoxError, Listener,
    connection::{Phase, Shared, begin},
    listener::bounded,
    socket::Socket,
    workers::Workers,
};

/// How long what was closed by force may take to be gone.
const AFTER_FORCE: Duration = Duration::from_millis(500);

/// Serves a tower service on a listener: HTTP/1.1, and HTTP/2 from clients that begin with it
/// (prior knowledge), with upgrades.
///
/// Any `Service` of `http` requests and responses will do; an axum `Router` is one. The service is
/// cloned for each request. Await the [`Server`] to run it.
///
/// Each request gets into its extensions the server's [`Shutdown`], which ends long-lived streams, the
/// [`Transport`](sidereal_sse::Transport) through which streams learn why they were cut off,
/// and the client's address as [`Peer`](super::Peer).
///
/// ```no_run
/// # #[derive(Clone)]
/// # struct App;
/// # impl tower_service::Service<http::Request<hyper::body::Incoming>> for App {
/// #     type Response = http::Response<sidereal_sse::SseBody>;
/// #     type Error = std::convert::Infallible;
/// #     type Future = std::future::Ready<Result<Self::Response, Self::Error>>;
/// #     fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Self::Error>> {
/// #         std::task::Poll::Ready(Ok(()))
/// #     }
/// #     fn call(&mut self, request: http::Request<hyper::body::Incoming>) -> Self::Future {
/// #         let connect = sidereal_sse::Connect::from_request(&request);
/// #         std::future::ready(Ok(connect.run(async |_| Ok(())).into_http()))
/// #     }
/// # }
/// use std::time::Duration;
/// use sidereal::serve::{Listener, serve};
///
/// # async fn f(app: App, ctrl_c: impl Future<Output = ()> + Send + 'static) -> std::io::Result<()> {
/// let listener = Listener::bind("127.0.0.1:3000").await?;
/// let served = serve(listener, app)
///     .shutdown_on(ctrl_c)
///     .grace(Duration::from_secs(5))
///     .await?;
/// println!("closed {} connections by force", served.forced());
/// # Ok(())
/// # }
/// ```
pub fn serve<S, B>(listener: impl Into<Listener>, service: S) -> Server<S>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error: Into<BoxError>>
        + Clone
        + Send
        + 'static,
    S::Future: Send + 'static,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    Server {
        listener: listener.into(),
        service,
        shutdown: Shutdown::new(),
        signal: None,
        grace: Duration::from_secs(10),
        max_connections: 10_000,
        header_read_timeout: Some(Duration::from_secs(30)),
        threads: 0,
    }
}

/// A server that is not running yet: await it to run it. Made by [`serve`](serve()).
///
/// | setting | default |
/// |---|---|
/// | [`shutdown_on`](Self::shutdown_on) | never |
/// | [`grace`](Self::grace) | 10 s |
/// | [`write_deadline`](Self::write_deadline) | 30 s |
/// | [`unsent_mark`](Self::unsent_mark) | 16 KiB |
/// | [`max_connections`](Self::max_connections) | 10,000 |
/// | [`header_read_timeout`](Self::header_read_timeout) | 30 s |
/// | [`threads`](Self::threads) | none of its own |
///
/// # Shutdown
///
/// 1. No more connections are accepted, and the [`Shutdown`] is triggered: streams that follow it
///    end, broken by default, so that their pages come back to the next server.
/// 2. Each connection ends when its responses have. Idle ones end at once, on HTTP/2 if the client
///    answers a ping.
/// 3. Those that are left after the [`grace`](Self::grace) are closed by force: readers that have
///    stalled, requests that are still on their way, handlers that hang, HTTP/2 clients that answer
///    no ping. The streams on them end with [`EndReason::Shutdown`](sidereal_sse::EndReason::Shutdown).
///
/// It is over within the grace and a second, whatever readers do.
///
/// # Stalled readers
///
/// On HTTP/1.1, a write that the socket takes nothing of for longer than the write deadline closes
/// the connection. On HTTP/2, where flow control stops a stream before its socket is full, bytes of
/// a response that have not moved for as long end that stream alone: a proxy's connection carries
/// other viewers too. Two limits of that:
///
/// - The last KiB of a reply that is complete is held for a reader that never reads it, for as long
///   as the connection is there.
/// - Streams share a connection's way: of `n` busy streams on one that moves less than `n` × 16 KiB
///   in a deadline, some count as stalled though all are read.
///
/// On HTTP/2, pings find peers that are gone: one that has neither sent nor read anything for four
/// deadlines is closed. To read slowly, and answer late, is a sign of life.
///
/// # Clients that leave
///
/// A client that closes its connection, or only its own direction of it, is taken to have left at
/// once, in the middle of a response too, and the handler is dropped. That holds also for a client
/// whose request was not read to its end, on Linux and Android; elsewhere such a one is noticed by
/// the second heartbeat that it does not take. So is, by the first, one that left with more still to
/// send than its socket's buffers took in.
///
/// # Request bodies
///
/// There is no time limit on the body of a request, and none on its length: a handler that reads one
/// sets its own, as the extractors of `sidereal` and axum do for the length.
///
/// A connection that ends with a request unread goes on to take in what the client sends, for at most
/// a second and 1 MiB: else the kernel would reset it, and with that take back the end of the response.
///
/// # Cancel safety
///
/// When the future is dropped, its connections are closed, except upgraded ones: those are with
/// whoever upgraded them, and with [`threads`](Self::threads) they go with the threads.
#[must_use = "a server does nothing unless it is awaited"]
pub struct Server<S> {
    listener: Listener,
    service: S,
    shutdown: Shutdown,
    signal: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    grace: Duration,
    max_connections: usize,
    header_read_timeout: Option<Duration>,
    threads: usize,
}

/// How a server ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Served {
    forced: usize,
}

impl Served {
    /// How many connections were closed by force when the grace was over.
    pub fn forced(&self) -> usize {
        self.forced
    }
}

impl<S> Server<S> {
    /// Shuts down when this future is ready: a signal, a command. The last one that is set counts,
    /// beside [`shutdown_handle`](Self::shutdown_handle).
    #[doc(alias = "with_graceful_shutdown")]
    pub fn shutdown_on(mut self, signal: impl Future<Output = ()> + Send + 'static) -> Self {
        self.signal = Some(Box::pin(signal));
        self
    }

    /// Shuts down with this switch, which other servers may share: whichever is told to shut down
    /// takes the others along.
    pub fn shutdown(mut self, shutdown: Shutdown) -> Self {
        self.shutdown = shutdown;
        self
    }

    /// The switch that shuts this server down when it is triggered, from any thread. Another one
    /// that [`shutdown`](Self::shutdown) sets later takes its place.
    pub fn shutdown_handle(&self) -> Shutdown {
        self.shutdown.clone()
    }

    /// How long responses may take to end once the server shuts down. Default 10 s.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// How long what was written may be stuck before a reader counts as stalled. Default 30 s, or
    /// what the listener has; `None`, zero or more than 30 years for ever. See
    /// [`Listener::write_deadline`].
    pub fn write_deadline(mut self, deadline: impl Into<Option<Duration>>) -> Self {
        self.listener = self.listener.write_deadline(deadline);
        self
    }

    /// How many bytes the kernel may hold unsent for a connection. Default 16 KiB, or what the
    /// listener has. See [`Listener::unsent_mark`].
    pub fn unsent_mark(mut self, bytes: impl Into<Option<u32>>) -> Self {
        self.listener = self.listener.unsent_mark(bytes);
        self
    }

    /// How many connections may be open at once, upgraded ones too; further ones wait in the
    /// kernel's queue until one is closed. Default 10,000, at least 1.
    ///
    /// An idle HTTP/2 connection keeps its place for as long as its client answers pings.
    ///
    /// Each takes a file descriptor: where the process may open fewer (`ulimit -n`), connections
    /// wait as well, and the log says why.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections.clamp(1, Semaphore::MAX_PERMITS);
        self
    }

    /// How long a client may take to send the head of a request, counted from when the server
    /// began to wait for it; so this is also how long an idle HTTP/1.1 connection is kept. Default
    /// 30 s; `None`, zero or more than 30 years for ever.
    ///
    /// Counted once more from the first byte of a connection, which tells its protocol.
    ///
    /// On HTTP/2 it is for the first request alone. A head that is begun later and not ended counts
    /// as an idle connection.
    pub fn header_read_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.header_read_timeout = bounded(timeout);
        self
    }

    /// Serves on this many threads, each with a current-thread runtime of its own, and gives each
    /// new connection to the thread that has the fewest. Default 0: on the runtime that the server
    /// is awaited on.
    ///
    /// A connection and its streams stay on their thread, so no event wakes another one. The
    /// number of cores is a good number: [`std::thread::available_parallelism`].
    ///
    /// The threads end with the server, and with them whatever still runs there: upgraded
    /// connections, tasks that handlers spawned, and streams that are
    /// [`detached`](sidereal_sse::Sse::detached).
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// The address that this server listens on.
    ///
    /// # Errors
    ///
    /// As [`Listener::local_addr`].
    pub fn local_addr(&self) -> io::Result<std::net::SocketAddr> {
        self.listener.local_addr()
    }
}

impl<S, B> Server<S>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error: Into<BoxError>>
        + Clone
        + Send
        + 'static,
    S::Future: Send + 'static,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    async fn run(self) -> io::Result<Served> {
        let Self {
            listener,
            service,
            shutdown,
            signal,
            grace,
            max_connections,
            header_read_timeout,
            threads,
        } = self;
        let mut workers = Workers::start(threads).await?;
        let (phase, phases) = watch::channel(Phase::Serving);
        let (open, mut all_gone) = mpsc::channel(1);
        let forced = Arc::new(AtomicUsize::new(0));
        let shared = Arc::new(Shared {
            shutdown: shutdown.clone(),
            settings: listener.settings(),
            header_read_timeout,
            phase: phases,
            forced: Arc::clone(&forced),
            _open: open,
        });

        accept(
            listener,
            shared,
            service,
            &mut workers,
            max_connections,
            &shutdown,
            signal,
        )
        .await;

        shutdown.trigger();
        phase.send_replace(Phase::Draining);
        if tokio::time::timeout(grace, all_gone.recv()).await.is_err() {
            phase.send_replace(Phase::Closing);
            let _ = tokio::time::timeout(AFTER_FORCE, all_gone.recv()).await;
        }
        workers.stop(AFTER_FORCE).await;
        let forced = forced.load(Ordering::Relaxed);
        if forced > 0 {
            tracing::warn!(target: super::TARGET, forced, "connections were closed by force");
        }
        Ok(Served { forced })
    }
}

/// Accepts connections until it is told to stop; then the listener is closed.
async fn accept<S, B>(
    listener: Listener,
    shared: Arc<Shared>,
    service: S,
    workers: &mut Workers,
    max_connections: usize,
    shutdown: &Shutdown,
    signal: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
) where
    S: Service<Request<Incoming>, Response = Response<B>, Error: Into<BoxError>>
        + Clone
        + Send
        + 'static,
    S::Future: Send + 'static,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(max_connections));
    let mut stop = pin!(async {
        match signal {
            Some(signal) => tokio::select! {
                () = signal => {}
                () = shutdown.triggered() => {}
            },
            None => shutdown.triggered().await,
        }
    });
    loop {
        let accepted = async {
            // The semaphore is never closed.
            let place = Arc::clone(&places).acquire_owned().await.ok();
            (place, listener.accept_socket().await)
        };
        let (place, (stream, peer)) = tokio::select! {
            biased;
            () = stop.as_mut() => return,
            accepted = accepted => accepted,
        };
        shared.settings.apply(&stream);
        let shared = Arc::clone(&shared);
        let service = service.clone();
        let serve = |socket| begin(shared, service, socket, peer);
        match workers.next() {
            None => drop(tokio::spawn(serve(Socket::new(stream, place, None)))),
            Some(worker) => worker.spawn(stream, |stream, counted| {
                serve(Socket::new(stream, place, Some(counted)))
            }),
        }
    }
}

impl<S, B> IntoFuture for Server<S>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error: Into<BoxError>>
        + Clone
        + Send
        + 'static,
    S::Future: Send + 'static,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    /// # Errors
    ///
    /// Only when [`threads`](Server::threads) were asked for and cannot be had. Errors of single
    /// connections concern those alone, and accepting is tried again.
    type Output = io::Result<Served>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<S> fmt::Debug for Server<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("listener", &self.listener)
            .field("shutdown", &self.shutdown)
            .field("grace", &self.grace)
            .field("max_connections", &self.max_connections)
            .field("header_read_timeout", &self.header_read_timeout)
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}
