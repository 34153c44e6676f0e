//! The handle that writes to one stream.

use std::{
    fmt,
    sync::{Arc, atomic::Ordering},
};

use crate::{
    Client, EndReason, Frame, IntoFrame, SendError,
    queue::{Queue, Refused},
};

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
    queue: Arc<Queue>,
}

impl Sender {
    pub(crate) fn new(queue: Arc<Queue>) -> Self {
        Self { queue }
    }

    /// Sends an event; waits while the queue is full.
    ///
    /// The event is encoded at once, before the first await. An empty frame is not sent.
    ///
    /// # Errors
    ///
    /// When the stream has ended, with the reason; when the event is over
    /// [`StreamOptions::max_event_size`](crate::StreamOptions::max_event_size).
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
            // A body that always has something to send, or always nothing, lets others run.
            tokio::task::coop::consume_budget().await;
            match frame? {
                Some(frame) => self.queue.push(frame).await.map_err(SendError::ended),
                None => Ok(()),
            }
        }
    }

    /// Sends an event if there is room for it now. On a full queue the event is gone: to keep it,
    /// send a [`Frame`] by reference.
    ///
    /// # Errors
    ///
    /// As [`Sender::send`], and when the queue is full.
    pub fn try_send(&self, event: impl IntoFrame) -> Result<(), SendError> {
        let Some(frame) = self.check(event)? else {
            return Ok(());
        };
        self.queue.try_push(frame).map_err(|refused| match refused {
            Refused::Full => SendError::full(),
            Refused::Ended(reason) => SendError::ended(reason),
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
    /// Where it has to wait within an async task, which would block the runtime; use
    /// [`Sender::send`] there.
    pub fn blocking_send(&self, event: impl IntoFrame) -> Result<(), SendError> {
        match self.check(event)? {
            Some(frame) => self.queue.blocking_push(frame).map_err(SendError::ended),
            None => Ok(()),
        }
    }

    /// Sends a heartbeat now. Streams do so by themselves, see
    /// [`StreamOptions::keep_alive`](crate::StreamOptions::keep_alive).
    ///
    /// # Errors
    ///
    /// As [`Sender::send`].
    pub async fn keep_alive(&self) -> Result<(), SendError> {
        self.send(Frame::heartbeat()).await
    }

    /// Ends the stream: nothing more is accepted, those who wait learn so, what was accepted still
    /// goes out, and then comes the end that [`EndReason::Closed`] has. Idempotent.
    ///
    /// The body's own future, if it still runs, is dropped when the body is polled next; not so
    /// where it is [`detached`](crate::Sse::detached).
    pub fn close(&self) {
        self.queue.end(EndReason::Closed);
    }

    /// Waits until the stream has ended, and says why.
    ///
    /// # Cancel safety
    ///
    /// May be dropped and called again at any time.
    pub async fn closed(&self) -> EndReason {
        self.queue.ended().await
    }

    /// Nothing, as long as the stream is open.
    ///
    /// # Errors
    ///
    /// When the stream has ended, with the reason.
    pub fn check_open(&self) -> Result<(), SendError> {
        match self.queue.reason() {
            None => Ok(()),
            Some(reason) => Err(SendError::ended(reason)),
        }
    }

    /// Whether the stream has ended: nothing is accepted any more.
    pub fn is_closed(&self) -> bool {
        self.queue.reason().is_some()
    }

    /// Whether the client goes on where it left off: it came back with the `Last-Event-ID` of an
    /// event, and is sent all that it missed since on the topics that
    /// [replay](crate::TopicOptions::replay). If not, it needs the full state, which
    /// [`on_connect`](crate::Sse::on_connect) can send. It then first is made to forget the id that it
    /// came with, by an empty one ([WHATWG]), so that it cannot be resumed later, here or on another
    /// node, where it was before.
    ///
    /// [WHATWG]: https://html.spec.whatwg.org/multipage/server-sent-events.html#the-eventsource-interface
    ///
    /// What is published while the full state is read is not missed, but may be in it already, and
    /// comes again: let events name what they change, rather than append.
    pub fn is_resumed(&self) -> bool {
        self.queue.is_resumed.load(Ordering::Relaxed)
    }

    /// The client at the other end.
    pub fn client(&self) -> &Client {
        &self.queue.client
    }

    /// Sends a frame whatever its size.
    pub(crate) async fn send_frame(&self, frame: Frame) -> Result<(), SendError> {
        self.queue.push(frame).await.map_err(SendError::ended)
    }

    /// Waits until the queue has room.
    pub(crate) async fn room(&self) -> Result<(), SendError> {
        self.queue.push(None).await.map_err(SendError::ended)
    }

    fn check(&self, event: impl IntoFrame) -> Result<Option<Frame>, SendError> {
        self.check_open()?;
        let frame = event.into_frame();
        let limit = self.queue.options.max_event_size;
        if frame.len() > limit {
            return Err(SendError::too_large(frame.len(), limit));
        }
        Ok((!frame.is_empty()).then_some(frame))
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("client", self.client())
            .field("ended", &self.queue.reason())
            .finish_non_exhaustive()
    }
}
