//! Guards and responders on rocket, over a real socket.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![cfg(feature = "rocket")]

mod adapter;

use std::{
    net::SocketAddr,
    sync::mpsc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use adapter::{Form, Framework, Notices, Server, ask};
use rocket::{
    Build, Config as RocketConfig, Request, Rocket,
    config::{LogLevel, Shutdown as RocketShutdown},
    data::{Limits, ToByteUnit},
    fairing::AdHoc,
    http::Status,
    routes,
};
use sidereal::{
    Config, Connect, EndReason, ExecuteScript, HtmlReply, IsDatastar, LastEventId, LenientSignals,
    Optional, PatchElements, PatchSignals, Signals, SignalsError, SignalsRejection, SignalsReply,
    Sse, TabId, TabIdError,
};

adapter::tests!(InRocket);

struct InRocket;

impl Framework for InRocket {
    const UNKNOWN_METHODS: &[&str] = &["QUERY"];
    const FORMS: &[&str] = &["/form"];
    const SAYS_KEEP_ALIVE: bool = false;
    const BREAKS_OFF: bool = false;
    const RESETS: bool = false;
    const NOTICES: Notices = Notices {
        closed: 1,
        aborted: 1,
        reset: 1,
    };

    fn start() -> Server {
        let plain = Running::start(Config::new(), rocket::custom);
        let configured = Running::start(adapter::settings(), rocket::custom);
        Server::at_both(plain.address, configured.address)
    }
}

/// Rocket's own grace period, in seconds.
const GRACE: u32 = 1;

/// A server that can be stopped.
struct Running {
    address: SocketAddr,
    shutdown: rocket::Shutdown,
    thread: JoinHandle<()>,
}

impl Running {
    fn start(
        config: Config,
        build: impl FnOnce(RocketConfig) -> Rocket<Build> + Send + 'static,
    ) -> Self {
        let (send, receive) = mpsc::channel();
        let thread = thread::spawn(move || {
            let settings = RocketConfig {
                port: 0,
                workers: 2,
                log_level: LogLevel::Off,
                limits: Limits::default()
                    .limit("signals", adapter::FRAMEWORK_LIMIT.bytes())
                    .limit("form", adapter::OWN_LIMIT.bytes()),
                shutdown: RocketShutdown {
                    ctrlc: false,
                    grace: GRACE,
                    mercy: 1,
                    ..RocketShutdown::default()
                },
                ..RocketConfig::default()
            };
            let tell = AdHoc::on_liftoff("tell", |rocket| {
                Box::pin(async move {
                    let config = rocket.config();
                    let address = SocketAddr::new(config.address, config.port);
                    send.send((address, rocket.shutdown())).unwrap();
                })
            });
            let rocket = mount(build(settings).attach(config)).attach(tell);
            rocket::execute(async { rocket.launch().await.unwrap() });
        });
        let (address, shutdown) = receive.recv().unwrap();
        Self {
            address,
            shutdown,
            thread,
        }
    }
}

fn mount(rocket: Rocket<Build>) -> Rocket<Build> {
    rocket
        .mount("/", routes![query, delete, post, put, patch, framework])
        .mount("/", routes![query_by_data, optional, optional_of_query])
        .mount("/", routes![result, lenient, head, tab, tab_or_not])
        .mount("/", routes![form, form_of_delete, upload, decides])
        .mount("/", routes![event, script, html, json, error])
        .mount("/", routes![slow, silent, broken, old])
        .mount("/configured", routes![post, silent, connected, settings])
        .mount("/configured", routes![decides])
}

#[rocket::get("/strict")]
fn query(form: Signals<Form>) -> PatchElements {
    adapter::strict(form)
}

#[rocket::get("/query-by-data", data = "<form>")]
fn query_by_data(form: Signals<Form>) -> PatchElements {
    adapter::strict(form)
}

/// A route for signals that a data guard takes.
macro_rules! strict {
    ($($name:ident: $method:ident $path:literal;)*) => {$(
        #[rocket::$method($path, data = "<form>")]
        fn $name(form: Signals<Form>) -> PatchElements {
            adapter::strict(form)
        }
    )*};
}

strict! {
    delete: delete "/strict";
    post: post "/strict";
    put: put "/strict";
    patch: patch "/strict";
    framework: post "/framework";
}

#[rocket::post("/optional", data = "<form>")]
fn optional(form: Optional<Signals<Form>>) -> String {
    adapter::optional(form.0)
}

#[rocket::get("/optional")]
fn optional_of_query(form: Optional<Signals<Form>>) -> String {
    adapter::optional(form.0)
}

#[rocket::post("/result", data = "<form>")]
fn result(form: Result<Signals<Form>, SignalsRejection>) -> String {
    adapter::result(form)
}

#[rocket::post("/lenient", data = "<form>")]
fn lenient(form: LenientSignals<Form>) -> String {
    adapter::lenient(form.0)
}

#[derive(rocket::FromForm)]
struct Fields {
    name: String,
}

#[rocket::post("/form", data = "<form>")]
fn form(signals: Optional<Signals<Form>>, form: rocket::form::Form<Fields>) -> String {
    let Fields { name } = form.into_inner();
    adapter::form(signals.0, Form { name })
}

#[rocket::delete("/form", data = "<form>")]
fn form_of_delete(signals: Optional<Signals<Form>>, form: rocket::form::Form<Fields>) -> String {
    let Fields { name } = form.into_inner();
    adapter::form(signals.0, Form { name })
}

#[rocket::post("/upload", data = "<form>")]
fn upload(tab: Option<TabId>, form: rocket::form::Form<Fields>) -> String {
    format!("{} {}", tab.is_some(), form.name)
}

#[rocket::post("/decides", data = "<form>")]
fn decides(form: Result<Signals<Form>, SignalsRejection>) -> Status {
    assert_eq!(form.unwrap_err().error().status(), 400);
    Status::UnsupportedMediaType
}

#[rocket::get("/head")]
fn head(
    is_datastar: IsDatastar,
    id: LastEventId,
    tab: Optional<TabId>,
    connect: Connect,
) -> String {
    adapter::head(is_datastar, id, tab.0, &connect)
}

#[rocket::get("/tab")]
fn tab(tab: TabId) -> String {
    tab.to_string()
}

#[rocket::get("/tab-or-not")]
fn tab_or_not(tab: Result<TabId, TabIdError>) -> Result<String, TabIdError> {
    Ok(tab?.to_string())
}

#[rocket::get("/event")]
fn event() -> PatchSignals {
    adapter::event()
}

#[rocket::get("/script")]
fn script() -> ExecuteScript {
    adapter::script()
}

#[rocket::get("/html")]
fn html() -> HtmlReply {
    adapter::html()
}

#[rocket::get("/json")]
fn json() -> SignalsReply {
    adapter::json()
}

#[rocket::get("/error")]
fn error() -> Result<PatchSignals, SignalsError> {
    adapter::error()
}

#[rocket::get("/slow")]
fn slow(connect: Connect) -> Sse {
    adapter::slow(connect)
}

#[rocket::get("/silent")]
fn silent(connect: Connect) -> Sse {
    adapter::silent(connect)
}

#[rocket::get("/broken")]
fn broken(connect: Connect) -> Sse {
    adapter::broken(connect)
}

#[rocket::get("/old")]
fn old(connect: Connect) -> Sse {
    adapter::old(connect)
}

#[rocket::get("/connected")]
fn connected(connect: Connect) -> Sse {
    adapter::connected(connect)
}

#[rocket::get("/settings")]
fn settings(config: Config) -> Sse {
    adapter::connected_by(&config)
}

#[test]
fn a_data_guard_reads_the_query_too() {
    let server = InRocket::start();
    let mut answer = server.get("/query-by-data?datastar=%7B%22name%22%3A%22Ada%22%7D");
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains("Ada"));
}

