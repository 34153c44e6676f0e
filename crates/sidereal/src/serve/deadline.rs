//! A byte stream whose writes cannot wait for ever.

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use sidereal_sse::{EndReason, Transport};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Sleep,
};

use super::give_up;

/// A byte stream, such as a socket, with a write deadline: a write, flush or shutdown that has
/// been pending for that long without any progress fails with [`io::ErrorKind::TimedOut`].
///
/// Why it lives here and not in a response body: once its buffers are full, a server never polls
/// the body again, and no timer in there fires. Before the error comes, the [`Transport`] is told,
/// so that streams on this connection end with [`EndReason::WriteDeadline`] and not as if their
/// client had left.
///
/// A slow reader is no stalled one: every byte that the stream takes starts the time anew. The
/// timer exists only while something is pending. After the error every further write fails alike.
///
/// Under TLS, this wraps the socket, and TLS wraps this: TLS that is wrapped would hide the progress
/// it makes in a flush.
///
/// ```no_run
/// use std::time::Duration;
/// use sidereal::serve::DeadlineStream;
///
/// # async fn f() -> std::io::Result<()> {
/// let socket = tokio::net::TcpStream::connect("127.0.0.1:3000").await?;
/// let stream = DeadlineStream::new(socket, Duration::from_secs(30));
/// let transport = stream.transport().clone(); // for the extensions of its requests
/// # Ok(())
/// # }
/// ```
pub struct DeadlineStream<S> {
    stream: S,
    deadline: Option<Duration>,
    transport: Transport,
    wait: Option<Wait>,
    expired: bool,
}

/// Something is pending.
struct Wait {
    timer: Pin<Box<Sleep>>,
    /// It is a write. A flush that is ready is then no sign of progress: a socket's always is.
    write: bool,
}

impl<S> DeadlineStream<S> {
    /// Wraps a stream. `None` or zero is no deadline at all.
    pub fn new(stream: S, deadline: impl Into<Option<Duration>>) -> Self {
        Self {
            stream,
            deadline: deadline.into().filter(|deadline| !deadline.is_zero()),
            transport: Transport::new(),
            wait: None,
            expired: false,
        }
    }

    /// The connection as the streams on it know it: it belongs into the extensions of each request,
    /// and is told when the deadline passes. [`serve`](super::serve()) puts it there by itself.
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// The stream inside.
    pub fn inner(&self) -> &S {
        &self.stream
    }

    /// The stream inside, without its deadline.
    pub fn into_inner(self) -> S {
        self.stream
    }

    fn give_up(&mut self) -> io::Error {
        self.expired = true;
        self.wait = None;
        give_up(&self.transport, EndReason::WriteDeadline);
        io::Error::new(
            io::ErrorKind::TimedOut,
            "the client did not read within the write deadline",
        )
    }

    /// After `polled`: waits no longer, waits on, or has waited too long.
    fn watch<T>(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
        write: bool,
    ) -> Poll<io::Result<T>> {
        match polled {
            Poll::Ready(result) => {
                if write || !self.wait.as_ref().is_some_and(|wait| wait.write) {
                    self.wait = None;
                }
                Poll::Ready(self.notice(result))
            }
            Poll::Pending => {
                let Some(deadline) = self.deadline else {
                    return Poll::Pending;
                };
                let wait = self.wait.get_or_insert_with(|| Wait {
                    timer: Box::pin(tokio::time::sleep(deadline)),
                    write,
                });
                wait.write |= write;
                match wait.timer.as_mut().poll(cx) {
                    Poll::Ready(()) => Poll::Ready(Err(self.give_up())),
                    Poll::Pending => Poll::Pending,
                }
            }
        }
    }

    /// The kernel has a deadline too (`TCP_USER_TIMEOUT`), for peers that acknowledge nothing.
    fn notice<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result
            && error.kind() == io::ErrorKind::TimedOut
        {
            give_up(&self.transport, EndReason::WriteDeadline);
        }
        result
    }

    fn check(&self) -> io::Result<()> {
        if self.expired {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for DeadlineStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_read(cx, buffer);
        polled.map(|result| this.notice(result))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for DeadlineStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.check()?;
        let polled = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.watch(cx, polled, true)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.check()?;
        let polled = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        this.watch(cx, polled, true)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.check()?;
        let polled = Pin::new(&mut this.stream).poll_flush(cx);
        this.watch(cx, polled, false)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.check()?;
        let polled = Pin::new(&mut this.stream).poll_shutdown(cx);
        this.watch(cx, polled, false)
    }
}

impl<S: fmt::Debug> fmt::Debug for DeadlineStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadlineStream")
            .field("stream", &self.stream)
            .field("deadline", &self.deadline)
            .field("expired", &self.expired)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn a_write_nobody_reads_times_out_and_so_does_every_later_one() {
        let (ours, _theirs) = tokio::io::duplex(16);
        let mut stream = DeadlineStream::new(ours, DEADLINE);
        let begun = tokio::time::Instant::now();
        let error = stream.write_all(&[0; 17]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(begun.elapsed().as_secs(), 30);
        let error = stream.write_all(b"x").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_reader_is_not_cut_off() {
        let (ours, mut theirs) = tokio::io::duplex(1);
        let mut stream = DeadlineStream::new(ours, DEADLINE);
        let reader = tokio::spawn(async move {
            let mut read = Vec::new();
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_secs(29)).await;
                read.push(theirs.read_u8().await.unwrap());
            }
            read
        });
        stream.write_all(b"0123456789").await.unwrap();
        assert_eq!(reader.await.unwrap(), b"0123456789");
    }

    /// hyper asks for a write and then for a flush in one poll. A socket's flush is always ready,
    /// and once stopped the write's timer.
    #[tokio::test(start_paused = true)]
    async fn a_ready_flush_is_no_progress() {
        let (ours, _theirs) = tokio::io::duplex(1);
        let mut stream = DeadlineStream::new(ours, DEADLINE);
        let result = std::future::poll_fn(|cx| {
            let mut stream = Pin::new(&mut stream);
            loop {
                let written = stream.as_mut().poll_write(cx, b"x");
                if let Poll::Ready(Err(error)) = written {
                    return Poll::Ready(error);
                }
                assert!(stream.as_mut().poll_flush(cx).is_ready());
                if written.is_pending() {
                    return Poll::Pending;
                }
            }
        });
        let error = tokio::time::timeout(DEADLINE * 2, result).await.unwrap();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_deadline_writes_wait() {
        let (ours, _theirs) = tokio::io::duplex(1);
        let mut stream = DeadlineStream::new(ours, None);
        let write = stream.write_all(b"xx");
        assert!(tokio::time::timeout(DEADLINE * 9, write).await.is_err());
    }
}
