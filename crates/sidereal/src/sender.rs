//! The generator of Datastar's ADR: a handle that sends events to one page.

use std::{fmt, sync::Arc};

use serde::Serialize;

use crate::{
    Client, EndReason, Event, EventDefaults, ExecuteScript, PatchElements, PatchSignals, Selector,
    SendError,
};

/// Sends events to one page: the `ServerSentEventGenerator` of Datastar's ADR.
///
/// Cheap to clone; usable from any task or thread. Events arrive in the order in which they were
/// accepted, each flushed as soon as it is whole. A sender may outlive its stream; then it says so.
///
/// ```
/// use sidereal::{Connect, PatchElements, Sse};
/// use serde_json::json;
///
/// async fn save(connect: Connect) -> Sse {
///     connect.respond(async |tx| {
///         tx.patch_elements(PatchElements::new("<p id='state'>Saving…</p>")).await?;
///         // … save …
///         tx.patch_signals(&json!({ "saved": true })).await?;
///         Ok(())
///     })
/// }
/// ```
///
/// # Errors
///
/// Every method that sends fails when the stream has ended, with the reason
/// ([`SendError::reason`]), and when the event cannot be built or is over
/// [`StreamOptions::max_event_size`](crate::StreamOptions::max_event_size).
///
/// # Cancel safety
///
/// A send that is dropped before it is ready has not sent the event, nor half of it.
///
/// # Backpressure
///
/// Sending waits while the stream's queue is full. The queue is emptied as fast as the client
/// reads, once the buffers of server and kernel are full: an accepted event is not a delivered one.
#[derive(Clone)]
pub struct Sender {
    inner: sidereal_sse::Sender,
    defaults: Arc<EventDefaults>,
}

impl Sender {
    pub(crate) fn new(inner: sidereal_sse::Sender, defaults: Arc<EventDefaults>) -> Self {
        Self { inner, defaults }
    }

    /// Sends any event; waits while the queue is full.
    ///
    /// The event is encoded at once, before the first await.
    ///
    /// # Errors
    ///
    /// See [`Sender`](#errors).
    pub fn send(&self, event: impl Event) -> impl Future<Output = Result<(), SendError>> + Send {
        self.inner.send(event.with_defaults(&self.defaults))
    }

    /// Sends any event if there is room for it now.
    ///
    /// # Errors
    ///
    /// See [`Sender`](#errors); and when the queue is full ([`SendError::is_full`]).
    pub fn try_send(&self, event: impl Event) -> Result<(), SendError> {
        self.inner.try_send(event.with_defaults(&self.defaults))
    }

    /// Sends any event from a thread of its own; blocks it while the queue is full.
    ///
    /// # Errors
    ///
    /// See [`Sender`](#errors).
    ///
    /// # Panics
    ///
    /// Within an async task, where it would block the runtime; use [`Sender::send`] there.
    pub fn blocking_send(&self, event: impl Event) -> Result<(), SendError> {
        self.inner
            .blocking_send(event.with_defaults(&self.defaults))
    }

    /// Patches elements of the page.
    ///
    /// # Errors
    ///
    /// See [`Sender`](#errors).
    pub async fn patch_elements(&self, event: impl Into<PatchElements>) -> Result<(), SendError> {
        self.send(event.into()).await
    }

