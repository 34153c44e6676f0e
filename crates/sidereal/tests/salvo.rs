//! Extractors and responses on salvo, over a real socket.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![cfg(feature = "salvo")]

mod adapter;

use adapter::{Body, DATASTAR, Form, Framework, JSON, ask_as_it_is};
use salvo_compression::Compression;
use salvo_core::{
    Depot, Request, Response, Router, Server, Writer,
    conn::tcp::TcpAcceptor,
    extract::{Extractible, FormBody},
    handler,
    http::request::SecureMaxSize,
};
use sidereal::{Config, Connect, IsDatastar, LastEventId, Optional, Shutdown, Signals, Sse, TabId};
use tokio::sync::oneshot;

adapter::tests!(Salvo);
adapter::handlers!(#[handler]);

struct Salvo;

impl Framework for Salvo {
    const FORMS: &[&str] = &["/form", "/form-first"];
    const BODY: Body = Body::Often;

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
        .push(at("form").goal(with_form))
        .push(at("form-first").goal(with_form_first))
        .push(at("twice").goal(twice))
        .push(at("looked-at").hoop(look_at).goal(strict))
        .push(at("read").hoop(read).goal(strict))
        .push(at("rest").goal(read_on))
        .push(at("cookie").hoop(vary_by_cookie).goal(silent))
        .push(at("compressed").hoop(Compression::new()).goal(silent))
        .push(at("plain").hoop(Compression::new()).goal(uncompressed))
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
    // Without a length that could be looked at first.
    let headers = [JSON, ("transfer-encoding", "chunked")];
    for (length, status, text) in [(80, 200, "Ada"), (160, 413, "signals are too large")] {
        let half = format!("{:x}\r\n{:width$}\r\n", length / 2, "", width = length / 2);
        let body = format!("e\r\n{{\"name\":\"Ada\"}}\r\n{half}{half}0\r\n\r\n");
        let address = server.of("/limit-body");
        let mut answer = ask_as_it_is(address, "POST", "/limit-body", &headers, body.as_bytes());
        assert_eq!(answer.status, status, "{length}");
        let found = answer.text();
        assert!(found.contains(text), "{found}");
    }
}

/// Hoops and handlers both have the body, by our extractors and by salvo's.
#[test]
fn a_hoop_leaves_the_body_to_the_handler() {
    let server = Salvo::start();
    let body = br#"{"name":"Ada"}"#;
    for target in ["/looked-at", "/read"] {
        let mut answer = server.post(target, body);
        assert_eq!(answer.status, 200, "{target}");
        assert!(answer.text().contains("<p id=name>Ada</p>"), "{target}");
    }
    assert_eq!(server.post("/rest", body).text(), "Ada, of 14");
}

/// What a cache has to tell answers apart by is not lost.
#[test]
fn a_response_varies_with_what_a_hoop_says_too() {
    let headers = [("accept-encoding", "gzip"), ("last-event-id", "cookie")];
    let answer = Salvo::start().ask("GET", "/cookie", &headers, None);
    for by in ["cookie", "accept-encoding"] {
        assert!(answer.says("vary", by), "{answer:?}");
    }
}

/// Neither a stream that is compressed already, nor one that is not to be, is compressed by it.
#[test]
fn the_hoop_for_compression_leaves_streams_alone() {
    let server = Salvo::start();
    for accepted in ["gzip", "gzip, deflate, br", "*"] {
        let headers = [
            DATASTAR,
            ("last-event-id", "plain"),
            ("accept-encoding", accepted),
        ];
        let mut plain = server.ask("GET", "/plain", &headers, None);
        assert_eq!(plain.header("content-encoding"), None, "{accepted}");
        plain.until("<p id=one>");
    }
    let headers = [
        DATASTAR,
        ("last-event-id", "compressed"),
        ("accept-encoding", "gzip"),
    ];
    let mut once = server.ask("GET", "/compressed", &headers, None);
    assert_eq!(once.header("content-encoding"), Some("gzip"));
    assert!(once.chunk().unwrap().starts_with(b"\x1f\x8b"));
}

#[test]
fn a_graceful_stop_does_not_wait_for_open_streams() {
    let (stop, told) = oneshot::channel();
    let server = adapter::on_tokio_until_done(async move |listener| {
        let shutdown = Shutdown::new();
        let config = Config::new().shutdown(shutdown.clone());
        let server = Server::new(TcpAcceptor::try_from(listener).unwrap());
        let handle = server.handle();
        tokio::spawn(async move {
            told.await.unwrap();
            shutdown.trigger();
            handle.stop_graceful(None);
        });
        server.serve(Router::with_hoop(config).push(routes())).await;
    });
    let stop = || stop.send(()).unwrap();
    let is_broken = adapter::streams::a_graceful_stop_does_not_wait_for_open_streams(server, stop);
    // A page comes back by itself then.
    assert!(is_broken);
}

/// Looks for signals, a token among them for one, before the handler does.
#[handler]
async fn look_at(token: Optional<Signals<Form>>) {
    assert!(token.0.is_some());
}

#[handler]
async fn read(request: &mut Request) {
    request.payload().await.unwrap();
}

#[handler]
async fn read_on(form: Signals<Form>, request: &mut Request) -> String {
    let rest = request.payload().await.unwrap();
    format!("{}, of {}", form.name, rest.len())
}

#[handler]
async fn vary_by_cookie(response: &mut Response) {
    response
        .headers_mut()
        .insert("vary", "cookie".parse().unwrap());
}

/// The same uncompressed, whatever the client accepts.
#[handler]
async fn uncompressed(connect: Connect) -> Sse {
    adapter::silent(connect).compression(None)
}

#[handler]
async fn with_form(signals: Optional<Signals<Form>>, form: FormBody<Form>) -> String {
    adapter::form(signals.0, form.into_inner())
}

#[handler]
async fn with_form_first(form: FormBody<Form>, signals: Optional<Signals<Form>>) -> String {
    adapter::form(signals.0, form.into_inner())
}

#[handler]
async fn twice(one: Signals<Form>, two: Signals<Form>) -> String {
    adapter::twice(one, two)
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
