//! A TCP listener whose sockets hold little and wait no longer than the write deadline.

use std::{io, net::SocketAddr, time::Duration};

use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};

use super::deadline::DeadlineStream;

/// How long accepting pauses when the process or the system has run out of something, such as file
/// descriptors: at once there would still be none. axum and hyper 0.14 wait as long.
const OUT_OF_SOMETHING: Duration = Duration::from_secs(1);

/// Times from here on are for ever: 30 years. hyper adds them to the present, and panics where the
/// sum is more than the clock can tell.
pub(super) const FOR_EVER: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// A time that can be waited for; `None` for ever, which zero is as well.
pub(super) fn bounded(time: impl Into<Option<Duration>>) -> Option<Duration> {
    time.into()
        .filter(|time| !time.is_zero() && *time < FOR_EVER)
}

/// A TCP listener whose connections have a write deadline and a small unsent-data mark.
///
/// [`serve`](super::serve()) takes it, and with the feature `axum-listener` so does `axum::serve`.
///
/// | setting | default | on platforms |
/// |---|---|---|
/// | [`write_deadline`](Self::write_deadline) | 30 s | all; the kernel's part on Linux and Android |
/// | [`unsent_mark`](Self::unsent_mark) | 16 KiB | Linux and Android |
/// | `TCP_NODELAY` | on: an event waits for no other | all |
///
/// ```no_run
/// use std::time::Duration;
///
/// # async fn f() -> std::io::Result<()> {
/// let listener = sidereal::serve::Listener::bind("127.0.0.1:3000")
///     .await?
///     .write_deadline(Duration::from_secs(10));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Listener {
    listener: TcpListener,
    socket: SocketSettings,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct SocketSettings {
    pub(super) write_deadline: Option<Duration>,
    pub(super) unsent_mark: Option<u32>,
}

impl Default for SocketSettings {
    fn default() -> Self {
        Self {
            write_deadline: Some(Duration::from_secs(30)),
            unsent_mark: Some(16 << 10),
        }
    }
}

impl Listener {
    /// Listens on an address.
    ///
    /// # Errors
    ///
    /// As [`TcpListener::bind`]: the address is in use, or not one's own.
    pub async fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        TcpListener::bind(address).await.map(Self::new)
    }

    /// From a listener that there is already. Its sockets get the default settings.
    pub fn new(listener: TcpListener) -> Self {
        Self {
            listener,
            socket: SocketSettings::default(),
        }
    }

    /// How long a connection's writes may be stuck before it is closed. Default 30 s; `None`, zero or
    /// more than 30 years for ever.
    ///
    /// Where the platform has it, the kernel gets twice this time (`TCP_USER_TIMEOUT`) for bytes
    /// that nobody acknowledges: without it a peer that vanished from the net, and is sent only
    /// heartbeats, is noticed after a quarter of an hour.
    ///
    /// TCP tells of new room in steps, of a segment or of as much as the reader's receive buffer. On
    /// the loopback interface, where segments are large, steps of 64 KiB were seen, and of up to
    /// 330 KB for a buffer of 256 KiB: a reader counts as stalled that reads less in a deadline.
    pub fn write_deadline(mut self, deadline: impl Into<Option<Duration>>) -> Self {
        self.socket.write_deadline = bounded(deadline);
        self
    }

    /// How many bytes the kernel may hold that it has not sent yet (`TCP_NOTSENT_LOWAT`), in bytes.
    /// Default 16 KiB; `None` or zero for as many as fit the socket's send buffer.
    ///
    /// What the kernel holds was accepted, is not delivered, and grows old there. Measured on the
    /// loopback interface, for a reader that has stopped, and one that reads as fast as it can:
    ///
    /// | mark | events of 128 B accepted before sending waits | chunks of 1 KiB | chunks of 64 KiB |
    /// |---|---|---|---|
    /// | none | 29,398 (3.6 MiB) | 1.25 GB/s | 4.1 GB/s |
    /// | 128 KiB | 1,619 | 1.29 GB/s | 3.2 GB/s |
    /// | 32 KiB | 1,170 | 1.27 GB/s | 2.5 GB/s |
    /// | 16 KiB | 906 (113 KiB) | 1.22 GB/s | 2.5 GB/s |
    /// | 4 KiB | 906 | 1.07 GB/s | 2.4 GB/s |
    ///
    /// The rest is in the client's receive buffer and in hyper's.
    pub fn unsent_mark(mut self, bytes: impl Into<Option<u32>>) -> Self {
        self.socket.unsent_mark = bytes.into().filter(|bytes| *bytes > 0);
        self
    }

    /// The address that this listens on.
    ///
    /// # Errors
    ///
    /// As [`TcpListener::local_addr`].
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The next connection. Errors of single connections are skipped; when the process is out of
    /// file descriptors, it is logged, and tried again after a second.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, no connection is lost.
    pub async fn accept(&mut self) -> (DeadlineStream<TcpStream>, SocketAddr) {
        let (stream, peer) = self.accept_socket().await;
        self.socket.apply(&stream);
        (
            DeadlineStream::new(stream, self.socket.write_deadline),
            peer,
        )
    }

    pub(super) fn settings(&self) -> SocketSettings {
        self.socket
    }

    pub(super) async fn accept_socket(&self) -> (TcpStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok(accepted) => return accepted,
                Err(error) if is_of_connection(&error) => {}
                Err(error) => {
                    tracing::error!(target: super::TARGET, %error, "cannot accept connections");
                    tokio::time::sleep(OUT_OF_SOMETHING).await;
                }
            }
        }
    }
}

impl SocketSettings {
    pub(super) fn apply(self, stream: &TcpStream) {
        // A socket that refuses an option still serves; without it things are as elsewhere.
        if let Err(error) = self.try_apply(stream) {
            tracing::debug!(target: super::TARGET, %error, "a socket option was refused");
        }
    }

    fn try_apply(self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        #[cfg(any(target_os = "linux", target_os = "android"))]
        {
            let socket = socket2::SockRef::from(stream);
            if let Some(bytes) = self.unsent_mark {
                socket.set_tcp_notsent_lowat(bytes)?;
            }
            if let Some(deadline) = self.write_deadline {
                // Twice, so that it stays out of the way of the deadline above it: the kernel
                // resets, and with that takes back what was delivered and not read yet.
                socket.set_tcp_user_timeout(Some(deadline.saturating_mul(2)))?;
            }
        }
        Ok(())
    }
}

fn is_of_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Self {
        Self::new(listener)
    }
}