    /// Patches signals of the page with a serializable value; for options, or for raw JSON, send a
    /// [`PatchSignals`].
    ///
    /// # Errors
    ///
    /// See [`Sender`](#errors); a value that is no JSON object cannot be built.
    pub fn patch_signals<T: Serialize + ?Sized>(
        &self,
        signals: &T,
    ) -> impl Future<Output = Result<(), SendError>> + Send + use<'_, T> {
        self.built(PatchSignals::new(signals))
    }

    /// Runs a script in the page.
    ///
    /// # Errors
    ///
    /// See [`Sender`](#errors).
    pub async fn execute_script(&self, script: impl Into<ExecuteScript>) -> Result<(), SendError> {
        self.send(script.into()).await
    }

    /// Removes the elements that match.
    ///
    /// # Errors
    ///
    /// See [`Sender`](#errors).
    pub async fn remove(&self, selector: Selector) -> Result<(), SendError> {
        self.send(PatchElements::remove(selector)).await
    }

    /// Goes to another page; see [`ExecuteScript::redirect`].
    ///
    /// # Errors
    ///
    /// See [`Sender`](#errors); a URL that would run a script cannot be built.
    pub fn redirect(
        &self,
        url: &str,
    ) -> impl Future<Output = Result<(), SendError>> + Send + use<'_> {
        self.built(ExecuteScript::redirect(url))
    }

    /// Changes the address that the browser shows; see [`ExecuteScript::replace_url`].
    ///
    /// # Errors
    ///
    /// See [`Sender`](#errors).
    pub async fn replace_url(&self, url: &str) -> Result<(), SendError> {
        self.send(ExecuteScript::replace_url(url)).await
    }

    /// Writes a line to the browser's console.
    ///
    /// # Errors
    ///
    /// See [`Sender`](#errors).
    pub fn console_log(
        &self,
        message: impl fmt::Display,
    ) -> impl Future<Output = Result<(), SendError>> + Send {
        self.send(ExecuteScript::console_log(message))
    }

    /// Writes an error to the browser's console.
    ///
    /// # Errors
    ///
    /// See [`Sender`](#errors).
    pub fn console_error(
        &self,
        message: impl fmt::Display,
    ) -> impl Future<Output = Result<(), SendError>> + Send {
        self.send(ExecuteScript::console_error(message))
    }

    /// Dispatches a custom event on the document; for its options, send a
    /// [`CustomEvent`](crate::CustomEvent).
    ///
    /// # Errors
    ///
    /// See [`Sender`](#errors); a detail that cannot be serialized cannot be built.
    pub fn dispatch_event<T: Serialize + ?Sized>(
        &self,
        name: &str,
        detail: &T,
    ) -> impl Future<Output = Result<(), SendError>> + Send + use<'_, T> {
        self.built(ExecuteScript::dispatch_event(name, detail))
    }

    /// Asks the browser to fetch pages in advance; see [`ExecuteScript::prefetch`].
    ///
    /// # Errors
    ///
    /// See [`Sender`](#errors).
    pub fn prefetch<U: AsRef<str>>(
        &self,
        urls: impl IntoIterator<Item = U>,
    ) -> impl Future<Output = Result<(), SendError>> + Send {
        self.send(ExecuteScript::prefetch(urls))
    }

    /// Sends a heartbeat now. Streams do so by themselves, see
    /// [`StreamOptions::keep_alive`](crate::StreamOptions::keep_alive).
    ///
    /// # Errors
    ///
    /// See [`Sender`](#errors).
    pub async fn keep_alive(&self) -> Result<(), SendError> {
        self.inner.keep_alive().await
    }

    /// Ends the stream: nothing more is accepted, what was accepted still goes out, and then it
    /// ends cleanly (unless [`EndReason::Closed`] is set to break). Idempotent.
    ///
    /// The body's own future, if it still runs, is dropped at its next await.
    pub fn close(&self) {
        self.inner.close();
    }

    /// Waits until the stream has ended, and says why. May be dropped and called again.
    pub async fn closed(&self) -> EndReason {
        self.inner.closed().await
    }

    /// Nothing, as long as the stream is open.
    ///
    /// # Errors
    ///
    /// When the stream has ended, with the reason.
    pub fn check_open(&self) -> Result<(), SendError> {
        self.inner.check_open()
    }

    /// Whether the stream has ended, or is about to: nothing is accepted any more.
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    /// Whether the page goes on where it left off: it came back with the `Last-Event-ID` of an
    /// event, and is sent all that it missed since on the topics that
    /// [replay](crate::TopicOptions::replay). If not, it needs the full state, which
    /// [`on_connect`](crate::Sse::on_connect) can send.
    ///
    /// What is published while the full state is read is not missed, but may be in it already, and
    /// comes again: let events name what they change, rather than append.
    pub fn is_resumed(&self) -> bool {
        self.inner.is_resumed()
    }

    /// The client at the other end.
    pub fn client(&self) -> &Client {
        self.inner.client()
    }

    /// Sends an event that may have failed to be built.
    async fn built<E, F>(&self, event: Result<E, F>) -> Result<(), SendError>
    where
        E: Event,
        F: std::error::Error + Send + Sync + 'static,
    {
        match event {
            Ok(event) => self.send(event).await,
            Err(error) => Err(SendError::from_event(error)),
        }
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
