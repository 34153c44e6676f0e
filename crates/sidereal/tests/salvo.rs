//! Extractors and responses on salvo, over a real socket.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![cfg(feature = "salvo")]

mod adapter;

use adapter::{Form, Framework};
use salvo_core::{
    Depot, Request, Router, Server, Writer, conn::tcp::TcpAcceptor, extract::Extractible, handler,
    http::request::SecureMaxSize,
};
use sidereal::{Connect, IsDatastar, LastEventId, Optional, Signals, TabId};

adapter::tests!(Salvo);
adapter::handlers!(#[handler]);

struct Salvo;

impl Framework for Salvo {
    fn start() -> adapter::Server {
        adapter::Server::at(adapter::on_tokio(async |listener| {
            let acceptor = TcpAcceptor::try_from(listener).unwrap();
            Server::new(acceptor).serve(routes()).await;
        }))
    }
}

fn routes() -> Router {
    let at = Router::with_path;
    let configured = at("configured")
        .push(at("settings").hoop(inject).goal(settings))
        .push(
            Router::with_hoop(adapter::settings())
                .push(at("strict").goal(strict))
                .push(at("silent").goal(silent))
                .push(at("connected").goal(connected)),
        );
    let framework_limit = SecureMaxSize(adapter::FRAMEWORK_LIMIT);
    Router::new()
        .push(at("strict").goal(strict))
        .push(at("optional").goal(optional))
        .push(at("result").goal(result))
        .push(at("lenient").goal(lenient))
        .push(at("framework").hoop(framework_limit).goal(strict))
        .push(at("limit-body").hoop(limit_body).goal(strict))
        .push(at("head").goal(head))
        .push(at("tab").goal(tab_id))
        .push(at("event").goal(event))
        .push(at("script").goal(script))
        .push(at("html").goal(html))
        .push(at("json").goal(json))
        .push(at("error").goal(failing))
        .push(at("slow").goal(slow))
        .push(at("silent").goal(silent))
        .push(at("broken").goal(broken))
        .push(at("old").goal(old))
        .push(configured)
}

#[test]
fn a_body_that_salvo_cuts_off_is_a_413() {
    let server = Salvo::start();
    let body = format!("{{\"name\":\"{}\"}}", "x".repeat(200));
    let answer = server.post("/limit-body", body.as_bytes());
    assert_eq!(answer.status, 413);
    let answer = server.post("/limit-body", br#"{"name":"Ada"}"#);
    assert_eq!(answer.status, 200);
}

#[handler]
async fn limit_body(request: &mut Request) {
    request.limit_body(100);
}

/// As `affix_state::inject` does.
#[handler]
async fn inject(depot: &mut Depot) {
    depot.insert_typed(adapter::settings());
}

#[handler]
async fn optional(form: Optional<Signals<Form>>) -> String {
    adapter::optional(form.0)
}

#[handler]
async fn result(request: &mut Request, depot: &mut Depot) -> String {
    adapter::result(Signals::extract(request, depot).await)
}

#[handler]
async fn head(
    is_datastar: IsDatastar,
    id: LastEventId,
    tab: Optional<TabId>,
    connect: Connect,
) -> String {
    adapter::head(is_datastar, id, tab.0, &connect)
}
