//! Guards and responders on rocket, over sockets.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![cfg(feature = "rocket")]

mod adapter_support;

use std::{
    net::SocketAddr,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use adapter_support::{self as support, Ends, Form};
use rocket::{
    Build, Config as RocketConfig, Request, Rocket, State,
    config::{LogLevel, Shutdown as RocketShutdown},
    data::{Limits, ToByteUnit},
    http::Status,
    routes,
};
use sidereal::{
    Config, Connect, EndReason, ExecuteScript, HtmlReply, IsDatastar, LastEventId, LenientSignals,
    Optional, PatchElements, PatchSignals, Signals, SignalsError, SignalsRejection, SignalsReply,
    Sse, TabId, TabIdError,
};

/// Rocket's own grace period, in seconds.
const GRACE: u32 = 1;

struct Server {
    address: SocketAddr,
    ends: Ends,
    shutdown: rocket::Shutdown,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(config: Config) -> Self {
        Self::of(config, rocket::custom)
    }

    fn of(
        config: Config,
        build: impl FnOnce(RocketConfig) -> Rocket<Build> + Send + 'static,
    ) -> Self {
        let address = support::free_address();
        let ends = Ends::default();
        let (send, receive) = std::sync::mpsc::channel();
        let of_app = ends.clone();
        let thread = thread::spawn(move || {
            let settings = RocketConfig {
                port: address.port(),
                workers: 2,
                log_level: LogLevel::Off,
                limits: Limits::default().limit("signals", support::FRAMEWORK_LIMIT.bytes()),
                shutdown: RocketShutdown {
                    ctrlc: false,
                    grace: GRACE,
                    mercy: 1,
                    ..RocketShutdown::default()
                },
                ..RocketConfig::default()
            };
            rocket::execute(async move {
                let rocket = build(settings)
                    .attach(config)
                    .manage(of_app)
                    .mount("/", routes![name_of_query, name_of_data, name_of_delete])
                    .mount("/", routes![name_post, name_put, name_patch])
                    .mount("/strict", routes![name_post])
                    .mount("/", routes![optional, optional_of_query, result, lenient])
                    .mount("/", routes![head, tab, tab_or_not, two, open, old])
                    .mount("/", routes![patch, script, html, reply, list])
                    .ignite()
                    .await
                    .unwrap();
                send.send(rocket.shutdown()).unwrap();
                rocket.launch().await.unwrap();
            });
        });
        let shutdown = receive.recv().unwrap();
        support::wait_for(address);
        Self {
            address,
            ends,
            shutdown,
            thread: Some(thread),
        }
    }
}

#[rocket::get("/name")]
fn name_of_query(signals: Signals<Form>) -> PatchElements {
    support::name(&signals)
}

#[rocket::get("/name-of-data", data = "<signals>")]
fn name_of_data(signals: Signals<Form>) -> PatchElements {
    support::name(&signals)
}

#[rocket::delete("/name", data = "<signals>")]
fn name_of_delete(signals: Signals<Form>) -> PatchElements {
    support::name(&signals)
}

#[rocket::post("/name", data = "<signals>")]
fn name_post(signals: Signals<Form>) -> PatchElements {
    support::name(&signals)
}

#[rocket::put("/name", data = "<signals>")]
fn name_put(signals: Signals<Form>) -> PatchElements {
    support::name(&signals)
}

#[rocket::patch("/name", data = "<signals>")]
fn name_patch(signals: Signals<Form>) -> PatchElements {
    support::name(&signals)
}

#[rocket::post("/optional", data = "<signals>")]
fn optional(signals: Optional<Signals<Form>>) -> String {
    support::optional(signals.0.map(|Signals(form)| form))
}

#[rocket::get("/optional")]
fn optional_of_query(signals: Optional<Signals<Form>>) -> String {
    support::optional(signals.0.map(|Signals(form)| form))
}

#[rocket::post("/result", data = "<signals>")]
fn result(signals: Result<Signals<Form>, SignalsRejection>) -> String {
    support::result(signals)
}

#[rocket::post("/lenient", data = "<signals>")]
fn lenient(signals: LenientSignals<Form>) -> String {
    support::optional(signals.0)
}

#[rocket::get("/head")]
fn head(
    is_datastar: IsDatastar,
    id: LastEventId,
    tab: Option<TabId>,
    connect: Connect,
    _config: Config,
) -> String {
    support::head(is_datastar, id, tab, &connect)
}

#[rocket::get("/tab")]
fn tab(tab: TabId) -> String {
    tab.to_string()
}

#[rocket::get("/tab-or-not")]
fn tab_or_not(tab: Result<TabId, TabIdError>) -> Result<String, TabIdError> {
    Ok(tab?.to_string())
}

#[rocket::get("/two")]
fn two(connect: Connect) -> Sse {
    support::two(connect)
}

#[rocket::get("/open")]
fn open(connect: Connect, ends: &State<Ends>) -> Sse {
    support::open(connect, Ends::clone(ends))
}

#[rocket::get("/old")]
fn old(connect: Connect, ends: &State<Ends>) -> Sse {
    support::open(connect, Ends::clone(ends)).max_age(Duration::from_millis(300))
}

#[rocket::get("/patch")]
fn patch() -> PatchSignals {
    support::patch()
}

#[rocket::get("/script")]
fn script() -> ExecuteScript {
    support::script()
}

#[rocket::get("/html")]
fn html() -> HtmlReply {
    support::html()
}

#[rocket::get("/reply")]
fn reply() -> SignalsReply {
    support::reply()
}

#[rocket::get("/list")]
fn list() -> Result<PatchSignals, SignalsError> {
    support::list()
}

#[test]
fn guards_and_responders() {
    let server = Server::start(support::config());
    let methods = ["GET", "DELETE", "POST", "PUT", "PATCH"];
    support::signals_of_every_method(server.address, &methods);
    let target = "/name-of-data?datastar=%7B%22name%22%3A%22Ada%22%7D";
    let (status, text) = support::get(server.address, target).text();
    assert!(status == 200 && text.contains("Ada"), "{text}");
    support::the_ways_to_take_signals(server.address);
    support::what_the_head_says(server.address);
    support::events_and_replies_are_responses(server.address);
    support::a_head_request_begins_nothing(server.address, &server.ends);
    let (status, text) = support::get(server.address, "/tab-or-not").text();
    assert_eq!(status, 400, "{text}");
    let (status, text) = support::get(server.address, "/nowhere").text();
    assert_eq!(status, 404);
    assert!(text.contains("404"), "{text}");
}

#[test]
fn both_limits_and_rejections_as_events() {
    let server = Server::start(support::config());
    support::limit_of(server.address, "/name", support::FRAMEWORK_LIMIT);
    let strict = Server::start(support::strict_config());
    support::limit_of(strict.address, "/strict/name", support::OWN_LIMIT);
    support::rejections_as_events(strict.address);
}

/// The application's own catchers come before those of the fairing, and answer everything else.
#[test]
fn catchers_of_the_application_are_left_alone() {
    #[rocket::catch(400)]
    fn bad() -> &'static str {
        "my 400"
    }
    #[rocket::catch(default)]
    fn other(status: Status, _: &Request<'_>) -> String {
        format!("my default, {}", status.code)
    }
    let server = Server::of(support::config(), |settings| {
        rocket::custom(settings).register("/", rocket::catchers![bad, other])
    });
    let long = format!("{{\"name\":\"{}\"}}", "x".repeat(2000));
    for (target, body, expected) in [
        ("/name", "{", (400, "my 400")),
        ("/name", &long, (413, "signals are too large")),
        ("/nowhere", "", (404, "my default, 404")),
    ] {
        let (status, text) = support::post(server.address, target, body).text();
        assert_eq!((status, text.as_str()), expected);
    }
}

