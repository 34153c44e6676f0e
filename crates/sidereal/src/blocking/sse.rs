//! A streamed response in the making, on its thread.

use std::{
    any::Any,
    fmt,
    future::Future,
    io::{self, Write},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    time::Duration,
};

use sidereal_sse::blocking::Exchange;
use tokio::sync::oneshot;

use super::Sender;
use crate::{
    BodyError, Client, Compression, END_TARGET, End, EndReason, Ended, StreamOptions, Watch,
};

/// A response that streams events: [`write_to`](Self::write_to) sends it. Made by
/// [`Connect`](super::Connect).
///
/// `'f` is how long its closures may borrow.
#[must_use = "a response does nothing unless it is written"]
pub struct Sse<'f> {
    inner: crate::Sse,
    exchange: Exchange,
    on_connect: Vec<Bridge<'f>>,
    body: Option<Bridge<'f>>,
}

type Run<'f> = Box<dyn FnOnce(&Sender<'_>) -> Result<(), BodyError> + 'f>;

/// How a closure ended; an error is the payload of a panic.
type Outcome = Result<Result<(), BodyError>, Box<dyn Any + Send>>;

/// A closure of the thread's, and the ends that lead to the future which stands for it in the stream.
struct Bridge<'f> {
    run: Run<'f>,
    /// The stream has come to it.
    begun: oneshot::Receiver<crate::Sender>,
    ended: oneshot::Sender<Outcome>,
}

/// What stands for a closure.
pub(super) type Stand = Box<dyn FnOnce(crate::Sender) -> Standing + Send>;
type Standing = Pin<Box<dyn Future<Output = Result<(), BodyError>> + Send>>;

impl<'f> Bridge<'f> {
    fn new(run: impl FnOnce(&Sender<'_>) -> Result<(), BodyError> + 'f) -> (Self, Stand) {
        let (begin, begun) = oneshot::channel();
        let (ended, has_ended) = oneshot::channel::<Outcome>();
        let stand: Stand = Box::new(|tx| {
            Box::pin(async {
                // The thread may be gone, and with it whoever drives this.
                let _ = begin.send(tx);
                match has_ended.await {
                    Ok(Ok(result)) => result,
                    Ok(Err(panic)) => resume_unwind(panic),
                    Err(_) => Ok(()),
                }
            })
        });
        let run = Box::new(run);
        (Self { run, begun, ended }, stand)
    }
}

impl<'f> Sse<'f> {
    pub(super) fn new(inner: crate::Sse, exchange: Exchange) -> Self {
        Self {
            inner,
            exchange,
            on_connect: Vec::new(),
            body: None,
        }
    }

    /// One whose body is a closure of the thread's.
    pub(super) fn bridged(
        exchange: Exchange,
        body: impl FnOnce(&Sender<'_>) -> Result<(), BodyError> + 'f,
        sse: impl FnOnce(Stand) -> crate::Sse,
    ) -> Self {
        let (bridge, stand) = Bridge::new(body);
        Self {
            body: Some(bridge),
            ..Self::new(sse(stand), exchange)
        }
    }

    fn map(mut self, change: impl FnOnce(crate::Sse) -> crate::Sse) -> Self {
        self.inner = change(self.inner);
        self
    }

    /// Follows something beside, see [`Sse::watch`](crate::Sse::watch). Its events are sent while the
    /// body sends or waits.
    pub fn watch(self, what: impl Watch) -> Self {
        self.map(|sse| sse.watch(what))
    }

    /// Sends a heartbeat when nothing was sent for this long; `None` or zero for none. Default 15 s.
    pub fn keep_alive(self, interval: impl Into<Option<Duration>>) -> Self {
        self.map(|sse| sse.keep_alive(interval))
    }

    /// Ends the stream when it is this old, or up to a tenth earlier. Default: never; one-shot
    /// replies have no age.
    pub fn max_age(self, age: impl Into<Option<Duration>>) -> Self {
        self.map(|sse| sse.max_age(age))
    }

    /// How the response is compressed; `None` for not at all. Default: with zstd or gzip, as the
    /// client asks, see the [guide](crate::guide::compression).
    pub fn compression(self, compression: impl Into<Compression>) -> Self {
        self.map(|sse| sse.compression(compression))
    }

    /// How the stream ends for this reason: cleanly, or broken so that the page comes back.
    pub fn end_with(self, reason: EndReason, end: End) -> Self {
        self.map(|sse| sse.end_with(reason, end))
    }

    /// Changes any of the options of the stream.
    pub fn configure(self, change: impl FnOnce(StreamOptions) -> StreamOptions) -> Self {
        self.map(|sse| sse.configure(change))
    }

    /// Whether the stream ends when the server shuts down: with
    /// [`Config::shutdown`](crate::Config::shutdown). Default: long-lived streams do, one-shot
    /// replies are let finish.
    pub fn follow_shutdown(self, follow: bool) -> Self {
        self.map(|sse| sse.follow_shutdown(follow))
    }

    /// Runs when the stream begins; its events go first, and an error ends the stream. Of several
    /// hooks, each runs when the one before it is done.
    pub fn on_connect(
        mut self,
        hook: impl FnOnce(&Sender<'_>) -> Result<(), BodyError> + 'f,
    ) -> Self {
        let (bridge, stand) = Bridge::new(hook);
        self.on_connect.push(bridge);
        self.map(|sse| sse.on_connect(stand))
    }

    /// Runs when the stream is over: exactly once, whatever ended it, and only if it had begun. A
    /// panic in it is caught and logged. Several hooks all run, in their order.
    ///
    /// It runs on the thread of the request, and where a call of its [`Sender`] finds that the client has
    /// left, within that call.
    pub fn on_disconnect<F>(self, hook: F) -> Self
    where
        F: FnOnce(&Client, &Ended) + Send + 'static,
    {
        self.map(|sse| sse.on_disconnect(hook))
    }

    /// Writes the response, head and all, and returns when the stream is over.
    ///
    /// On HTTP/1.1 the body is chunked, or of known length for a reply that is at hand; for HTTP/1.0 it
    /// lasts as long as the connection. Each event is flushed.
    ///
    /// # Errors
    ///
    /// As [`write`](super::write). What fails in a body is no error here: it ends the stream, is
    /// logged, and [`on_disconnect`](Self::on_disconnect) gets it.
    pub fn write_to(self, mut writer: impl Write) -> io::Result<()> {
        let writer: &mut dyn Write = &mut writer;
        let mut writer = self.exchange.begin(self.inner.into_http(), writer);
        for bridge in self.on_connect.into_iter().chain(self.body) {
            // Not where the stream has ended, or never begins.
            let Some(Ok(tx)) = writer.write_while(bridge.begun) else {
                break;
            };
            let tx = Sender::new(tx, writer);
            let outcome = catch_unwind(AssertUnwindSafe(|| (bridge.run)(&tx)));
            writer = tx.into_writer();
            if let Err(outcome) = bridge.ended.send(outcome) {
                // The stream has ended meanwhile, and with it who would have told of this.
                log(outcome);
            }
        }
        writer.finish()
    }
}

/// What a closure that was told that its stream has ended has made of it.
fn log(outcome: Outcome) {
    match outcome {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::debug!(target: END_TARGET, %error, "a body failed after its stream had ended");
        }
        Err(_) => {
            tracing::error!(target: END_TARGET, "a body panicked after its stream had ended");
        }
    }
}

impl fmt::Debug for Sse<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
