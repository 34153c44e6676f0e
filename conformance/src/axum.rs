//! `/test` on axum.

use std::{io, net::SocketAddr};

use axum::{
    Extension, Router,
    extract::Request,
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_TYPE, HeaderName, VARY},
    },
    middleware::{map_request, map_response},
    response::{IntoResponse, Response},
    routing::any,
};
use serde_json::value::RawValue;
use sidereal::{Connect, Signals};
use tokio::net::TcpListener;

use crate::{announce, config, test_case};

#[tokio::main]
pub(crate) async fn serve(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    announce(listener.local_addr()?);
    axum::serve(listener, router()).await
}

fn router() -> Router {
    Router::new()
        .route("/test", any(test))
        .layer(Extension(config()))
        .layer(map_response(vary))
        .layer(map_request(as_datastar))
}

/// Whoever asks here is taken for the Datastar client, whatever its tools call their JSON.
async fn as_datastar(mut request: Request) -> Request {
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let name = HeaderName::from_static("datastar-request");
    headers.insert(name, HeaderValue::from_static("true"));
    request
}

/// What is not negotiated, a refusal for one, might have been: a cache must not give it to others.
async fn vary(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    response
}

async fn test(connect: Connect, Signals(case): Signals<Box<RawValue>>) -> Response {
    match test_case::frames(case.get()) {
        Ok(frames) => connect.reply(frames).into_response(),
        Err(refused) => (StatusCode::BAD_REQUEST, refused.to_string()).into_response(),
    }
}
