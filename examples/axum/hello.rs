//! One-shot: a click, and an answer of many patches, of elements and of signals, that ends.
//!
//! `cargo run -p examples --bin axum-hello`, then open the address that it prints.

use axum::{Router, http::header::CONTENT_TYPE, response::Html, routing::get};
use examples::hello;
use serde_json::json;
use sidereal::{Connect, Signals, Sse};
use tokio::{net::TcpListener, time::sleep};

/// Types the message. The closure runs within the response, while the page reads it.
async fn hello(connect: Connect, Signals(page): Signals<hello::Signals>) -> Sse {
    connect.respond(async move |tx| {
        for letters in 1..=hello::MESSAGE.chars().count() {
            tx.patch_elements(hello::message(letters)).await?;
            tx.patch_signals(&json!({ "letters": letters })).await?;
            sleep(page.delay()).await;
        }
        Ok(())
    })
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let app = Router::new()
        .route("/", get(async || Html(hello::page())))
        .route("/hello", get(hello))
        .route(
            "/datastar.js",
            get(async || ([(CONTENT_TYPE, "text/javascript")], examples::DATASTAR_JS)),
        );
    let listener = TcpListener::bind(examples::start()).await?;
    println!("hello on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await
}
