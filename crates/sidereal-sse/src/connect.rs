//! What a handler needs of a request to answer it with a stream.

use std::{sync::Arc, time::Duration};

use futures_core::Stream;
use http::{HeaderMap, Method, Version, header::CONNECTION, request};

use crate::{
    BodyError, Client, EventId, Frame, IntoFrame, Sender, Shutdown, Sse, StreamOptions, Transport,
    Watch, compress::Accepted,
};

/// A request, as far as its answer by a stream is concerned; all streamed responses come from it.
///
/// A framework's adapter makes it of the request; [`Connect::from_parts`] does so for any server on
/// the crate `http`. Handlers return at once: the work is done by the response's body, while the
/// client reads.
///
/// ```
/// use std::time::Duration;
/// use sidereal_sse::{Connect, Event};
///
/// # fn handler(request: http::Request<()>) {
/// let connect = Connect::from_request(&request);
/// let response: http::Response<sidereal_sse::SseBody> = connect
///     .every(Duration::from_secs(1), async |tx| {
///         tx.send(Event::new("tick")).await?;
///         Ok(())
///     })
///     .into_http();
/// # }
/// ```
#[derive(Debug)]
pub struct Connect {
    /// None, too, where the client wants the connection closed.
    pub(crate) version: Option<Version>,
    /// A HEAD request, whose answer has no body.
    pub(crate) is_head: bool,
    pub(crate) last_event_id: Option<EventId>,
    /// What the client accepts; `None` where there is no request to ask.
    pub(crate) accepted: Option<Accepted>,
    pub(crate) client: Client,
    pub(crate) options: Arc<StreamOptions>,
    /// The server's own switch.
    pub(crate) server: Option<Shutdown>,
    pub(crate) transport: Option<Transport>,
}

impl Connect {
    /// A request of which nothing is known: no HTTP version, no `Last-Event-ID`, no
    /// `Accept-Encoding` (so nothing is negotiated), the default options. For tests.
    pub fn new() -> Self {
        Self {
            version: None,
            is_head: false,
            last_event_id: None,
            accepted: None,
            client: Client::new(),
            options: StreamOptions::shared(),
            server: None,
            transport: None,
        }
    }

    /// From the parts of a request.
    ///
    /// Of its extensions it takes, where they are there: [`StreamOptions`] (in an `Arc` or not),
    /// the server's [`Shutdown`] and its [`Transport`].
    pub fn from_parts(parts: &request::Parts) -> Self {
        Self::read(
            parts.version,
            &parts.method,
            &parts.headers,
            &parts.extensions,
        )
    }

    /// From a request; see [`Connect::from_parts`].
    pub fn from_request<B>(request: &http::Request<B>) -> Self {
        Self::read(
            request.version(),
            request.method(),
            request.headers(),
            request.extensions(),
        )
    }

    fn read(
        version: Version,
        method: &Method,
        headers: &HeaderMap,
        extensions: &http::Extensions,
    ) -> Self {
        let options = extensions
            .get::<Arc<StreamOptions>>()
            .cloned()
            .or_else(|| extensions.get::<StreamOptions>().cloned().map(Arc::new))
            .unwrap_or_else(StreamOptions::shared);
        Self {
            version: (!asks_to_close(headers)).then_some(version),
            is_head: method == Method::HEAD,
            last_event_id: last_event_id(headers),
            accepted: Some(Accepted::from_headers(headers)),
            client: Client::new(),
            options,
            server: extensions.get::<Shutdown>().cloned(),
            transport: extensions.get::<Transport>().cloned(),
        }
    }

