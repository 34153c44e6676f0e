//! A subscriber that asks, and reads nothing while the others do.

use std::{io, net::SocketAddr, time::Duration};

use bench::recording;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use crate::{
    http2::{Events, Session},
    load::Load,
    request,
};

/// Of the socket that it reads nothing of, in bytes: the least that Linux allows is a bit more.
const RECEIVE_BUFFER: u32 = 2048;

/// How long it may take to be closed, once it reads.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) enum Stalled {
    Http1(TcpStream),
    /// Beside streams that are read, on one connection.
    Http2(Events),
}

impl Stalled {
    pub(crate) async fn http1(address: SocketAddr) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
        let mut socket = socket.connect(address).await?;
        socket.write_all(request::http1(None).as_bytes()).await?;
        Ok(Self::Http1(socket))
    }

    pub(crate) async fn http2(session: &Session) -> io::Result<Self> {
        session.ask(None).await.map(Self::Http2)
    }

    /// Now it reads what there is for it, until it is closed: as topics treat one that lags, unless
    /// they are told otherwise.
    ///
    /// Returns how many events it missed.
    ///
    /// # Errors
    ///
    /// When it is not closed, or missed none: then it was not sent enough to lag.
    pub(crate) async fn read_on(self, load: &Load, events: u64) -> io::Result<u64> {
        let is_closed = "the stalled one is not closed";
        let elements = timeout(PATIENCE, self.all())
            .await
            .map_err(|_| io::Error::other(is_closed))??;
        for (tick, elements) in (0..).zip(&elements) {
            if *elements != load.content.elements(tick) {
                return Err(io::Error::other("the stalled one has a wrong event"));
            }
        }
        match events.saturating_sub(elements.len() as u64) {
            0 => Err(io::Error::other("the stalled one did not lag")),
            missed => Ok(missed),
        }
    }

    /// The elements of all events until it is closed.
    async fn all(self) -> io::Result<Vec<String>> {
        let mut recorded = Vec::new();
        match self {
            Self::Http1(mut socket) => {
                while socket.read_buf(&mut recorded).await? > 0 {}
                recording::elements(None, &recorded)
            }
            Self::Http2(mut stream) => {
                // It ends with an error: with `RST_STREAM`.
                while let Some(Ok(data)) = stream.next().await {
                    recorded.extend_from_slice(&data);
                }
                recording::of_body(None, &recorded)
            }
        }
    }
}
