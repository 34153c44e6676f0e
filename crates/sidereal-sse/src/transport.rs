//! What the server below knows, and a stream cannot: why a connection was torn down.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use crate::EndReason;

/// The connection below a stream, as a server tells of it.
///
/// A body that is dropped cannot know whether its client left or its server gave up on it. A
/// server that does give up, `sidereal::serve` for one, puts a `Transport` into the extensions of
/// each request, and says so there before it closes the connection.
///
/// ```
/// use sidereal_sse::{EndReason, Transport};
///
/// let transport = Transport::new();
/// let mut request = http::Request::new(());
/// request.extensions_mut().insert(transport.clone());
/// // … later, when the client has not read for too long:
/// transport.give_up(EndReason::WriteDeadline);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Transport {
    gave_up: Arc<AtomicU8>,
}

impl Transport {
    /// A connection in good order.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says why the connection is about to be torn down: [`EndReason::WriteDeadline`] or
    /// [`EndReason::Shutdown`]. The first reason stands; other reasons are not a server's to give,
    /// and count as [`EndReason::Disconnected`].
    pub fn give_up(&self, reason: EndReason) {
        let code = match reason {
            EndReason::WriteDeadline => 1,
            EndReason::Shutdown => 2,
            _ => 3,
        };
        let _ = self
            .gave_up
            .compare_exchange(0, code, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// Why the server gave up on the connection, if it did.
    pub fn gave_up(&self) -> Option<EndReason> {
        match self.gave_up.load(Ordering::SeqCst) {
            0 => None,
            1 => Some(EndReason::WriteDeadline),
            2 => Some(EndReason::Shutdown),
            _ => Some(EndReason::Disconnected),
        }
    }
}
