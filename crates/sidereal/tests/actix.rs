//! Extractors and responses on actix-web, over sockets.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![cfg(feature = "actix")]

mod adapter_support;

use std::{
    net::{SocketAddr, TcpListener},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use actix_web::{
    App, HttpServer, Responder,
    dev::ServerHandle,
    middleware::Compress,
    rt::System,
    web::{self, Data, PayloadConfig},
};
use adapter_support::{self as support, Ends, Form};
use sidereal::{
    Config, Connect, EndReason, IsDatastar, LastEventId, LenientSignals, Optional, Shutdown,
    Signals, SignalsRejection, Sse, TabId,
};

struct Server {
    address: SocketAddr,
    ends: Ends,
    handle: ServerHandle,
    shutdown: Shutdown,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// A server whose clients may close their half of the connection, or not.
    fn start(allow_half_closed: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (ends, shutdown) = (Ends::default(), Shutdown::new());
        let (send, receive) = std::sync::mpsc::channel();
        let (app_ends, app_shutdown) = (ends.clone(), shutdown.clone());
        let thread = thread::spawn(move || {
            let app = move || {
                let strict = web::scope("/strict")
                    .app_data(support::strict_config())
                    .route("/name", web::to(name));
                App::new()
                    .app_data(PayloadConfig::new(support::FRAMEWORK_LIMIT))
                    .app_data(Data::new(support::config().shutdown(app_shutdown.clone())))
                    .app_data(Data::new(app_ends.clone()))
                    .wrap(Compress::default())
                    .service(strict)
                    .route("/name", web::to(name))
                    .route("/optional", web::to(optional))
                    .route("/result", web::to(result))
                    .route("/lenient", web::to(lenient))
                    .route("/head", web::to(head))
                    .route("/tab", web::to(tab))
                    .route("/two", web::to(async |c: Connect| support::two(c)))
                    .route("/open", web::to(open))
                    .route("/plain", web::to(async |c: Connect| support::plain(c)))
                    .route("/patch", web::to(async || support::patch()))
                    .route("/script", web::to(async || support::script()))
                    .route("/html", web::to(async || support::html()))
                    .route("/reply", web::to(async || support::reply()))
                    .route("/list", web::to(async || support::list()))
            };
            System::new().block_on(async move {
                let server = HttpServer::new(app)
                    .workers(2)
                    .disable_signals()
                    .shutdown_timeout(10)
                    .h1_allow_half_closed(allow_half_closed)
                    .listen_auto_h2c(listener)
                    .unwrap()
                    .run();
                send.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        Self {
            address,
            ends,
            handle: receive.recv().unwrap(),
            shutdown,
            thread: Some(thread),
        }
    }

    /// Stops gracefully, and says how long that took.
    fn stop(&mut self) -> Duration {
        let begun = Instant::now();
        let stop = self.handle.stop(true);
        System::new().block_on(stop);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
        begun.elapsed()
    }
}

async fn name(Signals(form): Signals<Form>) -> impl Responder {
    support::name(&form)
}

async fn optional(Optional(form): Optional<Signals<Form>>) -> String {
    support::optional(form.map(|Signals(form)| form))
}

async fn result(signals: Result<Signals<Form>, SignalsRejection>) -> String {
    support::result(signals)
}

async fn lenient(LenientSignals(form): LenientSignals<Form>) -> String {
    support::optional(form)
}

async fn head(
    is_datastar: IsDatastar,
    id: LastEventId,
    tab: Option<TabId>,
    connect: Connect,
    _: Config,
) -> String {
    support::head(is_datastar, id, tab, &connect)
}

async fn tab(tab: TabId) -> String {
    tab.to_string()
}

async fn open(connect: Connect, ends: Data<Ends>) -> Sse {
    support::open(connect, Ends::clone(&ends))
}

#[test]
fn extractors_and_responses() {
    let server = Server::start(true);
    let methods = ["GET", "DELETE", "POST", "PUT", "PATCH", "QUERY"];
    support::signals_of_every_method(server.address, &methods);
    support::the_ways_to_take_signals(server.address);
    support::limit_of(server.address, "/name", support::FRAMEWORK_LIMIT);
    support::limit_of(server.address, "/strict/name", support::OWN_LIMIT);
    support::rejections_as_events(server.address);
    support::what_the_head_says(server.address);
    support::events_and_replies_are_responses(server.address);
    support::a_head_request_begins_nothing(server.address, &server.ends);
}

#[test]
fn streams() {
    let server = Server::start(false);
    support::events_are_not_held_back(server.address);
    support::heartbeats_arrive(server.address);
    support::a_client_that_leaves(server.address, &server.ends, Duration::from_millis(100));
    support::many_streams(server.address, &server.ends);
}

/// By default, actix-web takes a client that has closed for one that may still read.
#[test]
fn a_client_that_leaves_is_noticed_by_heartbeats() {
    let server = Server::start(true);
    support::a_client_that_leaves(server.address, &server.ends, support::KEEP_ALIVE * 3);
}

/// Neither a stream that is compressed already, nor one that is not to be, is compressed by it.
#[test]
fn the_middleware_for_compression_leaves_streams_alone() {
    let server = Server::start(true);
    for (accepted, encoding) in [
        ("gzip", Some("identity")),
        ("br, deflate", Some("identity")),
        ("identity", Some("identity")),
    ] {
        let headers = [support::DATASTAR, ("accept-encoding", accepted)];
        let mut plain = support::request(server.address, "GET", "/plain", &headers, None);
        assert_eq!(plain.header("content-encoding"), encoding, "{accepted}");
        assert!(plain.event().contains("id=open"));
    }
    let mut plain = support::get(server.address, "/plain");
    assert_eq!(plain.header("content-encoding"), None);
    assert!(plain.event().contains("id=open"));

    let headers = [support::DATASTAR, ("accept-encoding", "gzip")];
    let mut open = support::request(server.address, "GET", "/open", &headers, None);
    assert_eq!(open.header("content-encoding"), Some("gzip"));
    assert!(open.chunk().unwrap().starts_with(b"\x1f\x8b"));
}

/// A page comes back by itself after a stream that breaks.
#[test]
fn a_shutdown_ends_open_streams_with_a_break() {
    let mut server = Server::start(true);
    let mut open = support::get(server.address, "/open");
    assert!(open.event().contains("id=open"));
    server.shutdown.trigger();
    let took = server.stop();
    println!("stopped within {took:?}");
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert!(open.end().is_err());
    let (reason, _) = server.ends.wait(1, Duration::ZERO);
    assert_eq!(reason, EndReason::Shutdown);
}

#[test]
fn streams_on_http_2() {
    let server = Server::start(true);
    support::a_stream_on_http_2(server.address, &server.ends);
}
