//! Brotli, streamed: an encoder for each connection, only where the application asks for it.
//!
//! ```text
//! head       the window, and an empty metadata block
//! chunk      meta-blocks, the last one padded to a whole byte
//! heartbeat  06                          an empty metadata block
//! end        03                          an empty meta-block, the last one
//! ```
//!
//! Brotli cannot be rolled as zstd and gzip are: besides what it has decoded, a decoder carries the
//! last four distances and two bytes of context from one meta-block to the next, and no encoder can
//! be given a history without them. What it can do is begin anew in the middle of a stream, as a
//! *continuation* that uses nothing that went before. RFC 7932.

use std::sync::Arc;

use bytes::Bytes;
use mbrotli::{
    CompressionMode, Compressor, EncoderConfig, EncoderSessionOwned, EncoderStatus, Operation,
    Quality, StreamConfig, Window,
};

use super::{Compression, Packed, Packing};
use crate::StreamOptions;

const EMPTY_BLOCK: &[u8] = &[6];
const EMPTY_LAST_BLOCK: &[u8] = &[3];
/// The longest uncompressed meta-block that is written here; the format allows 16 MiB.
const STORED: usize = 1 << 16;

/// The brotli of one connection.
pub(super) struct Brotli {
    options: Arc<StreamOptions>,
    /// What is written before the next chunk: the head, or nothing.
    head: Vec<u8>,
    /// Without one, the next event begins anew.
    session: Option<EncoderSessionOwned>,
    /// How many bytes of text went before.
    position: u64,
}

impl Brotli {
    pub(super) fn new(options: Arc<StreamOptions>) -> Option<Self> {
        let mut head = Vec::new();
        begin(&options.compression, &mut head)?;
        Some(Self {
            options,
            head,
            session: None,
            position: 0,
        })
    }

    pub(super) fn write(&mut self, text: &[u8], is_sensitive: bool) -> Packed {
        if is_sensitive {
            self.forget();
        }
        let is_continued = self.session.is_some();
        let mut chunk = std::mem::take(&mut self.head);
        let start = chunk.len();
        let mut session = self.session.take().or_else(|| match self.position {
            0 => begin(&self.options.compression, &mut Vec::new()),
            position => session(&self.options.compression, position),
        });
        let written = session
            .as_mut()
            .and_then(|session| run(session, text, &mut chunk));
        if written.is_none() {
            session = None;
            chunk.truncate(start);
            store(text, &mut chunk);
        }
        self.position += text.len() as u64;
        self.session = session.filter(|_| !is_sensitive);
        Packed {
            bytes: chunk.into(),
            packing: if is_continued {
                Packing::Streamed
            } else {
                Packing::Standalone
            },
        }
    }

    pub(super) fn heartbeat(&mut self) -> Bytes {
        self.after_head(EMPTY_BLOCK)
    }

    pub(super) fn end(&mut self) -> Bytes {
        self.after_head(EMPTY_LAST_BLOCK)
    }

    pub(super) fn forget(&mut self) {
        self.session = None;
    }

    fn after_head(&mut self, bytes: &'static [u8]) -> Bytes {
        if self.head.is_empty() {
            return Bytes::from_static(bytes);
        }
        let mut head = std::mem::take(&mut self.head);
        head.extend_from_slice(bytes);
        head.into()
    }
}

/// A whole response; `None` if the encoder fails.
pub(super) fn whole(settings: &Compression, text: &[u8]) -> Option<Bytes> {
    let mut compressor = Compressor::new(config(settings)?).ok()?;
    compressor.compress(text).ok().map(Bytes::from)
}

fn config(settings: &Compression) -> Option<EncoderConfig> {
    Some(
        EncoderConfig::default()
            .with_mode(CompressionMode::Text)
            .with_quality(Quality::try_from(settings.brotli_quality).ok()?)
            .with_window(Window::standard(settings.brotli_window).ok()?),
    )
}

/// An encoder that has written the head of a stream, which is the same each time.
fn begin(settings: &Compression, head: &mut Vec<u8>) -> Option<EncoderSessionOwned> {
    let mut session = session(settings, 0)?;
    run(&mut session, &[], head)?;
    Some(session)
}

/// An encoder that has what comes at this position of a stream as its first text. At zero it writes
/// a head; elsewhere it continues.
fn session(settings: &Compression, position: u64) -> Option<EncoderSessionOwned> {
    let stream = StreamConfig::default().with_stream_offset(position);
    let compressor = Compressor::new(config(settings)?).ok()?;
    compressor.into_session(stream).ok()
}

/// Appends `text` compressed, and flushed to a whole byte; `None` if the encoder fails.
fn run(session: &mut EncoderSessionOwned, mut text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    loop {
        let start = out.len();
        out.resize(start + 256 + text.len() / 4, 0);
        let progress = session
            .process(text, &mut out[start..], Operation::Flush)
            .ok()?;
        out.truncate(start + progress.produced);
        text = text.get(progress.consumed..)?;
        if text.is_empty() && progress.status != EncoderStatus::NeedsOutput {
            return Some(());
        }
    }
}

/// Appends `text` as uncompressed meta-blocks (RFC 7932, 9.2).
fn store(text: &[u8], out: &mut Vec<u8>) {
    for piece in text.chunks(STORED) {
        let header = (piece.len() as u32 - 1) << 3 | 1 << 19;
        out.extend_from_slice(&header.to_le_bytes()[..3]);
        out.extend_from_slice(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_compressed_is_stored() {
        let mut brotli = Brotli::new(Arc::default()).map_or_else(Vec::new, |brotli| brotli.head);
        let text = "x".repeat(STORED + 1);
        store(text.as_bytes(), &mut brotli);
        brotli.extend_from_slice(EMPTY_LAST_BLOCK);
        let mut decoded = Vec::new();
        let mut decoder = brotli_decompressor::Decompressor::new(&brotli[..], 4096);
        assert!(std::io::Read::read_to_end(&mut decoder, &mut decoded).is_ok());
        assert!(decoded == text.as_bytes());
    }
}
