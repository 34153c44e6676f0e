//! A streamed response in the making.

use std::{fmt, sync::Arc, time::Duration};

use http::Response;

use crate::{
    BodyError, Client, Compression, End, EndReason, Ended, EventDefaults, Sender, SseBody,
    StreamOptions, Watch,
};

/// A response that streams events: what a handler returns. Made by [`Connect`](crate::Connect).
///
/// The adapters' frameworks take it as it is; [`Sse::into_http`] gives the
/// `http::Response` for everything else. Nothing runs before the server polls the body.
///
/// ```
/// use std::time::Duration;
/// use sidereal::{Connect, Sse};
/// use serde_json::json;
///
/// async fn updates(connect: Connect) -> Sse {
///     connect
///         .every(Duration::from_secs(1), async |tx| {
///             tx.patch_signals(&json!({ "ping": true })).await?;
///             Ok(())
///         })
///         .keep_alive(Duration::from_secs(5))
///         .on_connect(async |tx| {
///             tx.patch_signals(&json!({ "connected": true })).await?;
///             Ok(())
///         })
///         .on_disconnect(|client, ended| {
///             println!("client {} left: {}", client.id(), ended.reason());
///         })
/// }
/// ```
#[must_use = "a response does nothing unless it is returned to the server"]
pub struct Sse {
    inner: sidereal_sse::Sse,
    defaults: Arc<EventDefaults>,
}

impl Sse {
    pub(crate) fn new(inner: sidereal_sse::Sse, defaults: Arc<EventDefaults>) -> Self {
        Self { inner, defaults }
    }

    fn map(self, change: impl FnOnce(sidereal_sse::Sse) -> sidereal_sse::Sse) -> Self {
        Self {
            inner: change(self.inner),
            defaults: self.defaults,
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
    /// # use sidereal::{Connect, PatchElements, Sse, View};
    /// async fn updates(connect: Connect, board: View<u32>) -> Sse {
    ///     connect.reply(PatchElements::new("<p id='hello'>Hello</p>")).watch(&board)
    /// }
    /// ```
    pub fn watch(self, what: impl Watch) -> Self {
        self.map(|sse| sse.watch(what))
    }

    /// Sends a heartbeat when nothing was sent for this long; `None` or zero for none. Default
    /// 15 s.
    pub fn keep_alive(self, interval: impl Into<Option<Duration>>) -> Self {
        self.map(|sse| sse.keep_alive(interval))
    }

    /// Ends the stream when it is this old, or up to a tenth earlier. Default: never; one-shot replies have
    /// no age.
    pub fn max_age(self, age: impl Into<Option<Duration>>) -> Self {
        self.map(|sse| sse.max_age(age))
    }

    /// How the response is compressed; `None` for not at all. Default: with zstd or gzip, as the
    /// client asks, see the [guide](crate::guide::compression).
    pub fn compression(self, compression: impl Into<Compression>) -> Self {
        self.map(|sse| sse.compression(compression))
    }

    /// How the stream ends for this reason: cleanly, or broken so that the page comes back.
    pub fn end_with(self, reason: EndReason, end: End) -> Self {
        self.map(|sse| sse.end_with(reason, end))
    }

    /// Changes any of the options of the stream.
    pub fn configure(self, change: impl FnOnce(StreamOptions) -> StreamOptions) -> Self {
        self.map(|sse| sse.configure(change))
    }

    /// Whether the stream ends when the server shuts down. Default: long-lived streams do, one-shot
    /// replies are let finish.
    pub fn follow_shutdown(self, follow: bool) -> Self {
        self.map(|sse| sse.follow_shutdown(follow))
    }

    /// Runs the body on the tokio runtime, to its end even when the client leaves: for work that
    /// must not be cut short. Its sends then fail, with the reason; its own failure is then only
    /// logged.
    ///
    /// It begins when the stream does. A client that left before that leaves nothing begun: what
    /// must happen in any case comes before the response. Without a runtime the stream fails.
    pub fn detached(self) -> Self {
        self.map(sidereal_sse::Sse::detached)
    }

    /// Runs when the stream begins; its events go first, and an error ends the stream.
    ///
    /// A stream may end in the middle of it. What [`on_disconnect`](Self::on_disconnect) takes back,
    /// such as a count of viewers, comes before its first await.
    ///
    /// The stream begins when the server first polls the body; for a HEAD request it never does. Of
    /// several hooks, each runs when the one before it is done.
    pub fn on_connect<F, Fut>(self, hook: F) -> Self
    where
        F: FnOnce(Sender) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), BodyError>> + Send + 'static,
    {
        let defaults = self.defaults.clone();
        self.map(|sse| sse.on_connect(move |tx| hook(Sender::new(tx, defaults))))
    }

    /// Runs when the stream is over: exactly once, whatever ended it, and only if it had begun.
    ///
    /// It hangs on the response's drop, so it is synchronous, should be quick, and may run outside
    /// the runtime. A panic in it is caught and logged. Several hooks all run, in their order.
    pub fn on_disconnect<F>(self, hook: F) -> Self
    where
        F: FnOnce(&Client, &Ended) + Send + 'static,
    {
        self.map(|sse| sse.on_disconnect(hook))
    }

    /// The response, for any server on the crate `http`: status 200, the head of an event stream,
    /// and a body that is both an `http_body::Body` and a `Stream` of bytes.
    pub fn into_http(self) -> Response<SseBody> {
        self.inner.into_http()
    }

    /// The same with its length in the head, where it is known: for frameworks that forget it. None is
    /// known of what answers a HEAD.
    #[cfg(any(feature = "poem", feature = "salvo", feature = "warp"))]
    pub(crate) fn into_http_with_length(self) -> Response<SseBody> {
        let mut response = self.into_http();
        let length = http_body::Body::size_hint(response.body()).exact();
        if let Some(length) = length.filter(|length| *length > 0) {
            let headers = response.headers_mut();
            headers.insert(http::header::CONTENT_LENGTH, length.into());
        }
        response
    }
}

impl From<Sse> for Response<SseBody> {
    fn from(sse: Sse) -> Self {
        sse.into_http()
    }
}

impl fmt::Debug for Sse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
