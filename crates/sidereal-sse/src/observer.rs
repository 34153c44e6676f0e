//! A view into streams for metrics.

use std::sync::Arc;

use crate::{Client, Ended, Packing};

/// Told of every stream's life. Methods are called in the middle of the work: count, and return. A
/// panic in one is caught and logged.
///
/// For logs nothing need be set: every end is a `tracing` event with the target
/// [`END_TARGET`](crate::END_TARGET).
///
/// ```
/// use std::sync::atomic::{AtomicI64, Ordering};
/// use sidereal_sse::{Client, Ended, Observer};
///
/// #[derive(Default)]
/// struct Open(AtomicI64);
///
/// impl Observer for Open {
///     fn connected(&self, _: &Client) {
///         self.0.fetch_add(1, Ordering::Relaxed);
///     }
///     fn ended(&self, _: &Client, _: &Ended) {
///         self.0.fetch_sub(1, Ordering::Relaxed);
///     }
/// }
/// ```
pub trait Observer: Send + Sync + 'static {
    /// A stream has begun: its body was polled for the first time.
    fn connected(&self, client: &Client) {
        let _ = client;
    }

    /// One event is on its way to the server. Heartbeats are not told of.
    fn wrote(&self, client: &Client, wrote: &Wrote) {
        let _ = (client, wrote);
    }

    /// A stream read so slowly that it missed this many events of a topic, and goes on with what the
    /// topic keeps ([`Lag::Resume`](crate::Lag::Resume)).
    fn lagged(&self, client: &Client, missed: u64) {
        let _ = (client, missed);
    }

    /// A stream that had begun is over. Exactly once for each.
    fn ended(&self, client: &Client, ended: &Ended) {
        let _ = (client, ended);
    }
}

/// An observer that the application keeps a hold of.
impl<T: Observer + ?Sized> Observer for Arc<T> {
    fn connected(&self, client: &Client) {
        (**self).connected(client);
    }

    fn wrote(&self, client: &Client, wrote: &Wrote) {
        (**self).wrote(client, wrote);
    }

    fn lagged(&self, client: &Client, missed: u64) {
        (**self).lagged(client, missed);
    }

    fn ended(&self, client: &Client, ended: &Ended) {
        (**self).ended(client, ended);
    }
}

/// One event that was handed to the server: the argument of [`Observer::wrote`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wrote {
    encoded: usize,
    sent: usize,
    packing: Packing,
}

impl Wrote {
    pub(crate) fn new(encoded: usize, sent: usize, packing: Packing) -> Self {
        Self {
            encoded,
            sent,
            packing,
        }
    }

    /// Its length in bytes, as encoded.
    pub fn encoded(&self) -> usize {
        self.encoded
    }

    /// Its length in bytes, as handed over: after compression. Of a reply that is compressed whole,
    /// the first event counts all bytes, and the others none.
    pub fn sent(&self) -> usize {
        self.sent
    }

    /// How it was compressed.
    pub fn packing(&self) -> Packing {
        self.packing
    }
}
