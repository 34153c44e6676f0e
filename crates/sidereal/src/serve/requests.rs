//! The service as hyper calls it: what is put into requests, and around responses.

use std::{
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::Poll,
};

use http::{HeaderValue, Method, Request, Response, StatusCode, header::CONTENT_LENGTH};
use http_body::Body;
use hyper::body::Incoming;
use sidereal_sse::Transport;
use tower_service::Service;

use super::{
    BoxError,
    connection::Shared,
    outbox::Outbox,
    stalled::{StreamExecutor, Watch},
    tracked::Tracked,
};

/// The address of the client's end of the connection, in the extensions of each request that
/// [`serve`](super::serve()) serves. Behind a proxy, it is the proxy's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Peer(pub SocketAddr);

/// Calls a tower service for the requests of one connection.
pub(super) struct Requests<S> {
    pub(super) service: S,
    pub(super) peer: SocketAddr,
    pub(super) transport: Transport,
    /// HTTP/2's.
    pub(super) streams: Option<StreamExecutor>,
    pub(super) shared: Arc<Shared>,
}

type Called<B, E> = Pin<Box<dyn Future<Output = Result<Response<Tracked<B>>, E>> + Send>>;

impl<S, B> hyper::service::Service<Request<Incoming>> for Requests<S>
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Body<Error: Into<BoxError>> + 'static,
{
    type Response = Response<Tracked<B>>;
    type Error = S::Error;
    type Future = Called<B, S::Error>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let http2 = self.streams.is_some();
        let outbox = Arc::new(match http2 {
            true => Outbox::timed(),
            false => Outbox::default(),
        });
        // On HTTP/1.1 hyper sees to it.
        let without_body = http2 && request.method() == Method::HEAD;
        let transport = match &self.streams {
            None => self.transport.clone(),
            Some(streams) => {
                let stream = Transport::new();
                streams.watch_next(Watch {
                    connection: self.transport.clone(),
                    stream: stream.clone(),
                    outbox: Arc::clone(&outbox),
                    deadline: self.shared.settings.write_deadline,
                    _shared: Arc::clone(&self.shared),
                });
                stream
            }
        };
        let extensions = request.extensions_mut();
        extensions.insert(self.shared.shutdown.clone());
        extensions.insert(transport);
        extensions.insert(Peer(self.peer));

        let mut service = self.service.clone();
        let mut called: Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(async move {
            std::future::poll_fn(|cx| service.poll_ready(cx)).await?;
            service.call(request).await
        });
        Box::pin(async move {
            let response = std::future::poll_fn(|cx| {
                match catch_unwind(AssertUnwindSafe(|| called.as_mut().poll(cx))) {
                    Ok(polled) => polled.map(|result| result.map(Some)),
                    Err(_) => Poll::Ready(Ok(None)),
                }
            });
            match response.await? {
                Some(response) if without_body => Ok(head_only(response, outbox, http2)),
                Some(response) => Ok(response.map(|body| Tracked::new(body, outbox, http2))),
                None => Ok(panicked(outbox, http2)),
            }
        })
    }
}

/// The answer to a HEAD request: the head of what GET would get, its length included.
fn head_only<B: Body>(
    response: Response<B>,
    outbox: Arc<Outbox>,
    http2: bool,
) -> Response<Tracked<B>> {
    let (mut head, body) = response.into_parts();
    let has_length = !head.status.is_informational()
        && ![StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&head.status);
    // An empty body may be one that was left out because of the HEAD, and says nothing of GET.
    if let Some(length @ 1..) = body.size_hint().exact()
        && has_length
    {
        head.headers
            .entry(CONTENT_LENGTH)
            .or_insert_with(|| HeaderValue::from(length));
    }
    Response::from_parts(head, Tracked::empty(outbox, http2))
}

/// The answer for a service that panicked: a page asks once, and sees a 500. Of a connection that
/// is only closed, Firefox asks ten times.
fn panicked<B: Body>(outbox: Arc<Outbox>, http2: bool) -> Response<Tracked<B>> {
    tracing::error!(target: super::TARGET, "the service panicked, the client gets a 500");
    let mut response = Response::new(Tracked::empty(outbox, http2));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
