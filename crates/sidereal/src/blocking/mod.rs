//! Datastar on servers with a thread for each request: tiny_http, a plain `TcpListener`, anything that
//! lets a handler write its response itself.
//!
//! The same verbs as everywhere, with closures that simply wait:
//!
//! ```no_run
//! use std::{net::TcpStream, time::Duration};
//! use sidereal::{PatchElements, blocking::Connect};
//!
//! fn clock(request: &http::request::Parts, socket: TcpStream) -> std::io::Result<()> {
//!     let mut ticks = 0;
//!     Connect::from_parts(request)
//!         .every(Duration::from_secs(1), |tx| {
//!             ticks += 1;
//!             tx.patch_elements(PatchElements::new(format!("<b id='ticks'>{ticks}</b>")))?;
//!             Ok(())
//!         })
//!         .write_to(socket)
//! }
//! ```
//!
//! | | |
//! |---|---|
//! | [`Connect`] | a request, from which the answer is made |
//! | [`Sse`] | the answer, with hooks and options; [`write_to`](Sse::write_to) sends it, on this thread |
//! | [`Sender`] | sends events from a closure, each flushed |
//! | [`head`] | a request's head, from a server that has types of its own |
//! | [`read_signals`] | the page's signals, from a body to be read |
//! | [`write_whole`] | a plain reply: a page, [`HtmlReply`](crate::HtmlReply), a rejection |
//! | [`write()`] | any other response, those of asynchronous handlers included |
//!
//! Views and topics are followed from the thread: [`Connect::watch`] takes no other one. A [`Sender`] of
//! an asynchronous stream, and [`Topic::publish`](crate::Topic::publish), work from every thread anyway.
//!
//! # Which servers
//!
//! One has to hand out the connection, or write each piece as it gets it. tiny_http does with
//! `Request::into_writer`; its `respond` reads a body to the end of an 8 KiB buffer first. rouille and
//! astra have no other way than such a `respond`: events would come late and in heaps, and so they
//! cannot serve streams; one-shot replies they can.
//!
//! # Clients that leave, and readers that stall
//!
//! A client that has left is noticed by a write, so by the second heartbeat at the latest: 30 s, see
//! [`Sse::keep_alive`]. A write waits as long as the socket lets it:
//! `TcpStream::set_write_timeout` is the write deadline. tiny_http gives nobody its sockets: there a reader
//! that stalls keeps its thread until its connection is gone.

mod connect;
mod head;
mod sender;
mod signals;
mod sse;

use std::{
    error::Error,
    io::{self, Write},
};

use bytes::{Buf, Bytes};
use http::{Response, request::Parts};
use http_body::Body;
use http_body_util::Full;
use sidereal_sse::blocking::Exchange;
pub use sidereal_sse::blocking::block_on;

pub use self::{
    connect::Connect,
    head::{HeadError, head},
    sender::Sender,
    signals::read_signals,
    sse::Sse,
};

/// Writes a response whose body is at hand: a page, a plain reply, a rejection.
///
/// ```
/// use http::{Response, request::Parts};
/// use sidereal::{HtmlReply, blocking::write_whole};
///
/// fn details(request: &Parts, socket: impl std::io::Write) -> std::io::Result<()> {
///     write_whole(request, HtmlReply::new("<p id='details'>Saturn</p>").into_http(), socket)
/// }
/// ```
///
/// # Errors
///
/// When writing fails.
pub fn write_whole(
    request: &Parts,
    response: Response<impl Into<Bytes>>,
    writer: impl Write,
) -> io::Result<()> {
    write(request, response.map(|body| Full::new(body.into())), writer)
}

/// Writes any response, and returns when it is over: also the stream of an asynchronous handler, which so
/// runs on a thread as it does on any other server.
///
/// ```
/// use http::request::Parts;
/// use sidereal::{PatchElements, Sse};
///
/// async fn hello(connect: sidereal::Connect) -> Sse {
///     connect.reply(PatchElements::new("<p id='hello'>Hello</p>"))
/// }
///
/// fn handler(request: &Parts, socket: impl std::io::Write) -> std::io::Result<()> {
///     let sse = sidereal::blocking::block_on(hello(sidereal::Connect::from_parts(request)));
///     sidereal::blocking::write(request, sse.into_http(), socket)
/// }
/// ```
///
/// # Errors
///
/// When writing fails, which is how a client that has left is seen; and of kind
/// [`ConnectionAborted`](io::ErrorKind::ConnectionAborted) when the stream ends broken, on purpose. In
/// either case the connection has to be closed. After `Ok`, one of HTTP/1.1 can go on with the next
/// request.
pub fn write<B>(request: &Parts, response: Response<B>, writer: impl Write) -> io::Result<()>
where
    B: Body<Data: Buf, Error: Into<Box<dyn Error + Send + Sync>>> + Unpin,
{
    Exchange::of(request).write(response, writer)
}
