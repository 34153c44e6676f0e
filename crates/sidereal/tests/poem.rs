//! Extractors and responses on poem, over a real socket.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![cfg(feature = "poem")]

mod adapter;

use adapter::{Body, Enforced, Form, Framework, Notices};
use poem::{
    EndpointExt, Route, Server, handler, listener::TcpAcceptor, middleware::SizeLimit, web,
};
use sidereal::{
    Config, Connect, IsDatastar, LastEventId, Optional, Shutdown, Signals, SignalsRejection, TabId,
};
use tokio::sync::oneshot;

adapter::tests!(Poem);
adapter::handlers!(#[handler]);

struct Poem;

impl Framework for Poem {
    const FORMS: &[&str] = &["/form", "/form-first"];
    const BODY: Body = Body::Once;
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
        .at("/form", with_form)
        .at("/form-first", with_form_first)
        .at("/twice", twice)
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
async fn optional(Optional(form): Optional<Signals<Form>>) -> String {
    adapter::optional(form)
}

#[handler]
async fn result(form: poem::Result<Signals<Form>>) -> String {
    adapter::result(form.map_err(|error| error.downcast::<SignalsRejection>().unwrap()))
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
async fn with_form(Optional(signals): Optional<Signals<Form>>, form: web::Form<Form>) -> String {
    adapter::form(signals, form.0)
}

#[handler]
async fn with_form_first(
    form: web::Form<Form>,
    Optional(signals): Optional<Signals<Form>>,
) -> String {
    adapter::form(signals, form.0)
}

#[handler]
async fn twice(one: Signals<Form>, two: Signals<Form>) -> String {
    adapter::twice(one, two)
}

#[test]
fn a_graceful_stop_does_not_wait_for_open_streams() {
    let (stop, told) = oneshot::channel();
    let server = adapter::on_tokio_until_done(async move |listener| {
        let shutdown = Shutdown::new();
        let app = routes().data(Config::new().shutdown(shutdown.clone()));
        let signal = async move {
            told.await.unwrap();
            shutdown.trigger();
        };
        let acceptor = TcpAcceptor::from_tokio(listener).unwrap();
        let server = Server::new_with_acceptor(acceptor);
        let served = server.run_with_graceful_shutdown(app, signal, None);
        served.await.unwrap();
    });
    let stop = || stop.send(()).unwrap();
    let is_broken = adapter::streams::a_graceful_stop_does_not_wait_for_open_streams(server, stop);
    // By chance: it does where poem was told before the stream has ended.
    println!("broken: {is_broken}");
}
