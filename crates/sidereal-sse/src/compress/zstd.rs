//! Zstandard, rolled: one frame for each response, in it the blocks of encoders that each began
//! afresh.
//!
//! ```text
//! head       28 b5 2f fd 00 WINDOW       no checksum, no content size
//! chunk      the reset block, then the blocks of one event, none of them the last
//! heartbeat  00 00 00                    an empty raw block
//! end        01 00 00                    an empty raw block, the last one
//! ```
//!
//! A decoder carries three kinds of state from block to block (RFC 8878, 3.1.1):
//!
//! - what it has decoded, up to the window. A chunk's dictionary is what stands there last.
//! - three repeat offsets. A fresh encoder takes them to be 1, 4 and 8; the reset block makes them
//!   so. It decodes to [`SEPARATOR`], a comment line that clients ignore, as it stands where an
//!   event may begin. Without it, half of all streams decode to wrong text, and silently.
//! - entropy tables, which a block may ask to use again. The first block of a fresh encoder cannot,
//!   and [`blocks`] checks that none does.

use bytes::Bytes;
use zstd_safe::{CCtx, CParameter};

use super::{Compression, codec::Recipe, encoders::Encoders, sum::Sum};

const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// What the reset block decodes to.
const SEPARATOR: &[u8; 64] = b":..............................................................\n";

/// A compressed block of eleven literals (`:` and ten dots and a newline, less what copies make)
/// and three sequences with the offsets 8, 4 and 1 given in full.
const RESET: &[u8] = &[
    0x9c, 0x00, 0x00, 0x50, 0x3a, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x0a, 0x03, 0x04,
    0x0f, 0x38, 0xd8, 0x81, 0x95, 0x23,
];

const EMPTY_BLOCK: &[u8] = &[0, 0, 0];
const EMPTY_LAST_BLOCK: &[u8] = &[1, 0, 0];

/// The longest block.
const BLOCK: usize = 1 << 17;

#[derive(Debug)]
pub(super) struct Zstd;

impl Recipe for Zstd {
    fn head(&self, settings: &Compression) -> Bytes {
        let [a, b, c, d] = MAGIC;
        Bytes::copy_from_slice(&[a, b, c, d, 0, (settings.zstd_window - 10) << 3])
    }

    fn separator(&self) -> &'static [u8] {
        SEPARATOR
    }

    fn reach(&self, settings: &Compression) -> usize {
        1 << settings.zstd_window
    }

    fn chunk(
        &self,
        encoders: &mut Encoders,
        settings: &Compression,
        base: &[u8],
        event: &[u8],
        chunk: &mut Vec<u8>,
    ) -> bool {
        chunk.extend_from_slice(RESET);
        let start = chunk.len();
        // Beyond the window the encoder would refer to what the decoder has let go.
        let room = self.reach(settings).saturating_sub(event.len());
        let base = &base[base.len().saturating_sub(room)..];
        let is_rolled = !base.is_empty();
        let frame = if is_rolled {
            encoders.zstd(event.len(), |encoder, frame| {
                encoder.compress_using_dict(frame, event, base, settings.zstd_level)
            })
        } else {
            encoders.zstd(event.len(), |encoder, frame| {
                alone(encoder, settings)?;
                encoder.compress2(frame, event)
            })
        };
        if frame.is_some_and(|frame| blocks(frame, chunk).is_some()) {
            return is_rolled;
        }
        chunk.truncate(start);
        for piece in event.chunks(BLOCK) {
            let header = (piece.len() as u32) << 3;
            chunk.extend_from_slice(&header.to_le_bytes()[..3]);
            chunk.extend_from_slice(piece);
        }
        false
    }

    fn heartbeat(&self) -> Bytes {
        Bytes::from_static(EMPTY_BLOCK)
    }

    fn end(&self, _: &Sum) -> Bytes {
        Bytes::from_static(EMPTY_LAST_BLOCK)
    }

    fn whole(
        &self,
        encoders: &mut Encoders,
        settings: &Compression,
        text: &[u8],
        coded: &mut Vec<u8>,
    ) {
        let frame = encoders.zstd(text.len(), |encoder, frame| {
            alone(encoder, settings)?;
            encoder.compress2(frame, text)
        });
        match frame {
            Some(frame) => coded.extend_from_slice(frame),
            None => {
                coded.extend_from_slice(&self.head(settings));
                self.chunk(encoders, settings, &[], text, coded);
                coded.extend_from_slice(EMPTY_LAST_BLOCK);
            }
        }
    }
}

