//! The handle that writes to one stream.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
};

use tokio::sync::mpsc::{self, error::TrySendError};

use crate::{Client, EndReason, Frame, IntoFrame, SendError, StreamOptions};

/// Writes to one stream: cheap to clone, and usable from any task or thread.
///
/// Events arrive in the order in which they were accepted, and each is flushed as soon as it is
/// whole. A sender may outlive its stream; then it says so.
///
/// ```
/// use sidereal_sse::{Connect, Event};
///
/// let sse = Connect::new().respond(async move |tx| {
///     tx.send(Event::new("one")).await?;
///     tx.send(Event::new("two")).await?;
///     Ok(())
/// });
/// # let _ = sse;
/// ```
#[derive(Clone)]
pub struct Sender {
    frames: mpsc::Sender<Frame>,
    shared: Arc<Shared>,
}

/// What sender and body tell each other beside the frames.
pub(crate) struct Shared {
    client: Client,
    max_event_size: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Why the stream ends or has ended. Set once; nothing is accepted after it.
    reason: Option<EndReason>,
    /// The body's task, to be woken when the reason is set from outside.
    body: Option<Waker>,
}

/// A sender, and the queue that a body empties.
pub(crate) fn channel(
    client: Client,
    options: &StreamOptions,
) -> (Sender, mpsc::Receiver<Frame>, Arc<Shared>) {
    let (frames, queue) = mpsc::channel(options.queue.get());
    let shared = Arc::new(Shared {
        client,
        max_event_size: options.max_event_size,
        state: Mutex::default(),
    });
    let sender = Sender {
        frames,
        shared: Arc::clone(&shared),
    };
    (sender, queue, shared)
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics while the lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the stream for this reason, unless it has one already.
    pub(crate) fn end(&self, reason: EndReason) {
        let mut state = self.state();
        state.reason.get_or_insert(reason);
        let waker = state.body.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(crate) fn reason(&self) -> Option<EndReason> {
        self.state().reason
    }

    /// The reason, or else `waker` is woken when there is one.
    pub(crate) fn reason_or_wake(&self, waker: &Waker) -> Option<EndReason> {
        let mut state = self.state();
        if state.reason.is_none() && !state.body.as_ref().is_some_and(|w| w.will_wake(waker)) {
            state.body = Some(waker.clone());
        }
        state.reason
    }
}

impl Sender {
    /// Sends an event; waits while the queue is full.
    ///
    /// The event is encoded at once, before the first await. An empty frame is not sent.
    ///
    /// # Errors
    ///
    /// When the stream has ended, with the reason; when the event is over
    /// [`StreamOptions::max_event_size`].
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, the event is not sent, nor half of it.
    ///
    /// # Backpressure
    ///
    /// The queue is emptied as fast as the client reads, once the buffers of server and kernel are
    /// full. An accepted event is therefore not a delivered one.
    pub fn send(
        &self,
        event: impl IntoFrame,
    ) -> impl Future<Output = Result<(), SendError>> + Send {
        let frame = self.check(event);
        async move {
            let Some(frame) = frame? else { return Ok(()) };
            self.frames
                .send(frame)
                .await
                .map_err(|_| SendError::ended(self.end_reason()))
        }
    }

    /// Sends an event if there is room for it now.
    ///
    /// # Errors
    ///
    /// As [`Sender::send`], and when the queue is full.
    pub fn try_send(&self, event: impl IntoFrame) -> Result<(), SendError> {
        let Some(frame) = self.check(event)? else {
            return Ok(());
        };
        self.frames.try_send(frame).map_err(|error| match error {
            TrySendError::Full(_) => SendError::full(),
            TrySendError::Closed(_) => SendError::ended(self.end_reason()),
        })
    }

    /// Sends an event from a thread of its own; blocks it while the queue is full.
    ///
    /// # Errors
    ///
    /// As [`Sender::send`].
    ///
    /// # Panics
    ///
    /// Within an async task, where it would block the runtime; use [`Sender::send`] there.
    pub fn blocking_send(&self, event: impl IntoFrame) -> Result<(), SendError> {
        let Some(frame) = self.check(event)? else {
            return Ok(());
        };
        self.frames
            .blocking_send(frame)
            .map_err(|_| SendError::ended(self.end_reason()))
    }

    /// Sends a heartbeat now. Streams do so by themselves, see [`StreamOptions::keep_alive`].
    ///
    /// # Errors
    ///
    /// As [`Sender::send`].
    pub async fn keep_alive(&self) -> Result<(), SendError> {
        self.send(Frame::heartbeat()).await
    }

    /// Ends the stream: nothing more is accepted, what was accepted still goes out, and then comes
    /// the end that [`EndReason::Closed`] has. Idempotent.
    ///
    /// The body's own future, if it still runs, is dropped at its next await.
    pub fn close(&self) {
        self.shared.end(EndReason::Closed);
    }

    /// Waits until the stream has ended, and says why.
    ///
    /// # Cancel safety
    ///
    /// May be dropped and called again at any time.
    pub async fn closed(&self) -> EndReason {
        self.frames.closed().await;
        self.end_reason()
    }

    /// Whether the stream has ended, or is about to: nothing is accepted any more.
    pub fn is_closed(&self) -> bool {
        self.shared.reason().is_some() || self.frames.is_closed()
    }

    /// The client at the other end.
    pub fn client(&self) -> &Client {
        &self.shared.client
    }

    /// Waits until the queue has room.
    pub(crate) async fn room(&self) -> Result<(), SendError> {
        match self.frames.reserve().await {
            Ok(_) => Ok(()),
            Err(_) => Err(SendError::ended(self.end_reason())),
        }
    }

    fn check(&self, event: impl IntoFrame) -> Result<Option<Frame>, SendError> {
        if let Some(reason) = self.shared.reason() {
            return Err(SendError::ended(reason));
        }
        let frame = event.into_frame();
        let limit = self.shared.max_event_size;
        if frame.len() > limit {
            return Err(SendError::too_large(frame.len(), limit));
        }
        Ok((!frame.is_empty()).then_some(frame))
    }

    /// A body sets the reason before it lets go of the queue.
    fn end_reason(&self) -> EndReason {
        self.shared.reason().unwrap_or(EndReason::Disconnected)
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("client", self.client())
            .field("ended", &self.shared.reason())
            .finish_non_exhaustive()
    }
}
