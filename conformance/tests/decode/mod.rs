//! What a client makes of a coded body, or of as much as has come of it.

use std::io::Read;

use zstd_safe::{DCtx, InBuffer, OutBuffer};

pub(crate) fn decode(coding: &str, coded: &[u8]) -> Vec<u8> {
    match coding {
        "gzip" => all(flate2::read::GzDecoder::new(coded)),
        "br" => all(brotli_decompressor::Decompressor::new(coded, 4096)),
        _ => zstd(coded),
    }
}

/// Reads until there is no more, or none yet.
fn all(mut decoder: impl Read) -> Vec<u8> {
    let mut text = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(count @ 1..) = decoder.read(&mut piece) {
        text.extend_from_slice(&piece[..count]);
    }
    text
}

fn zstd(coded: &[u8]) -> Vec<u8> {
    let mut decoder = DCtx::create();
    let mut text = Vec::new();
    let mut input = InBuffer::around(coded);
    let mut piece = vec![0; 1 << 16];
    loop {
        let mut output = OutBuffer::around(&mut piece[..]);
        let decoded = decoder.decompress_stream(&mut output, &mut input);
        assert!(decoded.is_ok(), "no zstd");
        let count = output.pos();
        text.extend_from_slice(&piece[..count]);
        if input.pos == coded.len() && count < piece.len() {
            return text;
        }
    }
}
