//! A streamed response in the making: its hooks and settings, and its head.

use std::{fmt, sync::Arc, task::Poll, time::Duration};

use http::{
    HeaderValue, Response, StatusCode, Version,
    header::{CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, VARY},
};

use crate::{
    BodyError, Client, Codec, Compression, Connect, End, EndReason, Ended, Following, Frame,
    Sender, SseBody, StreamOptions, Watch,
    compress::{Choice, Coder, whole},
    hub::Plan,
    lifecycle::{Lifecycle, OnDisconnect},
    live::{Begin, Live, Start},
    queue::Queue,
};

/// The answer to a client that refuses every coding there is.
const NOT_ACCEPTABLE: &str = "None of the content codings of this event stream is acceptable to the client: \
    its Accept-Encoding header refuses `identity` too.\n";

/// The answer to one connection more than a hub takes.
const NO_ROOM: &str = "The server has no room for another event stream of this kind now.\n";

/// A response that streams events; made by [`Connect`](crate::Connect).
///
/// Nothing runs before the server polls the response's body for the first time.
#[must_use = "a response does nothing unless it is returned to the server"]
pub struct Sse {
    connect: Connect,
    source: Source,
    /// What the stream follows, beside or instead of a body of its own.
    following: Option<Following>,
    /// Neither the maximum age nor, by default, a shutdown ends a one-shot reply.
    long_lived: bool,
    follow_shutdown: bool,
    detached: bool,
    on_connect: Option<Start>,
    on_disconnect: Vec<OnDisconnect>,
}

enum Source {
    Known(Vec<Frame>),
    Live(Start),
    /// Nothing of its own.
    None,
}

impl Sse {
    pub(crate) fn known(connect: Connect, frames: Vec<Frame>) -> Self {
        Self::new(connect, Source::Known(frames), false)
    }

    pub(crate) fn live(connect: Connect, long_lived: bool, body: Start) -> Self {
        Self::new(connect, Source::Live(body), long_lived)
    }

    /// What is followed, on and on or one event of each.
    pub(crate) fn following(connect: Connect, what: impl Watch, once: bool) -> Self {
        let mut sse = Self::new(connect, Source::None, !once).watch(what);
        if let Some(following) = &mut sse.following {
            following.0.once = once;
        }
        sse.long_lived = !once;
        sse.follow_shutdown = true;
        sse
    }

    fn new(connect: Connect, source: Source, long_lived: bool) -> Self {
        Self {
            connect,
            source,
            following: None,
            long_lived,
            follow_shutdown: long_lived,
            detached: false,
            on_connect: None,
            on_disconnect: Vec::new(),
        }
    }

    /// Follows something beside: the events of both are sent, in the order in which they were
    /// published or sent. A reply becomes a long-lived stream, whose events go first.
    ///
    /// Following begins when the stream does, and its events are sent when
    /// [`on_connect`](Self::on_connect) is done. A body that comes to its end ends the stream. An
    /// answer that was to be one event of each (`once`) goes on with the next ones.
    ///
    /// ```
    /// # use sidereal_sse::{Connect, Event, Hub};
    /// let hub = Hub::new();
    /// let sse = Connect::new()
    ///     .run(async |tx| {
    ///         tx.send(Event::new("for you")).await?;
    ///         std::future::pending().await
    ///     })
    ///     .watch(&hub.topic("news"));
    /// # let _ = sse;
    /// ```
    pub fn watch(mut self, what: impl Watch) -> Self {
        let following = self
            .following
            .get_or_insert_with(|| Following(Plan::default()));
        what.follow(following);
        // What was to be one event of each goes on.
        let was_once = std::mem::take(&mut following.0.once);
        if was_once || matches!(self.source, Source::Known(_)) {
            self.long_lived = true;
            self.follow_shutdown = true;
        }
        self
    }

    /// Sends a heartbeat when nothing was sent for this long; `None` or zero for none. Default
    /// 15 s.
    pub fn keep_alive(self, interval: impl Into<Option<Duration>>) -> Self {
        self.configure(|options| options.keep_alive(interval))
    }

    /// Ends the stream when it is this old, or up to a tenth earlier. Default: never; one-shot replies
    /// have no age.
    pub fn max_age(self, age: impl Into<Option<Duration>>) -> Self {
        self.configure(|options| options.max_age(age))
    }

    /// How the response is compressed; `None` for not at all, which is right where it holds a
    /// secret beside text that others choose (see [`Frame::sensitive`]).
    pub fn compression(self, compression: impl Into<Compression>) -> Self {
        self.configure(|options| options.compression(compression))
    }

    /// How the stream ends for this reason.
    pub fn end_with(self, reason: EndReason, end: End) -> Self {
        self.configure(|options| options.end_with(reason, end))
    }

