//! The generator of Datastar's ADR, for closures that wait.

use std::{cell::RefCell, fmt, io::Write, time::Duration};

use serde::Serialize;
use sidereal_sse::{SseBody, blocking::BodyWriter};

use crate::{Client, Event, ExecuteScript, PatchElements, Selector, SendError};

/// Sends events to one page, from the thread that writes its response. Each is flushed when the call
/// returns.
///
/// Other threads send with a [`shared`](Self::shared) sender.
///
/// A call that finds the client gone ends the stream, and so runs its hooks, on this thread: hold no lock
/// across it that [`on_disconnect`](super::Sse::on_disconnect) takes.
///
/// # Errors
///
/// Every method that sends or waits fails when the stream has ended, with the reason
/// ([`SendError::reason`]): a client that has left, a shutdown. Those that send fail as well when the
/// event cannot be built or is over
/// [`StreamOptions::max_event_size`](crate::StreamOptions::max_event_size).
///
/// # Backpressure
///
/// A call returns when the kernel has taken the event: the thread waits for a slow reader, as long as
/// the socket's write timeout.
pub struct Sender<'w> {
    inner: crate::Sender,
    writer: RefCell<Writer<'w>>,
}

pub(super) type Writer<'w> = BodyWriter<SseBody, &'w mut dyn Write>;

impl<'w> Sender<'w> {
    pub(super) fn new(inner: crate::Sender, writer: Writer<'w>) -> Self {
        Self {
            inner,
            writer: RefCell::new(writer),
        }
    }

