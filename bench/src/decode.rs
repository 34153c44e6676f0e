//! What a client makes of a response: decoders for bytes that come in pieces, and may end anywhere.

use std::{fmt, io};

use sidereal::Codec;

/// HTTP/1.1's chunks: takes their sizes away.
#[derive(Debug)]
pub struct Dechunker(Place);

#[derive(Debug)]
enum Place {
    /// In the line with a chunk's size, as far as it is read.
    Size(usize),
    /// In a chunk, of which so many bytes are to come.
    Content(usize),
    /// After a chunk, before so many bytes of a line break.
    LineBreak(usize),
}

impl Dechunker {
    /// Before the first chunk.
    pub fn new() -> Self {
        Self(Place::Size(0))
    }

    /// Takes the next bytes of a body, and hands out what is content; says how many chunks end
    /// here.
    pub fn take(&mut self, mut bytes: &[u8], mut content: impl FnMut(&[u8])) -> usize {
        let mut ends = 0;
        while let [first, rest @ ..] = bytes {
            let step = match &mut self.0 {
                Place::Size(size) => {
                    match char::from(*first).to_digit(16) {
                        Some(digit) => *size = *size * 16 + digit as usize,
                        None if *first == b'\n' => self.0 = Place::Content(*size),
                        None => {}
                    }
                    bytes = rest;
                    continue;
                }
                Place::Content(left) | Place::LineBreak(left) => {
                    let step = bytes.len().min(*left);
                    *left -= step;
                    step
                }
            };
            let (taken, rest) = bytes.split_at(step);
            bytes = rest;
            match self.0 {
                Place::Content(left) => {
                    content(taken);
                    if left == 0 {
                        ends += 1;
                        self.0 = Place::LineBreak(2);
                    }
                }
                Place::LineBreak(0) => self.0 = Place::Size(0),
                Place::LineBreak(_) | Place::Size(_) => {}
            }
        }
        ends
    }
}

impl Default for Dechunker {
    fn default() -> Self {
        Self::new()
    }
}

/// The content of a body in HTTP/1.1's chunks, as far as it goes.
pub fn dechunk(body: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    Dechunker::new().take(body, |piece| content.extend_from_slice(piece));
    content
}

/// Decodes a response as it comes.
pub struct Decoder(Coding);

enum Coding {
    Identity,
    Gzip(Box<flate2::write::GzDecoder<Vec<u8>>>),
    Zstd(zstd_safe::DCtx<'static>),
}

impl Decoder {
    /// At the beginning of a response.
    ///
    /// # Errors
    ///
    /// For codecs without a decoder here.
    pub fn new(codec: Option<Codec>) -> io::Result<Self> {
        match codec {
            None => Ok(Self(Coding::Identity)),
            Some(Codec::Gzip) => {
                let decoder = flate2::write::GzDecoder::new(Vec::new());
                Ok(Self(Coding::Gzip(Box::new(decoder))))
            }
            Some(Codec::Zstd) => Ok(Self(Coding::Zstd(zstd_safe::DCtx::create()))),
            Some(other) => Err(io::Error::other(format!("no decoder for {other}"))),
        }
    }

    /// The text that these bytes bring.
    ///
    /// # Errors
    ///
    /// Bytes that no such encoder can have written.
    pub fn text(&mut self, coded: &[u8]) -> io::Result<Vec<u8>> {
        match &mut self.0 {
            Coding::Identity => Ok(coded.to_vec()),
            Coding::Gzip(decoder) => {
                io::Write::write_all(decoder, coded)?;
                io::Write::flush(decoder)?;
                Ok(std::mem::take(decoder.get_mut()))
            }
            Coding::Zstd(decoder) => unzstd(decoder, coded),
        }
    }
}

fn unzstd(decoder: &mut zstd_safe::DCtx<'_>, coded: &[u8]) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let mut buffer = vec![0; 1 << 15];
    let mut input = zstd_safe::InBuffer::around(coded);
    loop {
        let mut output = zstd_safe::OutBuffer::around(&mut buffer[..]);
        decoder
            .decompress_stream(&mut output, &mut input)
            .map_err(|code| io::Error::other(zstd_safe::get_error_name(code)))?;
        let written = output.pos();
        text.extend_from_slice(&buffer[..written]);
        if input.pos == coded.len() && written < buffer.len() {
            return Ok(text);
        }
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder").finish_non_exhaustive()
    }
}

/// The text of a response that may be cut off.
///
/// # Errors
///
/// Bytes that no such encoder can have written.
pub fn text(codec: Option<Codec>, coded: &[u8]) -> io::Result<Vec<u8>> {
    Decoder::new(codec)?.text(coded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_end_wherever_the_bytes_are_cut() {
        let body = b"3\r\n:\n\n\r\n10\r\ndata: <p>one\r\n\n\n\r\n4\r\na>";
        for size in 1..=body.len() {
            let (mut dechunker, mut content) = (Dechunker::new(), Vec::new());
            let pieces = body.chunks(size);
            let ends = pieces
                .map(|piece| dechunker.take(piece, |piece| content.extend_from_slice(piece)))
                .sum::<usize>();
            assert_eq!(ends, 2);
            assert_eq!(content, b":\n\ndata: <p>one\r\n\n\na>");
        }
    }
}