#[test]
fn streams() {
    let server = Server::start(support::config());
    support::events_are_not_held_back(server.address);
    support::heartbeats_arrive(server.address);
    support::a_client_that_leaves(server.address, &server.ends, support::KEEP_ALIVE * 2);
    support::many_streams(server.address, &server.ends);
}

#[test]
fn streams_on_http_2() {
    let server = Server::start(support::config());
    support::a_stream_on_http_2(server.address, &server.ends);
}

/// Rocket cannot break a response off.
#[test]
fn a_stream_of_its_age_ends_cleanly() {
    let server = Server::start(support::config());
    let mut old = support::get(server.address, "/old");
    assert!(old.event().contains("id=open"));
    assert!(old.end().is_ok());
    let (reason, _) = server.ends.wait(1, Duration::ZERO);
    assert_eq!(reason, EndReason::MaxAge);
}

/// A page comes back by itself after a stream that breaks.
#[test]
fn a_shutdown_ends_open_streams_with_a_break() {
    let mut server = Server::start(support::config());
    let mut open = support::get(server.address, "/open");
    assert!(open.event().contains("id=open"));
    let begun = Instant::now();
    server.shutdown.clone().notify();
    let (reason, ended) = server.ends.wait(1, Duration::from_millis(500));
    assert_eq!(reason, EndReason::Shutdown);
    assert!(open.end().is_err());
    let broke = begun.elapsed();
    server.thread.take().unwrap().join().unwrap();
    println!(
        "hooks ran within {:?}, the page saw the break within {broke:?}, and rocket was done within {:?}",
        ended.duration_since(begun),
        begun.elapsed()
    );
    assert!(broke < Duration::from_secs(2), "{broke:?}");
    assert!(begun.elapsed() < Duration::from_secs(4));
}