    /// Changes any of the options.
    pub fn configure(mut self, change: impl FnOnce(StreamOptions) -> StreamOptions) -> Self {
        let options = Arc::unwrap_or_clone(self.connect.options);
        self.connect.options = Arc::new(change(options));
        self
    }

    /// Whether the stream ends when the server shuts down. Default: long-lived streams do, one-shot
    /// replies are let finish.
    pub fn follow_shutdown(mut self, follow: bool) -> Self {
        self.follow_shutdown = follow;
        self
    }

    /// Runs the body on the tokio runtime, to its end even when the client leaves: for work that,
    /// once begun, must not be cut short. Its sends then fail, with the reason; its own failure is
    /// then only logged.
    ///
    /// It begins when the stream does. A client that left before that leaves nothing begun: what
    /// must happen in any case comes before the response. Without a runtime the stream fails.
    pub fn detached(mut self) -> Self {
        self.detached = true;
        self
    }

    /// Runs when the stream begins; its events go first, and an error ends the stream.
    ///
    /// A stream may end in the middle of it. What [`on_disconnect`](Self::on_disconnect) takes back,
    /// such as a count of viewers, comes before its first await.
    ///
    /// The stream begins when the server first polls the body; for a HEAD request it never does. Of
    /// several hooks, each runs when the one before it is done.
    pub fn on_connect<F, Fut>(mut self, hook: F) -> Self
    where
        F: FnOnce(Sender) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), BodyError>> + Send + 'static,
    {
        let before = self.on_connect.take();
        self.on_connect = Some(in_turn(before, Box::new(|tx| Box::pin(hook(tx)))));
        self
    }

    /// Runs when the stream is over: exactly once, whatever ended it, and only if it had begun, so
    /// after [`on_connect`](Self::on_connect) has begun too. The body's future is gone by then.
    ///
    /// It hangs on the response's drop, so it is synchronous, should be quick, and may run outside
    /// the runtime. A panic in it is caught and logged. Several hooks all run, in their order.
    pub fn on_disconnect<F>(mut self, hook: F) -> Self
    where
        F: FnOnce(&Client, &Ended) + Send + 'static,
    {
        self.on_disconnect.push(Box::new(hook));
        self
    }

    /// The response: status 200, and the head of an event stream. For a HEAD request it is only
    /// that, and nothing begins.
    ///
    /// | header | value | why |
    /// |---|---|---|
    /// | `Content-Type` | `text/event-stream` | [WHATWG HTML, 9.2] |
    /// | `Cache-Control` | `no-cache` | Datastar's ADR |
    /// | `X-Accel-Buffering` | `no` | nginx and others hold events back without it |
    /// | `Connection` | `keep-alive` | Datastar's ADR; on HTTP/1.1 only, illegal in HTTP/2 (RFC 9113, 8.2.2) |
    /// | `Content-Encoding` | `zstd`, `gzip` or `br` | what the client accepts, see [`Compression`] |
    /// | `Vary` | `Accept-Encoding` | wherever that is negotiated (RFC 9110, 12.5.5) |
    ///
    /// A client that refuses every coding, and the uncompressed stream too (`identity;q=0`), gets
    /// a 406 with a text, and nothing begins; but where nothing is negotiated
    /// ([`Compression::none`]) that is not asked, and the stream is sent as it is.
    ///
    /// [WHATWG HTML, 9.2]: https://html.spec.whatwg.org/multipage/server-sent-events.html
    pub fn into_http(mut self) -> Response<SseBody> {
        self.take_what_is_at_hand();
        if let Some(following) = &mut self.following
            && !following.0.is_admitted()
        {
            return self.refuse(StatusCode::SERVICE_UNAVAILABLE, NO_ROOM);
        }
        let version = self.connect.version;
        let negotiated = self.negotiate();
        let (body, codec) = match negotiated {
            Some(Choice::Refused) => {
                return self.refuse(StatusCode::NOT_ACCEPTABLE, NOT_ACCEPTABLE);
            }
            Some(Choice::Coded(codec)) => self.into_body(Some(codec)),
            Some(Choice::Identity) | None => self.into_body(None),
        };
        let mut response = Response::new(body);
        let headers = response.headers_mut();
        if negotiated.is_some() {
            headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        }
        if let Some(codec) = codec {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(codec.as_str()));
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(
            HeaderName::from_static("x-accel-buffering"),
            HeaderValue::from_static("no"),
        );
        if version == Some(Version::HTTP_11) {
            headers.insert(CONNECTION, HeaderValue::from_static("keep-alive"));
        }
        response
    }

    /// One event of each, all of them there: a reply of known length.
    fn take_what_is_at_hand(&mut self) {
        if let Some(following) = &self.following
            && following.0.once
            && let Some(frames) = following.0.at_hand()
        {
            self.source = Source::Known(frames);
            self.following = None;
        }
    }

    /// What the response is coded with; `None` where there is nothing to choose from, or nobody to
    /// ask.
    fn negotiate(&self) -> Option<Choice> {
        let compression = &self.connect.options.compression;
        let accepted = self.connect.accepted?;
        compression.codecs().next()?;
        Some(
            match (accepted.choose(compression.codecs()), &self.source) {
                (Choice::Coded(_), Source::Known(frames))
                    if self.on_connect.is_none()
                        && self.following.is_none()
                        && (frames.is_empty()
                        // Short replies are compressed only if they have to be.
                        || !(accepted.refuses_identity() || compression.has_use_for(frames))) =>
                {
                    Choice::Identity
                }
                (choice, _) => choice,
            },
        )
    }

    fn refuse(self, status: StatusCode, text: &'static str) -> Response<SseBody> {
        let body = match self.connect.is_head {
            true => SseBody::nothing(),
            false => SseBody::text(text),
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
        response
    }

    /// The body, and what it is coded with: this, unless it fails.
    fn into_body(self, codec: Option<Codec>) -> (SseBody, Option<Codec>) {
        let Connect {
            is_head,
            client,
            options,
            server,
            transport,
            ..
        } = self.connect;

        let is_live = self.on_connect.is_some() || self.following.is_some();
        if is_head {
            return (SseBody::nothing(), codec);
        }
        let lifecycle = Lifecycle::new(
            client.clone(),
            Arc::clone(&options),
            transport,
            self.on_disconnect,
        );
        let mut following = self.following.map(|following| following.0);
        if let Some(following) = &mut following {
            following.resume = self.connect.last_event_id;
        }
        let bodies = following.as_mut().map(|it| std::mem::take(&mut it.bodies));
        let bodies = bodies.unwrap_or_default();
        let mut on_connect = self.on_connect;
        let body = match self.source {
            Source::Known(frames) if !is_live => {
                let whole = codec.and_then(|codec| whole(codec, &options, &frames));
                let codec = codec.filter(|_| whole.is_some());
                return (SseBody::known(lifecycle, frames, whole), codec);
            }
            Source::Known(frames) if following.is_some() => {
                on_connect = Some(in_turn(on_connect, send_all(frames)));
                None
            }
            Source::Known(frames) => Some(send_all(frames)),
            Source::Live(body) => Some(body),
            Source::None => None,
        };
        let body = all_at_once(body.into_iter().chain(bodies).collect());
        let queue = Queue::new(client, Arc::clone(&options));
        let begin = Begin {
            sender: Sender::new(Arc::clone(&queue)),
            on_connect,
            body,
            following,
            detached: self.detached,
            max_age: options.max_age.filter(|_| self.long_lived),
            shutdowns: [server, options.shutdown.clone()]
                .map(|shutdown| shutdown.filter(|_| self.follow_shutdown)),
        };
        let coder = codec.and_then(|codec| Coder::new(codec, Arc::clone(&options)));
        let codec = codec.filter(|_| coder.is_some());
        let live = Live::new(lifecycle, queue, begin, coder);
        (SseBody::live(live), codec)
    }
}

