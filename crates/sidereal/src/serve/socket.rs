//! A socket that can be watched while hyper reads and writes it.

use std::{
    future::poll_fn,
    io,
    net::Shutdown,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready},
    net::TcpStream,
    sync::OwnedSemaphorePermit,
    time::{sleep, timeout},
};

use super::workers::Counted;

/// After how many deadlines without a sign a peer counts as gone. A ping waits behind what is in
/// both kernels; that is some 256 KiB for a reader that was always slow, and one that reads 64 KiB
/// in a deadline is not stalled.
const SILENT_DEADLINES: u32 = 4;

/// How long a connection that is over takes in what the client still sends, and how many bytes.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 1 << 20;

/// How HTTP/2 begins (RFC 9113, section 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The socket as hyper has it. Closed when this and its [`SocketWatch`] are dropped.
#[derive(Debug)]
pub(super) struct Socket {
    shared: Arc<Shared>,
    /// The last write found no room.
    was_full: bool,
    /// What was read to see how the client begins, and not by hyper yet.
    begun: Begun,
}

/// The first bytes of a connection.
#[derive(Debug, Default)]
struct Begun {
    bytes: [u8; PREFACE.len()],
    length: u8,
}

/// The socket as the task of its connection has it.
#[derive(Clone, Debug)]
pub(super) struct SocketWatch {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    stream: TcpStream,
    /// Reads that took something.
    reads: AtomicUsize,
    /// Writes that found room after there was none: the peer has read.
    relieved: AtomicUsize,
    /// A place among the server's connections, free again when the socket is closed.
    _place: Option<OwnedSemaphorePermit>,
    _counted: Option<Counted>,
}

impl Socket {
    pub(super) fn new(
        stream: TcpStream,
        place: Option<OwnedSemaphorePermit>,
        counted: Option<Counted>,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                stream,
                reads: AtomicUsize::new(0),
                relieved: AtomicUsize::new(0),
                _place: place,
                _counted: counted,
            }),
            was_full: false,
            begun: Begun::default(),
        }
    }

    pub(super) fn watch(&self) -> SocketWatch {
        SocketWatch {
            shared: Arc::clone(&self.shared),
        }
    }

    /// Whether the client begins as HTTP/2 does: ready as soon as its bytes tell, at once or one by
    /// one.
    pub(super) async fn begins_http2(&mut self) -> io::Result<bool> {
        loop {
            let begun = self.begun.bytes();
            if begun != &PREFACE[..begun.len()] {
                return Ok(false);
            }
            if begun.len() == PREFACE.len() {
                return Ok(true);
            }
            let length = begun.len();
            let mut buffer = ReadBuf::new(&mut self.begun.bytes[length..]);
            let shared = &self.shared;
            poll_fn(|cx| shared.poll_read(cx, &mut buffer)).await?;
            match buffer.filled().len() {
                0 => return Ok(false),
                // Fits: it is one of few bytes.
                count => self.begun.length += count as u8,
            }
        }
    }

    fn poll_write_with(
        &mut self,
        cx: &mut Context<'_>,
        wanted: usize,
        mut write: impl FnMut(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let stream = &self.shared.stream;
        loop {
            let Poll::Ready(ready) = stream.poll_write_ready(cx) else {
                self.was_full = true;
                return Poll::Pending;
            };
            ready?;
            match in_full(stream, Interest::WRITABLE, wanted, || write(stream)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => {
                    if self.was_full && result.is_ok() {
                        self.was_full = false;
                        self.shared.relieved.fetch_add(1, Ordering::Relaxed);
                    }
                    return Poll::Ready(result);
                }
            }
        }
    }
}

/// Does what tokio's `poll_read` and `poll_write` do, which want the socket to themselves: with epoll,
/// fewer bytes than were asked for say that there are no more, and spare the call that would find
/// that out.
fn in_full(
    stream: &TcpStream,
    interest: Interest,
    wanted: usize,
    mut operation: impl FnMut() -> io::Result<usize>,
) -> io::Result<usize> {
    let mut some = None;
    let result = stream.try_io(interest, || {
        let count = operation()?;
        if cfg!(any(target_os = "linux", target_os = "android")) && 0 < count && count < wanted {
            some = Some(count);
            // To tokio, the socket is not ready any more.
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(count)
    });
    some.map_or(result, Ok)
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.begun.length == 0 {
            return this.shared.poll_read(cx, buffer);
        }
        this.begun.take(buffer);
        // The rest of the request comes along. In a second read it would be, and for that hyper
        // makes its buffer twice as large, for as long as the connection is there.
        match buffer.remaining() {
            0 => Poll::Ready(Ok(())),
            _ => match this.shared.poll_read(cx, buffer) {
                Poll::Pending => Poll::Ready(Ok(())),
                ready => ready,
            },
        }
    }
}

