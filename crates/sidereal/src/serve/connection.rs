//! One connection, from its socket to its end.

use std::{
    future::pending,
    io,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use sidereal_sse::{EndReason, Shutdown, Transport};
use tokio::{
    sync::{
        mpsc,
        watch::{self, error::RecvError},
    },
    time::{sleep, timeout},
};
use tower_service::Service;

use super::{
    BoxError,
    aside::Aside,
    deadline::DeadlineStream,
    give_up,
    listener::SocketSettings,
    protocol::{Connection, http1, http2},
    requests::Requests,
    socket::{Socket, SocketWatch},
    stalled::StreamExecutor,
};

/// Where the server is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    Serving,
    /// Connections end when their responses have.
    Draining,
    /// Connections end now.
    Closing,
}

/// What there is to know of a connection beside what hyper makes of it.
enum News {
    Phase(Phase),
    /// The client has left, or let the time pass in which it was to ask for something.
    Left,
    /// The peer gives no sign of life.
    Silent,
    /// There is no telling whether the client leaves.
    Blind,
}

/// What all connections of a server share.
pub(super) struct Shared {
    pub(super) shutdown: Shutdown,
    pub(super) settings: SocketSettings,
    pub(super) header_read_timeout: Option<Duration>,
    pub(super) phase: watch::Receiver<Phase>,
    pub(super) forced: Arc<AtomicUsize>,
    /// Never sent on: when nobody holds this any more, all connections are gone.
    pub(super) _open: mpsc::Sender<()>,
}

/// Begins to serve a connection: reads which protocol the client speaks, and leaves the rest to a
/// task that is no larger than that protocol needs. What a connection ends with is of no interest to
/// anyone: the client left, or spoke no HTTP.
pub(super) async fn begin<S, B>(
    shared: Arc<Shared>,
    service: S,
    mut socket: Socket,
    peer: SocketAddr,
) where
    S: Service<Request<Incoming>, Response = Response<B>, Error: Into<BoxError>>
        + Clone
        + Send
        + 'static,
    S::Future: Send + 'static,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    let header_read_timeout = shared.header_read_timeout;
    let mut phase = shared.phase.clone();
    let is_http2 = tokio::select! {
        biased;
        _ = phase.changed() => return,
        is_http2 = is_http2(&mut socket, header_read_timeout) => is_http2,
    };
    let Ok(is_http2) = is_http2 else {
        return;
    };
    let watch = socket.watch();
    let write_deadline = shared.settings.write_deadline;
    let stream = DeadlineStream::new(socket, write_deadline);
    let transport = stream.transport().clone();
    let streams = is_http2.then(StreamExecutor::default);
    let requests = Requests {
        service,
        peer,
        transport: transport.clone(),
        streams: streams.clone(),
        shared: Arc::clone(&shared),
    };
    match streams {
        None => {
            let connection = http1(stream, requests, header_read_timeout);
            tokio::spawn(run(connection, pending(), shared, watch, transport));
        }
        Some(streams) => {
            let connection = http2(stream, requests, streams.clone(), write_deadline);
            let news = Box::pin(http2_news(Arc::clone(&shared), watch.clone(), streams));
            tokio::spawn(run(connection, news, shared, watch, transport));
        }
    }
}

/// Whether the client speaks HTTP/2, which it says with its first bytes; an error when it says
/// nothing in time.
async fn is_http2(socket: &mut Socket, at_most: Option<Duration>) -> io::Result<bool> {
    match at_most {
        Some(at_most) => timeout(at_most, socket.begins_http2()).await?,
        None => socket.begins_http2().await,
    }
}

/// What HTTP/2 has of news: ready at most once.
async fn http2_news(shared: Arc<Shared>, watch: SocketWatch, streams: StreamExecutor) -> News {
    let mute = async {
        match shared.header_read_timeout {
            Some(timeout) => sleep(timeout).await,
            None => pending().await,
        }
        if streams.have_begun() {
            pending::<()>().await;
        }
    };
    let silent = async {
        match shared.settings.write_deadline {
            Some(deadline) => watch.silent(deadline, || streams.have_begun()).await,
            None => pending().await,
        }
    };
    tokio::select! {
        () = mute => News::Left,
        () = silent => News::Silent,
    }
}

/// Runs a connection until it is over, and heeds what there is to know beside it. The `protocol` has
/// news of its own, after which it is over.
///
/// There is one such future for each viewer, so its size matters: a block is async here and not the
/// function, which would keep its arguments twice, and what comes at the end is in a box.
fn run(
    mut connection: impl Connection,
    mut protocol: impl Future<Output = News> + Unpin,
    shared: Arc<Shared>,
    watch: SocketWatch,
    transport: Transport,
) -> impl Future<Output = ()> {
    let mut phase = shared.phase.clone();
    async move {
        let mut may_leave = true;
        loop {
            let watches_leaving = may_leave;
            let news = pin!(async {
                tokio::select! {
                    biased;
                    changed = phase.changed() => News::Phase(at(&mut phase, changed)),
                    news = &mut protocol => news,
                    ready = watch.left(), if watches_leaving => match ready {
                        Ok(ready) if ready.is_read_closed() => News::Left,
                        _ => News::Blind,
                    },
                }
            });
            let news = tokio::select! {
                biased;
                _ = &mut connection => break,
                news = Aside::new(news) => news,
            };
            match news {
                News::Phase(Phase::Serving) => {}
                News::Phase(Phase::Draining) => connection.graceful_shutdown(),
                News::Phase(Phase::Closing) => {
                    give_up(&transport, EndReason::Shutdown);
                    shared.forced.fetch_add(1, Ordering::Relaxed);
                    return;
                }
                News::Silent => return give_up(&transport, EndReason::WriteDeadline),
                News::Left => return,
                News::Blind => may_leave = false,
            }
        }
        if transport.gave_up().is_none() {
            drop((connection, protocol));
            Box::pin(close(watch, phase)).await;
        }
    }
}

/// Closes a connection that hyper is done with.
async fn close(watch: SocketWatch, mut phase: watch::Receiver<Phase>) {
    tokio::select! {
        () = watch.close() => {}
        _ = phase.wait_for(|phase| *phase == Phase::Closing) => {}
    }
}

/// The phase that it has come to. A server that was dropped has nothing to wait for.
fn at(phase: &mut watch::Receiver<Phase>, changed: Result<(), RecvError>) -> Phase {
    match changed {
        Ok(()) => *phase.borrow_and_update(),
        Err(_) => Phase::Closing,
    }
}
