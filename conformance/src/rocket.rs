//! `/test` on rocket.

use std::{io, net::SocketAddr};

use rocket::{
    Config, Data, Request, Response,
    config::LogLevel,
    fairing::{AdHoc, Fairing, Info, Kind},
    http::{ContentType, Header, Status},
    response::status::Custom,
    routes,
};
use serde_json::value::RawValue;
use sidereal::{Connect, Signals, Sse};

use crate::{announce, config, test_case};

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
        .mount("/", routes![get, post, put, patch, delete]);
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
        request.replace_header(ContentType::JSON);
        request.replace_header(Header::new("datastar-request", "true"));
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
