//! What a handler needs of a request to answer with a stream of Datastar events.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_core::Stream;
use http::{HeaderMap, request};

use crate::{
    BodyError, Client, Config, Event, EventDefaults, EventId, Events, IntoFrame as _, Sender, Sse,
    Topic, Watch,
};

/// A request, as far as its answer by a stream is concerned; all streamed responses come from it.
///
/// Adapters extract it; without one it is made of a request's parts. Handlers return at once: the
/// work is done by the response's body, while the client reads.
///
/// | method | for |
/// |---|---|
/// | [`reply`](Self::reply) | events that are at hand |
/// | [`respond`](Self::respond) | one-shot: work, and events as they come |
/// | [`every`](Self::every) | the same again and again |
/// | [`run`](Self::run) | a loop of one's own |
/// | [`stream`](Self::stream), [`try_stream`](Self::try_stream) | events from a futures `Stream` |
/// | [`watch`](Self::watch), [`subscribe`](Self::subscribe) | what goes to many: views, tickers, topics |
/// | [`once`](Self::once) | a view as it is now, for a page that polls |
///
/// ```
/// use std::time::Duration;
/// use sidereal::{Connect, PatchElements, Sse};
///
/// async fn clock(connect: Connect) -> Sse {
///     connect.every(Duration::from_secs(1), async |tx| {
///         let now = std::time::SystemTime::now();
///         tx.patch_elements(PatchElements::new(format!("<p id='now'>{now:?}</p>"))).await?;
///         Ok(())
///     })
/// }
/// ```
#[derive(Debug)]
pub struct Connect {
    inner: sidereal_sse::Connect,
    defaults: Arc<EventDefaults>,
    is_datastar: bool,
}

impl Connect {
    /// A request of which nothing is known, with the default configuration. For tests.
    pub fn new() -> Self {
        Self::read(
            sidereal_sse::Connect::new(),
            &HeaderMap::new(),
            &http::Extensions::new(),
        )
    }

    /// From the parts of a request. Of its extensions it takes the [`Config`], and what
    /// `sidereal::serve` leaves there.
    pub fn from_parts(parts: &request::Parts) -> Self {
        let inner = sidereal_sse::Connect::from_parts(parts);
        Self::read(inner, &parts.headers, &parts.extensions)
    }

    /// From a request; see [`Connect::from_parts`].
    pub fn from_request<B>(request: &http::Request<B>) -> Self {
        let inner = sidereal_sse::Connect::from_request(request);
        Self::read(inner, request.headers(), request.extensions())
    }

    fn read(
        inner: sidereal_sse::Connect,
        headers: &HeaderMap,
        extensions: &http::Extensions,
    ) -> Self {
        let connect = Self {
            inner,
            defaults: Arc::default(),
            is_datastar: crate::is_datastar_request(headers),
        };
        match Config::from_extensions(extensions) {
            Some(config) => connect.with_config(config),
            None => connect,
        }
    }

    /// Uses this configuration instead of the application's.
    #[must_use]
    pub fn with_config(mut self, config: &Config) -> Self {
        self.inner = self.inner.with_options(config.stream_options().clone());
        self.defaults = config.event_defaults().clone();
        self
    }

