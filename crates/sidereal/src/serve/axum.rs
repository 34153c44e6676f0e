//! The listener in `axum::serve`.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    io,
    net::SocketAddr,
    task::{Context, Poll},
};

use axum::{
    extract::connect_info::{ConnectInfo, Connected},
    serve::{IncomingStream, Listener as AxumListener},
};
use http::Request;
use sidereal_sse::Transport;
use tokio::net::TcpStream;
use tower_service::Service;

use super::{Listener, Peer, deadline::DeadlineStream};

impl AxumListener for Listener {
    type Io = DeadlineStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        Listener::accept(self).await
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Listener::local_addr(self)
    }
}

impl Connected<IncomingStream<'_, Listener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Listener>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// Tells an axum service of the connection below: each request gets the connection's [`Transport`]
/// and the client's address, as [`Peer`] and for the extractor `ConnectInfo<SocketAddr>`, into its
/// extensions. It stands in for `into_make_service` and `into_make_service_with_connect_info`.
///
/// Without it `axum::serve` closes stalled connections just as well, but their streams end as if
/// the client had left, with [`EndReason::Disconnected`](sidereal_sse::EndReason::Disconnected).
///
/// ```no_run
/// use axum::Router;
/// use sidereal::serve::{Listener, with_transport};
///
/// # async fn f() -> std::io::Result<()> {
/// let app = Router::new();
/// let listener = Listener::bind("127.0.0.1:3000").await?;
/// axum::serve(listener, with_transport(app)).await
/// # }
/// ```
pub fn with_transport<S>(service: S) -> WithTransport<S> {
    WithTransport { service }
}

/// Makes the services of connections; see [`with_transport`].
#[derive(Clone, Debug)]
pub struct WithTransport<S> {
    service: S,
}

impl<S: Clone> Service<IncomingStream<'_, Listener>> for WithTransport<S> {
    type Response = OnConnection<S>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, stream: IncomingStream<'_, Listener>) -> Self::Future {
        ready(Ok(OnConnection {
            service: self.service.clone(),
            transport: stream.io().transport().clone(),
            peer: Peer(*stream.remote_addr()),
        }))
    }
}

/// The service of one connection; see [`with_transport`].
#[derive(Clone, Debug)]
pub struct OnConnection<S> {
    service: S,
    transport: Transport,
    peer: Peer,
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for OnConnection<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        let extensions = request.extensions_mut();
        extensions.insert(self.transport.clone());
        extensions.insert(self.peer);
        extensions.insert(ConnectInfo(self.peer.0));
        self.service.call(request)
    }
}