/// One after the other.
fn in_turn(first: Option<Start>, then: Start) -> Start {
    match first {
        None => then,
        Some(first) => Box::new(|tx| {
            Box::pin(async move {
                first(tx.clone()).await?;
                then(tx).await
            })
        }),
    }
}

/// Side by side, until the first one ends. `None` for none.
fn all_at_once(mut bodies: Vec<Start>) -> Option<Start> {
    if bodies.len() <= 1 {
        return bodies.pop();
    }
    Some(Box::new(|tx| {
        let mut tasks: Vec<_> = bodies.into_iter().map(|body| body(tx.clone())).collect();
        Box::pin(std::future::poll_fn(move |cx| {
            let ended = tasks
                .iter_mut()
                .find_map(|task| match task.as_mut().poll(cx) {
                    Poll::Ready(result) => Some(result),
                    Poll::Pending => None,
                });
            ended.map_or(Poll::Pending, Poll::Ready)
        }))
    }))
}

/// A body that sends frames which are all at hand, for a reply with an `on_connect`.
fn send_all(frames: Vec<Frame>) -> Start {
    Box::new(move |tx| {
        Box::pin(async move {
            for frame in frames {
                tx.send_frame(frame).await?;
            }
            Ok(())
        })
    })
}

impl From<Sse> for Response<SseBody> {
    fn from(sse: Sse) -> Self {
        sse.into_http()
    }
}

impl fmt::Debug for Sse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sse")
            .field("connect", &self.connect)
            .finish_non_exhaustive()
    }
}
