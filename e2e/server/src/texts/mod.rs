//! Streams of texts that a client can check, compressed as the query says.

use std::time::Duration;

use axum::{
    Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use serde_json::json;
use sidereal::{
    BodyError, Codec, Compression, Connect, End, EndReason, PatchElements, Selector, SendError,
    Sender,
};
use sidereal_sse::Event;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::{
    counts::{Counts, milliseconds},
    page::page,
    run::Run,
    texts::content::content,
};

mod content;

const EVENTS: u32 = 40;
/// How many are sent before a stream breaks.
const BEFORE_THE_BREAK: u32 = 12;
const EVERY: Duration = Duration::from_millis(60);

pub(crate) fn routes() -> Router<Counts> {
    Router::new()
        .route("/texts", get(show))
        .route("/texts/stream", get(stream))
}

async fn show(run: Run) -> Html<String> {
    page(include_str!("../../pages/texts.html"), &run)
}

#[derive(Deserialize)]
struct Wanted {
    codec: String,
    /// As patches that append to the element of this id, instead of as plain events.
    into: Option<String>,
    #[serde(default)]
    breaks: bool,
}

/// One text after another, each with its number and when it was sent, and heartbeats in all places.
///
/// Notes what was asked for, and how it was answered.
async fn stream(
    State(counts): State<Counts>,
    run: Run,
    headers: HeaderMap,
    connect: Connect,
    Query(wanted): Query<Wanted>,
) -> Result<Response, StatusCode> {
    let codec = wanted.codec;
    let compression = compression(&codec).ok_or(StatusCode::NOT_FOUND)?;
    let into = wanted.into.as_deref().map(Selector::id);
    let events = if wanted.breaks {
        BEFORE_THE_BREAK
    } else {
        EVENTS
    };
    let sse = connect
        .run(async move |tx| {
            send(&tx, events, into.as_ref()).await?;
            tx.close();
            Ok(())
        })
        .compression(compression);
    let sse = match wanted.breaks {
        true => sse.end_with(EndReason::Closed, End::Broken),
        false => sse,
    };
    let counter = counts.request("texts", &run);
    let response = counter.follow(sse).into_response();
    let text = |headers: &HeaderMap, name| {
        let value = headers.get(name).map(|value| value.to_str());
        value.and_then(Result::ok).unwrap_or("none").to_owned()
    };
    let asked = text(&headers, header::ACCEPT_ENCODING);
    let answered = text(response.headers(), header::CONTENT_ENCODING);
    counter.note(json!({ "codec": codec, "asked": asked, "answered": answered }).to_string());
    Ok(response)
}

fn compression(codec: &str) -> Option<Compression> {
    Some(match codec {
        "identity" => Compression::none(),
        "zstd" => Compression::new().order([Codec::Zstd]),
        "gzip" => Compression::new().order([Codec::Gzip]),
        "br" => Compression::new().order([Codec::Brotli]),
        "any" => Compression::new(),
        _ => return None,
    })
}

async fn send(tx: &Sender, events: u32, into: Option<&Selector>) -> Result<(), BodyError> {
    tx.keep_alive().await?;
    let mut ticks = interval(EVERY);
    // One that is late does not make the others come in a heap.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for number in 0..events {
        let text = content(number);
        ticks.tick().await;
        let data = format!("{number} {:.3}\n{text}", milliseconds());
        match into {
            None => tx.send(Event::new(data)).await?,
            Some(into) => {
                let patch = PatchElements::new(format!("<pre>{data}</pre>"));
                tx.patch_elements(patch.append(into.clone())).await?;
            }
        }
        heartbeats(tx, number).await?;
    }
    Ok(())
}

/// One right after an event, one in the middle between two, and several in a row.
async fn heartbeats(tx: &Sender, after: u32) -> Result<(), SendError> {
    match after % 5 {
        0 => tx.keep_alive().await,
        2 => {
            sleep(EVERY / 2).await;
            tx.keep_alive().await
        }
        3 => {
            for _ in 0..3 {
                tx.keep_alive().await?;
                sleep(EVERY / 10).await;
            }
            tx.keep_alive().await
        }
        _ => Ok(()),
    }
}
