//! What a server decided about a connection, so that everything on it can learn why it ends.

use std::sync::{Arc, OnceLock};

use sidereal_sse::{EndReason, Transport};

/// Why the server gave up on one connection, if it did. Clones are the same verdict.
#[derive(Clone, Debug, Default)]
pub(super) struct Verdict {
    reason: Arc<OnceLock<EndReason>>,
    transport: Transport,
}

impl Verdict {
    /// To be called before the connection is torn down. The first reason stands.
    pub(super) fn give_up(&self, reason: EndReason) {
        if self.reason.set(reason).is_ok() {
            tracing::debug!(target: super::TARGET, %reason, "giving up on a connection");
        }
        // Tells of the first reason as well: a transport keeps the one it got first.
        self.transport.give_up(reason);
    }

    pub(super) fn is_given(&self) -> bool {
        self.reason.get().is_some()
    }

    /// The connection as streams on it know it.
    pub(super) fn transport(&self) -> &Transport {
        &self.transport
    }

    /// A connection within this one, such as an HTTP/2 stream: it can be given up alone, and goes
    /// down with the whole.
    pub(super) fn inner(&self) -> InnerVerdict {
        InnerVerdict {
            outer: self.clone(),
            transport: Transport::new(),
        }
    }
}

/// The verdict on one HTTP/2 stream.
#[derive(Clone, Debug)]
pub(super) struct InnerVerdict {
    outer: Verdict,
    transport: Transport,
}

impl InnerVerdict {
    pub(super) fn give_up(&self, reason: EndReason) {
        tracing::debug!(target: super::TARGET, %reason, "giving up on an HTTP/2 stream");
        self.transport.give_up(reason);
    }

    /// Takes over what was decided about the whole connection. To be called before whatever may
    /// drop the response.
    pub(super) fn learn(&self) {
        if let Some(reason) = self.outer.reason.get() {
            self.transport.give_up(*reason);
        }
    }

    pub(super) fn transport(&self) -> &Transport {
        &self.transport
    }
}
