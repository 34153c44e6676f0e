//! Streams on servers with a thread for each request: onto any [`Write`](std::io::Write).
//!
//! A response is made as everywhere else, and its body is driven by the thread of its request, which
//! writes each event and flushes it. It costs that thread, and nothing else: topics and views are
//! followed without another one.
//!
//! ```
//! use sidereal_sse::{Connect, Event, blocking::Exchange};
//!
//! fn handler(request: http::Request<()>, socket: impl std::io::Write) -> std::io::Result<()> {
//!     let (parts, ()) = request.into_parts();
//!     let exchange = Exchange::of(&parts);
//!     let connect = Connect::from_parts(&parts).with_transport(exchange.transport().clone());
//!     let sse = connect.respond(async |tx| {
//!         tx.send(Event::new("hello")).await?;
//!         Ok(())
//!     });
//!     exchange.write(sse.into_http(), socket)
//! }
//! ```
//!
//! What waits, waits with the timer of a thread that the process has once, so heartbeats and ages are
//! as on any runtime. Futures are polled outside of whatever runtime the thread belongs to.
//!
//! # Clients that leave
//!
//! A thread that waits for the next event sees no client leave: the first write after that may
//! still be taken by the kernel, and the second fails. So a client counts as gone after two
//! heartbeats at the latest.
//!
//! # Readers that stall
//!
//! A write waits as long as the socket lets it: set `TcpStream::set_write_timeout`. A write that timed
//! out ends the stream with [`EndReason::WriteDeadline`](crate::EndReason::WriteDeadline), if it knows the
//! exchange's [`transport`](Exchange::transport). A server that does not give its sockets away has no such
//! deadline: a reader that stalls keeps its thread.
//!
//! # HTTP/1.0
//!
//! The response lasts until the connection ends, which is the caller's to close. There a stream that is
//! broken off looks like one that is whole.

mod block_on;
mod body_writer;
mod exchange;
mod framing;

pub use self::{block_on::block_on, body_writer::BodyWriter, exchange::Exchange};
