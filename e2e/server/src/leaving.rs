//! Work that a client leaves in the middle.

use std::time::Duration;

use axum::{
    Router,
    extract::State,
    response::Html,
    routing::{get, post},
};
use sidereal::{Connect, Sender, Sse};

use crate::{
    counts::{Counter, Counts},
    page::page,
    run::Run,
};

const TAKES: Duration = Duration::from_millis(700);

pub(crate) fn routes() -> Router<Counts> {
    Router::new()
        .route("/leaving", get(show))
        .route("/leaving/save", post(save))
        .route("/leaving/save-detached", post(save_detached))
}

async fn show(run: Run) -> Html<String> {
    page(include_str!("../pages/leaving.html"), &run)
}

/// Dropped with the connection.
async fn save(State(counts): State<Counts>, run: Run, connect: Connect) -> Sse {
    let counter = counts.request("save", &run);
    connect.respond(move |tx| work(tx, counter))
}

/// Runs to its end, whoever waits for it.
async fn save_detached(State(counts): State<Counts>, run: Run, connect: Connect) -> Sse {
    let counter = counts.request("save-detached", &run);
    connect.respond(move |tx| work(tx, counter)).detached()
}

async fn work(tx: Sender, counter: Counter) -> Result<(), sidereal::BodyError> {
    let work = counter.work();
    tx.patch_elements("<p id='state'>saving</p>").await?;
    tokio::time::sleep(TAKES).await;
    work.finish();
    tx.patch_elements("<p id='state'>saved</p>").await?;
    Ok(())
}
