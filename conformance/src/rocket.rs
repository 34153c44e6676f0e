//! rocket.

use std::{io, net::SocketAddr};

use rocket::{
    Config, Data, Request, Response, Route,
    config::LogLevel,
    fairing::{AdHoc, Fairing, Info, Kind},
    http::{ContentType, Header, Status},
    response::status::Custom,
    routes,
};
use serde_json::value::RawValue;
use sidereal::{
    Connect, HtmlReply, IsDatastar, LastEventId, LenientSignals, Optional, PatchElements,
    SelectorError, Signals, Sse,
};

use crate::{
    announce, config,
    suite::{self, Form},
    test_case,
};

pub(crate) fn serve(address: SocketAddr) -> io::Result<()> {
    let settings = Config {
        address: address.ip(),
        port: address.port(),
        log_level: LogLevel::Off,
        ..Config::default()
    };
    let announce = AdHoc::on_liftoff("announce", |rocket| {
        let settings = rocket.config();
        announce(SocketAddr::new(settings.address, settings.port));
        Box::pin(async {})
    });
    let rocket = rocket::custom(settings)
        .attach(config())
        .attach(Head)
        .attach(announce)
        .mount("/", routes![get, post, put, patch, delete])
        .mount("/", streams())
        .mount("/", others());
    let launched = rocket::execute(rocket.launch());
    launched.map(drop).map_err(io::Error::other)
}

/// What the other adapters have as middleware.
struct Head;

#[rocket::async_trait]
impl Fairing for Head {
    fn info(&self) -> Info {
        Info {
            name: "head",
            kind: Kind::Request | Kind::Response,
        }
    }

    /// Whoever asks here is taken for the Datastar client, whatever its tools call their JSON.
    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        if request.uri().path() == "/test" {
            request.replace_header(ContentType::JSON);
            request.replace_header(Header::new("datastar-request", "true"));
        }
    }

    /// What is not negotiated, a refusal for one, might have been: a cache must not give it to others.
    async fn on_response<'r>(&self, _: &'r Request<'_>, response: &mut Response<'r>) {
        response.set_raw_header("vary", "accept-encoding");
    }
}

#[rocket::get("/test")]
fn get(connect: Connect, signals: Signals<Box<RawValue>>) -> Result<Sse, Custom<String>> {
    answer(connect, &signals)
}

macro_rules! with_body {
    ($($method:ident),*) => {$(
        #[rocket::$method("/test", data = "<signals>")]
        fn $method(
            connect: Connect,
            signals: Signals<Box<RawValue>>,
        ) -> Result<Sse, Custom<String>> {
            answer(connect, &signals)
        }
    )*};
}

with_body!(post, put, patch, delete);

fn answer(connect: Connect, case: &RawValue) -> Result<Sse, Custom<String>> {
    match test_case::frames(case.get()) {
        Ok(frames) => Ok(connect.reply(frames)),
        Err(refused) => Err(Custom(Status::BadRequest, refused.to_string())),
    }
}

macro_rules! streams {
    ($($name:ident: $route:literal,)*) => {
        $(
            #[rocket::get($route)]
            fn $name(connect: Connect) -> Sse {
                suite::$name(connect)
            }
        )*

        fn streams() -> Vec<Route> {
            routes![$($name),*]
        }
    };
}

streams! {
    once: "/once",
    slow: "/slow",
    stream: "/stream",
    view: "/view",
    poll: "/poll",
    topic: "/topic",
}

fn others() -> Vec<Route> {
    routes![
        publish,
        signals,
        signals_of_query,
        optional,
        optional_of_query,
        lenient,
        lenient_of_query,
        head,
        html,
        event,
        fails,
        ends,
        plain,
        shutdown
    ]
}

#[rocket::post("/publish")]
fn publish() -> Status {
    suite::publish();
    Status::NoContent
}

#[rocket::post("/signals", data = "<form>")]
fn signals(form: Signals<Form>) -> PatchElements {
    suite::greeting(Some(form.0))
}

#[rocket::get("/signals")]
fn signals_of_query(form: Signals<Form>) -> PatchElements {
    suite::greeting(Some(form.0))
}

#[rocket::post("/optional", data = "<form>")]
fn optional(form: Optional<Signals<Form>>) -> PatchElements {
    suite::greeting(form.0.map(|Signals(form)| form))
}

#[rocket::get("/optional")]
fn optional_of_query(form: Optional<Signals<Form>>) -> PatchElements {
    suite::greeting(form.0.map(|Signals(form)| form))
}

#[rocket::post("/lenient", data = "<form>")]
fn lenient(form: LenientSignals<Form>) -> PatchElements {
    suite::greeting(form.0)
}

#[rocket::get("/lenient")]
fn lenient_of_query(form: LenientSignals<Form>) -> PatchElements {
    suite::greeting(form.0)
}

#[rocket::get("/head")]
fn head(is_datastar: IsDatastar, last_event_id: LastEventId) -> PatchElements {
    suite::head(is_datastar, last_event_id)
}

#[rocket::get("/html")]
fn html() -> HtmlReply {
    suite::html()
}

#[rocket::get("/event")]
fn event() -> PatchElements {
    suite::element("event", 1)
}

#[rocket::get("/fails")]
fn fails() -> Result<PatchElements, SelectorError> {
    suite::fails()
}

#[rocket::get("/ends")]
fn ends() -> String {
    suite::ends()
}

#[rocket::get("/plain")]
fn plain() -> &'static str {
    "plain"
}

#[rocket::post("/shutdown")]
fn shutdown() -> Status {
    suite::shutdown();
    Status::NoContent
}
