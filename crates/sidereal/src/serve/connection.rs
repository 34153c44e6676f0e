//! One connection, from its socket to its end.

use std::{
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::{Request, Response, Version};
use http_body::Body;
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::conn::auto,
};
use sidereal_sse::{EndReason, Shutdown};
use tokio::sync::{mpsc, watch};
use tower_service::Service;

use super::{
    BoxError,
    aside::Aside,
    deadline::DeadlineStream,
    listener::{FOR_EVER, SocketSettings},
    requests::Requests,
    socket::{Socket, SocketWatch},
    stalled::StreamExecutor,
};

/// How much of an HTTP/2 stream hyper and h2 take in beyond what the client asked for, in bytes.
/// hyper's default is 400 KiB: as old as the picture of a slow reader would be.
const HTTP2_SEND_BUFFER: usize = 64 << 10;

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
    /// The client has had the time in which it was to begin.
    Mute,
    /// The peer gives no sign of life.
    Silent,
    /// The client has left.
    Left,
}

/// How a connection was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    /// hyper was done with it.
    ByItself,
    /// The client is gone, or was given up on.
    ByForce,
}

/// What connections share.
#[derive(Clone)]
pub(super) struct Shared<S> {
    pub(super) service: S,
    pub(super) shutdown: Shutdown,
    pub(super) settings: SocketSettings,
    pub(super) header_read_timeout: Option<Duration>,
    pub(super) phase: watch::Receiver<Phase>,
    /// Never sent on: when no connection holds it any more, all are gone.
    pub(super) open: mpsc::Sender<()>,
    pub(super) forced: Arc<AtomicUsize>,
}

impl<S, B> Shared<S>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error: Into<BoxError>>
        + Clone
        + Send
        + 'static,
    S::Future: Send + 'static,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    /// Serves one connection to its end. What it ends with is of no interest to anyone: the client
    /// left, or spoke no HTTP.
    pub(super) async fn connection(self, socket: Socket, peer: SocketAddr) {
        let watch = socket.watch();
        let mut phase = self.phase.clone();
        // The server waits for the close as well.
        let _open = self.open.clone();
        if self.serve(socket, &watch, peer).await == Over::ByItself {
            tokio::select! {
                () = watch.close() => {}
                _ = phase.wait_for(|phase| *phase == Phase::Closing) => {}
            }
        }
    }

    async fn serve(mut self, socket: Socket, watch: &SocketWatch, peer: SocketAddr) -> Over {
        let write_deadline = self.settings.write_deadline;
        let stream = DeadlineStream::new(socket, write_deadline);
        let verdict = stream.verdict().clone();
        let executor = StreamExecutor::default();
        let builder = self.builder(executor.clone());
        let version = Arc::new(OnceLock::new());
        let requests = Requests {
            service: self.service,
            shutdown: self.shutdown,
            peer,
            verdict: verdict.clone(),
            write_deadline,
            executor,
            open: self.open,
            version: Arc::clone(&version),
        };
        let mut connection =
            pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), requests));

        // hyper's own timeout begins when the version is known, so never for a client that does
        // not say a word.
        let mut may_be_mute = self.header_read_timeout.is_some();
        let mut mute = pin!(tokio::time::sleep(
            self.header_read_timeout.unwrap_or_default()
        ));
        let is_pinged = || version.get().map(|version| *version == Version::HTTP_2);
        let mut silent = pin!(watch.silent(write_deadline.unwrap_or_default(), is_pinged));
        let mut left = pin!(watch.left());
        loop {
            let waits_for_a_word = may_be_mute;
            let news = pin!(async {
                tokio::select! {
                    biased;
                    phase = next(&mut self.phase) => News::Phase(phase),
                    () = mute.as_mut(), if waits_for_a_word => News::Mute,
                    () = silent.as_mut(), if write_deadline.is_some() => News::Silent,
                    () = left.as_mut() => News::Left,
                }
            });
            let news = tokio::select! {
                biased;
                _ = connection.as_mut() => break,
                news = Aside::new(news) => news,
            };
            match news {
                News::Phase(Phase::Serving) => {}
                News::Phase(Phase::Draining) => connection.as_mut().graceful_shutdown(),
                News::Phase(Phase::Closing) => {
                    verdict.give_up(EndReason::Shutdown);
                    self.forced.fetch_add(1, Ordering::Relaxed);
                    return Over::ByForce;
                }
                News::Mute => {
                    may_be_mute = false;
                    if version.get().is_none() {
                        return Over::ByForce;
                    }
                }
                News::Silent => {
                    verdict.give_up(EndReason::WriteDeadline);
                    return Over::ByForce;
                }
                News::Left => return Over::ByForce,
            }
        }
        if verdict.is_given() {
            Over::ByForce
        } else {
            Over::ByItself
        }
    }

    fn builder(&self, executor: StreamExecutor) -> auto::Builder<StreamExecutor> {
        let mut builder = auto::Builder::new(executor);
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(self.header_read_timeout);
        let mut http2 = builder.http2();
        http2
            .timer(TokioTimer::new())
            .max_send_buf_size(HTTP2_SEND_BUFFER);
        if let Some(deadline) = self.settings.write_deadline {
            // The pings are hyper's, and what comes of them is seen by `SocketWatch::silent`: hyper
            // counts a slow reader as gone, whose pong takes its time.
            http2
                .keep_alive_interval(deadline)
                .keep_alive_timeout(FOR_EVER);
        }
        builder
    }
}

/// The next phase. A server that was dropped has nothing to wait for.
async fn next(phase: &mut watch::Receiver<Phase>) -> Phase {
    match phase.changed().await {
        Ok(()) => *phase.borrow_and_update(),
        Err(_) => Phase::Closing,
    }
}
