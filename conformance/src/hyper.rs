//! hyper and tower: a service of plain `http` types, by `sidereal::serve`.

use std::{convert::Infallible, io, net::SocketAddr};

use axum::{
    body::Bytes,
    http::{
        HeaderValue, Method, Request, Response, StatusCode,
        header::{CONTENT_TYPE, HeaderName, VARY},
    },
};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::body::Incoming;
use serde_json::value::RawValue;
use sidereal::{
    Aborted, Connect, IsDatastar, LastEventId, LenientSignals, Signals, SignalsRejection, SseBody,
    receive_signals,
    serve::{Listener, serve as serve_service},
};
use tower::service_fn;

use crate::{
    announce, config,
    suite::{self, Form},
    test_case,
};

type Body = UnsyncBoxBody<Bytes, Aborted>;

#[tokio::main]
pub(crate) async fn serve(address: SocketAddr) -> io::Result<()> {
    let listener = Listener::bind(address).await?;
    announce(listener.local_addr()?);
    // This one's own switch is the application's, which `/shutdown` triggers; it goes on serving.
    let service = service_fn(async |request| Ok::<_, Infallible>(answer(request).await));
    serve_service(listener, service).await.map(|_| ())
}

async fn answer(mut request: Request<Incoming>) -> Response<Body> {
    request.extensions_mut().insert(config());
    let connect = Connect::from_request(&request);
    match (request.method(), request.uri().path()) {
        (_, "/test") => vary(test(as_datastar(request), connect).await),
        (&Method::GET, "/once") => stream(suite::once(connect)),
        (&Method::GET, "/slow") => stream(suite::slow(connect)),
        (&Method::GET, "/stream") => stream(suite::stream(connect)),
        (&Method::GET, "/view") => stream(suite::view(connect)),
        (&Method::GET, "/poll") => stream(suite::poll(connect)),
        (&Method::GET, "/topic") => stream(suite::topic(connect)),
        (&Method::POST, "/publish") => {
            suite::publish();
            text(StatusCode::NO_CONTENT, "")
        }
        (_, "/signals") => match Signals::receive(request).await {
            Ok(Signals(form)) => stream(connect.reply(suite::greeting(Some(form)))),
            Err(rejection) => reject(rejection),
        },
        (_, "/optional") => match receive_signals::<Form, _>(request).await {
            Ok(form) => stream(connect.reply(suite::greeting(form))),
            Err(rejection) => reject(rejection),
        },
        (_, "/lenient") => {
            let LenientSignals(form) = LenientSignals::receive(request).await;
            stream(connect.reply(suite::greeting(form)))
        }
        (_, "/head") => {
            let headers = request.headers();
            let is_datastar = IsDatastar::from_headers(headers);
            let head = suite::head(is_datastar, LastEventId::from_headers(headers));
            stream(connect.reply(head))
        }
        (_, "/html") => suite::html().into_http().map(full),
        (_, "/event") => stream(connect.reply(suite::element("event", 1))),
        (_, "/fails") => match suite::fails() {
            Ok(event) => stream(connect.reply(event)),
            Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        },
        (_, "/ends") => text(StatusCode::OK, suite::ends()),
        (_, "/plain") => text(StatusCode::OK, "plain"),
        (&Method::POST, "/shutdown") => {
            suite::shutdown();
            text(StatusCode::NO_CONTENT, "")
        }
        _ => text(StatusCode::NOT_FOUND, "not found"),
    }
}

async fn test(request: Request<Incoming>, connect: Connect) -> Response<Body> {
    let case = match Signals::<Box<RawValue>>::receive(request).await {
        Ok(Signals(case)) => case,
        Err(rejection) => return reject(rejection),
    };
    match test_case::frames(case.get()) {
        Ok(frames) => stream(connect.reply(frames)),
        Err(refused) => text(StatusCode::BAD_REQUEST, refused.to_string()),
    }
}

/// Whoever asks here is taken for the Datastar client, whatever its tools call their JSON.
fn as_datastar(mut request: Request<Incoming>) -> Request<Incoming> {
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let name = HeaderName::from_static("datastar-request");
    headers.insert(name, HeaderValue::from_static("true"));
    request
}

/// What is not negotiated, a refusal for one, might have been: a cache must not give it to others.
fn vary(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    response
}

fn stream(sse: impl Into<Response<SseBody>>) -> Response<Body> {
    sse.into().map(BodyExt::boxed_unsync)
}

fn reject(rejection: SignalsRejection) -> Response<Body> {
    rejection.into_http().map(full)
}

fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(full(text.into()));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

fn full(bytes: Bytes) -> Body {
    Full::new(bytes)
        .map_err(|never| match never {})
        .boxed_unsync()
}
