//! A server for long-lived streams: readers that stall are closed, and open streams do not block a
//! shutdown.
//!
//! Servers know when they have accepted an event, not when it was delivered. Once a slow reader's
//! buffers are full, hyper never polls the response body again; no timer inside the body
//! fires then, nor does a shutdown reach it. What must happen all the same has its place at the socket,
//! and there are two ways to have it:
//!
//! - [`serve`](serve()) is a whole server, for any tower service, axum's `Router` included:
//!   HTTP/1.1 and HTTP/2, graceful shutdown, limits, and a runtime for each core where asked.
//! - [`Listener`] is a listener for `axum::serve`, with the feature `axum-listener`.
//!
//! | | `serve` | `Listener` in `axum::serve` | `TcpListener` in `axum::serve` |
//! |---|---|---|---|
//! | stalled reader on HTTP/1.1 | closed at the write deadline | closed at the write deadline | kept for ever |
//! | stalled reader on HTTP/2 | its stream is reset at the write deadline | kept until its socket is full | kept for ever |
//! | reason that `on_disconnect` gets for it | `WriteDeadline` | `WriteDeadline`, with `with_transport` | |
//! | long-lived streams end at a shutdown | yes | with a [`Shutdown`] of one's own | with a [`Shutdown`] of one's own |
//! | shutdown with a stalled reader | ends after the grace | ends at the write deadline | hangs |
//! | last events before a break on purpose | written first | 100 ms to leave | 100 ms to leave |
//! | client leaves | seen at once | seen at once | seen at once |
//! | client leaves, its request not read to the end | seen at once, on Linux | second heartbeat | second heartbeat |
//! | break on purpose, the request not read to the end | loses nothing | may lose the last events | may lose the last events |
//!
//! hyper does not read on when a handler leaves a request's body unread. In `axum::serve` there is no
//! place from which its socket could be watched then; a handler that reads the body, as extractors do,
//! is not concerned.
//!
//! [`Shutdown`]: sidereal_sse::Shutdown

mod aside;
#[cfg(feature = "axum-listener")]
mod axum;
mod connection;
mod deadline;
mod listener;
mod outbox;
mod protocol;
mod requests;
mod server;
mod socket;
mod stalled;
mod stop;
mod tracked;
mod workers;

use sidereal_sse::{EndReason, Transport};

#[cfg(feature = "axum-listener")]
pub use self::axum::{OnConnection, WithTransport, with_transport};
pub use self::{
    deadline::DeadlineStream,
    listener::Listener,
    requests::Peer,
    server::{Served, Server, serve},
    stop::stop_signal,
};

/// The `tracing` target of the server.
const TARGET: &str = "sidereal::serve";

/// To be called before what is given up on is torn down, so that its streams can learn why they end.
fn give_up(transport: &Transport, reason: EndReason) {
    tracing::debug!(target: TARGET, %reason, "giving up on a client");
    transport.give_up(reason);
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;
