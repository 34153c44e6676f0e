//! The settings of compression.

use std::time::Duration;

use super::Codec;
use crate::Frame;

/// How responses are compressed: by default with zstd or gzip, as the client asks, each event
/// flushed at once.
///
/// | setting | default |
/// |---|---|
/// | [`order`](Self::order) | zstd, gzip |
/// | [`zstd_level`](Self::zstd_level) | 3 |
/// | [`gzip_level`](Self::gzip_level) | 6 |
/// | [`shared_zstd_level`](Self::shared_zstd_level) | 9 |
/// | [`shared_gzip_level`](Self::shared_gzip_level) | 9 |
/// | [`brotli_quality`](Self::brotli_quality) | 5 |
/// | [`zstd_window`](Self::zstd_window) | 20, that is 1 MiB |
/// | [`brotli_window`](Self::brotli_window) | 18, that is 256 KiB |
/// | [`tail`](Self::tail) | 48 KiB |
/// | [`smallest_base`](Self::smallest_base) | 4 KiB |
/// | [`largest_base`](Self::largest_base) | 256 KiB |
/// | [`forget_after`](Self::forget_after) | 60 s |
/// | [`whole_from`](Self::whole_from) | 1 KiB |
///
/// ```
/// use sidereal_sse::{Codec, Compression, StreamOptions};
///
/// let fewer_bytes = Compression::new().zstd_level(7).tail(128 << 10);
/// let only_gzip = Compression::new().order([Codec::Gzip]);
/// let options = StreamOptions::new().compression(Compression::none());
/// # let _ = (fewer_bytes, only_gzip, options);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct Compression {
    order: [Option<Codec>; Codec::ALL.len()],
    #[cfg_attr(not(feature = "zstd"), allow(dead_code))]
    pub(super) zstd_level: i32,
    #[cfg_attr(not(feature = "gzip"), allow(dead_code))]
    pub(super) gzip_level: u8,
    #[cfg_attr(not(feature = "zstd"), allow(dead_code))]
    shared_zstd_level: i32,
    #[cfg_attr(not(feature = "gzip"), allow(dead_code))]
    shared_gzip_level: u8,
    #[cfg_attr(not(feature = "brotli"), allow(dead_code))]
    pub(super) brotli_quality: u8,
    #[cfg_attr(not(feature = "zstd"), allow(dead_code))]
    pub(super) zstd_window: u8,
    #[cfg_attr(not(feature = "brotli"), allow(dead_code))]
    pub(super) brotli_window: u8,
    pub(super) tail: usize,
    pub(super) smallest_base: usize,
    pub(super) largest_base: usize,
    pub(super) whole_from: usize,
    pub(crate) forget_after: Option<Duration>,
}

impl Compression {
    /// The defaults.
    pub const fn new() -> Self {
        Self {
            order: [Some(Codec::Zstd), Some(Codec::Gzip), None],
            zstd_level: 3,
            gzip_level: 6,
            shared_zstd_level: 9,
            shared_gzip_level: 9,
            brotli_quality: 5,
            zstd_window: 20,
            brotli_window: 18,
            tail: 48 << 10,
            smallest_base: 4 << 10,
            largest_base: 256 << 10,
            whole_from: 1 << 10,
            forget_after: Some(Duration::from_secs(60)),
        }
    }

    /// No compression, and no negotiation.
    pub const fn none() -> Self {
        Self {
            order: [None; Codec::ALL.len()],
            ..Self::new()
        }
    }

    /// The codings that may be used, the best one first; the client's own weights come before this
    /// order. Default zstd, then gzip. Empty for none. A codec named twice counts once.
    ///
    /// [`Codec::Brotli`] is used only where it is named here: on a stream it keeps an encoder for
    /// the connection, see [`brotli_quality`](Self::brotli_quality).
    pub fn order(mut self, codecs: impl IntoIterator<Item = Codec>) -> Self {
        self.order = [None; Codec::ALL.len()];
        for codec in codecs {
            if self.order.contains(&Some(codec)) {
                continue;
            }
            if let Some(free) = self.order.iter_mut().find(|place| place.is_none()) {
                *free = Some(codec);
            }
        }
        self
    }

    /// The level of zstd, from 1 to 19. Default 3. It costs memory in the pool of encoders only.
    pub fn zstd_level(mut self, level: i32) -> Self {
        self.zstd_level = level.clamp(1, 19);
        self
    }

    /// The level of gzip, from 1 to 9. Default 6. It costs memory in the pool of encoders only.
    pub fn gzip_level(mut self, level: u8) -> Self {
        self.gzip_level = level.clamp(1, 9);
        self
    }

