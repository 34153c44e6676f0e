//! Streams: one-shot and long-lived, those that end well, and those that do not.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::{Query, State},
    http::StatusCode,
    response::Html,
    routing::get,
};
use serde::Deserialize;
use serde_json::json;
use sidereal::{
    BodyError, Connect, End, EndReason, EventId, LastEventId, PatchSignals, Signals, Sse, TabId,
};

use crate::{
    counts::{Counts, milliseconds},
    page::page,
    run::Run,
};

pub(crate) fn routes() -> Router<Counts> {
    Router::new()
        .route("/fetching", get(show_fetching))
        .route("/fetching/data", get(fetching))
        .route("/fetching/quietly", get(quietly))
        .route("/ticks", get(show_ticks))
        .route("/ticks/stream", get(ticks))
        .route("/tabs", get(show_tabs))
        .route("/ends", get(show_ends))
        .route("/ends/reply", get(reply))
        .route("/ends/finished", get(finished))
        .route("/ends/closed", get(closed))
        .route("/ends/failed", get(failed))
        .route("/ends/panicked", get(panicked))
        .route("/ends/handler-failed", get(handler_failed))
        .route("/ends/handler-panicked", get(handler_panicked))
        .route("/ends/broken", get(broken))
        .route("/hidden", get(show_hidden))
        .route("/hidden/stream", get(hidden))
}

async fn show_fetching(run: Run) -> Html<String> {
    page(include_str!("../pages/fetching.html"), &run)
}

#[derive(Deserialize)]
struct Work {
    /// How long it takes, in milliseconds.
    takes: u64,
}

/// One-shot, in two patches.
async fn fetching(
    State(counts): State<Counts>,
    run: Run,
    connect: Connect,
    Query(Work { takes }): Query<Work>,
) -> Sse {
    let counter = counts.request("fetching", &run);
    let sse = connect.respond(async move |tx| {
        tx.patch_elements("<p id='details'>Fetching…</p>").await?;
        tokio::time::sleep(Duration::from_millis(takes)).await;
        tx.patch_elements("<p id='details'>the data</p>").await?;
        Ok(())
    });
    counter.follow(sse)
}

/// Nothing but heartbeats between two patches.
async fn quietly(State(counts): State<Counts>, run: Run, connect: Connect) -> Sse {
    let counter = counts.request("quietly", &run);
    let sse = connect
        .respond(async |tx| {
            tx.patch_elements("<p id='details'>before</p>").await?;
            tokio::time::sleep(Duration::from_millis(400)).await;
            tx.patch_elements("<p id='details'>after</p>").await?;
            Ok(())
        })
        .keep_alive(Duration::from_millis(20));
    counter.follow(sse)
}

async fn show_ticks(run: Run) -> Html<String> {
    page(include_str!("../pages/ticks.html"), &run)
}

/// The same, by streams whose addresses differ from tab to tab.
async fn show_tabs(run: Run) -> Html<String> {
    let tab = TabId::random().attribute().to_string();
    page(
        &include_str!("../pages/tabs.html").replace("{{tab}}", &tab),
        &run,
    )
}

#[derive(Deserialize)]
struct Pace {
    /// Milliseconds between two ticks.
    every: u64,
}

/// Long-lived: a count, when it was sent, and which process sent it.
async fn ticks(
    State(counts): State<Counts>,
    run: Run,
    connect: Connect,
    Query(Pace { every }): Query<Pace>,
) -> Sse {
    let counter = counts.request("ticks", &run);
    let count = Arc::new(AtomicU64::new(0));
    let sse = connect.every(Duration::from_millis(every), move |tx| {
        let tick = count.fetch_add(1, Ordering::Relaxed);
        async move {
            let process = std::process::id();
            tx.patch_signals(&json!({ "tick": [tick, milliseconds()], "process": process }))
                .await?;
            Ok(())
        }
    });
    counter.follow(sse)
}

async fn show_ends(run: Run) -> Html<String> {
    page(include_str!("../pages/ends.html"), &run)
}

/// Of known length: a server need not poll its body to the end.
async fn reply(
    State(counts): State<Counts>,
    run: Run,
    connect: Connect,
) -> Result<Sse, StatusCode> {
    let patch = PatchSignals::new(&json!({ "reply": true }))
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(counts
        .request("reply", &run)
        .follow_end(connect.reply((patch.clone(), patch))))
}

async fn finished(State(counts): State<Counts>, run: Run, connect: Connect) -> Sse {
    let sse = connect.run(async |tx| {
        tx.patch_signals(&json!({ "finished": true })).await?;
        Ok(())
    });
    counts.request("finished", &run).follow(sse)
}

async fn closed(State(counts): State<Counts>, run: Run, connect: Connect) -> Sse {
    let sse = connect.run(async |tx| {
        tx.patch_signals(&json!({ "closed": true })).await?;
        tx.close();
        std::future::pending().await
    });
    counts.request("closed", &run).follow(sse)
}

async fn failed(State(counts): State<Counts>, run: Run, connect: Connect) -> Sse {
    let sse = connect.run(async |tx| {
        tx.patch_signals(&json!({ "failed": true })).await?;
        Err(BodyError::new("the database is gone"))
    });
    counts.request("failed", &run).follow(sse)
}

async fn panicked(State(counts): State<Counts>, run: Run, connect: Connect) -> Sse {
    let sse = connect.run(async |tx| {
        tx.patch_signals(&json!({ "panicked": true })).await?;
        panic!("on purpose, for the test");
    });
    counts.request("panicked", &run).follow(sse)
}

/// Fails before there is a stream, and says so.
async fn handler_failed(State(counts): State<Counts>, run: Run) -> StatusCode {
    counts.request("handler-failed", &run);
    StatusCode::INTERNAL_SERVER_ERROR
}

/// Panics before there is a response.
async fn handler_panicked(State(counts): State<Counts>, run: Run) -> Sse {
    counts.request("handler-panicked", &run);
    panic!("on purpose, for the test");
}

/// Broken on purpose, so that the page comes back, again and again.
async fn broken(
    State(counts): State<Counts>,
    run: Run,
    LastEventId(last): LastEventId,
    connect: Connect,
) -> Sse {
    let counter = counts.request("broken", &run);
    counter.note(last.as_ref().map_or("none", EventId::as_str));
    let next = if last.is_none() { "e-1" } else { "e-2" };
    let sse = connect
        .run(async move |tx| {
            tx.send(PatchSignals::new(&json!({ "broken": true }))?.id(EventId::new(next)?))
                .await?;
            Ok(())
        })
        .end_with(EndReason::Finished, End::Broken);
    counter.follow(sse)
}

async fn show_hidden(run: Run) -> Html<String> {
    page(include_str!("../pages/hidden.html"), &run)
}

#[derive(Deserialize)]
struct Note {
    note: String,
}

/// What the page said when it asked, and then ticks.
async fn hidden(
    State(counts): State<Counts>,
    run: Run,
    connect: Connect,
    Signals(Note { note }): Signals<Note>,
) -> Sse {
    let counter = counts.request("hidden", &run);
    counter.note(&note);
    let count = Arc::new(AtomicU64::new(0));
    let sse = connect.every(Duration::from_millis(50), move |tx| {
        let (note, tick) = (note.clone(), count.fetch_add(1, Ordering::Relaxed));
        async move {
            tx.patch_signals(&json!({ "asked": note, "tick": tick }))
                .await?;
            Ok(())
        }
    });
    counter.follow(sse)
}
