//! Data SPICE: the Cassini mission, live, as a page that the server patches.

#![cfg_attr(test, allow(clippy::unwrap_used))]

use std::error::Error;
use std::process::ExitCode;

use axum::Router;
use axum::body::Bytes;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::arguments::Command;
use crate::cassini::Mission;

mod arguments;
mod body;
mod cassini;
mod clock;
mod kepler;
mod page;
mod planets;
mod render;
mod sky;
mod time;
mod vector;

const DATASTAR: &str =
    "https://cdn.jsdelivr.net/gh/starfederation/datastar@v1.0.2/bundles/datastar.js";

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
    let (address, _speed) = match arguments::parse(std::env::args().skip(1))? {
        Command::Help => {
            print!("{}", arguments::HELP);
            return Ok(());
        }
        Command::Serve { address, speed } => (address, speed),
    };
    let mission = Mission::load()?;
    let scene = Bytes::from(serde_json::to_vec(&render::scene(&mission))?);
    let page = Bytes::from(page::page(DATASTAR, render::timeline(&mission)));

    let mut app = Router::new()
        .route(
            "/",
            get(async move || file("text/html; charset=utf-8", page)),
        )
        .route(
            "/scene.json",
            get(async move || file("application/json", scene)),
        );
    for (address, content_type, contents) in page::FILES {
        app = app.route(address, get(async move || file(content_type, contents)));
    }

    let listener = tokio::net::TcpListener::bind(address)
        .await
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    println!("Data SPICE on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

/// A file that is part of the program: a browser keeps it, but asks whether it changed.
fn file(content_type: &'static str, body: impl IntoResponse) -> impl IntoResponse {
    (
        [(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-cache")],
        body,
    )
}
