//! One-shot: a click, and an answer of many patches, of elements and of signals, that ends.
//!
//! `cargo run -p examples --bin hyper-hello`, then open the address that it prints.

use examples::{
    hello,
    hyper::{Reply, Request, file, not_found},
};
use serde_json::json;
use sidereal::{Connect, Signals, Sse, serve::Listener};
use tokio::time::sleep;

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

async fn answer(request: Request) -> Reply {
    let connect = Connect::from_request(&request);
    match request.uri().path() {
        "/" => file("text/html; charset=utf-8", hello::page()),
        "/hello" => match Signals::receive(request).await {
            Ok(signals) => hello(connect, signals).await.into(),
            Err(rejection) => rejection.into(),
        },
        "/datastar.js" => file("text/javascript", examples::DATASTAR_JS),
        _ => not_found(),
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = Listener::bind(examples::start()).await?;
    println!("hello on http://{}", listener.local_addr()?);
    let service = examples::hyper::service(answer);
    sidereal::serve(listener, service).await.map(|_| ())
}
