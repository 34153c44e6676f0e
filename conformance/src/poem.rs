//! poem.

use std::{io, net::SocketAddr};

use poem::{
    Endpoint, EndpointExt, IntoResponse, Request, Response, Route, Server, get, handler,
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_TYPE, HeaderName, VARY},
    },
    listener::TcpAcceptor,
    post,
};
use serde_json::value::RawValue;
use sidereal::{
    Connect, HtmlReply, IsDatastar, LastEventId, LenientSignals, Optional, PatchElements,
    SelectorError, Signals, Sse,
};
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
    let acceptor = TcpAcceptor::from_tokio(listener)?;
    Server::new_with_acceptor(acceptor).run(routes()).await
}

fn routes() -> impl Endpoint {
    let test_route = test
        .before(as_datastar)
        .map_to_response()
        .catch_all_error(async |error: poem::Error| error.into_response())
        .after(vary);
    Route::new()
        .at("/test", test_route)
        .at("/once", get(once))
        .at("/slow", get(slow))
        .at("/stream", get(stream))
        .at("/view", get(view))
        .at("/poll", get(poll))
        .at("/topic", get(topic))
        .at("/publish", post(publish))
        .at("/signals", get(signals).post(signals))
        .at("/optional", get(optional).post(optional))
        .at("/lenient", get(lenient).post(lenient))
        .at("/head", get(head))
        .at("/html", get(html))
        .at("/event", get(event))
        .at("/fails", get(fails))
        .at("/ends", get(ends))
        .at("/plain", get(plain))
        .at("/shutdown", post(shutdown))
        .data(config())
}

macro_rules! streams {
    ($($name:ident),*) => {$(
        #[handler]
        async fn $name(connect: Connect) -> Sse {
            suite::$name(connect)
        }
    )*};
}

streams!(once, slow, stream, view, poll, topic);

#[handler]
async fn publish() -> StatusCode {
    suite::publish();
    StatusCode::NO_CONTENT
}

#[handler]
async fn signals(Signals(form): Signals<Form>) -> PatchElements {
    suite::greeting(Some(form))
}

#[handler]
async fn optional(Optional(form): Optional<Signals<Form>>) -> PatchElements {
    suite::greeting(form.map(|Signals(form)| form))
}

#[handler]
async fn lenient(LenientSignals(form): LenientSignals<Form>) -> PatchElements {
    suite::greeting(form)
}

#[handler]
async fn head(is_datastar: IsDatastar, last_event_id: LastEventId) -> PatchElements {
    suite::head(is_datastar, last_event_id)
}

#[handler]
async fn html() -> HtmlReply {
    suite::html()
}

#[handler]
async fn event() -> PatchElements {
    suite::element("event", 1)
}

#[handler]
async fn fails() -> Result<PatchElements, SelectorError> {
    suite::fails()
}

#[handler]
async fn ends() -> String {
    suite::ends()
}

#[handler]
async fn plain() -> &'static str {
    "plain"
}

#[handler]
async fn shutdown() -> StatusCode {
    suite::shutdown();
    StatusCode::NO_CONTENT
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
