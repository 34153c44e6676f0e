//! Extractors and responses on actix-web, over a real socket.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![cfg(feature = "actix")]

mod adapter;

use std::{
    net::{SocketAddr, TcpListener},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use actix_web::{
    App, HttpRequest, HttpServer,
    dev::ServerHandle,
    middleware::Compress,
    rt::System,
    web::{self, Bytes, Data, PayloadConfig},
};
use adapter::{Body, DATASTAR, Form, Framework, JSON, Notices, Server, ask, ask_as_it_is, workers};
use sidereal::{
    Config, Connect, EndReason, IsDatastar, LastEventId, Optional, Shutdown, Signals,
    SignalsRejection, Sse, TabId,
};

adapter::tests!(Actix);
adapter::handlers!();

struct Actix;

impl Framework for Actix {
    const FORMS: &[&str] = &["/form", "/form-first"];
    const BODY: Body = Body::Once;
    const SAYS_KEEP_ALIVE: bool = false;
    const NOTICES: Notices = Notices {
        closed: 0,
        aborted: 0,
        reset: 1,
    };

    fn start() -> Server {
        Server::at(Running::start(false).address)
    }
}

/// By default, actix-web takes a client that has closed for one that may still read.
struct ByDefault;

impl Framework for ByDefault {
    const NOTICES: Notices = Notices {
        closed: 2,
        ..Actix::NOTICES
    };

    fn start() -> Server {
        Server::at(Running::start(true).address)
    }
}

#[test]
fn a_client_that_leaves_is_noticed_by_heartbeats() {
    adapter::streams::a_client_that_leaves_is_noticed::<ByDefault>();
}

/// A server that can be stopped.
struct Running {
    address: SocketAddr,
    handle: ServerHandle,
    shutdown: Shutdown,
    thread: JoinHandle<()>,
}

impl Running {
    /// A server whose clients may close their half of the connection, or not.
    fn start(allow_half_closed: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = Shutdown::new();
        let (send, receive) = std::sync::mpsc::channel();
        let config = Config::new().shutdown(shutdown.clone());
        let thread = thread::spawn(move || {
            let app = move || {
                App::new()
                    .app_data(PayloadConfig::new(adapter::FRAMEWORK_LIMIT))
                    .app_data(Data::new(config.clone()))
                    .wrap(Compress::default())
                    .configure(routes)
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
            handle: receive.recv().unwrap(),
            shutdown,
            thread,
        }
    }

    /// Stops gracefully, and says how long that took.
    fn stop(self) -> Duration {
        let begun = Instant::now();
        let stop = self.handle.stop(true);
        System::new().block_on(stop);
        self.thread.join().unwrap();
        begun.elapsed()
    }
}

fn routes(app: &mut web::ServiceConfig) {
    // The nearest configuration counts.
    let configured = web::scope("/configured")
        .app_data(adapter::settings())
        .route("/strict", web::to(strict))
        .route("/silent", web::to(silent))
        .route("/connected", web::to(connected))
        .route("/settings", web::to(settings));
    app.service(configured)
        .route("/strict", web::to(strict))
        .route("/optional", web::to(optional))
        .route("/result", web::to(result))
        .route("/lenient", web::to(lenient))
        .route("/framework", web::to(strict))
        .route("/form", web::to(with_form))
        .route("/form-first", web::to(with_form_first))
        .route("/twice", web::to(twice))
        .route("/bytes-first", web::to(bytes_first))
        .route("/head", web::to(head))
        .route("/tab", web::to(tab_id))
        .route("/event", web::to(event))
        .route("/script", web::to(script))
        .route("/html", web::to(html))
        .route("/json", web::to(json))
        .route("/error", web::to(failing))
        .route("/slow", web::to(slow))
        .route("/silent", web::to(silent))
        .route("/broken", web::to(broken))
        .route("/old", web::to(old))
        .route("/plain", web::to(plain));
}

async fn optional(Optional(form): Optional<Signals<Form>>) -> String {
    adapter::optional(form)
}

async fn result(form: Result<Signals<Form>, SignalsRejection>) -> String {
    adapter::result(form)
}

async fn head(
    is_datastar: IsDatastar,
    id: LastEventId,
    Optional(tab): Optional<TabId>,
    connect: Connect,
) -> String {
    adapter::head(is_datastar, id, tab, &connect)
}

async fn with_form(Optional(signals): Optional<Signals<Form>>, form: web::Form<Form>) -> String {
    adapter::form(signals, form.into_inner())
}

async fn with_form_first(
    form: web::Form<Form>,
    Optional(signals): Optional<Signals<Form>>,
) -> String {
    adapter::form(signals, form.into_inner())
}

async fn twice(one: Signals<Form>, two: Signals<Form>) -> String {
    adapter::twice(one, two)
}

/// Says how much there was, and what is left of it for signals.
async fn bytes_first(
    bytes: Bytes,
    signals: Result<Optional<Signals<Form>>, SignalsRejection>,
) -> String {
    let signals = signals.map(|Optional(signals)| adapter::optional(signals));
    format!(
        "{}: {}",
        bytes.len(),
        signals.unwrap_or_else(|error| error.to_string())
    )
}

/// The same uncompressed, whatever the client accepts.
async fn plain(connect: Connect) -> Sse {
    adapter::silent(connect).compression(None)
}

/// Neither a stream that is compressed already, nor one that is not to be, is compressed by it.
#[test]
fn the_middleware_for_compression_leaves_streams_alone() {
    let server = Actix::start();
    for (accepted, encoding) in [
        (Some("gzip"), Some("identity")),
        (Some("br, deflate"), Some("identity")),
        (Some("identity"), Some("identity")),
        (None, None),
    ] {
        let accepted = accepted.map(|accepted| ("accept-encoding", accepted));
        let headers = [DATASTAR, ("last-event-id", "plain")].into_iter();
        let headers: Vec<_> = headers.chain(accepted).collect();
        let mut plain = server.ask("GET", "/plain", &headers, None);
        assert_eq!(plain.header("content-encoding"), encoding, "{accepted:?}");
        plain.until("<p id=one>");
    }
    let headers = [
        DATASTAR,
        ("last-event-id", "x"),
        ("accept-encoding", "gzip"),
    ];
    let mut open = server.ask("GET", "/silent", &headers, None);
    assert_eq!(open.header("content-encoding"), Some("gzip"));
    assert!(open.chunk().unwrap().starts_with(b"\x1f\x8b"));
}

/// A page comes back by itself after a stream that breaks.
#[test]
fn a_shutdown_ends_open_streams_with_a_break() {
    let server = Running::start(true);
    let headers = [("last-event-id", "shutdown")];
    let mut open = ask(server.address, "GET", "/silent", &headers, None);
    open.until("<p id=one></p>\n\n");
    server.shutdown.trigger();
    let took = server.stop();
    println!("stopped within {took:?}");
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert!(open.end().is_err());
    assert!(adapter::has_ended("shutdown"));
    assert_eq!(adapter::ended("shutdown").0, EndReason::Shutdown);
}

#[test]
fn a_body_that_another_has_read_is_not_taken_for_none() {
    let server = Actix::start();
    let gone = "the body of the request could not be received";
    let text = server.post("/bytes-first", br#"{"name":"Ada"}"#).text();
    assert_eq!(text, format!("14: {gone}"));
    // Without a length that could be looked at.
    let headers = [JSON, ("transfer-encoding", "chunked")];
    let body = b"e\r\n{\"name\":\"Ada\"}\r\n0\r\n\r\n";
    let address = server.of("/bytes-first");
    let text = ask_as_it_is(address, "POST", "/bytes-first", &headers, body).text();
    assert_eq!(text, format!("14: {gone}"));
    // There was none.
    assert_eq!(server.post("/bytes-first", b"").text(), "0: None");
}

#[test]
fn a_busy_worker_stops_only_its_own_streams() {
    let (address, board) = start_board();
    workers::a_busy_thread_stops_only_its_own_streams(address, &board);
}

#[test]
fn a_busy_worker_that_has_no_streams_stops_none() {
    let (address, board) = start_board();
    workers::a_busy_thread_without_streams_stops_none(address, &board);
}

/// A server of two workers.
fn start_board() -> (SocketAddr, workers::Board) {
    async fn watch(connect: Connect, board: Data<workers::Board>) -> Sse {
        board.watch(connect)
    }
    async fn work(request: HttpRequest, board: Data<workers::Board>) -> String {
        board.work(request.uri().query())
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let board = workers::Board::new();
    let data = Data::new(board.clone());
    thread::spawn(move || {
        let app = move || {
            App::new()
                .app_data(data.clone())
                .route("/watch", web::to(watch))
                .route("/work", web::to(work))
        };
        System::new().block_on(async move {
            let server = HttpServer::new(app).workers(2).disable_signals();
            server.listen(listener).unwrap().run().await.unwrap();
        });
    });
    (address, board)
}
