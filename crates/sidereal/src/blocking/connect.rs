//! A request, from which the answer is made.

use std::time::Duration;

use http::{Request, request::Parts};
use sidereal_sse::blocking::Exchange;

use super::{Sender, Sse};
use crate::{BodyError, Client, Config, EventId, Events, Topic, Watch};

/// A request on a thread of its own, as far as its answer by a stream is concerned.
///
/// | method | for |
/// |---|---|
/// | [`reply`](Self::reply) | events that are at hand |
/// | [`respond`](Self::respond) | one-shot: work, and events as they come |
/// | [`every`](Self::every) | the same again and again |
/// | [`run`](Self::run) | a loop of one's own |
/// | [`watch`](Self::watch), [`subscribe`](Self::subscribe) | what goes to many: views, tickers, topics |
/// | [`once`](Self::once) | a view as it is now, for a page that polls |
///
/// Closures run on the thread that calls [`Sse::write_to`], so they may borrow what is there.
#[derive(Debug)]
pub struct Connect {
    inner: crate::Connect,
    exchange: Exchange,
}

impl Connect {
    /// From the head of a request; [`head`](super::head) makes one of text. Of its extensions it
    /// takes the [`Config`].
    pub fn from_parts(parts: &Parts) -> Self {
        let exchange = Exchange::of(parts);
        let transport = exchange.transport().clone();
        Self {
            inner: crate::Connect::from_parts(parts).with_transport(transport),
            exchange,
        }
    }

    /// From a request; see [`from_parts`](Self::from_parts).
    pub fn from_request<B>(request: Request<B>) -> (Self, B) {
        let (parts, body) = request.into_parts();
        (Self::from_parts(&parts), body)
    }

    /// Uses this configuration instead of that in the request's extensions.
    #[must_use]
    pub fn with_config(mut self, config: &Config) -> Self {
        self.inner = self.inner.with_config(config);
        self
    }

    /// Attaches data of the application's own to the client, by its type.
    #[must_use]
    pub fn with_data<T: Clone + Send + Sync + 'static>(mut self, data: T) -> Self {
        self.inner = self.inner.with_data(data);
        self
    }

    /// The client.
    pub fn client(&self) -> &Client {
        self.inner.client()
    }

    /// Whether the request comes from a Datastar action, and not from a plain page load.
    pub fn is_datastar(&self) -> bool {
        self.inner.is_datastar()
    }

    /// The id of the last event that this client got before it reconnected, if it says so.
    pub fn last_event_id(&self) -> Option<&EventId> {
        self.inner.last_event_id()
    }

    /// Answers with events that are all at hand.
    pub fn reply(self, events: impl Events) -> Sse<'static> {
        Sse::new(self.inner.reply(events), self.exchange)
    }

    /// Answers with what `body` sends, and then ends: a one-shot reply.
    ///
    /// Between two of its calls nothing is sent, heartbeats neither: for long work, wait with
    /// [`Sender::sleep`] or [`Sender::wait_for`].
    pub fn respond<'f, F>(self, body: F) -> Sse<'f>
    where
        F: FnOnce(&Sender<'_>) -> Result<(), BodyError> + 'f,
    {
        Sse::bridged(self.exchange, body, |bridge| self.inner.respond(bridge))
    }

    /// Runs `body` at once, and then again and again, one `period` after the last run ended, until it
    /// fails or the client leaves. A period of zero repeats at once.
    pub fn every<'f, F>(self, period: Duration, mut body: F) -> Sse<'f>
    where
        F: FnMut(&Sender<'_>) -> Result<(), BodyError> + 'f,
    {
        self.run(move |tx| {
            loop {
                body(tx)?;
                tx.sleep(period)?;
            }
        })
    }

    /// Answers with a stream whose body owns its loop, until that returns.
    ///
    /// Like [`respond`](Self::respond), but long-lived: it ends when the server shuts down, and at
    /// its maximum age. What it then sends, or waits for, fails with the reason.
    pub fn run<'f, F>(self, body: F) -> Sse<'f>
    where
        F: FnOnce(&Sender<'_>) -> Result<(), BodyError> + 'f,
    {
        Sse::bridged(self.exchange, body, |bridge| self.inner.run(bridge))
    }

    /// Follows views, tickers and topics: the response is their events, as they come. See
    /// [`Connect::watch`](crate::Connect::watch).
    pub fn watch(self, what: impl Watch) -> Sse<'static> {
        Sse::new(self.inner.watch(what), self.exchange)
    }

    /// Follows a topic: the same as [`watch`](Self::watch).
    pub fn subscribe(self, topic: &Topic) -> Sse<'static> {
        self.watch(topic)
    }

    /// Answers with each view or ticker as it is now: what a page asks for that polls. See
    /// [`Connect::once`](crate::Connect::once).
    pub fn once(self, what: impl Watch) -> Sse<'static> {
        Sse::new(self.inner.once(what), self.exchange)
    }
}
