//! One-shot: a click, and an answer of many patches, of elements and of signals, that ends.
//!
//! `cargo run -p examples --bin salvo-hello`, then open the address that it prints.

use examples::hello;
use salvo_core::{
    Response, Router, Server, Writer,
    conn::tcp::TcpAcceptor,
    handler,
    http::header::{CONTENT_TYPE, HeaderValue},
    writing::Text,
};
use serde_json::json;
use sidereal::{Connect, Signals, Sse};
use tokio::{net::TcpListener, time::sleep};

/// Types the message. The closure runs within the response, while the page reads it.
#[handler]
async fn greet(connect: Connect, page: Signals<hello::Signals>) -> Sse {
    connect.respond(async move |tx| {
        for letters in 1..=hello::MESSAGE.chars().count() {
            tx.patch_elements(hello::message(letters)).await?;
            tx.patch_signals(&json!({ "letters": letters })).await?;
            sleep(page.delay()).await;
        }
        Ok(())
    })
}

#[handler]
async fn index() -> Text<String> {
    Text::Html(hello::page())
}

#[handler]
async fn datastar_js(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/javascript"));
    response.body(examples::DATASTAR_JS);
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let app = Router::new()
        .get(index)
        .push(Router::with_path("hello").get(greet))
        .push(Router::with_path("datastar.js").get(datastar_js));
    let listener = TcpListener::bind(examples::start()).await?;
    println!("hello on http://{}", listener.local_addr()?);
    let acceptor = TcpAcceptor::try_from(listener)?;
    Server::new(acceptor).try_serve(app).await
}
