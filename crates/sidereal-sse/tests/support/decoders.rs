//! Reference decoders that take a response chunk by chunk, and say after each what has come out.
//!
//! None of them is the encoder's own crate, but for libzstd, which is what browsers decode with;
//! beside it every zstd stream is read by ruzstd too.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use miniz_oxide::{
    DataFormat, MZError, MZFlush, MZStatus,
    inflate::stream::{InflateState, inflate},
};
use sidereal_sse::Codec;

/// Decodes one response.
pub(crate) trait Decoder {
    /// Takes a chunk; gives all that can be decoded now.
    fn push(&mut self, chunk: &[u8]) -> Vec<u8>;

    /// The response has ended: whether its format has too. Checks sums, where there are any.
    fn end(&mut self) -> bool;
}

/// A decoder for what `Content-Encoding` says.
pub(crate) fn decoder(codec: Option<Codec>) -> Box<dyn Decoder> {
    match codec {
        None => Box::new(Identity),
        Some(Codec::Gzip) => Box::new(Gzip::new()),
        Some(Codec::Zstd) => Box::new(Zstd::new()),
        Some(Codec::Brotli) => Box::new(Brotli::new()),
        Some(other) => panic!("no decoder for {other}"),
    }
}

/// Decodes a whole response.
pub(crate) fn decode(codec: Option<Codec>, response: &[u8]) -> Vec<u8> {
    let mut decoder = decoder(codec);
    let text = decoder.push(response);
    assert!(decoder.end(), "the response has no end");
    text
}

struct Identity;

impl Decoder for Identity {
    fn push(&mut self, chunk: &[u8]) -> Vec<u8> {
        chunk.to_vec()
    }

    fn end(&mut self) -> bool {
        true
    }
}

/// RFC 1952: one member without name and comment.
struct Gzip {
    head: Vec<u8>,
    inflate: Box<InflateState>,
    is_over: bool,
    trailer: Vec<u8>,
    crc: u32,
    length: u32,
}

impl Gzip {
    fn new() -> Self {
        Self {
            head: Vec::new(),
            inflate: InflateState::new_boxed(DataFormat::Raw),
            is_over: false,
            trailer: Vec::new(),
            crc: !0,
            length: 0,
        }
    }
}

impl Decoder for Gzip {
    fn push(&mut self, chunk: &[u8]) -> Vec<u8> {
        let missing = (10 - self.head.len()).min(chunk.len());
        let (head, mut rest) = chunk.split_at(missing);
        self.head.extend_from_slice(head);
        if self.head.len() == 10 {
            assert_eq!(self.head[..4], [0x1f, 0x8b, 8, 0], "gzip's head");
        }
        let mut text = Vec::new();
        let mut buffer = vec![0; 1 << 16];
        while !self.is_over {
            let result = inflate(&mut self.inflate, rest, &mut buffer, MZFlush::None);
            rest = &rest[result.bytes_consumed..];
            text.extend_from_slice(&buffer[..result.bytes_written]);
            match result.status {
                Ok(MZStatus::StreamEnd) => self.is_over = true,
                Ok(_) if result.bytes_consumed + result.bytes_written > 0 => {}
                Ok(_) | Err(MZError::Buf) => break,
                Err(error) => panic!("inflate: {error:?}"),
            }
        }
        if self.is_over {
            self.trailer.extend_from_slice(rest);
        } else {
            assert!(rest.is_empty(), "inflate left {} bytes", rest.len());
        }
        self.length = self.length.wrapping_add(text.len() as u32);
        self.crc = text.iter().fold(self.crc, |crc, byte| {
            crc >> 8 ^ CRC[usize::from(crc as u8 ^ byte)]
        });
        text
    }

    fn end(&mut self) -> bool {
        let trailer = [(!self.crc).to_le_bytes(), self.length.to_le_bytes()].concat();
        self.is_over && self.trailer == trailer
    }
}

