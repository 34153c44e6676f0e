//! A topic: each line is published once and sent to everyone who follows. Its last lines are kept, for who comes later,
//! and for who comes back.
//!
//! `cargo run -p examples --bin axum-chat`, then open the address that it prints, in more than one window. Take the
//! network away, or hide a tab, while others write: the page misses no line and shows none twice. Start the server anew:
//! its lines are gone, and so are those of the page.

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::Html,
    routing::{get, post},
};
use examples::chat::{self, Said};
use serde_json::json;
use sidereal::{Connect, Hub, Signals, Sse, Topic};
use tokio::net::TcpListener;

/// The lines, as they come.
async fn lines(connect: Connect, State(chat): State<Topic>) -> Sse {
    connect
        .subscribe(&chat)
        // These events go first. A page that comes back and is sent just what it missed keeps the lines that it has; any
        // other is sent all that are kept, and begins with none.
        .on_connect(async |tx| {
            if !tx.is_resumed() {
                tx.patch_elements(chat::no_lines()).await?;
            }
            Ok(())
        })
}

async fn say(
    connect: Connect,
    State(chat): State<Topic>,
    Signals(said): Signals<Said>,
) -> Result<Sse, StatusCode> {
    if let Some(line) = said.line() {
        chat.publish(line)
            .map_err(|_| StatusCode::INSUFFICIENT_STORAGE)?;
    }
    Ok(connect.respond(async |tx| {
        tx.patch_signals(&json!({ "text": "" })).await?;
        Ok(())
    }))
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let app = Router::new()
        .route("/", get(async || Html(chat::page())))
        .route("/lines", get(lines))
        .route("/say", post(say))
        .route(
            "/datastar.js",
            get(async || ([(CONTENT_TYPE, "text/javascript")], examples::DATASTAR_JS)),
        )
        .with_state(Hub::new().topic_with("chat", chat::LINES));
    let listener = TcpListener::bind(examples::start()).await?;
    println!("chat on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await
}
