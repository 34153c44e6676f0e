//! The content codings, and what each must be able to do for streams of events.

use std::fmt;

use bytes::Bytes;

use super::{Compression, encoders::Encoders, sum::Sum};

/// A content coding that responses can be compressed with.
///
/// Each is a Cargo feature; one that is not compiled in is never chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Codec {
    /// Zstandard, RFC 8878. Chromium and Firefox ask for it on HTTPS and on localhost.
    Zstd,
    /// Gzip, RFC 1952: every client knows it.
    Gzip,
    /// Brotli, RFC 7932.
    Brotli,
}

impl Codec {
    pub(super) const ALL: [Self; 3] = [Self::Zstd, Self::Gzip, Self::Brotli];

    /// Its name in `Accept-Encoding` and `Content-Encoding`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
            Self::Brotli => "br",
        }
    }

    /// Whether its Cargo feature is on.
    pub fn is_available(self) -> bool {
        self.recipe().is_some() || (self == Self::Brotli && cfg!(feature = "brotli"))
    }

    /// How it is rolled, if it is.
    ///
    /// A reference to a reference, since each connection holds one: half as long.
    pub(super) fn recipe(self) -> Option<&'static &'static dyn Recipe> {
        #[cfg(feature = "zstd")]
        static ZSTD: &dyn Recipe = &super::zstd::Zstd;
        #[cfg(feature = "gzip")]
        static GZIP: &dyn Recipe = &super::gzip::Gzip;
        match self {
            #[cfg(feature = "zstd")]
            Self::Zstd => Some(&ZSTD),
            #[cfg(feature = "gzip")]
            Self::Gzip => Some(&GZIP),
            _ => None,
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The settings that two connections have to have in common to be sent the same chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Variant {
    pub(super) level: i32,
    /// Zero where the coding has no choice.
    pub(super) window: u8,
}

/// How a coding is used so that no connection needs an encoder: each event is a chunk of its own,
/// made by an encoder that begins afresh, against bytes that the client is known to have decoded
/// last.
///
/// A response is `head`, then chunks and heartbeats in any number, then `end`.
pub(super) trait Recipe: fmt::Debug + Sync {
    /// What a response begins with.
    fn head(&self, settings: &Compression) -> Bytes;

    /// What each chunk decodes to before its event: comment lines, or nothing.
    fn separator(&self) -> &'static [u8];

    /// How far back a chunk can refer, in bytes.
    fn reach(&self, settings: &Compression) -> usize;

    /// Appends the event as a chunk. `base` is what the client has decoded last, separators
    /// included, and the separator of this chunk; empty for a standalone chunk.
    ///
    /// Says whether the chunk refers to the base; if not, it is a standalone one. `None` if the
    /// encoder fails, which none is known to do: what was appended is then of no use.
    fn chunk(
        &self,
        encoders: &mut Encoders,
        settings: &Compression,
        base: &[u8],
        event: &[u8],
        chunk: &mut Vec<u8>,
    ) -> Option<bool>;

    /// What of the settings a chunk depends on.
    fn variant(&self, settings: &Compression) -> Variant;

    /// Appends the event as a chunk that is not compressed.
    fn store(&self, settings: &Compression, event: &[u8], chunk: &mut Vec<u8>);

    /// A chunk that decodes to nothing.
    fn heartbeat(&self) -> Bytes;

    /// The end of a response whose plaintext had this sum.
    fn end(&self, sum: &Sum) -> Bytes;

    /// Appends a whole response; `None` as for a chunk.
    fn whole(
        &self,
        encoders: &mut Encoders,
        settings: &Compression,
        text: &[u8],
        coded: &mut Vec<u8>,
    ) -> Option<()>;
}
