//! What the recording of a connection says.

use std::io;

use sidereal::Codec;

use crate::decode;

/// The elements of each event in a recorded HTTP/1.1 response, which begins with its head.
///
/// The last event may be cut off.
///
/// # Errors
///
/// A response that is not compressed as was asked for, or not decoded.
pub fn elements(codec: Option<Codec>, recording: &[u8]) -> io::Result<Vec<String>> {
    let split = recording
        .windows(4)
        .position(|window| window == b"\r\n\r\n");
    let (head, body) = recording.split_at(split.ok_or_else(|| io::Error::other("no head"))? + 4);
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let coded = codec.map(|codec| format!("content-encoding: {codec}\r\n"));
    if coded.is_some_and(|coded| !head.contains(&coded)) {
        return Err(io::Error::other(format!("not compressed as asked: {head}")));
    }
    match head.contains("transfer-encoding: chunked\r\n") {
        true => of_body(codec, &decode::dechunk(body)),
        // Until the connection ends: as nchan has it.
        false => of_body(codec, body),
    }
}

/// The elements of each event in the body of a response, of which the last may be cut off.
///
/// # Errors
///
/// A body that is not decoded.
pub fn of_body(codec: Option<Codec>, body: &[u8]) -> io::Result<Vec<String>> {
    let text = String::from_utf8(decode::text(codec, body)?).map_err(io::Error::other)?;
    let events = text.split("\n\n").map(|event| {
        let data = event
            .lines()
            .filter_map(|line| line.strip_prefix("data: elements "));
        data.collect::<Vec<_>>().join("\n")
    });
    Ok(events.filter(|event| !event.is_empty()).collect())
}