    /// Attaches data of the application's own to the client, by its type: hooks, observers and
    /// senders see it.
    #[must_use]
    pub fn with_data<T: Clone + Send + Sync + 'static>(mut self, data: T) -> Self {
        self.client.insert(data);
        self
    }

    /// Replaces the options that streams of this request start from. In an `Arc`, many streams
    /// hold them together.
    #[must_use]
    pub fn with_options(mut self, options: impl Into<Arc<StreamOptions>>) -> Self {
        self.options = options.into();
        self
    }

    /// Takes this as the connection below, in place of one in the request's extensions: for servers
    /// that learn more of it than that it is gone.
    #[must_use]
    pub fn with_transport(mut self, transport: Transport) -> Self {
        self.transport = Some(transport);
        self
    }

    /// The client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The id of the last event that this client got before it reconnected, if it says so.
    /// A header that is no possible id counts as absent.
    pub fn last_event_id(&self) -> Option<&EventId> {
        self.last_event_id.as_ref()
    }

    /// Answers with what `body` sends, and then ends: a one-shot reply.
    ///
    /// The future runs within the response, and advances only while the client reads: hold no lock
    /// or pooled connection across an await in it, or let it run [`detached`](Sse::detached). It
    /// is dropped when the client leaves.
    ///
    /// ```
    /// # use sidereal_sse::{Connect, Event};
    /// # let connect = Connect::new();
    /// let sse = connect.respond(async move |tx| {
    ///     tx.send(Event::new("Fetching…")).await?;
    ///     tx.send(Event::new("done")).await?;
    ///     Ok(())
    /// });
    /// # let _ = sse;
    /// ```
    pub fn respond<F, Fut>(self, body: F) -> Sse
    where
        F: FnOnce(Sender) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), BodyError>> + Send + 'static,
    {
        self.live(false, body)
    }

    /// Answers with events that are all at hand: a body of known length, one chunk for each event;
    /// or compressed whole, where the client accepts it and they are not short (see
    /// [`Compression::whole_from`](crate::Compression::whole_from)).
    ///
    /// Without any event the answer is empty, and no stream begins: hooks are not told of it.
    ///
    /// ```
    /// # use sidereal_sse::{Connect, Event, IntoFrame};
    /// # let connect = Connect::new();
    /// let sse = connect.reply([Event::new("one"), Event::new("two")]);
    /// # let _ = sse;
    /// ```
    pub fn reply<E: IntoFrame>(self, events: impl IntoIterator<Item = E>) -> Sse {
        let frames: Vec<Frame> = events
            .into_iter()
            .map(IntoFrame::into_frame)
            .filter(|frame| !frame.is_empty())
            .collect();
        Sse::known(self, frames)
    }

    /// Runs `body` at once, and then again and again, one `period` after the last run ended, until
    /// it fails or the client leaves.
    ///
    /// A period of zero repeats whenever the queue has room, and lets other tasks run in between.
    /// Any other needs a tokio runtime with time; without one the stream ends as panicked.
    ///
    /// The body is called with a sender by value. It cannot lend what it captured, so it clones
    /// what a run needs:
    ///
    /// ```
    /// # use std::{sync::Arc, time::Duration};
    /// # use sidereal_sse::{Connect, Event};
    /// # let connect = Connect::new();
    /// let name: Arc<str> = "ada".into();
    /// let sse = connect.every(Duration::from_millis(100), move |tx| {
    ///     let name = name.clone();
    ///     async move {
    ///         tx.send(Event::new(&*name)).await?;
    ///         Ok(())
    ///     }
    /// });
    /// # let _ = sse;
    /// ```
    pub fn every<F, Fut>(self, period: Duration, mut body: F) -> Sse
    where
        F: FnMut(Sender) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), BodyError>> + Send + 'static,
    {
        self.live(true, async move |tx: Sender| {
            loop {
                body(tx.clone()).await?;
                if period.is_zero() {
                    tx.room().await?;
                    tokio::task::yield_now().await;
                } else {
                    tokio::time::sleep(period).await;
                }
            }
        })
    }

    /// Answers with the events of a stream, until it ends.
    pub fn stream<S>(self, events: S) -> Sse
    where
        S: Stream + Send + 'static,
        S::Item: IntoFrame + Send,
    {
        self.live(true, async move |tx: Sender| {
            let mut events = std::pin::pin!(events);
            while let Some(event) = next(events.as_mut()).await {
                tx.send(event).await?;
            }
            Ok(())
        })
    }

    /// Answers with the events of a stream, until it ends or fails.
    pub fn try_stream<S, T, E>(self, events: S) -> Sse
    where
        S: Stream<Item = Result<T, E>> + Send + 'static,
        T: IntoFrame + Send,
        E: Into<BodyError> + Send,
    {
        self.live(true, async move |tx: Sender| {
            let mut events = std::pin::pin!(events);
            while let Some(event) = next(events.as_mut()).await {
                tx.send(event.map_err(Into::into)?).await?;
            }
            Ok(())
        })
    }

    /// Answers with a stream whose body owns its loop, until that returns.
    ///
    /// Like [`respond`](Self::respond), but long-lived: it ends when the server shuts down, and at
    /// its maximum age.
    ///
    /// ```
    /// # use sidereal_sse::{Connect, Event};
    /// # let connect = Connect::new();
    /// # let (_tx, mut news) = tokio::sync::mpsc::channel::<String>(1);
    /// let sse = connect.run(async move |tx| {
    ///     while let Some(text) = news.recv().await {
    ///         tx.send(Event::new(text)).await?;
    ///     }
    ///     Ok(())
    /// });
    /// # let _ = sse;
    /// ```
    pub fn run<F, Fut>(self, body: F) -> Sse
    where
        F: FnOnce(Sender) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), BodyError>> + Send + 'static,
    {
        self.live(true, body)
    }

    /// Follows views, tickers and topics: the response is their events, as they come. The stream has
    /// no body of its own; it ends when the client leaves, the application closes it, or the server
    /// shuts down.
    ///
    /// A view shows its last picture at once, a ticker its last event, and a topic what it
    /// [starts at](crate::TopicOptions::start_at).
    ///
    /// ```
    /// # use sidereal_sse::{Connect, Event, Hub, View};
    /// let hub = Hub::new();
    /// let chat = hub.topic("chat");
    /// let count = View::new(0, |count: &u32| Event::from_display(count));
    /// let sse = Connect::new().watch((&count, &chat));
    /// # let _ = sse;
    /// ```
    pub fn watch(self, what: impl Watch) -> Sse {
        Sse::following(self, what, false)
    }

    /// Answers with one event of each view or ticker as it is now: what a page asks for that polls.
    ///
    /// A view is rendered if it was changed since it was last, as often as it may be; so the answer
    /// shows every change that was made before the request. It fails where the render does. Of a
    /// topic it gives the first event that a subscriber would get, and waits where there is none yet.
    /// Bodies that run for each connection ([`EveryFor`](crate::EveryFor)) have no part in it.
    pub fn once(self, what: impl Watch) -> Sse {
        Sse::following(self, what, true)
    }

    /// Follows a topic: the same as [`watch`](Self::watch).
    pub fn subscribe(self, topic: &crate::Topic) -> Sse {
        self.watch(topic)
    }

    fn live<F, Fut>(self, long_lived: bool, body: F) -> Sse
    where
        F: FnOnce(Sender) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), BodyError>> + Send + 'static,
    {
        Sse::live(self, long_lived, Box::new(|tx| Box::pin(body(tx))))
    }
}

impl Default for Connect {
    fn default() -> Self {
        Self::new()
    }
}

/// The id in `Last-Event-ID`, if it is one that a server can have sent.
fn last_event_id(headers: &HeaderMap) -> Option<EventId> {
    let value = headers.get("last-event-id")?.to_str().ok()?;
    EventId::new(value.to_owned()).ok()
}

async fn next<S: Stream>(mut events: std::pin::Pin<&mut S>) -> Option<S::Item> {
    std::future::poll_fn(|cx| events.as_mut().poll_next(cx)).await
}

/// Whether the client wants the connection closed after the answer (RFC 9112, 9.6).
fn asks_to_close(headers: &HeaderMap) -> bool {
    let values = headers.get_all(CONNECTION).iter();
    let mut options = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    options.any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"))
}
