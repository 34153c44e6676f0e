//! Extractors and responses on poem, over a real socket.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![cfg(feature = "poem")]

mod adapter;

use adapter::{Enforced, Form, Framework, Notices};
use poem::{
    EndpointExt, IntoResponse, Route, Server, handler, listener::TcpAcceptor, middleware::SizeLimit,
};
use sidereal::{
    Config, Connect, ExecuteScript, HtmlReply, IsDatastar, LastEventId, LenientSignals, Optional,
    PatchElements, PatchSignals, Signals, SignalsError, SignalsRejection, SignalsReply, Sse, TabId,
};

adapter::tests!(Poem);

struct Poem;

impl Framework for Poem {
    const LIMIT_ENFORCED_BY: Enforced = Enforced::ByFramework;
    /// poem 3.1 asks hyper to go on with a connection that has failed, and that ends the response as
    /// a whole one. When this is no longer so, the adapter's documentation can be shorter.
    const BREAKS_OFF: bool = false;
    const NOTICES: Notices = Notices {
        closed: 2,
        aborted: 0,
        reset: 0,
    };

    fn start() -> adapter::Server {
        adapter::Server::at(adapter::on_tokio(async |listener| {
            let acceptor = TcpAcceptor::from_tokio(listener).unwrap();
            let served = Server::new_with_acceptor(acceptor).run(routes());
            served.await.unwrap();
        }))
    }
}

fn routes() -> Route {
    let configured = Route::new()
        .at("/strict", strict)
        .at("/silent", silent)
        .at("/connected", connected)
        .at("/settings", settings)
        .data(adapter::settings());
    Route::new()
        .at("/strict", strict)
        .at("/optional", optional)
        .at("/result", result)
        .at("/lenient", lenient)
        .at(
            "/framework",
            strict.with(SizeLimit::new(adapter::FRAMEWORK_LIMIT)),
        )
        .at("/head", head)
        .at("/tab", tab_id)
        .at("/event", event)
        .at("/script", script)
        .at("/html", html)
        .at("/json", json)
        .at("/error", failing)
        .at("/slow", slow)
        .at("/silent", silent)
        .at("/broken", broken)
        .at("/old", old)
        .nest("/configured", configured)
}

#[handler]
async fn strict(form: Signals<Form>) -> PatchElements {
    adapter::strict(form)
}

#[handler]
async fn optional(Optional(form): Optional<Signals<Form>>) -> String {
    adapter::optional(form)
}

#[handler]
async fn result(form: poem::Result<Signals<Form>>) -> String {
    adapter::result(form.map_err(|error| error.downcast::<SignalsRejection>().unwrap()))
}

#[handler]
async fn lenient(LenientSignals(form): LenientSignals<Form>) -> String {
    adapter::lenient(form)
}

#[handler]
async fn head(
    is_datastar: IsDatastar,
    id: LastEventId,
    Optional(tab): Optional<TabId>,
    connect: Connect,
) -> String {
    adapter::head(is_datastar, id, tab, &connect)
}

#[handler]
async fn tab_id(tab: TabId) -> String {
    tab.to_string()
}

#[handler]
async fn event() -> PatchSignals {
    adapter::event()
}

#[handler]
async fn script() -> ExecuteScript {
    adapter::script()
}

#[handler]
async fn html() -> HtmlReply {
    adapter::html()
}

#[handler]
async fn json() -> SignalsReply {
    adapter::json()
}

#[handler]
async fn failing() -> Result<PatchSignals, SignalsError> {
    adapter::error()
}

#[handler]
async fn slow(connect: Connect) -> impl IntoResponse {
    adapter::slow(connect)
}

#[handler]
async fn silent(connect: Connect) -> Sse {
    adapter::silent(connect)
}

#[handler]
async fn broken(connect: Connect) -> Sse {
    adapter::broken(connect)
}

#[handler]
async fn old(connect: Connect) -> Sse {
    adapter::old(connect)
}

#[handler]
async fn connected(connect: Connect) -> Sse {
    adapter::connected(connect)
}

#[handler]
async fn settings(config: Config) -> Sse {
    adapter::connected_by(&config)
}
