//! salvo.

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
use sidereal::{
    Connect, HtmlReply, IsDatastar, LastEventId, LenientSignals, Optional, PatchElements,
    SelectorError, Signals, Sse,
};
use tokio::net::TcpListener;

use crate::{
    BODY_LIMIT, announce, config,
    suite::{self, Form},
    test_case,
};

#[tokio::main]
pub(crate) async fn serve(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    announce(listener.local_addr()?);
    let acceptor = TcpAcceptor::try_from(listener)?;
    Server::new(acceptor).try_serve(router()).await
}

fn router() -> Router {
    let test_route = Router::with_path("test")
        .hoop(vary)
        .hoop(as_datastar)
        .goal(test);
    Router::new()
        .hoop(SecureMaxSize(BODY_LIMIT))
        .hoop(config())
        .push(test_route)
        .push(Router::with_path("once").get(once))
        .push(Router::with_path("slow").get(slow))
        .push(Router::with_path("stream").get(stream))
        .push(Router::with_path("view").get(view))
        .push(Router::with_path("poll").get(poll))
        .push(Router::with_path("topic").get(topic))
        .push(Router::with_path("publish").post(publish))
        .push(Router::with_path("signals").goal(signals))
        .push(Router::with_path("optional").goal(optional))
        .push(Router::with_path("lenient").goal(lenient))
        .push(Router::with_path("head").get(head))
        .push(Router::with_path("html").get(html))
        .push(Router::with_path("event").get(event))
        .push(Router::with_path("fails").get(fails))
        .push(Router::with_path("ends").get(ends))
        .push(Router::with_path("plain").get(plain))
        .push(Router::with_path("shutdown").post(shutdown))
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
async fn signals(form: Signals<Form>) -> PatchElements {
    suite::greeting(Some(form.0))
}

#[handler]
async fn optional(form: Optional<Signals<Form>>) -> PatchElements {
    suite::greeting(form.0.map(|Signals(form)| form))
}

#[handler]
async fn lenient(form: LenientSignals<Form>) -> PatchElements {
    suite::greeting(form.0)
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
