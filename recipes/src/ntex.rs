//! Datastar on ntex.

use std::error::Error;

use futures_util::TryStreamExt;
use http_body_util::StreamBody;
use ntex::{
    SharedCfg,
    http::{Payload, Response, ResponseBuilder, StatusCode},
    server::ServerStatus,
    util::Bytes,
    web::{self, App, HttpRequest, HttpServer},
};
use serde::de::DeserializeOwned;
use sidereal::{
    Config, Connect, Signals, SignalsRejection, Sse,
    http::{self, request, response},
};

/// The head of the request in the types of the crate `http`, with the application's settings.
fn head(request: &HttpRequest, config: Config) -> Result<request::Parts, http::Error> {
    let mut head = http::Request::builder()
        .method(request.method())
        .uri(request.uri().path_and_query().as_str())
        .version(request.version())
        .extension(config);
    for (name, value) in request.headers() {
        head = head.header(name, value.as_bytes());
    }
    let (head, ()) = head.body(())?.into_parts();
    Ok(head)
}

/// The page's signals.
async fn signals<T: DeserializeOwned>(
    head: request::Parts,
    payload: Payload,
) -> Result<Signals<T>, SignalsRejection> {
    let frames =
        payload.map_ok(|chunk| http_body::Frame::data(bytes::Bytes::copy_from_slice(&chunk)));
    Signals::receive(http::Request::from_parts(head, StreamBody::new(frames))).await
}

/// A stream, as it is: ntex flushes each of its events.
fn stream(sse: Sse) -> Response {
    let (head, body) = sse.into_http().into_parts();
    let chunks = body.map_ok(|chunk| Bytes::copy_from_slice(&chunk));
    with_head(head).streaming(chunks)
}

/// Signals that cannot be read: 400, 413 or 415, or events.
fn rejected(rejection: SignalsRejection) -> Response {
    let (head, body) = rejection.into_http().into_parts();
    with_head(head).body(body.to_vec())
}

fn with_head(head: response::Parts) -> ResponseBuilder {
    let mut response = Response::builder(head.status);
    for (name, value) in &head.headers {
        response.header(name, value.as_bytes());
    }
    response
}

async fn answer(request: HttpRequest, payload: Payload, config: Config) -> Response {
    let Ok(head) = head(&request, config) else {
        return Response::new(StatusCode::BAD_REQUEST);
    };
    let connect = Connect::from_parts(&head);
    match request.path() {
        "/" => Response::builder(StatusCode::OK)
            .content_type("text/html; charset=utf-8")
            .body(recipes::page()),
        "/hello" => match signals(head, payload).await {
            Ok(signals) => stream(recipes::hello(connect, signals).await),
            Err(rejection) => rejected(rejection),
        },
        "/live" => stream(recipes::live(connect).await),
        _ => Response::new(StatusCode::NOT_FOUND),
    }
}

#[ntex::main(signals = true)]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let (config, shutdown) = recipes::config();
    let server = HttpServer::new(async move |_| {
        let config = config.clone();
        let answer = move |request, payload: web::types::Payload| {
            answer(request, payload.into_inner(), config.clone())
        };
        App::new().default_service(web::to(answer))
    })
    .listen(recipes::listen()?, SharedCfg::default())?
    .run();
    // Open streams end with the server.
    let stopping = server.clone();
    ntex::rt::spawn(async move {
        while stopping.status_changed().await != ServerStatus::Stopping {}
        shutdown.trigger();
    });
    server.await?;
    Ok(())
}