    /// The level of zstd for events that go to many (topics, views, tickers, and frames that are
    /// [`shared`](Frame::shared)), from 1 to 19. Default 9: it is paid once, and not for each viewer.
    /// For a page of 20 KB that is some 150 µs an event.
    pub fn shared_zstd_level(mut self, level: i32) -> Self {
        self.shared_zstd_level = level.clamp(1, 19);
        self
    }

    /// The level of gzip for events that go to many, from 1 to 9. Default 9.
    pub fn shared_gzip_level(mut self, level: u8) -> Self {
        self.shared_gzip_level = level.clamp(1, 9);
        self
    }

    /// What events are compressed with that go to many.
    pub(super) fn for_shared(&self) -> Self {
        Self {
            zstd_level: self.shared_zstd_level,
            gzip_level: self.shared_gzip_level,
            ..*self
        }
    }

    /// The quality of brotli, from 2 to 11. Default 5.
    ///
    /// A stream that is compressed with brotli keeps an encoder of its own while it is not
    /// [idle](Self::forget_after): 2 MiB of memory with the default quality and window.
    pub fn brotli_quality(mut self, quality: u8) -> Self {
        self.brotli_quality = quality.clamp(2, 11);
        self
    }

    /// The window of zstd as a power of two, from 15 (32 KiB) to 23 (8 MiB: browsers refuse
    /// more). Default 20, 1 MiB.
    ///
    /// An event, together with what it is compressed against, has to fit into it; one that does not
    /// is compressed alone. On the server it costs nothing for a connection; a client may set aside
    /// that much for decoding.
    pub fn zstd_window(mut self, log: u8) -> Self {
        self.zstd_window = log.clamp(15, 23);
        self
    }

    /// The window of brotli as a power of two, from 10 (1 KiB) to 24 (16 MiB). Default 18, 256 KiB.
    pub fn brotli_window(mut self, log: u8) -> Self {
        self.brotli_window = log.clamp(10, 24);
        self
    }

    /// How many bytes of what it sent last a private stream keeps, to compress the next event
    /// against, at most. Default 48 KiB, which is the memory that compression costs a connection
    /// with large events; one with small events keeps four of them, or
    /// [`smallest_base`](Self::smallest_base). Gzip has use for 32 KiB at most. Whole events are
    /// kept, so that it may be less.
    ///
    /// The last event is kept even where it is larger, up to
    /// [`largest_base`](Self::largest_base). Zero keeps nothing at all: each event is compressed
    /// alone.
    pub fn tail(mut self, bytes: usize) -> Self {
        self.tail = bytes;
        self
    }

    /// An event is compressed against four times as many bytes as it has itself, and against these
    /// at least, as far as the [`tail`](Self::tail) goes; no more is kept. Default 4 KiB.
    ///
    /// What it is compressed against costs time, whatever the size of the event: about 1 µs for 2
    /// KiB with gzip, and half of that with zstd. For small events, more of it saves bytes.
    pub fn smallest_base(mut self, bytes: usize) -> Self {
        self.smallest_base = bytes;
        self
    }

    /// The largest event that is kept to compress the next one against, where it is larger than
    /// the [`tail`](Self::tail). Default 256 KiB.
    pub fn largest_base(mut self, bytes: usize) -> Self {
        self.largest_base = bytes;
        self
    }

    /// A stream that has sent no event for this long lets its tail go, and the next event is
    /// compressed alone. Default 60 s; `None` or zero for never.
    pub fn forget_after(mut self, idle: impl Into<Option<Duration>>) -> Self {
        self.forget_after = idle.into().filter(|idle| !idle.is_zero());
        self
    }

    /// A reply whose events are all at hand is compressed whole if it is this long, in bytes; a
    /// shorter one is not compressed, unless the client refuses plain text. Default 1 KiB: less fits
    /// into one packet either way.
    pub fn whole_from(mut self, bytes: usize) -> Self {
        self.whole_from = bytes;
        self
    }

    /// Whether a reply of these events is long enough to be compressed.
    pub(crate) fn has_use_for(&self, frames: &[Frame]) -> bool {
        let length: usize = frames.iter().map(Frame::len).sum();
        length >= self.whole_from
    }

    /// The codecs to choose from, those left out that are not compiled in.
    pub(crate) fn codecs(&self) -> impl Iterator<Item = Codec> {
        self.order
            .into_iter()
            .flatten()
            .filter(|codec| codec.is_available())
    }
}

impl Default for Compression {
    fn default() -> Self {
        Self::new()
    }
}

/// `None` is [`Compression::none`].
impl From<Option<Compression>> for Compression {
    fn from(compression: Option<Compression>) -> Self {
        compression.unwrap_or(Self::none())
    }
}
