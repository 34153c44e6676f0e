//! A stream's life as others see it: begun once, over once, whatever ended it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use tokio::time::Instant;

use crate::{BodyError, Client, EndReason, Ended, Frame, Packing, StreamOptions, Transport, Wrote};

/// The `tracing` target of the one event that each stream's end gives, expected ends included:
/// level DEBUG, or WARN for failures, panics and write deadlines.
pub const END_TARGET: &str = "sidereal::end";

pub(crate) type OnDisconnect = Box<dyn FnOnce(&Client, &Ended) + Send>;

/// Counts what goes out, and tells hook, observer and log when it is over: at the latest when it
/// is dropped.
pub(crate) struct Lifecycle {
    client: Client,
    options: Arc<StreamOptions>,
    transport: Option<Transport>,
    /// Boxed once more, since most streams have none, and room counts.
    #[allow(clippy::box_collection)]
    on_disconnect: Option<Box<Vec<OnDisconnect>>>,
    /// When the first poll came. Before it nothing has begun (a HEAD request never gets there),
    /// and nobody is told of an end.
    begun: Option<Instant>,
    over: bool,
    events: u64,
    bytes: u64,
}

impl Lifecycle {
    pub(crate) fn new(
        client: Client,
        options: Arc<StreamOptions>,
        transport: Option<Transport>,
        on_disconnect: Vec<OnDisconnect>,
    ) -> Self {
        Self {
            client,
            options,
            transport,
            on_disconnect: (!on_disconnect.is_empty()).then(|| Box::new(on_disconnect)),
            begun: None,
            over: false,
            events: 0,
            bytes: 0,
        }
    }

    pub(crate) fn options(&self) -> &StreamOptions {
        &self.options
    }

    pub(crate) fn begin(&mut self) {
        self.begun = Some(Instant::now());
        if let Some(observer) = &self.options.observer {
            guarded("Observer::connected", || observer.connected(&self.client));
        }
    }

    /// Bytes that are no event.
    pub(crate) fn wrote_bytes(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    /// An event, or a comment, as this many bytes.
    pub(crate) fn wrote(&mut self, frame: &Frame, sent: usize, packing: Packing) {
        self.wrote_bytes(sent);
        if !frame.is_comment() {
            self.events += 1;
            if let Some(observer) = &self.options.observer {
                let wrote = Wrote::new(frame.len(), sent, packing);
                guarded("Observer::wrote", || observer.wrote(&self.client, &wrote));
            }
        }
    }

    pub(crate) fn lagged(&self, missed: u64) {
        if let Some(observer) = &self.options.observer {
            guarded("Observer::lagged", || observer.lagged(&self.client, missed));
        }
    }

    /// Why a stream is being dropped before its end.
    pub(crate) fn drop_reason(&self) -> EndReason {
        let transport = self.transport.as_ref();
        transport
            .and_then(Transport::gave_up)
            .unwrap_or(EndReason::Disconnected)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    pub(crate) fn over(&mut self, reason: EndReason, error: Option<BodyError>) {
        let Some(begun) = self.begun else { return };
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        let ended = Ended {
            reason,
            error,
            events: self.events,
            bytes: self.bytes,
            duration: begun.elapsed(),
        };
        guarded("the log", || log(&self.client, &ended));
        let hooks = self.on_disconnect.take();
        for hook in hooks.into_iter().flat_map(|hooks| *hooks) {
            guarded("on_disconnect", || hook(&self.client, &ended));
        }
        if let Some(observer) = &self.options.observer {
            guarded("Observer::ended", || observer.ended(&self.client, &ended));
        }
    }
}

impl Drop for Lifecycle {
    fn drop(&mut self) {
        self.over(self.drop_reason(), None);
    }
}

/// Runs others' code, which may be within a drop, and the drop within a panic: there another one
/// would abort the process.
fn guarded(what: &str, run: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(run)) {
        let panic = BodyError::from_panic(payload);
        let _ = catch_unwind(AssertUnwindSafe(|| {
            tracing::error!(target: END_TARGET, "{what} {panic}");
        }));
    }
}

fn log(client: &Client, ended: &Ended) {
    let client = client.id();
    let reason = ended.reason;
    let (events, bytes) = (ended.events, ended.bytes);
    let milliseconds = ended.duration.as_millis() as u64;
    match (reason, &ended.error) {
        (EndReason::WriteDeadline, _) | (_, Some(_)) => {
            let error = ended.error.as_ref().map(tracing::field::display);
            tracing::warn!(target: END_TARGET, %client, %reason, error, events, bytes, milliseconds, "stream ended");
        }
        _ => {
            tracing::debug!(target: END_TARGET, %client, %reason, events, bytes, milliseconds, "stream ended");
        }
    }
}
