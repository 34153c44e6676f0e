//! Extractors and responses on poem, over a real socket.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![cfg(feature = "poem")]

mod adapters;

use std::net::SocketAddr;

use adapters::Form;
use poem::{
    EndpointExt, IntoResponse, Route, Server, handler, listener::TcpAcceptor, middleware::SizeLimit,
};
use sidereal::{
    Config, Connect, ExecuteScript, HtmlReply, IsDatastar, LastEventId, LenientSignals, Optional,
    PatchElements, PatchSignals, Signals, SignalsError, SignalsRejection, SignalsReply, Sse, TabId,
};

adapters::tests!(start);

/// poem 3.1 asks hyper to go on with a connection that has failed, and that ends the response as a
/// whole one. When this fails, the adapter's documentation can be shorter.
#[tokio::test]
async fn a_broken_end_on_http1_is_not_seen() {
    assert!(adapters::ends_whole(start().await, "/broken").await);
}

async fn start() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TcpAcceptor::from_tokio(listener).unwrap();
    tokio::spawn(Server::new_with_acceptor(acceptor).run(routes()));
    address
}

fn routes() -> Route {
    Route::new()
        .at("/strict", strict)
        .at("/optional", optional)
        .at("/result", result)
        .at("/lenient", lenient)
        .at("/limited", strict.data(adapters::limited()))
        .at("/framework", strict.with(SizeLimit::new(100)))
        .at("/rejecting", strict.data(adapters::rejecting()))
        .at("/head", head)
        .at("/tab", tab_id)
        .at("/connected", connected.data(adapters::config()))
        .at("/configured", configured.data(adapters::config()))
        .at("/event", event)
        .at("/script", script)
        .at("/html", html)
        .at("/json", json)
        .at("/error", failing)
        .at("/slow", slow)
        .at("/silent", silent)
        .at("/broken", broken)
}

#[handler]
async fn strict(form: Signals<Form>) -> PatchElements {
    adapters::strict(form)
}

#[handler]
async fn optional(Optional(form): Optional<Signals<Form>>) -> String {
    adapters::optional(form)
}

#[handler]
async fn result(form: poem::Result<Signals<Form>>) -> String {
    adapters::result(form.map_err(|error| error.downcast::<SignalsRejection>().unwrap()))
}

#[handler]
async fn lenient(LenientSignals(form): LenientSignals<Form>) -> String {
    form.map_or_else(|| "None".to_owned(), |form| form.name)
}

#[handler]
async fn head(
    is_datastar: IsDatastar,
    id: LastEventId,
    Optional(tab): Optional<TabId>,
    connect: Connect,
) -> String {
    adapters::head(is_datastar, id, tab, &connect)
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
async fn slow(connect: Connect) -> impl IntoResponse {
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