    /// Attaches data of the application's own to the client, by its type: hooks, observers and
    /// senders see it.
    #[must_use]
    pub fn with_data<T: Clone + Send + Sync + 'static>(mut self, data: T) -> Self {
        self.inner = self.inner.with_data(data);
        self
    }

    /// Takes this as the connection below, for servers of one's own, see
    /// [`Transport`](crate::Transport).
    #[must_use]
    pub fn with_transport(mut self, transport: crate::Transport) -> Self {
        self.inner = self.inner.with_transport(transport);
        self
    }

    /// The client.
    pub fn client(&self) -> &Client {
        self.inner.client()
    }

    /// Whether the request comes from a Datastar action, and not from a plain page load.
    pub fn is_datastar(&self) -> bool {
        self.is_datastar
    }

    /// The id of the last event that this client got before it reconnected, if it says so.
    pub fn last_event_id(&self) -> Option<&EventId> {
        self.inner.last_event_id()
    }

    /// Answers with events that are all at hand.
    ///
    /// ```
    /// # use sidereal::{Connect, PatchElements, Sse, selector};
    /// async fn done(connect: Connect) -> Sse {
    ///     connect.reply((
    ///         PatchElements::remove(selector!("#todo-7")),
    ///         PatchElements::new("<b id='count'>6</b>"),
    ///     ))
    /// }
    /// ```
    pub fn reply(self, events: impl Events) -> Sse {
        let frames = events.into_frames(&self.defaults);
        Sse::new(self.inner.reply(frames), self.defaults)
    }

    /// Answers with what `body` sends, and then ends: a one-shot reply.
    ///
    /// The future runs within the response, and advances only while the client reads: hold no lock
    /// or pooled connection across an await in it, or let it run [`detached`](Sse::detached). It
    /// is dropped when the client leaves. Work that must finish comes before the response.
    ///
    /// ```
    /// # use sidereal::{Connect, PatchElements, Sse};
    /// async fn details(connect: Connect) -> Sse {
    ///     connect.respond(async |tx| {
    ///         tx.patch_elements(PatchElements::new("<p id='details'>Fetching…</p>")).await?;
    ///         // … fetch; `?` works on any error …
    ///         tx.patch_elements(PatchElements::new("<p id='details'>Saturn</p>")).await?;
    ///         Ok(())
    ///     })
    /// }
    /// ```
    pub fn respond<F, Fut>(self, body: F) -> Sse
    where
        F: FnOnce(Sender) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), BodyError>> + Send + 'static,
    {
        let defaults = self.defaults.clone();
        let inner = self
            .inner
            .respond(move |tx| body(Sender::new(tx, defaults)));
        Sse::new(inner, self.defaults)
    }

    /// Runs `body` at once, and then again and again, one `period` after the last run ended, until
    /// it fails or the client leaves.
    ///
    /// A period of zero repeats whenever the queue has room, and lets other tasks run in between.
    /// The body cannot lend what it captured, so it clones what a run needs:
    ///
    /// ```
    /// # use std::{sync::Arc, time::Duration};
    /// # use sidereal::{Connect, Sse};
    /// # use serde_json::json;
    /// # struct App; impl App { fn probe(&self) -> f64 { 0.0 } }
    /// async fn telemetry(connect: Connect, app: Arc<App>) -> Sse {
    ///     connect.every(Duration::from_millis(100), move |tx| {
    ///         let app = app.clone();
    ///         async move {
    ///             tx.patch_signals(&json!({ "probe": app.probe() })).await?;
    ///             Ok(())
    ///         }
    ///     })
    /// }
    /// ```
    pub fn every<F, Fut>(self, period: Duration, mut body: F) -> Sse
    where
        F: FnMut(Sender) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), BodyError>> + Send + 'static,
    {
        let defaults = self.defaults.clone();
        let inner = self
            .inner
            .every(period, move |tx| body(Sender::new(tx, defaults.clone())));
        Sse::new(inner, self.defaults)
    }

    /// Answers with a stream whose body owns its loop, until that returns.
    ///
    /// Like [`respond`](Self::respond), but long-lived: it ends when the server shuts down, and at
    /// its maximum age.
    pub fn run<F, Fut>(self, body: F) -> Sse
    where
        F: FnOnce(Sender) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), BodyError>> + Send + 'static,
    {
        let defaults = self.defaults.clone();
        let inner = self.inner.run(move |tx| body(Sender::new(tx, defaults)));
        Sse::new(inner, self.defaults)
    }

    /// Answers with the events of a futures `Stream`, until it ends.
    pub fn stream<S>(self, events: S) -> Sse
    where
        S: Stream + Send + 'static,
        S::Item: Event + Send,
    {
        let defaults = self.defaults.clone();
        let frames = Map {
            events: Box::pin(events),
            map: move |event: S::Item| event.with_defaults(&defaults).into_frame(),
        };
        Sse::new(self.inner.stream(frames), self.defaults)
    }

    /// Answers with the events of a futures `Stream`, until it ends or fails.
    pub fn try_stream<S, T, E>(self, events: S) -> Sse
    where
        S: Stream<Item = Result<T, E>> + Send + 'static,
        T: Event + Send,
        E: Into<BodyError> + Send,
    {
        let defaults = self.defaults.clone();
        let frames = Map {
            events: Box::pin(events),
            map: move |event: Result<T, E>| {
                event.map(|event| event.with_defaults(&defaults).into_frame())
            },
        };
        Sse::new(self.inner.try_stream(frames), self.defaults)
    }
}

impl Connect {
    /// Follows views, tickers and topics: the response is their events, as they come. The stream has
    /// no body of its own; it ends when the client leaves, the application closes it, or the server
    /// shuts down.
    ///
    /// A view shows its last picture at once, a ticker its last event, and a topic what it
    /// [starts at](crate::TopicOptions::start_at). Several together, as a tuple, keep the order in
    /// which their events were published.
    ///
    /// ```
    /// # use sidereal::{Connect, Sse, Topic, View};
    /// async fn updates(connect: Connect, board: View<u32>, chat: Topic) -> Sse {
    ///     connect.watch((&board, &chat))
    /// }
    /// ```
    pub fn watch(self, what: impl Watch) -> Sse {
        Sse::new(self.inner.watch(what), self.defaults)
    }

    /// Follows a topic: the same as [`watch`](Self::watch).
    pub fn subscribe(self, topic: &Topic) -> Sse {
        self.watch(topic)
    }

    /// Answers with each view or ticker as it is now: what a page asks for that polls.
    ///
    /// A view is rendered if it was changed since it was last, as often as it may be; so the answer
    /// shows every change that was made before the request. It fails where the render does. Of a
    /// topic it gives the first event that a subscriber would get, and waits where there is none yet.
    /// Bodies that run for each connection ([`EveryFor`](crate::EveryFor)) have no part in it.
    ///
    /// ```
    /// # use sidereal::{Connect, Sse, View};
    /// async fn poll(connect: Connect, board: View<u32>) -> Sse {
    ///     connect.once(&board)
    /// }
    /// ```
    ///
    /// A page that can do either shows the same by construction where both follow one thing:
    ///
    /// ```
    /// use sidereal::{Connect, Following, Sse, Ticker, View, Watch};
    ///
    /// struct App { clock: Ticker, board: View<u32> }
    ///
    /// impl Watch for App {
    ///     fn follow(&self, following: &mut Following) {
    ///         (&self.clock, &self.board).follow(following);
    ///     }
    /// }
    ///
    /// async fn stream(connect: Connect, app: &App, is_push: bool) -> Sse {
    ///     if is_push { connect.watch(app) } else { connect.once(app) }
    /// }
    /// ```
    pub fn once(self, what: impl Watch) -> Sse {
        Sse::new(self.inner.once(what), self.defaults)
    }
}

impl Default for Connect {
    fn default() -> Self {
        Self::new()
    }
}

/// A stream's items, each turned into what the engine sends.
struct Map<S, F> {
    events: Pin<Box<S>>,
    map: F,
}

impl<S: Stream, F: FnMut(S::Item) -> T + Unpin, T> Stream for Map<S, F> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let next = self.events.as_mut().poll_next(cx);
        next.map(|event| event.map(&mut self.map))
    }
}