impl Begun {
    fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// Puts what fits into the buffer.
    fn take(&mut self, buffer: &mut ReadBuf<'_>) {
        let length = usize::from(self.length);
        let count = length.min(buffer.remaining());
        buffer.put_slice(&self.bytes[..count]);
        self.bytes.copy_within(count..length, 0);
        self.length -= count as u8;
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.poll_write_with(cx, bytes.len(), |stream| stream.try_write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let wanted = slices.iter().map(|slice| slice.len()).sum();
        this.poll_write_with(cx, wanted, |stream| stream.try_write_vectored(slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.shared.shut_down_writing())
    }
}

impl Shared {
    fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let stream = &self.stream;
        let wanted = buffer.remaining();
        loop {
            ready!(stream.poll_read_ready(cx))?;
            let read = || stream.try_read_buf(buffer);
            match in_full(stream, Interest::READABLE, wanted, read) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
                Ok(count) => {
                    if count > 0 {
                        self.reads.fetch_add(1, Ordering::Relaxed);
                    }
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }

    fn shut_down_writing(&self) -> io::Result<()> {
        match socket2::SockRef::from(&self.stream).shutdown(Shutdown::Write) {
            // The client was faster.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            result => result,
        }
    }

    /// Throws away what has come in, at most this many bytes.
    ///
    /// Returns how many it was, or `None` when no more will come.
    fn discard(&self, at_most: usize) -> Option<usize> {
        let mut buffer = [0; 4 << 10];
        let mut discarded = 0;
        while discarded < at_most {
            match self.stream.try_read(&mut buffer) {
                Ok(0) => return None,
                Ok(count) => discarded += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => return None,
            }
        }
        Some(discarded)
    }
}

impl SocketWatch {
    /// Ready when the client has closed the connection, or its own direction of it: then that is what
    /// the readiness says. hyper sees it by itself, unless something is unread before it: it reads no
    /// further than it has a use for.
    ///
    /// On platforms other than Linux and Android it is never ready.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(super) fn left(&self) -> impl Future<Output = io::Result<Ready>> {
        // Readiness to be read would be there with the first unread byte. Urgent data is never
        // asked for, so of this kind of readiness only the end of the stream is left.
        self.shared.stream.ready(Interest::PRIORITY)
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub(super) fn left(&self) -> impl Future<Output = io::Result<Ready>> {
        std::future::pending()
    }

    /// Ready when a peer that is sent pings has given no sign of life for [`SILENT_DEADLINES`].
    ///
    /// Any byte from it is one, and that it reads. A pong alone would not do: it comes when all that
    /// was sent before the ping has been read, and with a slow reader that takes its time.
    ///
    /// `is_pinged`: whether it is sent pings by now.
    pub(super) async fn silent(&self, deadline: Duration, is_pinged: impl Fn() -> bool) {
        let mut signs = self.signs();
        let mut without = 0;
        while without < SILENT_DEADLINES {
            sleep(deadline).await;
            let now = self.signs();
            match is_pinged() && now == signs {
                true => without += 1,
                false => without = 0,
            }
            signs = now;
        }
    }

    fn signs(&self) -> (usize, usize) {
        let Shared {
            reads, relieved, ..
        } = &*self.shared;
        (
            reads.load(Ordering::Relaxed),
            relieved.load(Ordering::Relaxed),
        )
    }

    /// Closes a socket that hyper is done with, unless it was upgraded and is someone else's.
    ///
    /// Where input is unread, the kernel resets the connection, and takes back what the client has
    /// not read yet. So that is read first, for at most a second and a mebibyte.
    pub(super) async fn close(self) {
        let Some(shared) = Arc::into_inner(self.shared) else {
            return;
        };
        let mut allowed = LINGER_BYTES;
        let mut discard = || {
            let discarded = shared.discard(allowed)?;
            allowed = allowed.saturating_sub(discarded);
            (allowed > 0).then_some(discarded)
        };
        if discard().is_none_or(|discarded| discarded == 0) || shared.shut_down_writing().is_err() {
            return;
        }
        let ended =
            async { while shared.stream.readable().await.is_ok() && discard().is_some() {} };
        let _ = timeout(LINGER, ended).await;
    }
}
