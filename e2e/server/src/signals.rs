//! Patches of signals: merging, arrays, removal, only if missing.

use axum::{
    Router,
    extract::Path,
    http::StatusCode,
    response::Html,
    routing::{get, post},
};
use serde_json::json;
use sidereal::{Connect, PatchSignals, SignalPaths, SignalsError, Sse};

use crate::{counts::Counts, page::page, run::Run};

pub(crate) fn routes() -> Router<Counts> {
    Router::new()
        .route("/signals", get(show))
        .route("/signals/{name}", post(patch))
}

async fn show(run: Run) -> Html<String> {
    page(include_str!("../pages/signals.html"), &run)
}

async fn patch(connect: Connect, Path(name): Path<String>) -> Result<Sse, StatusCode> {
    let patch = by_name(&name).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let done = PatchSignals::new(&json!({ "done": name }));
    let done = done.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(connect.reply((patch.ok_or(StatusCode::NOT_FOUND)?, done)))
}

fn by_name(name: &str) -> Result<Option<PatchSignals>, SignalsError> {
    Ok(Some(match name {
        "merge" => {
            PatchSignals::new(&json!({ "user": { "age": 37, "home": { "city": "Paris" } } }))?
        }
        "array" => PatchSignals::new(&json!({ "list": [9] }))?,
        "remove" => PatchSignals::remove(["gone", "user.name"])?,
        "back" => PatchSignals::new(&json!({ "gone": 2 }))?,
        "null" => PatchSignals::new(&json!({ "gone": null }))?,
        "missing" => PatchSignals::new(
            &json!({ "kept": "no", "fresh": "yes", "user": { "name": "no", "extra": 1 } }),
        )?
        .only_if_missing(true),
        "paths" => PatchSignals::from_paths(
            SignalPaths::new()
                .set("user.age", &38)
                .set("user.home.city", "Rome")
                .remove("gone"),
        )?,
        "json" => PatchSignals::from_json("{\r\n  \"kept\": \"a\\nb\",\r\"list\":\n[1,\n2]}")?,
        _ => return Ok(None),
    }))
}
