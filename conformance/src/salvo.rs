//! `/test` on salvo.

use std::{io, net::SocketAddr};

use salvo_core::{
    Depot, FlowCtrl, Request, Response, Router, Scribe, Server, Writer,
    conn::tcp::TcpAcceptor,
    handler,
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{CONTENT_TYPE, VARY},
        request::SecureMaxSize,
    },
};
use serde_json::value::RawValue;
use sidereal::{Connect, Signals};
use tokio::net::TcpListener;

use crate::{BODY_LIMIT, announce, config, test_case};

#[tokio::main]
pub(crate) async fn serve(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    announce(listener.local_addr()?);
    let acceptor = TcpAcceptor::try_from(listener)?;
    Server::new(acceptor).try_serve(router()).await
}

fn router() -> Router {
    Router::with_path("test")
        .hoop(vary)
        .hoop(as_datastar)
        .hoop(SecureMaxSize(BODY_LIMIT))
        .hoop(config())
        .goal(test)
}

/// Whoever asks here is taken for the Datastar client, whatever its tools call their JSON.
#[handler]
async fn as_datastar(request: &mut Request) {
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let name = HeaderName::from_static("datastar-request");
    headers.insert(name, HeaderValue::from_static("true"));
}

/// What is not negotiated, a refusal for one, might have been: a cache must not give it to others.
#[handler]
async fn vary(
    request: &mut Request,
    depot: &mut Depot,
    response: &mut Response,
    ctrl: &mut FlowCtrl,
) {
    ctrl.call_next(request, depot, response).await;
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
}

#[handler]
async fn test(connect: Connect, case: Signals<Box<RawValue>>, response: &mut Response) {
    match test_case::frames(case.get()) {
        Ok(frames) => connect.reply(frames).render(response),
        Err(refused) => {
            response.status_code(StatusCode::BAD_REQUEST);
            response.render(refused.to_string());
        }
    }
}
