//! HTTP/1.1 and HTTP/2, as hyper speaks them here.

use std::{pin::Pin, time::Duration};

use http_body::Body;
use hyper::{
    body::Incoming,
    rt::bounds::Http2ServerConnExec,
    server::conn::{http1, http2},
    service::HttpService,
};
use hyper_util::rt::{TokioIo, TokioTimer};

use super::{
    BoxError, deadline::DeadlineStream, listener::FOR_EVER, socket::Socket, stalled::StreamExecutor,
};

/// How much of an HTTP/2 stream hyper and h2 take in beyond what the client asked for, in bytes.
/// hyper's default is 400 KiB: as old as the picture of a slow reader would be.
const HTTP2_SEND_BUFFER: usize = 64 << 10;

type Stream = TokioIo<DeadlineStream<Socket>>;

/// A connection as hyper runs it.
pub(super) trait Connection: Future<Output = hyper::Result<()>> + Unpin {
    /// Ends when its responses have.
    fn graceful_shutdown(&mut self);
}

/// With upgrades.
pub(super) fn http1<R, B>(
    stream: DeadlineStream<Socket>,
    requests: R,
    header_read_timeout: Option<Duration>,
) -> http1::UpgradeableConnection<Stream, R>
where
    R: HttpService<Incoming, ResBody = B, Error: Into<BoxError>>,
    B: Body<Error: Into<BoxError>> + 'static,
{
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_read_timeout)
        .serve_connection(TokioIo::new(stream), requests)
        .with_upgrades()
}

/// In a box: it is large, and one such connection carries many streams.
pub(super) fn http2<R, B>(
    stream: DeadlineStream<Socket>,
    requests: R,
    executor: StreamExecutor,
    ping_interval: Option<Duration>,
) -> Pin<Box<http2::Connection<Stream, R, StreamExecutor>>>
where
    R: HttpService<Incoming, ResBody = B, Error: Into<BoxError>>,
    B: Body<Error: Into<BoxError>> + 'static,
    StreamExecutor: Http2ServerConnExec<R::Future, B>,
{
    let mut builder = http2::Builder::new(executor);
    builder
        .timer(TokioTimer::new())
        .max_send_buf_size(HTTP2_SEND_BUFFER);
    if let Some(interval) = ping_interval {
        // The pings are hyper's, and what comes of them is seen by `SocketWatch::silent`: hyper
        // counts a slow reader as gone, whose pong takes its time.
        builder
            .keep_alive_interval(interval)
            .keep_alive_timeout(FOR_EVER);
    }
    Box::pin(builder.serve_connection(TokioIo::new(stream), requests))
}

impl<R, B> Connection for http1::UpgradeableConnection<Stream, R>
where
    R: HttpService<Incoming, ResBody = B, Error: Into<BoxError>>,
    B: Body<Error: Into<BoxError>> + 'static,
{
    fn graceful_shutdown(&mut self) {
        Pin::new(self).graceful_shutdown();
    }
}

impl<R, B> Connection for Pin<Box<http2::Connection<Stream, R, StreamExecutor>>>
where
    R: HttpService<Incoming, ResBody = B, Error: Into<BoxError>>,
    B: Body<Error: Into<BoxError>> + 'static,
    StreamExecutor: Http2ServerConnExec<R::Future, B>,
{
    fn graceful_shutdown(&mut self) {
        self.as_mut().graceful_shutdown();
    }
}