const CRC: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ ((crc & 1) * 0xedb8_8320);
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

struct Zstd {
    libzstd: zstd_safe::DCtx<'static>,
    hint: usize,
    /// All that libzstd has decoded.
    text: Vec<u8>,
    ruzstd: ruzstd::decoding::FrameDecoder,
    /// What ruzstd has not taken yet, and what it has given: up to a window less than it has decoded.
    rest: Vec<u8>,
    again: Vec<u8>,
    is_first: bool,
}

impl Zstd {
    fn new() -> Self {
        let mut libzstd = zstd_safe::DCtx::create();
        // Browsers refuse more than 8 MiB.
        libzstd
            .set_parameter(zstd_safe::DParameter::WindowLogMax(23))
            .expect("a limit of the window");
        Self {
            libzstd,
            hint: 1,
            text: Vec::new(),
            ruzstd: ruzstd::decoding::FrameDecoder::new(),
            rest: Vec::new(),
            again: Vec::new(),
            is_first: true,
        }
    }
}

impl Decoder for Zstd {
    fn push(&mut self, chunk: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        let mut buffer = vec![0; 1 << 17];
        let mut input = zstd_safe::InBuffer::around(chunk);
        loop {
            let mut output = zstd_safe::OutBuffer::around(&mut buffer[..]);
            let result = self.libzstd.decompress_stream(&mut output, &mut input);
            self.hint = result.unwrap_or_else(|code| panic!("{}", zstd_safe::get_error_name(code)));
            let written = output.pos();
            text.extend_from_slice(&buffer[..written]);
            if input.pos == chunk.len() && written < buffer.len() {
                break;
            }
        }
        self.rest.extend_from_slice(chunk);
        if std::mem::take(&mut self.is_first) {
            let mut source = &self.rest[..];
            self.ruzstd.reset(&mut source).expect("a frame header");
            self.rest = source.to_vec();
        }
        loop {
            let (read, written) = self
                .ruzstd
                .decode_from_to(&self.rest, &mut buffer)
                .expect("ruzstd");
            self.rest.drain(..read);
            self.again.extend_from_slice(&buffer[..written]);
            if read + written == 0 {
                break;
            }
        }
        self.text.extend_from_slice(&text);
        assert!(
            self.text.starts_with(&self.again),
            "ruzstd sees another text"
        );
        text
    }

    fn end(&mut self) -> bool {
        self.hint == 0 && self.ruzstd.is_finished() && self.again == self.text
    }
}

struct Brotli {
    state: Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>,
    is_over: bool,
}

impl Brotli {
    fn new() -> Self {
        let alloc = StandardAlloc::default;
        Self {
            state: Box::new(BrotliState::new(alloc(), alloc(), alloc())),
            is_over: false,
        }
    }
}

impl Decoder for Brotli {
    fn push(&mut self, chunk: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        let mut buffer = vec![0; 1 << 16];
        let (mut available_in, mut offset, mut total) = (chunk.len(), 0, 0);
        loop {
            let (mut available_out, mut written) = (buffer.len(), 0);
            let result = BrotliDecompressStream(
                &mut available_in,
                &mut offset,
                chunk,
                &mut available_out,
                &mut written,
                &mut buffer,
                &mut total,
                &mut self.state,
            );
            text.extend_from_slice(&buffer[..written]);
            match result {
                BrotliResult::NeedsMoreOutput => {}
                // With its output full it may have more of it.
                BrotliResult::NeedsMoreInput if available_out == 0 => {}
                BrotliResult::NeedsMoreInput => break,
                BrotliResult::ResultSuccess => {
                    assert_eq!(available_in, 0, "brotli left bytes");
                    self.is_over = true;
                    break;
                }
                BrotliResult::ResultFailure => panic!("brotli: {:?}", self.state.error_code),
            }
        }
        text
    }

    fn end(&mut self) -> bool {
        self.is_over
    }
}
