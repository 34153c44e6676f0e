//! The application's settings, in one value.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    Compression, End, EndReason, EventDefaults, Events, Frame, Observer, Shutdown,
    SignalsRejection, StreamOptions,
};

/// The settings of an application: for streams, for events, for signals that come in.
///
/// One value for all handlers: it travels in the extensions of requests, where the adapters find it.
/// What a single call sets for itself comes before it. Cheap to clone.
///
/// | setting | default |
/// |---|---|
/// | [`streams`](Self::streams) | [`StreamOptions`]: keep-alive 15 s, queue of 32 events, … |
/// | [`events`](Self::events) | [`EventDefaults`]: what the Datastar client does by itself |
/// | [`signals_limit`](Self::signals_limit) | the framework's own limit for bodies |
/// | [`reject_with`](Self::reject_with) | a rejection is a plain 400, 413 or 415 with a text |
///
/// With actix-web it is `app_data`, with rocket a fairing, with salvo a hoop, with poem `data`, with warp
/// [`sidereal::warp::with`](crate::guide), with axum a layer:
///
/// ```
/// # #[cfg(feature = "axum")] {
/// use std::time::Duration;
/// use sidereal::Config;
///
/// let config = Config::new()
///     .keep_alive(Duration::from_secs(10))
///     .retry(Duration::from_secs(2))
///     .signals_limit(64 * 1024);
/// let app: axum::Router = axum::Router::new()
///     // .route(…)
///     .layer(axum::Extension(config));
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Config {
    inner: Arc<Inner>,
}

#[derive(Clone, Debug, Default)]
struct Inner {
    streams: Arc<StreamOptions>,
    events: Arc<EventDefaults>,
    signals_limit: Option<usize>,
    rejection: Option<Rejection>,
}

/// Makes the events that answer a rejection.
#[derive(Clone)]
struct Rejection(Arc<RejectionEvents>);

type RejectionEvents = dyn Fn(&SignalsRejection, &EventDefaults) -> Vec<Frame> + Send + Sync;

impl Config {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The settings of streams.
    pub fn streams(mut self, change: impl FnOnce(StreamOptions) -> StreamOptions) -> Self {
        let inner = self.inner_mut();
        inner.streams = Arc::new(change(StreamOptions::clone(&inner.streams)));
        self
    }

    /// What events are sent with when they say nothing else. It reaches the events that are sent
    /// through a [`Sender`](crate::Sender) or [`Connect::reply`](crate::Connect::reply); an event
    /// that is itself the response of a handler knows of no configuration.
    pub fn events(mut self, change: impl FnOnce(EventDefaults) -> EventDefaults) -> Self {
        let inner = self.inner_mut();
        inner.events = Arc::new(change(EventDefaults::clone(&inner.events)));
        self
    }

    /// Heartbeats, see [`StreamOptions::keep_alive`]. Default 15 s.
    pub fn keep_alive(self, interval: impl Into<Option<Duration>>) -> Self {
        self.streams(|options| options.keep_alive(interval))
    }

    /// The reconnection time that events are sent with, see [`EventDefaults::retry`]. Default
    /// none, which leaves the client at its 1 s.
    pub fn retry(self, delay: Duration) -> Self {
        self.events(|defaults| defaults.retry(delay))
    }

    /// How responses are compressed, see [`StreamOptions::compression`]; `None` for not at all.
    /// Default: with zstd or gzip, as the client asks.
    pub fn compression(self, compression: impl Into<Compression>) -> Self {
        self.streams(|options| options.compression(compression))
    }

    /// How streams with this reason end, see [`StreamOptions::end_with`].
    pub fn end_with(self, reason: EndReason, end: End) -> Self {
        self.streams(|options| options.end_with(reason, end))
    }

    /// Who is told of every stream's life, see [`StreamOptions::observer`].
    pub fn observer(self, observer: impl Observer) -> Self {
        self.streams(|options| options.observer(observer))
    }

    /// A switch that ends long-lived streams, beside that of `sidereal::serve`, see
    /// [`StreamOptions::shutdown`].
    pub fn shutdown(self, shutdown: Shutdown) -> Self {
        self.streams(|options| options.shutdown(shutdown))
    }

    /// The largest body that is read for signals, in bytes; a larger one is rejected with a 413, and
    /// no more of it than this is kept. The framework's own limit for bodies holds beside it (axum:
    /// `DefaultBodyLimit`, 2 MiB; actix-web: `PayloadConfig`, 256 KiB; rocket: the limit `signals`,
    /// else `json`, 1 MiB; salvo: `SecureMaxSize`, 64 KiB; poem and warp have none, and this one is 2 MiB
    /// there unless it is set): the smaller one counts.
    pub fn signals_limit(mut self, bytes: usize) -> Self {
        self.inner_mut().signals_limit = Some(bytes);
        self
    }

    /// Answers a Datastar request whose signals are rejected with events instead of a status: the
    /// Datastar client shows nothing for a 400. The response then has status 200.
    ///
    /// ```
    /// use sidereal::{Config, PatchElements, selector};
    ///
    /// let config = Config::new().reject_with(|rejection| {
    ///     let text = if rejection.error().is_body_too_large() { "That is too much." } else { "Please check the form." };
    ///     PatchElements::new(text).inner(selector!("#problem"))
    /// });
    /// ```
    ///
    /// The text of a rejection is not HTML, and may quote the request: escape it as any other text.
    pub fn reject_with<E, F>(mut self, events: F) -> Self
    where
        E: Events,
        F: Fn(&SignalsRejection) -> E + Send + Sync + 'static,
    {
        self.inner_mut().rejection = Some(Rejection(Arc::new(move |rejection, defaults| {
            events(rejection).into_frames(defaults)
        })));
        self
    }

    pub(crate) fn from_extensions(extensions: &http::Extensions) -> Option<&Self> {
        extensions.get()
    }

    pub(crate) fn stream_options(&self) -> &Arc<StreamOptions> {
        &self.inner.streams
    }

    pub(crate) fn event_defaults(&self) -> &Arc<EventDefaults> {
        &self.inner.events
    }

    pub(crate) fn max_signals(&self) -> Option<usize> {
        self.inner.signals_limit
    }

    pub(crate) fn rejection_frames(&self, rejection: &SignalsRejection) -> Option<Vec<Frame>> {
        self.inner
            .rejection
            .as_ref()
            .map(|events| events.0(rejection, &self.inner.events))
    }

    fn inner_mut(&mut self) -> &mut Inner {
        Arc::make_mut(&mut self.inner)
    }
}

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rejection(..)")
    }
}
