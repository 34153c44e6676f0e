//! One-shot: a click, and an answer of many patches, of elements and of signals, that ends.
//!
//! `cargo run -p examples --bin poem-hello`, then open the address that it prints.

use examples::hello;
use poem::{
    IntoResponse, Route, Server, endpoint::make_sync, get, handler, listener::TcpAcceptor,
    web::Html,
};
use serde_json::json;
use sidereal::{Connect, Signals, Sse};
use tokio::{net::TcpListener, time::sleep};

/// Types the message. The closure runs within the response, while the page reads it.
#[handler]
async fn greet(connect: Connect, Signals(page): Signals<hello::Signals>) -> Sse {
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
    let app = Route::new()
        .at("/", get(make_sync(|_| Html(hello::page()))))
        .at("/hello", get(greet))
        .at(
            "/datastar.js",
            get(make_sync(|_| {
                examples::DATASTAR_JS.with_content_type("text/javascript")
            })),
        );
    let listener = TcpListener::bind(examples::start()).await?;
    println!("hello on http://{}", listener.local_addr()?);
    Server::new_with_acceptor(TcpAcceptor::from_tokio(listener)?)
        .run(app)
        .await
}
