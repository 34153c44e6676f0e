//! Extractors and responses on salvo, over a real socket.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![cfg(feature = "salvo")]

mod adapters;

use std::net::SocketAddr;

use adapters::Form;
use salvo_core::{
    Depot, Request, Router, Server, Writer, conn::tcp::TcpAcceptor, extract::Extractible, handler,
    http::request::SecureMaxSize,
};
use sidereal::{
    Config, Connect, ExecuteScript, HtmlReply, IsDatastar, LastEventId, LenientSignals, Optional,
    PatchElements, PatchSignals, Signals, SignalsError, SignalsReply, Sse, TabId,
};

adapters::tests!(start);
adapters::tests!(start: a_broken_end_is_broken);

async fn start() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TcpAcceptor::try_from(listener).unwrap();
    tokio::spawn(Server::new(acceptor).serve(routes()));
    address
}

fn routes() -> Router {
    let at = Router::with_path;
    Router::new()
        .push(at("strict").goal(strict))
        .push(at("optional").goal(optional))
        .push(at("result").goal(result))
        .push(at("lenient").goal(lenient))
        .push(at("limited").hoop(adapters::limited()).goal(strict))
        .push(at("framework").hoop(SecureMaxSize(100)).goal(strict))
        .push(at("limit-body").hoop(limit_body).goal(strict))
        .push(at("rejecting").hoop(adapters::rejecting()).goal(strict))
        .push(at("head").goal(head))
        .push(at("tab").goal(tab_id))
        .push(at("connected").hoop(adapters::config()).goal(connected))
        .push(at("configured").hoop(inject).goal(configured))
        .push(at("event").goal(event))
        .push(at("script").goal(script))
        .push(at("html").goal(html))
        .push(at("json").goal(json))
        .push(at("error").goal(failing))
        .push(at("slow").goal(slow))
        .push(at("silent").goal(silent))
        .push(at("broken").goal(broken))
}

#[tokio::test]
async fn a_body_that_salvo_cuts_off_is_a_413() {
    let address = start().await;
    let body = format!("{{\"name\":\"{}\"}}", "x".repeat(200));
    let datastar = [adapters::DATASTAR];
    let answer = adapters::ask(address, "POST", "/limit-body", &datastar, body.as_bytes()).await;
    assert_eq!(answer.status, 413);
    let answer = adapters::ask(address, "POST", "/limit-body", &datastar, adapters::ADA).await;
    assert_eq!(answer.status, 200);
}

#[handler]
async fn limit_body(request: &mut Request) {
    request.limit_body(100);
}

/// As `affix_state::inject` does.
#[handler]
async fn inject(depot: &mut Depot) {
    depot.insert_typed(adapters::config());
}

#[handler]
async fn strict(form: Signals<Form>) -> PatchElements {
    adapters::strict(form)
}

#[handler]
async fn optional(form: Optional<Signals<Form>>) -> String {
    adapters::optional(form.0)
}

#[handler]
async fn result(request: &mut Request, depot: &mut Depot) -> String {
    adapters::result(Signals::extract(request, depot).await)
}

#[handler]
async fn lenient(form: LenientSignals<Form>) -> String {
    form.0.map_or_else(|| "None".to_owned(), |form| form.name)
}

#[handler]
async fn head(
    is_datastar: IsDatastar,
    id: LastEventId,
    tab: Optional<TabId>,
    connect: Connect,
) -> String {
    adapters::head(is_datastar, id, tab.0, &connect)
}

#[handler]
async fn tab_id(tab: TabId) -> String {
    tab.to_string()
}

#[handler]
async fn connected(connect: Connect) -> Sse {
    adapters::event(connect)
}

#[handler]
async fn configured(config: Config) -> Sse {
    adapters::configured(&config)
}

#[handler]
async fn event() -> PatchSignals {
    adapters::signals_event()
}

#[handler]
async fn script() -> ExecuteScript {
    adapters::script()
}

#[handler]
async fn html() -> HtmlReply {
    adapters::html()
}

#[handler]
async fn json() -> SignalsReply {
    adapters::json()
}

#[handler]
async fn failing() -> Result<PatchSignals, SignalsError> {
    adapters::error()
}

#[handler]
async fn slow(connect: Connect) -> Sse {
    adapters::slow(connect)
}

#[handler]
async fn silent(connect: Connect) -> Sse {
    adapters::silent(connect)
}

#[handler]
async fn broken(connect: Connect) -> Sse {
    adapters::broken(connect)
}
