//! One connection, from its socket to its end.

use std::{
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::conn::auto,
};
use sidereal_sse::{EndReason, Shutdown};
use tokio::{
    net::TcpStream,
    sync::{mpsc, watch},
};
use tower_service::Service;

use super::{
    BoxError, deadline::DeadlineStream, listener::SocketSettings, requests::Requests,
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

/// What connections share.
#[derive(Clone)]
pub(super) struct Shared<S> {
    pub(super) service: S,
    pub(super) shutdown: Shutdown,
    pub(super) socket: SocketSettings,
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
    pub(super) async fn connection(mut self, stream: DeadlineStream<TcpStream>, peer: SocketAddr) {
        let verdict = stream.verdict().clone();
        let executor = StreamExecutor::default();
        let builder = self.builder(executor.clone());
        let called = Arc::new(AtomicBool::new(false));
        let requests = Requests {
            service: self.service,
            shutdown: self.shutdown,
            peer,
            verdict: verdict.clone(),
            write_deadline: self.socket.write_deadline,
            executor,
            open: self.open,
            called: Arc::clone(&called),
        };
        let mut connection =
            pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), requests));

        // hyper's own timeout begins when the version is known, so never for a client that does
        // not say a word.
        let mut may_be_silent = self.header_read_timeout.is_some();
        let mut silence = pin!(tokio::time::sleep(
            self.header_read_timeout.unwrap_or_default()
        ));
        loop {
            tokio::select! {
                biased;
                _ = connection.as_mut() => return,
                phase = next(&mut self.phase) => match phase {
                    Phase::Serving => {}
                    Phase::Draining => connection.as_mut().graceful_shutdown(),
                    Phase::Closing => {
                        verdict.give_up(EndReason::Shutdown);
                        self.forced.fetch_add(1, Ordering::Relaxed);
                        return;
                    }
                },
                () = silence.as_mut(), if may_be_silent => {
                    may_be_silent = false;
                    if !called.load(Ordering::Relaxed) {
                        return;
                    }
                }
            }
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
        if let Some(deadline) = self.socket.write_deadline {
            // A peer that is gone is known to be so within twice the deadline. Not earlier, or one
            // that has only stopped reading would count as gone.
            http2
                .keep_alive_interval(deadline)
                .keep_alive_timeout(deadline);
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
