//! Gzip, rolled: one member for each response, in it raw deflate whose chunks end with a sync flush.
//!
//! ```text
//! head       1f 8b 08 00 00 00 00 00 00 ff
//! chunk      deflate blocks, none of them final, then the empty stored block 00 00 00 ff ff
//! heartbeat  00 00 00 ff ff
//! end        03 00, CRC-32, length
//! ```
//!
//! A chunk is made by an encoder that begins with the last 32 KiB before it as its dictionary.
//! Deflate has no other state between blocks, so nothing need be reset for the decoder. RFC 1951,
//! RFC 1952.

use bytes::Bytes;
use flate2::{Compress, FlushCompress, Status};

use super::{
    Compression,
    codec::{Recipe, Variant},
    encoders::Encoders,
    sum::Sum,
};

const HEAD: &[u8] = &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
const EMPTY_BLOCK: &[u8] = &[0, 0, 0, 0xff, 0xff];
const FINAL_BLOCK: &[u8] = &[3, 0];
const WINDOW: usize = 1 << 15;
/// The longest stored block.
const STORED: usize = 0xffff;

#[derive(Debug)]
pub(super) struct Gzip;

impl Recipe for Gzip {
    fn head(&self, _: &Compression) -> Bytes {
        Bytes::from_static(HEAD)
    }

    fn separator(&self) -> &'static [u8] {
        &[]
    }

    fn reach(&self, _: &Compression) -> usize {
        WINDOW
    }

    fn chunk(
        &self,
        encoders: &mut Encoders,
        settings: &Compression,
        base: &[u8],
        event: &[u8],
        chunk: &mut Vec<u8>,
    ) -> Option<bool> {
        let encoder = encoders.gzip(settings.gzip_level);
        let dictionary = &base[base.len().saturating_sub(WINDOW)..];
        let is_rolled = !dictionary.is_empty() && encoder.set_dictionary(dictionary).is_ok();
        if !is_rolled && !dictionary.is_empty() {
            encoder.reset();
        }
        deflate(encoder, event, FlushCompress::Sync, chunk).map(|()| is_rolled)
    }

    fn variant(&self, settings: &Compression) -> Variant {
        Variant {
            level: settings.gzip_level.into(),
            window: 0,
        }
    }

    fn store(&self, _: &Compression, event: &[u8], chunk: &mut Vec<u8>) {
        for piece in event.chunks(STORED) {
            let length = piece.len() as u16;
            chunk.push(0);
            chunk.extend_from_slice(&length.to_le_bytes());
            chunk.extend_from_slice(&(!length).to_le_bytes());
            chunk.extend_from_slice(piece);
        }
    }

    fn heartbeat(&self) -> Bytes {
        Bytes::from_static(EMPTY_BLOCK)
    }

    fn end(&self, sum: &Sum) -> Bytes {
        Bytes::from([FINAL_BLOCK, &sum.trailer()].concat())
    }

    fn whole(
        &self,
        encoders: &mut Encoders,
        settings: &Compression,
        text: &[u8],
        coded: &mut Vec<u8>,
    ) -> Option<()> {
        coded.extend_from_slice(HEAD);
        let encoder = encoders.gzip(settings.gzip_level);
        deflate(encoder, text, FlushCompress::Finish, coded)?;
        coded.extend_from_slice(&Sum::of(text).trailer());
        Some(())
    }
}

/// Appends all of `text` compressed, and flushed; `None` where the encoder does not do so.
fn deflate(
    encoder: &mut Compress,
    text: &[u8],
    flush: FlushCompress,
    out: &mut Vec<u8>,
) -> Option<()> {
    let before = (encoder.total_in(), encoder.total_out());
    loop {
        let done = usize::try_from(encoder.total_in() - before.0).unwrap_or(usize::MAX);
        let rest = text.get(done..)?;
        // Room for a fifth of what is to come, and again that where it was not enough.
        out.reserve(64 + rest.len() / 5);
        let produced = encoder.total_out();
        match encoder.compress_vec(rest, out, flush) {
            Ok(Status::StreamEnd) => return Some(()),
            Ok(Status::Ok) => {}
            // Nothing more to do: the flush was complete.
            Ok(Status::BufError) if produced == encoder.total_out() => {
                return (done == text.len() && flush == FlushCompress::Sync).then_some(());
            }
            Ok(Status::BufError) => {}
            Err(_) => return None,
        }
        let all = encoder.total_in() - before.0 == text.len() as u64;
        // Room left over says that nothing is held back (zlib's manual, `deflate`).
        if all && out.len() < out.capacity() && flush == FlushCompress::Sync {
            return Some(());
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_compressed_is_stored() {
        for length in [1, STORED, STORED + 1, 3 * STORED] {
            let text = vec![b'x'; length];
            let mut stored = Vec::new();
            Gzip.store(&Compression::new(), &text, &mut stored);
            stored.extend_from_slice(FINAL_BLOCK);
            assert!(miniz_oxide::inflate::decompress_to_vec(&stored).unwrap() == text);
        }
    }

    /// Whatever room there is for it at first.
    #[test]
    fn text_that_grows_is_compressed_to_its_end() {
        let noise = (0_u64..40_000).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8);
        let noise: Vec<u8> = noise.collect();
        for flush in [FlushCompress::Sync, FlushCompress::Finish] {
            let mut encoder = Compress::new(flate2::Compression::new(6), false);
            let mut out = Vec::new();
            assert!(deflate(&mut encoder, &noise, flush, &mut out).is_some());
            if flush == FlushCompress::Sync {
                assert!(out.ends_with(&[0, 0, 0xff, 0xff]));
                out.extend_from_slice(FINAL_BLOCK);
            }
            assert!(miniz_oxide::inflate::decompress_to_vec(&out).unwrap() == noise);
        }
    }
}
