//! HTTP/1 on the wire (RFC 9112).

use std::{
    io::{self, Write},
    time::SystemTime,
};

use http::{
    StatusCode, Version,
    header::{CONTENT_LENGTH, DATE, TRANSFER_ENCODING},
    response::Parts,
};
use http_body::Body;

use super::Exchange;

/// How much is put together before it is written, in bytes: larger pieces are written as they are.
const TOGETHER: usize = 16 << 10;

/// How the end of the body is told (RFC 9112, section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// There is none.
    NoBody,
    Length(u64),
    Chunked,
    /// By the end of the connection.
    UntilClose,
}

impl Framing {
    pub(super) fn of(exchange: &Exchange, head: &Parts, body: &impl Body) -> Self {
        let bodiless = head.status.is_informational()
            || [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&head.status);
        if exchange.is_head || bodiless {
            return Self::NoBody;
        }
        match body.size_hint().exact() {
            Some(length) => Self::Length(length),
            None if exchange.version < Version::HTTP_11 => Self::UntilClose,
            None => Self::Chunked,
        }
    }

    pub(super) fn write_head(self, head: &Parts, writer: &mut impl Write) -> io::Result<()> {
        let status = head.status;
        let reason = status.canonical_reason().unwrap_or_default();
        let mut bytes = format!("HTTP/1.1 {} {reason}\r\n", status.as_str()).into_bytes();
        let mut field = |name: &[u8], value: &[u8]| {
            bytes.extend_from_slice(name);
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        };
        for (name, value) in &head.headers {
            // How the body ends is decided here.
            if name != CONTENT_LENGTH && name != TRANSFER_ENCODING {
                field(name.as_ref(), value.as_bytes());
            }
        }
        if !head.headers.contains_key(DATE) {
            let date = httpdate::fmt_http_date(SystemTime::now());
            field(b"date", date.as_bytes());
        }
        match self {
            Self::Length(length) => field(b"content-length", length.to_string().as_bytes()),
            Self::Chunked => field(b"transfer-encoding", b"chunked"),
            Self::UntilClose => field(b"connection", b"close"),
            Self::NoBody => {}
        }
        bytes.extend_from_slice(b"\r\n");
        writer.write_all(&bytes)?;
        writer.flush()
    }

    /// A piece of the body: one write for a small one, so that it is one packet.
    pub(super) fn write_data(self, data: &[u8], writer: &mut impl Write) -> io::Result<()> {
        if data.is_empty() {
            return Ok(());
        }
        match self {
            Self::NoBody => {}
            Self::Length(_) | Self::UntilClose => writer.write_all(data)?,
            Self::Chunked => {
                let mut chunk = format!("{:x}\r\n", data.len()).into_bytes();
                match data.len() <= TOGETHER {
                    true => chunk.extend_from_slice(data),
                    false => {
                        writer.write_all(&chunk)?;
                        writer.write_all(data)?;
                        chunk.clear();
                    }
                }
                chunk.extend_from_slice(b"\r\n");
                writer.write_all(&chunk)?;
            }
        }
        writer.flush()
    }

    /// The end of a body that is not whole: what is no size of a chunk, so that the client takes the
    /// response for broken (RFC 9112, section 7.1) and the connection for lost. Not every server
    /// closes a connection because a handler wants it.
    pub(super) fn write_broken(self, writer: &mut impl Write) -> io::Result<()> {
        if self == Self::Chunked {
            writer.write_all(b"!\r\n")?;
        }
        writer.flush()
    }

    /// The end of a body that is whole.
    pub(super) fn write_end(self, writer: &mut impl Write) -> io::Result<()> {
        if self == Self::Chunked {
            writer.write_all(b"0\r\n\r\n")?;
        }
        writer.flush()
    }
}
