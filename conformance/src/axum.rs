//! axum, by `axum::serve`.

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
    routing::{any, get, post},
};
use serde_json::value::RawValue;
use sidereal::{Connect, IsDatastar, LastEventId, LenientSignals, PatchElements, Signals};
use tokio::net::TcpListener;

use crate::{
    announce, config,
    suite::{self, Form},
    test_case,
};

#[tokio::main]
pub(crate) async fn serve(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    announce(listener.local_addr()?);
    axum::serve(listener, router()).await
}

/// Any server on hyper can serve it.
pub(crate) fn router() -> Router {
    let test = Router::new()
        .route("/test", any(test))
        .layer(map_response(vary))
        .layer(map_request(as_datastar));
    Router::new()
        .route("/once", get(async |connect| suite::once(connect)))
        .route("/slow", get(async |connect| suite::slow(connect)))
        .route("/stream", get(async |connect| suite::stream(connect)))
        .route("/view", get(async |connect| suite::view(connect)))
        .route("/poll", get(async |connect| suite::poll(connect)))
        .route("/topic", get(async |connect| suite::topic(connect)))
        .route("/publish", post(publish))
        .route("/signals", any(signals))
        .route("/optional", any(optional))
        .route("/lenient", any(lenient))
        .route("/head", get(head))
        .route("/html", get(async || suite::html()))
        .route("/event", get(async || suite::element("event", 1)))
        .route("/fails", get(async || suite::fails()))
        .route("/ends", get(async || suite::ends()))
        .route("/plain", get(async || "plain"))
        .route("/shutdown", post(shutdown))
        .merge(test)
        .layer(Extension(config()))
}

async fn publish() -> StatusCode {
    suite::publish();
    StatusCode::NO_CONTENT
}

async fn signals(Signals(form): Signals<Form>) -> PatchElements {
    suite::greeting(Some(form))
}

async fn optional(form: Option<Signals<Form>>) -> PatchElements {
    suite::greeting(form.map(|Signals(form)| form))
}

async fn lenient(LenientSignals(form): LenientSignals<Form>) -> PatchElements {
    suite::greeting(form)
}

async fn head(is_datastar: IsDatastar, last_event_id: LastEventId) -> PatchElements {
    suite::head(is_datastar, last_event_id)
}

async fn shutdown() -> StatusCode {
    suite::shutdown();
    StatusCode::NO_CONTENT
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
