//! What a client makes of a response: decoders for recordings that may end anywhere.

use std::io;

use sidereal::Codec;

/// The content of a body in HTTP/1.1's chunks, as far as it goes.
pub fn dechunk(mut body: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    while let Some(end) = body.windows(2).position(|window| window == b"\r\n") {
        let size = std::str::from_utf8(&body[..end])
            .ok()
            .and_then(|size| usize::from_str_radix(size, 16).ok());
        let Some(size @ 1..) = size else { break };
        let rest = &body[end + 2..];
        content.extend_from_slice(&rest[..size.min(rest.len())]);
        body = rest.get(size + 2..).unwrap_or_default();
    }
    content
}

/// The text of a response that may be cut off.
///
/// # Errors
///
/// Bytes that no such encoder can have written.
pub fn text(codec: Option<Codec>, coded: &[u8]) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    match codec {
        None => text.extend_from_slice(coded),
        Some(Codec::Gzip) => {
            let mut decoder = flate2::write::GzDecoder::new(&mut text);
            io::Write::write_all(&mut decoder, coded)?;
            io::Write::flush(&mut decoder)?;
        }
        Some(Codec::Zstd) => {
            let mut decoder = zstd_safe::DCtx::create();
            let mut buffer = vec![0; 1 << 17];
            let mut input = zstd_safe::InBuffer::around(coded);
            loop {
                let mut output = zstd_safe::OutBuffer::around(&mut buffer[..]);
                decoder
                    .decompress_stream(&mut output, &mut input)
                    .map_err(|code| io::Error::other(zstd_safe::get_error_name(code)))?;
                let written = output.pos();
                text.extend_from_slice(&buffer[..written]);
                if input.pos == coded.len() && written < buffer.len() {
                    break;
                }
            }
        }
        Some(other) => return Err(io::Error::other(format!("no decoder for {other}"))),
    }
    Ok(text)
}
