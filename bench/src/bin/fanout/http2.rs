//! A connection that carries the streams of several subscribers, as a proxy's does.

use std::{io, net::SocketAddr};

use bytes::Bytes;
use h2::{RecvStream, client::SendRequest};
use sidereal::Codec;
use tokio::{net::TcpStream, task::spawn_local};

use crate::request;

/// How many subscribers to a connection.
pub(crate) const TO_A_CONNECTION: usize = 10;

/// How much a stream may be sent that is not read, in bytes; and all of a connection, which is never
/// full because one stream is not read.
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 16 << 20;

#[derive(Clone)]
pub(crate) struct Session {
    requests: SendRequest<Bytes>,
}

/// What comes on one stream.
pub(crate) struct Events {
    body: RecvStream,
    /// The connection ends when nobody has anything more to ask.
    _session: Session,
}

impl Session {
    pub(crate) async fn connect(address: SocketAddr) -> io::Result<Self> {
        let socket = TcpStream::connect(address).await?;
        let (requests, connection) = h2::client::Builder::new()
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .handshake(socket)
            .await
            .map_err(io::Error::other)?;
        // How it ends is told to its streams as well.
        spawn_local(async { drop(connection.await) });
        Ok(Self { requests })
    }

    pub(crate) async fn ask(&self, codec: Option<Codec>) -> io::Result<Events> {
        let mut requests = self
            .requests
            .clone()
            .ready()
            .await
            .map_err(io::Error::other)?;
        let (response, _) = requests
            .send_request(request::http2(codec), true)
            .map_err(io::Error::other)?;
        let response = response.await.map_err(io::Error::other)?;
        if !response.status().is_success() {
            return Err(io::Error::other(response.status().to_string()));
        }
        Ok(Events {
            body: response.into_body(),
            _session: self.clone(),
        })
    }
}

impl Events {
    /// `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<io::Result<Bytes>> {
        let data = self.body.data().await?.and_then(|data| {
            self.body.flow_control().release_capacity(data.len())?;
            Ok(data)
        });
        Some(data.map_err(io::Error::other))
    }
}
