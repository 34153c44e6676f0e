//! `/test` on poem.

use std::{io, net::SocketAddr};

use poem::{
    Endpoint, EndpointExt, IntoResponse, Request, Response, Route, Server, handler,
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_TYPE, HeaderName, VARY},
    },
    listener::TcpAcceptor,
};
use serde_json::value::RawValue;
use sidereal::{Connect, Signals};
use tokio::net::TcpListener;

use crate::{announce, config, test_case};

#[tokio::main]
pub(crate) async fn serve(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    announce(listener.local_addr()?);
    let acceptor = TcpAcceptor::from_tokio(listener)?;
    Server::new_with_acceptor(acceptor).run(routes()).await
}

fn routes() -> impl Endpoint {
    Route::new()
        .at("/test", test)
        .data(config())
        .before(as_datastar)
        .map_to_response()
        .catch_all_error(async |error: poem::Error| error.into_response())
        .after(vary)
}

/// Whoever asks here is taken for the Datastar client, whatever its tools call their JSON.
async fn as_datastar(mut request: Request) -> poem::Result<Request> {
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let name = HeaderName::from_static("datastar-request");
    headers.insert(name, HeaderValue::from_static("true"));
    Ok(request)
}

/// What is not negotiated, a refusal for one, might have been: a cache must not give it to others.
async fn vary(response: poem::Result<Response>) -> poem::Result<Response> {
    let mut response = response?;
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    Ok(response)
}

#[handler]
async fn test(connect: Connect, Signals(case): Signals<Box<RawValue>>) -> Response {
    match test_case::frames(case.get()) {
        Ok(frames) => connect.reply(frames).into_response(),
        Err(refused) => (StatusCode::BAD_REQUEST, refused.to_string()).into_response(),
    }
}