#[test]
fn a_handler_can_take_the_error_of_a_tab_and_return_it() {
    assert_eq!(InRocket::start().get("/tab-or-not").status, 400);
}

/// What no guard of ours has refused is rocket's to answer.
#[test]
fn other_errors_are_left_alone() {
    let mut answer = InRocket::start().get("/nowhere");
    assert_eq!(answer.status, 404);
    assert!(answer.text().contains("404"));
}

/// A rejection that the handler has taken is not the answer.
#[test]
fn a_handler_decides_what_a_rejection_is_answered_with() {
    let server = InRocket::start();
    for target in ["/decides", "/configured/decides"] {
        let mut answer = server.post(target, b"{");
        assert_eq!(answer.status, 415, "{target}");
        let text = answer.text();
        assert!(
            text.contains("415") && !text.contains("signals"),
            "{target} {text}"
        );
    }
}

/// What is wrong with the form is, not what is wrong with a tab that need not be there.
#[test]
fn a_guard_that_may_fail_is_not_what_failed() {
    let server = InRocket::start();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let long = format!("name={}", "x".repeat(adapter::OWN_LIMIT));
    for (body, status, text) in [("name=Ada", 200, "false Ada"), (&long, 413, "413")] {
        let mut answer = server.ask("POST", "/upload", &headers, Some(body.as_bytes()));
        assert_eq!(answer.status, status);
        let found = answer.text();
        assert!(found.contains(text) && !found.contains("tab"), "{found}");
    }
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
    let server = Running::start(Config::new(), |settings| {
        rocket::custom(settings).register("/", rocket::catchers![bad, other])
    });
    let long = format!("{{\"name\":\"{}\"}}", "x".repeat(2000));
    for (target, body, expected) in [
        ("/strict", "{", (400, "my 400")),
        ("/strict", &long, (413, "signals are too large")),
        ("/nowhere", "", (404, "my default, 404")),
    ] {
        let body = Some(body.as_bytes());
        let mut answer = ask(server.address, "POST", target, &[adapter::JSON], body);
        assert_eq!((answer.status, &*answer.text()), expected);
    }
}

/// A page comes back by itself after a stream that breaks.
#[test]
fn a_shutdown_ends_open_streams_with_a_break() {
    let server = Running::start(Config::new(), rocket::custom);
    let headers = [("last-event-id", "shutdown")];
    let mut open = ask(server.address, "GET", "/silent", &headers, None);
    open.until("<p id=one></p>\n\n");
    // Told so as soon as it has begun, rocket 0.5 often runs no fairings, fails, and drops everything.
    thread::sleep(Duration::from_millis(20));
    let begun = Instant::now();
    server.shutdown.notify();
    let (reason, ended) = adapter::ended("shutdown");
    assert_eq!(reason, EndReason::Shutdown);
    let hooks = ended.duration_since(begun);
    assert!(hooks < Duration::from_millis(500), "{hooks:?}");
    assert!(open.end().is_err());
    let broke = begun.elapsed();
    server.thread.join().unwrap();
    let done = begun.elapsed();
    println!(
        "hooks ran within {hooks:?}, the page saw the break within {broke:?}, and rocket was done within {done:?}"
    );
    assert!(broke < Duration::from_secs(2), "{broke:?}");
    assert!(done < Duration::from_secs(4), "{done:?}");
}
