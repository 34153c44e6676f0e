//! Compression without an encoder for any connection.
//!
//! An event is compressed against what its client has decoded last, and nothing else. The encoder
//! comes from a pool, begins afresh, and goes back: between events a connection keeps no more than
//! the events that the next one may refer to, and shared events not even those.
//!
//! [`negotiate`] finds the codec, [`coder`] is one connection's side, [`codec`] says what a codec
//! must be able to do, and [`zstd`] and [`gzip`] do it.

#[cfg(feature = "brotli")]
mod brotli;
mod codec;
mod coder;
mod encoders;
#[cfg(feature = "gzip")]
mod gzip;
mod memory;
mod negotiate;
mod settings;
mod shared;
mod sum;
#[cfg(feature = "zstd")]
mod zstd;

use bytes::Bytes;

pub use self::{codec::Codec, settings::Compression};
pub(crate) use self::{
    coder::{Coder, whole},
    negotiate::{Accepted, Choice},
    shared::{FrameId, Shared},
};

/// How an event was made into the bytes that went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Packing {
    /// Not compressed.
    Identity,
    /// Part of a reply that was compressed in one piece. (Where one of its events is sensitive,
    /// the piece is made of chunks, each compressed alone.)
    Whole,
    /// Compressed alone: the first event of a stream, one after a pause, or a sensitive one.
    Standalone,
    /// Compressed against what was written before it, which the connection remembers.
    Rolled,
    /// Compressed by an encoder of the connection's own, which brotli needs.
    Streamed,
}

/// An event as it goes out.
#[derive(Clone, Debug)]
pub(crate) struct Packed {
    pub(crate) bytes: Bytes,
    pub(crate) packing: Packing,
}
