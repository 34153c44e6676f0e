//! Whatever the page says comes back in every way there is.

use axum::{
    Router,
    extract::State,
    response::Html,
    routing::{get, post},
};
use maud::html;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sidereal::{
    AttributeName, Connect, ExecuteScript, ScriptError, Signals, SignalsRejection, Sse,
};

use crate::{counts::Counts, page::page, run::Run};

const DATA_TEXT: AttributeName = AttributeName::from_static("data-said");

pub(crate) fn routes() -> Router<Counts> {
    Router::new()
        .route("/echo", get(show).post(echo))
        .route("/echo/html", post(echo_html))
        .route("/echo/map", post(echo_map))
}

async fn show(run: Run) -> Html<String> {
    page(include_str!("../pages/echo.html"), &run)
}

#[derive(Deserialize)]
struct Said {
    text: String,
}

/// As a signal, as text and attribute of an element, in a script, on the console, in an event.
async fn echo(connect: Connect, Signals(Said { text }): Signals<Said>) -> Sse {
    connect.respond(async move |tx| {
        tx.patch_elements(html! { p #echo title=(text) { (text) } })
            .await?;
        tx.execute_script(script(&text)?).await?;
        tx.execute_script(ExecuteScript::console_log(&text)).await?;
        tx.execute_script(ExecuteScript::dispatch_event(
            "echo",
            &json!({ "text": text }),
        )?)
        .await?;
        tx.patch_signals(&json!({ "echoed": text, "done": "echo" }))
            .await?;
        Ok(())
    })
}

/// The text in code of one's own, by way of the element's attribute.
fn script(text: &str) -> Result<ExecuteScript, ScriptError> {
    Ok(
        ExecuteScript::new("window.said = document.currentScript.dataset.said")
            .attribute(DATA_TEXT, text),
    )
}

/// As HTML that is trusted, so that only its line breaks could do harm.
async fn echo_html(connect: Connect, Signals(Said { text }): Signals<Said>) -> Sse {
    connect.respond(async move |tx| {
        tx.patch_elements(format!("<p id='echo'>{text}</p>"))
            .await?;
        tx.patch_signals(&json!({ "done": "html" })).await?;
        Ok(())
    })
}

/// All signals as they came, under a name of their own.
async fn echo_map(
    State(counts): State<Counts>,
    run: Run,
    connect: Connect,
    signals: Result<Signals<Map<String, Value>>, SignalsRejection>,
) -> Sse {
    let counter = counts.request("map", &run);
    let sse = connect.respond(async move |tx| {
        let Signals(map) = signals?;
        tx.patch_signals(&json!({ "map": map, "done": "map" }))
            .await?;
        Ok(())
    });
    counter.follow(sse)
}