    pub(super) fn into_writer(self) -> Writer<'w> {
        self.writer.into_inner()
    }

    /// Waits for any future, while the stream goes on: what it follows is sent, and heartbeats are.
    ///
    /// ```
    /// # use sidereal::{BodyError, blocking::Sender};
    /// fn load(tx: &Sender<'_>) -> Result<u32, BodyError> {
    ///     Ok(tx.wait_for(async { 7 })?)
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// When the stream ends first: the future is dropped then.
    ///
    /// # Panics
    ///
    /// When the future calls this sender; let it use a [`shared`](Self::shared) one.
    pub fn wait_for<F: Future>(&self, future: F) -> Result<F::Output, SendError> {
        let output = self.writer.borrow_mut().write_while(future);
        match output {
            Some(output) => Ok(output),
            None => Err(self.ended()),
        }
    }

    /// Sends, and waits until it is written.
    fn sent(&self, sending: impl Future<Output = Result<(), SendError>>) -> Result<(), SendError> {
        self.wait_for(sending)??;
        // It was taken, and then could not be written.
        match self.writer.borrow().is_over() {
            true => self.inner.check_open(),
            false => Ok(()),
        }
    }

    /// Why nothing more can be sent.
    fn ended(&self) -> SendError {
        let ended = self.inner.check_open().err();
        ended.unwrap_or_else(|| SendError::from_event("the stream has ended"))
    }

    /// Waits, while the stream goes on.
    ///
    /// # Errors
    ///
    /// When the stream ends meanwhile, and at once.
    pub fn sleep(&self, time: Duration) -> Result<(), SendError> {
        self.writer.borrow_mut().write_for(time);
        self.inner.check_open()
    }

    /// Sends any event.
    ///
    /// # Errors
    ///
    /// See [`Sender`](#errors).
    pub fn send(&self, event: impl Event) -> Result<(), SendError> {
        self.sent(self.inner.send(event))
    }

    /// Patches elements of the page.
    ///
    /// # Errors
    ///
    /// See [`Sender`](#errors).
    pub fn patch_elements(&self, event: impl Into<PatchElements>) -> Result<(), SendError> {
        self.sent(self.inner.patch_elements(event))
    }

    /// Patches signals of the page with a serializable value; for options, or for raw JSON, send a
    /// [`PatchSignals`](crate::PatchSignals).
    ///
    /// # Errors
    ///
    /// See [`Sender`](#errors); a value that is no JSON object cannot be built.
    pub fn patch_signals<T: Serialize + ?Sized>(&self, signals: &T) -> Result<(), SendError> {
        self.sent(self.inner.patch_signals(signals))
    }

    /// Runs a script in the page.
    ///
    /// # Errors
    ///
    /// See [`Sender`](#errors).
    pub fn execute_script(&self, script: impl Into<ExecuteScript>) -> Result<(), SendError> {
        self.sent(self.inner.execute_script(script))
    }

    /// Removes the elements that match.
    ///
    /// # Errors
    ///
    /// See [`Sender`](#errors).
    pub fn remove(&self, selector: Selector) -> Result<(), SendError> {
        self.sent(self.inner.remove(selector))
    }

    /// Goes to another page; see [`ExecuteScript::redirect`].
    ///
    /// # Errors
    ///
    /// See [`Sender`](#errors); a URL that would run a script cannot be built.
    pub fn redirect(&self, url: &str) -> Result<(), SendError> {
        self.sent(self.inner.redirect(url))
    }

    /// Changes the address that the browser shows; see [`ExecuteScript::replace_url`].
    ///
    /// # Errors
    ///
    /// See [`Sender`](#errors).
    pub fn replace_url(&self, url: &str) -> Result<(), SendError> {
        self.sent(self.inner.replace_url(url))
    }

    /// Writes a line to the browser's console.
    ///
    /// # Errors
    ///
    /// See [`Sender`](#errors).
    pub fn console_log(&self, message: impl fmt::Display) -> Result<(), SendError> {
        self.sent(self.inner.console_log(message))
    }

    /// Writes an error to the browser's console.
    ///
    /// # Errors
    ///
    /// See [`Sender`](#errors).
    pub fn console_error(&self, message: impl fmt::Display) -> Result<(), SendError> {
        self.sent(self.inner.console_error(message))
    }

    /// Dispatches a custom event on the document.
    ///
    /// # Errors
    ///
    /// See [`Sender`](#errors); a detail that cannot be serialized cannot be built.
    pub fn dispatch_event<T: Serialize + ?Sized>(
        &self,
        name: &str,
        detail: &T,
    ) -> Result<(), SendError> {
        self.sent(self.inner.dispatch_event(name, detail))
    }

    /// Asks the browser to fetch pages in advance; see [`ExecuteScript::prefetch`].
    ///
    /// # Errors
    ///
    /// See [`Sender`](#errors).
    pub fn prefetch<U: AsRef<str>>(
        &self,
        urls: impl IntoIterator<Item = U>,
    ) -> Result<(), SendError> {
        self.sent(self.inner.prefetch(urls))
    }

    /// Sends a heartbeat now. Streams do so by themselves while they wait.
    ///
    /// # Errors
    ///
    /// See [`Sender`](#errors).
    pub fn keep_alive(&self) -> Result<(), SendError> {
        self.sent(self.inner.keep_alive())
    }

    /// Ends the stream: nothing more is accepted.
    pub fn close(&self) {
        self.inner.close();
    }

    /// Whether the stream has ended: nothing is accepted any more. A client that has left is noticed by
    /// what is sent to it.
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    /// Whether the page goes on where it left off, see
    /// [`Sender::is_resumed`](crate::Sender::is_resumed).
    pub fn is_resumed(&self) -> bool {
        self.inner.is_resumed()
    }

    /// The client at the other end.
    pub fn client(&self) -> &Client {
        self.inner.client()
    }

    /// A sender for other threads and tasks, which may outlive the stream. What it sends goes out while
    /// this one sends or waits: so do not wait for it on this thread, but within
    /// [`wait_for`](Self::wait_for).
    pub fn shared(&self) -> crate::Sender {
        self.inner.clone()
    }
}

impl fmt::Debug for Sender<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
