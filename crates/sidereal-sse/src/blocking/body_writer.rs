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
use http::response::Parts;
use http_body::{Body, Frame};

use super::{
    block_on::{block_on, block_on_until},
    framing::Framing,
};
use crate::{EndReason, Transport};

/// How many pieces that are there are written after a future is ready: more than a stream's queue holds.
const AT_ONCE: usize = 256;

/// What a body gives when it is polled.
type Polled<B> = Option<Result<Frame<<B as Body>::Data>, <B as Body>::Error>>;

/// What a step has done.
enum Piece {
    Written,
    Over,
}

/// Writes the body of a response, by the thread that has it; made by
/// [`Exchange::begin`](super::Exchange::begin).
///
/// The body goes on only within the methods of this. Dropped before its end, the client counts as
/// gone.
pub struct BodyWriter<B: Body, W> {
    /// Until it is over.
    body: Option<B>,
    /// What the first poll gave, if it gave anything.
    first: Option<Polled<B>>,
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
    /// Begins the body, and then writes the head: who has that, has missed nothing of what the body
    /// follows.
    pub(super) fn begin(
        head: &Parts,
        body: B,
        writer: W,
        framing: Framing,
        transport: Transport,
    ) -> Self {
        let mut this = Self {
            // It never begins.
            body: (framing != Framing::NoBody).then_some(body),
            first: None,
            writer,
            framing,
            transport,
            failure: None,
        };
        block_on(poll_fn(|cx| {
            if let Some(body) = &mut this.body
                && let Poll::Ready(first) = Pin::new(body).poll_frame(cx)
            {
                this.first = Some(first);
            }
            Poll::Ready(())
        }));
        if let Err(error) = framing.write_head(head, &mut this.writer) {
            this.fail(error);
        }
        this
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
        let is_late = || until.is_some_and(|until| Instant::now() >= until);
        let mut over = pin!(poll_fn(|cx| {
            loop {
                match self.poll_piece(cx) {
                    // A body may have more to say than this has time.
                    Poll::Ready(Piece::Written) if is_late() => return Poll::Ready(()),
                    Poll::Ready(Piece::Written) => {}
                    Poll::Ready(Piece::Over) => return Poll::Ready(()),
                    Poll::Pending => return Poll::Pending,
                }
            }
        }));
        block_on_until(over.as_mut(), until);
    }

    /// Runs a future to its end, and writes what comes of the body meanwhile, and what is there then.
    /// `None` where the body is over first: the future is dropped, as a body's own future is.
    pub fn write_while<F: Future>(&mut self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        let output = block_on(poll_fn(|cx| {
            loop {
                if let Poll::Ready(output) = future.as_mut().poll(cx) {
                    return Poll::Ready(Some(output));
                }
                match self.poll_piece(cx) {
                    // What is written may be what the future waits for, and a body may never be silent.
                    Poll::Ready(Piece::Written) => {}
                    Poll::Ready(Piece::Over) => {
                        return Poll::Ready(match future.as_mut().poll(cx) {
                            Poll::Ready(output) => Some(output),
                            Poll::Pending => None,
                        });
                    }
                    Poll::Pending => return Poll::Pending,
                }
            }
        }));
        self.write_ready();
        output
    }

    /// Writes what is there, as far as that has an end.
    fn write_ready(&mut self) {
        let mut pieces = 0..AT_ONCE;
        block_on(poll_fn(|cx| {
            while pieces.next().is_some() && self.poll_piece(cx).is_ready() && !self.is_over() {}
            Poll::Ready(())
        }));
    }

    /// Ready when it is over; writes all that there is.
    fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Piece::Written = ready!(self.poll_piece(cx)) {}
        Poll::Ready(())
    }

    /// Writes the next piece.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Piece> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(Piece::Over);
        };
        let next = match self.first.take() {
            Some(first) => first,
            None => ready!(Pin::new(body).poll_frame(cx)),
        };
        let written = match next {
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
        Poll::Ready(match self.is_over() {
            true => Piece::Over,
            false => Piece::Written,
        })
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

impl<B: Body, W> fmt::Debug for BodyWriter<B, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyWriter")
            .field("framing", &self.framing)
            .field("is_over", &self.body.is_none())
            .finish_non_exhaustive()
    }
}