/// Sets what an event that is compressed alone is compressed with.
fn alone(encoder: &mut CCtx<'static>, settings: &Compression) -> zstd_safe::SafeResult {
    encoder.set_parameter(CParameter::CompressionLevel(settings.zstd_level))?;
    encoder.set_parameter(CParameter::WindowLog(u32::from(settings.zstd_window)))
}

/// Appends the blocks of a whole frame, without its header and without the mark of its last block;
/// `None` where the frame is not what [`Zstd`] relies on.
fn blocks(frame: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut rest = frame.get(header_length(frame)?..)?;
    let mut tables = Tables::default();
    loop {
        let (header, after) = rest.split_at_checked(3)?;
        let is_last = header[0] & 1 == 1;
        let size = usize::from(header[0] >> 3)
            | usize::from(header[1]) << 5
            | usize::from(header[2]) << 13;
        let kind = header[0] >> 1 & 3;
        let (content, next) = after.split_at_checked(if kind == 1 { 1 } else { size })?;
        match kind {
            0 | 1 => {}
            2 => tables.follow(content)?,
            _ => return None,
        }
        out.extend_from_slice(&[header[0] & !1, header[1], header[2]]);
        out.extend_from_slice(content);
        rest = next;
        if is_last {
            return rest.is_empty().then_some(());
        }
    }
}

/// RFC 8878, 3.1.1.1.
fn header_length(frame: &[u8]) -> Option<usize> {
    let descriptor = *frame.strip_prefix(&MAGIC)?.first()?;
    let is_single_segment = descriptor >> 5 & 1 == 1;
    let has_checksum = descriptor >> 2 & 1 == 1;
    if has_checksum {
        return None;
    }
    let window = usize::from(!is_single_segment);
    let dictionary_id = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let content_size = match descriptor >> 6 {
        0 => usize::from(is_single_segment),
        1 => 2,
        2 => 4,
        _ => 8,
    };
    Some(MAGIC.len() + 1 + window + dictionary_id + content_size)
}

/// Which entropy tables the blocks of this frame have set so far.
#[derive(Default)]
struct Tables {
    literals: bool,
    sequences: [bool; 3],
}

impl Tables {
    /// `None` where a compressed block asks for a table that none before it in this frame has set.
    fn follow(&mut self, block: &[u8]) -> Option<()> {
        let byte = |at: usize| block.get(at).copied().map(usize::from);
        // RFC 8878, 3.1.1.3.1.1.
        let first = byte(0)?;
        let format = first >> 2 & 3;
        let kind = first & 3;
        let sequences = match kind {
            0 | 1 => {
                let (header, size) = match format {
                    0 | 2 => (1, first >> 3),
                    1 => (2, first >> 4 | byte(1)? << 4),
                    _ => (3, first >> 4 | byte(1)? << 4 | byte(2)? << 12),
                };
                header + if kind == 0 { size } else { 1 }
            }
            _ => {
                let (header, bits) = match format {
                    0 | 1 => (3, 10),
                    2 => (4, 14),
                    _ => (5, 18),
                };
                let mut fields = 0_u64;
                for at in 0..header {
                    fields |= (byte(at)? as u64) << (8 * at);
                }
                let compressed = fields >> (4 + bits) & ((1 << bits) - 1);
                if kind == 3 && !self.literals {
                    return None;
                }
                self.literals = true;
                header + usize::try_from(compressed).ok()?
            }
        };
        // RFC 8878, 3.1.1.3.2.1.
        let modes = match byte(sequences)? {
            0 => return Some(()),
            1..=127 => byte(sequences + 1)?,
            128..=254 => byte(sequences + 2)?,
            _ => byte(sequences + 3)?,
        };
        for (set, shift) in self.sequences.iter_mut().zip([6, 4, 2]) {
            if modes >> shift & 3 == 3 && !*set {
                return None;
            }
            *set = true;
        }
        Some(())
    }
}
