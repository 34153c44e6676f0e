//! A chat for each test: a topic that keeps its last lines, and replays them to who comes back.

use axum::{
    Extension, Router,
    extract::{Query, State},
    http::StatusCode,
    response::Html,
    routing::{get, post},
};
use maud::html;
use serde::Deserialize;
use sidereal::{
    Connect, Hub, PatchElements, Sse, StartAt, TabId, Topic, TopicName, TopicOptions, selector,
};

use crate::{counts::Counts, page::page, run::Run};

/// How many lines are kept.
const KEPT: usize = 30;

pub(crate) fn routes() -> Router<Counts> {
    Router::new()
        .route("/chat", get(show))
        .route("/chat/stream", get(stream))
        .route("/chat/say", post(say))
        .layer(Extension(Hub::new()))
}

fn topic(hub: &Hub, Run(run): &Run) -> Topic {
    let options = TopicOptions::new()
        .keep(KEPT)
        .keep_bytes(64 << 20)
        .start_at(StartAt::Oldest)
        .replay(true);
    hub.topic_with(TopicName::new("chat").with(run), options)
}

async fn show(run: Run) -> Html<String> {
    let body = include_str!("../pages/chat.html").replace("{{tab}}", &TabId::random().attribute());
    page(&body, &run)
}

async fn stream(
    State(counts): State<Counts>,
    Extension(hub): Extension<Hub>,
    run: Run,
    connect: Connect,
) -> Sse {
    let counter = counts.request("chat", &run);
    let noted = counter.clone();
    let sse = connect
        .subscribe(&topic(&hub, &run))
        // Not compressed, so that a connection can be cut in the middle of a line.
        .compression(None)
        .on_connect(async move |tx| {
            noted.note(if tx.is_resumed() { "resumed" } else { "new" });
            if !tx.is_resumed() {
                tx.patch_elements("<ul id='lines'></ul>").await?;
            }
            Ok(())
        });
    counter.follow(sse)
}

#[derive(Deserialize)]
struct Said {
    text: String,
    /// How many bytes there are behind the text.
    #[serde(default)]
    padding: usize,
}

async fn say(
    Extension(hub): Extension<Hub>,
    run: Run,
    Query(Said { text, padding }): Query<Said>,
) -> StatusCode {
    let line = html! { li title=(".".repeat(padding)) { (text) } };
    let line = PatchElements::new(line).append(selector!("#lines"));
    match topic(&hub, &run).publish(line) {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::PAYLOAD_TOO_LARGE,
    }
}
