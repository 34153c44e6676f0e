//! A network in front of a broker that is as bad as a test wants it.

mod connection;
mod faults;
mod frames;
mod nats;
mod resp;
mod shared;

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::{Arc, atomic::Ordering::SeqCst},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use socket2::SockRef;
use tokio::{
    net::TcpStream,
    runtime,
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

pub use faults::{Counts, Fault, Faults};
pub use frames::Way;

use crate::{Kind, Port, Server, process};
use faults::count;
use frames::Protocol;
use shared::{End, Shared, State};

/// How long the proxy's own thread may take to do what it is told.
const LIMIT: Duration = Duration::from_secs(10);

/// A TCP proxy on a port of its own, which forwards all connections to one address.
///
/// In front of NATS or Redis it works on whole messages: it cuts what comes in pieces of any size into what the protocol
/// is made of, and duplicates, drops, delays and reorders messages by chance ([`faults`](Self::faults)), or the next one
/// ([`next`](Self::next)). What it does to connections needs no protocol: [`cut`](Self::cut), [`close`](Self::close),
/// [`refuse`](Self::refuse), [`black_hole`](Self::black_hole).
///
/// It runs on a thread of its own, so a test may block, and may stop tokio's time. What it is told has happened when the
/// call returns. The same seed gives each connection, by its number, the same chance; which message that meets depends
/// on the broker and on the clients.
///
/// ```no_run
/// # async fn test() {
/// use nodes::{Faults, Proxy, Server};
///
/// let Some(server) = Server::nats().start().await else {
///     return;
/// };
/// let proxy = Proxy::before(&server, 7);
/// proxy.faults(Faults { duplicate: 0.1, ..Faults::default() });
/// let url = server.url_at(proxy.address());
/// // … clients that connect to `url` …
/// assert!(proxy.counts().duplicated > 0);
/// # }
/// ```
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    port: Arc<Port>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// In front of a server, with its protocol; in front of one that speaks TLS, with none.
    ///
    /// # Panics
    ///
    /// When there is no free port.
    #[must_use]
    pub fn before(server: &Server, seed: u64) -> Self {
        let protocol = match server.kind() {
            _ if server.has_tls() => Protocol::Bytes,
            Kind::Nats => Protocol::Nats,
            Kind::Redis => Protocol::Resp,
        };
        Self::start(protocol, server.address(), seed)
    }

    /// In front of NATS, without TLS.
    ///
    /// # Panics
    ///
    /// When there is no free port.
    #[must_use]
    pub fn nats(upstream: SocketAddr, seed: u64) -> Self {
        Self::start(Protocol::Nats, upstream, seed)
    }

    /// In front of Redis, without TLS. Its subscribers must have said `HELLO 3`.
    ///
    /// # Panics
    ///
    /// When there is no free port.
    #[must_use]
    pub fn redis(upstream: SocketAddr, seed: u64) -> Self {
        Self::start(Protocol::Resp, upstream, seed)
    }

    /// In front of anything: it knows no messages.
    ///
    /// # Panics
    ///
    /// When there is no free port.
    #[must_use]
    pub fn bytes(upstream: SocketAddr) -> Self {
        Self::start(Protocol::Bytes, upstream, 0)
    }

    fn start(protocol: Protocol, upstream: SocketAddr, seed: u64) -> Self {
        let port = Port::free().unwrap_or_else(|error| panic!("no free port: {error}"));
        let port = Arc::new(port);
        let listener =
            TcpListener::bind(port.address()).unwrap_or_else(|error| panic!("no proxy: {error}"));
        let shared = Arc::new(Shared::new(protocol, upstream, seed));
        let (its, address) = (Arc::clone(&shared), port.address());
        let thread = thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build();
            let run = runtime.and_then(|runtime| runtime.block_on(run(its, address, listener)));
            if let Err(error) = run {
                panic!("the proxy has ended: {error}");
            }
        });
        Self {
            shared,
            port,
            thread: Some(thread),
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// From now on messages have these faults, on connections that are there too.
    pub fn faults(&self, faults: Faults) {
        self.shared.set_faults(faults);
    }

    /// From now on messages have no faults. What is held back comes when it is due.
    pub fn heal(&self) {
        self.faults(Faults::default());
    }

    /// The next message that it can be for, of those that [`Faults::only`] names, has this fault, and no other. Called
    /// again before that has happened, it is for the one after it.
    pub fn next(&self, fault: Fault) {
        self.shared.queue(fault);
    }

    /// How many faults of [`next`](Self::next) have not happened.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.shared.queued()
    }

    /// How often what has happened.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.counters.read()
    }

    /// How many connections are there.
    #[must_use]
    pub fn open(&self) -> usize {
        self.shared.connections().len()
    }

    /// Resets all connections that are there, to both sides: how many there were. What was under way is lost.
    ///
    /// # Panics
    ///
    /// When its thread is gone, as all of these.
    pub fn cut(&self) -> u64 {
        self.end(End::Reset)
    }

    /// The same with the ordinary end of a connection.
    ///
    /// # Panics
    ///
    /// When its thread is gone.
    pub fn close(&self) -> u64 {
        self.end(End::Close)
    }

    /// Whether connections are refused from now on. Those that are there stay.
    ///
    /// # Panics
    ///
    /// When its thread is gone.
    pub fn refuse(&self, refuses: bool) {
        self.change(|state| state.refuses = refuses);
    }

    /// Whether nothing is forwarded from now on, on connections that are there and on new ones, which are taken. What
    /// was sent meanwhile is forwarded afterwards, as far as it fits into the buffers in between.
    ///
    /// # Panics
    ///
    /// When its thread is gone.
    pub fn black_hole(&self, is: bool) {
        self.change(|state| {
            state.black_to_client = is;
            state.black_to_server = is;
        });
    }

    /// The same in one direction only; the other stays as it is.
    ///
    /// # Panics
    ///
    /// When its thread is gone.
    pub fn black_hole_one_way(&self, way: Way, is: bool) {
        self.change(|state| match way {
            Way::ToClient => state.black_to_client = is,
            Way::ToServer => state.black_to_server = is,
        });
    }

    fn end(&self, end: End) -> u64 {
        let before = self.counts().cut;
        let state = self.change(|state| {
            state.cuts += 1;
            state.end = end;
        });
        self.wait(|| {
            let connections = self.shared.connections();
            connections.values().all(|cuts| *cuts >= state.cuts)
        });
        process::settle();
        self.counts().cut - before
    }

    /// Changes the state, and waits until the proxy's thread acts by it.
    fn change(&self, change: impl FnOnce(&mut State)) -> State {
        let state = self.shared.change(change);
        self.wait(|| self.shared.seen.load(SeqCst) >= state.version);
        process::settle();
        state
    }

    fn wait(&self, is_done: impl Fn() -> bool) {
        let start = Instant::now();
        while !is_done() {
            assert!(
                start.elapsed() < LIMIT,
                "the proxy does not do what it is told"
            );
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.change(|state| state.is_over = true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        if thread::panicking() {
            println!("the proxy has counted: {:?}", self.counts());
        }
    }
}

/// Takes connections until the proxy is dropped.
async fn run(shared: Arc<Shared>, address: SocketAddr, listener: TcpListener) -> io::Result<()> {
    let mut state = shared.state.subscribe();
    let mut listener = Some(Listener::new(listener)?);
    let mut connections = JoinSet::new();
    let (mut number, mut cuts) = (0, 0);
    loop {
        let now = *state.borrow_and_update();
        if now.is_over {
            // The connections see it too.
            let all = async { while connections.join_next().await.is_some() {} };
            let _ = timeout(LIMIT, all).await;
            return Ok(());
        }
        if now.cuts != cuts {
            cuts = now.cuts;
            listener
                .iter()
                .for_each(|listener| listener.cut(&shared, now.end));
        }
        match now.refuses {
            true => listener = None,
            false if listener.is_none() => {
                listener = Some(Listener::new(TcpListener::bind(address)?)?);
            }
            false => {}
        }
        // All other tasks of this thread are where they wait for something, and look at the state before they write.
        shared.seen.store(now.version, SeqCst);
        let accepted = async {
            match &listener {
                Some(listener) => listener.tokio.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            accepted = accepted => match accepted {
                Ok((client, _)) => {
                    count(&shared.counters.connections);
                    shared.connections().insert(number, cuts);
                    let state = shared.state.subscribe();
                    connections.spawn(serve(Arc::clone(&shared), state, cuts, number, client));
                    number += 1;
                }
                // One that is gone already, or no file for it.
                Err(_) => sleep(Duration::from_millis(1)).await,
            },
            _ = state.changed() => {}
            _ = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

/// The listening socket, twice: tokio knows of a new connection only when it has asked the kernel for all its sockets.
struct Listener {
    tokio: tokio::net::TcpListener,
    std: TcpListener,
}

impl Listener {
    fn new(listener: TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self {
            std: listener.try_clone()?,
            tokio: tokio::net::TcpListener::from_std(listener)?,
        })
    }

    /// Ends the connections that were not taken yet: their clients know nothing of that.
    fn cut(&self, shared: &Shared, end: End) {
        while let Ok((client, _)) = self.std.accept() {
            count(&shared.counters.connections);
            count(&shared.counters.cut);
            if end == End::Reset {
                let _ = SockRef::from(&client).set_linger(Some(Duration::ZERO));
            }
        }
    }
}

/// One connection, until it ends, is cut, or the proxy is dropped.
async fn serve(
    shared: Arc<Shared>,
    mut state: watch::Receiver<State>,
    cuts: u64,
    number: u64,
    mut client: TcpStream,
) {
    let mut broker = None;
    let end = tokio::select! {
        biased;
        changed = state.wait_for(|state| state.cuts != cuts || state.is_over) => {
            changed.map_or(End::Reset, |state| state.end)
        }
        forwarded = connection::forward(&shared, number, &mut client, &mut broker) => {
            match forwarded {
                Ok(()) => End::Close,
                Err(_) => End::Reset,
            }
        }
    };
    let was_cut = state.borrow().cuts != cuts;
    if was_cut {
        count(&shared.counters.cut);
    }
    if end == End::Reset {
        for stream in [Some(&client), broker.as_ref()].into_iter().flatten() {
            let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
        }
    }
    drop((client, broker));
    shared.connections().remove(&number);
}
