//! Ending all streams that follow one signal.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use crate::{
    listeners::{Listener, Listeners, Slot},
    wake::Wake,
};

/// A switch that ends the streams which follow it, with [`EndReason::Shutdown`].
///
/// `sidereal::serve` brings its own, and every stream it serves follows it. With another server,
/// make one, give it to [`StreamOptions::shutdown`], and trigger it before the server's own
/// graceful shutdown: an open stream would block that for ever.
///
/// Long-lived streams (`every`, `run`, `stream`) follow; one-shot replies (`respond`, `reply`) are
/// let finish. [`Sse::follow_shutdown`] changes either.
///
/// Cheap to clone; all clones are the same switch.
///
/// [`EndReason::Shutdown`]: crate::EndReason::Shutdown
/// [`StreamOptions::shutdown`]: crate::StreamOptions::shutdown
/// [`Sse::follow_shutdown`]: crate::Sse::follow_shutdown
#[derive(Clone, Default)]
pub struct Shutdown {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    triggered: AtomicBool,
    listeners: Listeners,
}

impl Shutdown {
    /// A switch that is not triggered yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends every stream that follows, now and later. From any thread; idempotent.
    pub fn trigger(&self) {
        self.shared.triggered.store(true, Ordering::SeqCst);
        self.shared.listeners.wake();
    }

    /// Whether it was triggered.
    pub fn is_triggered(&self) -> bool {
        self.shared.triggered.load(Ordering::SeqCst)
    }

    /// Waits for the trigger.
    ///
    /// # Cancel safety
    ///
    /// May be dropped and called again at any time.
    pub async fn triggered(&self) {
        let wake = Arc::default();
        let followed = self.follow(&wake);
        std::future::poll_fn(|cx| {
            // Registers first and looks after, so that a trigger in between is not missed.
            wake.sleeps(cx.waker());
            match followed.is_triggered() {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
    }

    /// From now on the trigger wakes this task.
    pub(crate) fn follow(&self, wake: &Arc<Wake>) -> Followed {
        let listener = Listener {
            wake: Arc::clone(wake),
            client: None,
        };
        Followed {
            slot: self.shared.listeners.add(listener),
            shutdown: self.clone(),
        }
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shutdown")
            .field("triggered", &self.is_triggered())
            .finish()
    }
}

/// One stream's ear on a [`Shutdown`].
pub(crate) struct Followed {
    shutdown: Shutdown,
    slot: Slot,
}

impl Followed {
    pub(crate) fn is_triggered(&self) -> bool {
        self.shutdown.is_triggered()
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.shutdown.shared.listeners.remove(self.slot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_trigger_reaches_those_who_wait_and_those_who_come_later() {
        let shutdown = Shutdown::new();
        let waiting = tokio::spawn({
            let shutdown = shutdown.clone();
            async move { shutdown.triggered().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        shutdown.trigger();
        shutdown.trigger();
        assert!(waiting.await.is_ok());
        shutdown.triggered().await;
    }

    /// A body is polled by one task now and by another later; the trigger wakes the last one.
    #[tokio::test]
    async fn a_follower_that_moves_to_another_task_is_woken_there() {
        let shutdown = Shutdown::new();
        let mut triggered = Box::pin({
            let shutdown = shutdown.clone();
            async move { shutdown.triggered().await }
        });
        std::future::poll_fn(|cx| {
            assert!(triggered.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        let moved = tokio::spawn(triggered);
        tokio::task::yield_now().await;
        shutdown.trigger();
        assert!(moved.await.is_ok());
    }
}
