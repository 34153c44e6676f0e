//! A request and its response on one connection.

use std::io::{self, Write};

use bytes::Buf;
use http::{Method, Response, Version, request::Parts};
use http_body::Body;

use super::{body_writer::BodyWriter, framing::Framing};
use crate::Transport;

/// What of a request decides how its response is written: HTTP/1.1 in chunks, HTTP/1.0 until the
/// connection ends, and to HEAD only a head.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub(super) version: Version,
    pub(super) is_head: bool,
    pub(super) transport: Transport,
}

impl Exchange {
    /// That of this request. Of its extensions it takes the [`Transport`], if there is one.
    pub fn of(parts: &Parts) -> Self {
        Self {
            version: parts.version,
            is_head: parts.method == Method::HEAD,
            transport: parts.extensions.get().cloned().unwrap_or_default(),
        }
    }

    /// The connection below, which is told when a write timed out:
    /// [`Connect::with_transport`](crate::Connect::with_transport) takes it.
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Writes a response, and returns when it is over: the head, then each piece of the body as it comes,
    /// flushed.
    ///
    /// # Errors
    ///
    /// When writing fails, which is how a client that has left is seen; and of kind
    /// [`ConnectionAborted`](io::ErrorKind::ConnectionAborted) when the body ends broken, on
    /// purpose ([`Aborted`](crate::Aborted)). In either case the connection has to be closed. After
    /// `Ok`, one of HTTP/1.1 can go on with the next request.
    pub fn write<B>(&self, response: Response<B>, writer: impl Write) -> io::Result<()>
    where
        B: Body<Data: Buf, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Unpin,
    {
        self.begin(response, writer).finish()
    }

    /// Begins the body and writes the head of a response. The rest of the body is written by what is done
    /// with the [`BodyWriter`]; it is over at once where writing fails.
    pub fn begin<B, W>(&self, response: Response<B>, writer: W) -> BodyWriter<B, W>
    where
        B: Body<Data: Buf, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Unpin,
        W: Write,
    {
        let (head, body) = response.into_parts();
        let framing = Framing::of(self, &head, &body);
        BodyWriter::begin(&head, body, writer, framing, self.transport.clone())
    }
}
