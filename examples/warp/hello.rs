//! One-shot: a click, and an answer of many patches, of elements and of signals, that ends.
//!
//! `cargo run -p examples --bin warp-hello`, then open the address that it prints.

use examples::hello;
use serde_json::json;
use sidereal::{
    Connect, Signals, Sse,
    warp::{connect, recover, signals},
};
use tokio::{net::TcpListener, time::sleep};
use warp::{Filter, reply};

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
    let routes = warp::path!()
        .map(|| reply::html(hello::page()))
        .or(warp::path!("hello")
            .and(warp::get())
            .and(connect())
            .and(signals())
            .then(hello))
        .or(warp::path!("datastar.js")
            .map(|| reply::with_header(examples::DATASTAR_JS, "content-type", "text/javascript")))
        .recover(recover);
    let listener = TcpListener::bind(examples::start()).await?;
    println!("hello on http://{}", listener.local_addr()?);
    warp::serve(routes).incoming(listener).run().await;
    Ok(())
}
