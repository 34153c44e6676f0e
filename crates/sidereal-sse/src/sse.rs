//! A streamed response in the making: its hooks and settings, and its head.

use std::{fmt, time::Duration};

use http::{
    HeaderValue, Response, Version,
    header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderName},
};

use crate::{
    BodyError, Client, End, EndReason, Ended, Frame, Sender, SseBody, StreamOptions, Transport,
    life::{Life, OnDisconnect},
    live::{Live, Parts, Start},
    sender,
};

/// A response that streams events; made by [`Connect`](crate::Connect).
///
/// Nothing runs before the server polls the response's body for the first time.
#[must_use = "a response does nothing unless it is returned to the server"]
pub struct Sse {
    version: Option<Version>,
    client: Client,
    options: StreamOptions,
    transport: Option<Transport>,
    source: Source,
    follow_shutdown: bool,
    detached: bool,
    on_connect: Option<Start>,
    on_disconnect: Option<OnDisconnect>,
}

enum Source {
    Known(Vec<Frame>),
    Live(Start),
}

impl Sse {
    pub(crate) fn known(
        version: Option<Version>,
        client: Client,
        mut options: StreamOptions,
        transport: Option<Transport>,
        frames: Vec<Frame>,
    ) -> Self {
        options.max_age = None;
        Self {
            version,
            client,
            options,
            transport,
            source: Source::Known(frames),
            follow_shutdown: false,
            detached: false,
            on_connect: None,
            on_disconnect: None,
        }
    }

    pub(crate) fn live(
        version: Option<Version>,
        client: Client,
        options: StreamOptions,
        transport: Option<Transport>,
        long_lived: bool,
        body: Start,
    ) -> Self {
        let mut sse = Self::known(version, client, options.clone(), transport, Vec::new());
        sse.source = Source::Live(body);
        sse.follow_shutdown = long_lived;
        if long_lived {
            sse.options.max_age = options.max_age;
        }
        sse
    }

    /// Sends a heartbeat when nothing was sent for this long; `None` or zero for none. Default
    /// 15 s.
    pub fn keep_alive(self, interval: impl Into<Option<Duration>>) -> Self {
        self.configure(|options| options.keep_alive(interval))
    }

    /// Ends the stream when it is this old, give or take a tenth. Default: never.
    pub fn max_age(self, age: impl Into<Option<Duration>>) -> Self {
        self.configure(|options| options.max_age(age))
    }

    /// How the stream ends for this reason.
    pub fn end(self, reason: EndReason, end: End) -> Self {
        self.configure(|options| options.end(reason, end))
    }

    /// Changes any of the options.
    pub fn configure(mut self, change: impl FnOnce(StreamOptions) -> StreamOptions) -> Self {
        self.options = change(self.options);
        self
    }

    /// Whether the stream ends when the server shuts down. Default: long-lived streams do, one-shot
    /// replies are let finish.
    pub fn follow_shutdown(mut self, follow: bool) -> Self {
        self.follow_shutdown = follow;
        self
    }

    /// Runs the body on the tokio runtime, to its end even when the client leaves: for work that
    /// must not be cut short. Its sends then fail, with the reason.
    ///
    /// Without a runtime the stream fails.
    pub fn detached(mut self) -> Self {
        self.detached = true;
        self
    }

    /// Runs when the stream begins; its events go first, and an error ends the stream.
    ///
    /// The stream begins when the server first polls the body; for a HEAD request it never does.
    pub fn on_connect<F, Fut>(mut self, hook: F) -> Self
    where
        F: FnOnce(Sender) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), BodyError>> + Send + 'static,
    {
        self.on_connect = Some(Box::new(|tx| Box::pin(hook(tx))));
        self
    }

    /// Runs when the stream is over: exactly once, whatever ended it, and only if it had begun.
    ///
    /// It hangs on the response's drop, so it is synchronous, should be quick, and may run outside
    /// the runtime. A panic in it is caught and logged.
    pub fn on_disconnect<F>(mut self, hook: F) -> Self
    where
        F: FnOnce(&Client, &Ended) + Send + 'static,
    {
        self.on_disconnect = Some(Box::new(hook));
        self
    }

    /// The response: status 200, and the head of an event stream.
    ///
    /// | header | value | why |
    /// |---|---|---|
    /// | `Content-Type` | `text/event-stream` | [WHATWG HTML, 9.2] |
    /// | `Cache-Control` | `no-cache` | Datastar's ADR |
    /// | `X-Accel-Buffering` | `no` | nginx and others hold events back without it |
    /// | `Connection` | `keep-alive` | Datastar's ADR; on HTTP/1.1 only, illegal in HTTP/2 (RFC 9113, 8.2.2) |
    ///
    /// [WHATWG HTML, 9.2]: https://html.spec.whatwg.org/multipage/server-sent-events.html
    pub fn into_http(self) -> Response<SseBody> {
        let version = self.version;
        let mut response = Response::new(self.into_body());
        let headers = response.headers_mut();
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

    fn into_body(self) -> SseBody {
        let Self {
            client,
            options,
            transport,
            source,
            follow_shutdown,
            detached,
            on_connect,
            on_disconnect,
            ..
        } = self;
        let life = Life::new(
            client.clone(),
            options.observer.clone(),
            transport,
            on_disconnect,
        );
        let body = match source {
            Source::Known(frames) if on_connect.is_none() => return SseBody::known(life, frames),
            Source::Known(frames) => send_all(frames),
            Source::Live(body) => body,
        };
        SseBody::live(Live::new(Parts {
            life,
            channel: sender::channel(client, &options),
            on_connect,
            body,
            detached,
            keep_alive: options.keep_alive,
            max_age: options.max_age,
            shutdown: options.shutdown.filter(|_| follow_shutdown),
            ends: options.ends,
        }))
    }
}

/// A body that sends frames which are all at hand, for a reply with an `on_connect`.
fn send_all(frames: Vec<Frame>) -> Start {
    Box::new(move |tx| {
        Box::pin(async move {
            for frame in frames {
                tx.send(frame).await?;
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
            .field("client", &self.client)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
