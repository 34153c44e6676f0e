//! Data SPICE: the Cassini mission, live, as a page that the server patches.

#![cfg_attr(test, allow(clippy::unwrap_used))]

use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;
use sidereal::Hub;
use sidereal::serve::stop_signal;

use crate::arguments::Command;
use crate::cassini::Mission;
use crate::clock::MissionClock;
use crate::handlers::App;
use crate::page::Page;
use crate::show::Show;

mod arguments;
mod body;
mod cassini;
mod clock;
mod handlers;
mod kepler;
mod page;
mod planets;
mod render;
mod show;
mod sky;
mod time;
mod vector;

/// Where the page finds the Datastar client, if it came with this program.
const DATASTAR: &str = "/datastar.js";

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt::init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dataspice: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let (address, speed) = match arguments::parse(std::env::args().skip(1))? {
        Command::Help => {
            print!("{}", arguments::HELP);
            return Ok(());
        }
        Command::Serve { address, speed } => (address, speed),
    };
    let mission = Mission::load()?;
    let scene = Bytes::from(serde_json::to_vec(&render::scene(&mission))?);
    let page = Page::new(
        datastar_client::script_src(DATASTAR),
        render::timeline(&mission),
    );

    let mut app = Router::new()
        .route("/stream", get(handlers::stream))
        .route("/details", get(handlers::details))
        .route(
            "/",
            get(async move || file("text/html; charset=utf-8", page.for_a_tab())),
        )
        .route(
            "/scene.json",
            get(async move || file("application/json", scene)),
        );
    for (address, content_type, contents) in page::FILES {
        app = app.route(address, get(async move || file(content_type, contents)));
    }

    if let Some(client) = datastar_client::JS {
        app = app.route(DATASTAR, get(async move || file(page::SCRIPT, client)));
    }
    let clock = MissionClock::new(mission.start(), mission.end(), speed, Instant::now());
    let hub = Hub::new();
    let app = app.with_state(App::new(&hub, Show::new(mission, clock)));

    let listener = tokio::net::TcpListener::bind(address)
        .await
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    println!("Data SPICE on http://{}", listener.local_addr()?);
    sidereal::serve(listener, app)
        .shutdown_on(stop_signal())
        .await?;
    Ok(())
}

/// A file that is part of the program; a browser asks for it again each time, so that a new program never meets an old file.
fn file(content_type: &'static str, body: impl IntoResponse) -> impl IntoResponse {
    (
        [(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-cache")],
        body,
    )
}
