//! The settings of a stream.

use std::{
    fmt,
    sync::{Arc, LazyLock},
    time::Duration,
};

use crate::{Compression, End, EndReason, Observer, Shutdown, end::Ends, queue::Capacity};

/// The settings of streams: one value for the application, and changes for single streams on
/// [`Sse`](crate::Sse).
///
/// | setting | default |
/// |---|---|
/// | [`keep_alive`](Self::keep_alive) | 15 s |
/// | [`queue`](Self::queue) | 32 events |
/// | [`max_event_size`](Self::max_event_size) | 16 MiB |
/// | [`max_age`](Self::max_age) | none |
/// | [`queue_bytes`](Self::queue_bytes) | 1 MiB |
/// | [`compression`](Self::compression) | zstd or gzip, as the client asks |
/// | [`end_with`](Self::end_with) | as [`EndReason::default_end`] |
/// | [`observer`](Self::observer), [`shutdown`](Self::shutdown) | none |
///
/// ```
/// use std::time::Duration;
/// use sidereal_sse::{End, EndReason, StreamOptions};
///
/// let options = StreamOptions::new()
///     .keep_alive(Duration::from_secs(5))
///     .max_age(Duration::from_secs(3600))
///     .end_with(EndReason::Shutdown, End::Clean);
/// # let _ = options;
/// ```
#[derive(Clone)]
#[must_use]
pub struct StreamOptions {
    pub(crate) keep_alive: Option<Duration>,
    pub(crate) queue: Capacity,
    pub(crate) max_event_size: usize,
    pub(crate) max_age: Option<Duration>,
    pub(crate) compression: Compression,
    pub(crate) ends: Ends,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) shutdown: Option<Shutdown>,
}

impl StreamOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self {
            keep_alive: Some(Duration::from_secs(15)),
            queue: Capacity {
                events: 32,
                bytes: 1 << 20,
            },
            max_event_size: 16 << 20,
            max_age: None,
            compression: Compression::new(),
            ends: Ends::DEFAULT,
            observer: None,
            shutdown: None,
        }
    }

    /// Sends a heartbeat (an empty comment) when nothing was sent for this long. Default 15 s;
    /// `None` or zero for no heartbeats at all, which leaves some servers with no way to notice a
    /// client that has gone.
    pub fn keep_alive(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.keep_alive = interval.into().filter(|interval| !interval.is_zero());
        self
    }

    /// How many events may wait to be written before sending waits. Default 32, at least 1.
    pub fn queue(mut self, events: usize) -> Self {
        self.queue.events = events;
        self
    }

    /// How many bytes of events may wait to be written before sending waits. Default 1 MiB. An
    /// event that is larger by itself is accepted when nothing else waits.
    pub fn queue_bytes(mut self, bytes: usize) -> Self {
        self.queue.bytes = bytes;
        self
    }

    /// The largest event that is accepted, in bytes as encoded. Default 16 MiB.
    pub fn max_event_size(mut self, bytes: usize) -> Self {
        self.max_event_size = bytes;
        self
    }

    /// Ends a stream when it is this old, or up to a tenth earlier (so that streams which began
    /// together do not end together). Default `None` or zero: never. One-shot replies have no age.
    pub fn max_age(mut self, age: impl Into<Option<Duration>>) -> Self {
        self.max_age = age.into().filter(|age| !age.is_zero());
        self
    }

    /// How responses are compressed; `None` for not at all. Default: with zstd or gzip, as the
    /// client asks.
    pub fn compression(mut self, compression: impl Into<Compression>) -> Self {
        self.compression = compression.into();
        self
    }

    /// How streams with this reason end: cleanly, or broken so that the page comes back.
    pub fn end_with(mut self, reason: EndReason, end: End) -> Self {
        self.ends.set(reason, end);
        self
    }

    /// Who is told of every stream's life.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// A switch that ends long-lived streams, beside the one that `sidereal::serve` brings.
    pub fn shutdown(mut self, shutdown: Shutdown) -> Self {
        self.shutdown = Some(shutdown);
        self
    }
}

impl StreamOptions {
    /// The defaults, once for all: each stream holds its options.
    pub(crate) fn shared() -> Arc<Self> {
        static DEFAULT: LazyLock<Arc<StreamOptions>> = LazyLock::new(Arc::default);
        DEFAULT.clone()
    }
}

impl Default for StreamOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for StreamOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamOptions")
            .field("keep_alive", &self.keep_alive)
            .field("queue", &self.queue)
            .field("max_event_size", &self.max_event_size)
            .field("max_age", &self.max_age)
            .field("compression", &self.compression)
            .field("ends", &self.ends)
            .field("observer", &self.observer.is_some())
            .field("shutdown", &self.shutdown)
            .finish()
    }
}
