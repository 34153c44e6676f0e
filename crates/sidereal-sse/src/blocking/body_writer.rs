//! A body on its way into a writer.

use std::{
    error::Error,
    fmt,
    future::poll_fn,
    io::{self, ErrorKind, Write},
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use bytes::Buf;
use http_body::Body;

use super::{
    block_on::{block_on, block_on_until},
    framing::Framing,
};
use crate::{EndReason, Transport};

/// Writes the body of a response, by the thread that has it; made by
/// [`Exchange::begin`](super::Exchange::begin).
///
/// The body goes on only within the methods of this. Dropped before its end, the client counts as
/// gone.
pub struct BodyWriter<B, W> {
    /// Until it is over.
    body: Option<B>,
    writer: W,
    framing: Framing,
    transport: Transport,
    /// Why it was over before its end.
    failure: Option<io::Error>,
}

impl<B, W> BodyWriter<B, W>
where
    B: Body<Data: Buf, Error: Into<Box<dyn Error + Send + Sync>>> + Unpin,
    W: Write,
{
    pub(super) fn new(body: B, writer: W, framing: Framing, transport: Transport) -> Self {
        Self {
            // It never begins.
            body: (framing != Framing::NoBody).then_some(body),
            writer,
            framing,
            transport,
            failure: None,
        }
    }

    /// Whether all of it is written, or nothing more can be.
    pub fn is_over(&self) -> bool {
        self.body.is_none()
    }

    /// Writes the body to its end.
    ///
    /// # Errors
    ///
    /// As [`Exchange::write`](super::Exchange::write).
    pub fn finish(mut self) -> io::Result<()> {
        block_on(poll_fn(|cx| self.poll_over(cx)));
        self.failure.map_or(Ok(()), Err)
    }

    /// Writes what comes of the body, until it is over or so much time has passed.
    pub fn write_for(&mut self, time: Duration) {
        let until = Instant::now().checked_add(time);
        let mut over = pin!(poll_fn(|cx| self.poll_over(cx)));
        block_on_until(over.as_mut(), until);
    }

    /// Runs a future to its end, and writes what comes of the body meanwhile; then all that is there.
    pub fn write_while<F: Future>(&mut self, future: F) -> F::Output {
        let mut future = pin!(future);
        block_on(poll_fn(|cx| {
            let output = future.as_mut().poll(cx);
            // What the future made way for goes out, and what is written may make way for it.
            let _ = self.poll_over(cx);
            match output {
                Poll::Pending => future.as_mut().poll(cx).map(|output| {
                    let _ = self.poll_over(cx);
                    output
                }),
                ready => ready,
            }
        }))
    }

    /// Ready when it is over; writes all that there is.
    fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(body) = &mut self.body {
            let written = match ready!(Pin::new(body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.write(data),
                    // Trailers: nobody was told that they would come.
                    Err(_) => Ok(()),
                },
                Some(Err(error)) => {
                    let broken = self.framing.write_broken(&mut self.writer);
                    broken.and(Err(io::Error::new(ErrorKind::ConnectionAborted, error)))
                }
                None => {
                    self.body = None;
                    self.framing.write_end(&mut self.writer)
                }
            };
            if let Err(error) = written {
                self.fail(error);
            }
        }
        Poll::Ready(())
    }

    fn write(&mut self, mut data: B::Data) -> io::Result<()> {
        while data.has_remaining() {
            let piece = data.chunk();
            self.framing.write_data(piece, &mut self.writer)?;
            let length = piece.len();
            data.advance(length);
        }
        Ok(())
    }

    fn fail(&mut self, error: io::Error) {
        // A socket's write timeout is one or the other.
        if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) {
            self.transport.give_up(EndReason::WriteDeadline);
        }
        self.failure.get_or_insert(error);
        self.body = None;
    }
}

impl<B, W> fmt::Debug for BodyWriter<B, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyWriter")
            .field("framing", &self.framing)
            .field("is_over", &self.body.is_none())
            .finish_non_exhaustive()
    }
}
