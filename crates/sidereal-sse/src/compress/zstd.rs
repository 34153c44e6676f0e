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

use super::{
    Compression,
    codec::{Recipe, Variant},
    encoders::Encoders,
    sum::Sum,
};

const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// What the reset block decodes to.
const SEPARATOR: &[u8; 64] = b":..............................................................\n";

/// A compressed block of ten literals (`:`, eight dots, a newline) and three copies, whose offsets
/// 8, 4 and 1 are given in full, so that they are the repeat offsets 1, 4 and 8 after it.
const RESET: &[u8] = &[
    0x9c, 0x00, 0x00, 0x50, 0x3a, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x0a, 0x03, 0x04,
    0x0f, 0x38, 0xd8, 0x81, 0x95, 0x23,
];

const EMPTY_BLOCK: &[u8] = &[0, 0, 0];
const EMPTY_LAST_BLOCK: &[u8] = &[1, 0, 0];

/// The longest block, where the window is no smaller (RFC 8878, 3.1.1.2.4).
const BLOCK: usize = 1 << 17;

/// What a dictionary with tables of its own begins with (RFC 8878, 5); libzstd looks for it.
const DICTIONARY_MAGIC: [u8; 4] = [0x37, 0xa4, 0x30, 0xec];

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
    ) -> Option<bool> {
        chunk.extend_from_slice(RESET);
        // Beyond the window the encoder would refer to what the decoder has let go.
        let room = self.reach(settings).saturating_sub(event.len());
        let base = &base[base.len().saturating_sub(room)..];
        // Text that was sent is no dictionary with tables, even where it looks like one.
        let base = &base[usize::from(base.starts_with(&DICTIONARY_MAGIC))..];
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
        blocks(frame?, chunk).map(|()| is_rolled)
    }

    fn variant(&self, settings: &Compression) -> Variant {
        Variant {
            level: settings.zstd_level,
            window: settings.zstd_window,
        }
    }

    fn store(&self, settings: &Compression, event: &[u8], chunk: &mut Vec<u8>) {
        chunk.extend_from_slice(RESET);
        for piece in event.chunks(BLOCK.min(self.reach(settings))) {
            let header = (piece.len() as u32) << 3;
            chunk.extend_from_slice(&header.to_le_bytes()[..3]);
            chunk.extend_from_slice(piece);
        }
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
    ) -> Option<()> {
        let frame = encoders.zstd(text.len(), |encoder, frame| {
            alone(encoder, settings)?;
            encoder.compress2(frame, text)
        })?;
        coded.extend_from_slice(frame);
        Some(())
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const LEVELS: [i32; 4] = [1, 3, 6, 12];

    fn head() -> Vec<u8> {
        Zstd.head(&Compression::new()).to_vec()
    }

    fn frame(level: i32, text: &[u8]) -> Vec<u8> {
        let mut frame = vec![0; zstd_safe::compress_bound(text.len())];
        let length = zstd_safe::compress(&mut frame[..], text, level).unwrap();
        frame.truncate(length);
        frame
    }

    fn decode(blocks: &[u8]) -> Result<Vec<u8>, usize> {
        zstd_safe_decode(&[&head(), blocks, EMPTY_LAST_BLOCK].concat())
    }

    fn zstd_safe_decode(frame: &[u8]) -> Result<Vec<u8>, usize> {
        let mut text = vec![0; 1 << 20];
        let length = zstd_safe::decompress(&mut text[..], frame)?;
        text.truncate(length);
        Ok(text)
    }

    /// Words, so many that they fill several blocks.
    fn words(length: usize) -> Vec<u8> {
        let words =
            (0_u64..).map(|n| format!("{:x} ", n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 44));
        words.flat_map(String::into_bytes).take(length).collect()
    }

    #[test]
    fn the_reset_block_is_a_comment_line() {
        assert_eq!(decode(RESET).unwrap(), SEPARATOR);
        assert_eq!(decode(&RESET.repeat(3)).unwrap(), SEPARATOR.repeat(3));
    }

    #[test]
    fn the_blocks_of_a_frame_go_into_any_other() {
        for level in LEVELS {
            for length in [0, 1, 255, 256, 70_000, 500_000] {
                let text = words(length);
                let mut chunk = RESET.to_vec();
                assert!(blocks(&frame(level, &text), &mut chunk).is_some());
                let decoded = decode(&chunk).unwrap();
                assert!(
                    decoded.strip_prefix(SEPARATOR) == Some(&text[..]),
                    "{level}, {length}"
                );
            }
        }
    }

    #[test]
    fn what_cannot_be_compressed_is_stored() {
        for window in [15, 16, 17, 20, 23] {
            for length in [1, BLOCK, BLOCK + 1, 3 * BLOCK] {
                let settings = Compression::new().zstd_window(window);
                let mut frame = Zstd.head(&settings).to_vec();
                Zstd.store(&settings, &words(length), &mut frame);
                frame.extend_from_slice(EMPTY_LAST_BLOCK);
                let mut decoder = ruzstd::decoding::StreamingDecoder::new(&frame[..]).unwrap();
                let mut other = Vec::new();
                std::io::Read::read_to_end(&mut decoder, &mut other).unwrap();
                let decoded = zstd_safe_decode(&frame).unwrap();
                assert!(decoded == other);
                assert!(decoded.strip_prefix(SEPARATOR) == Some(&words(length)[..]));
            }
        }
    }

    /// What is sent need not be UTF-8, and so can begin like a dictionary of libzstd's.
    #[test]
    fn text_that_looks_like_a_dictionary_is_text() {
        let settings = Compression::new();
        let event = words(5000);
        let base = [&DICTIONARY_MAGIC[..], &[7; 300], &event, SEPARATOR].concat();
        let mut chunk = Vec::new();
        let is_rolled = Zstd.chunk(
            &mut Encoders::default(),
            &settings,
            &base,
            &event,
            &mut chunk,
        );
        assert_eq!(is_rolled, Some(true));
        assert!(chunk.len() < 200, "{}", chunk.len());
        let before = base.strip_suffix(SEPARATOR).unwrap();
        let mut stored = Vec::new();
        Zstd.store(&settings, before, &mut stored);
        let decoded = decode(&[stored, chunk].concat()).unwrap();
        assert!(decoded == [SEPARATOR, before, SEPARATOR, &event].concat());
    }

    /// Later blocks of a frame use tables of the ones before; without those they are refused.
    #[test]
    fn a_table_that_is_not_there_is_noticed() {
        let mut refused = 0;
        for level in LEVELS {
            let frame = frame(level, &words(800_000));
            let start = header_length(&frame).unwrap();
            let size = usize::from(frame[start] >> 3)
                | usize::from(frame[start + 1]) << 5
                | usize::from(frame[start + 2]) << 13;
            let without_first = [&frame[..start], &frame[start + 3 + size..]].concat();
            if blocks(&without_first, &mut Vec::new()).is_none() {
                refused += 1;
            }
        }
        assert!(refused > 0, "no frame had a block that uses tables again");
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        let whole = frame(3, &words(1000));
        for cut in 0..whole.len() {
            assert!(blocks(&whole[..cut], &mut Vec::new()).is_none(), "{cut}");
        }
        let more = [&whole[..], b"x"].concat();
        assert!(blocks(&more, &mut Vec::new()).is_none());
        let checked = [&MAGIC[..], &[0b100, 0x58, 1, 0, 0]].concat();
        assert!(blocks(&checked, &mut Vec::new()).is_none(), "a checksum");
        let reserved = [&MAGIC[..], &[0, 0x58, 7, 0, 0]].concat();
        assert!(
            blocks(&reserved, &mut Vec::new()).is_none(),
            "a reserved type"
        );
    }

    #[test]
    fn headers_of_all_lengths() {
        for (descriptor, length) in [
            (0b0000_0000, 6),
            (0b0010_0000, 6),
            (0b0100_0000, 8),
            (0b1010_0000, 9),
            (0b1100_0000, 14),
            (0b0000_0011, 10),
            (0b0010_0001, 7),
        ] {
            let frame = [&MAGIC[..], &[descriptor]].concat();
            assert_eq!(header_length(&frame), Some(length), "{descriptor:08b}");
        }
        assert_eq!(header_length(b"data: x"), None);
    }
}
