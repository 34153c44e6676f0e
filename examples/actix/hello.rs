//! One-shot: a click, and an answer of many patches, of elements and of signals, that ends.
//!
//! `cargo run -p examples --bin actix-hello`, then open the address that it prints.

use actix_web::{
    App, HttpResponse, HttpServer,
    web::{Html, get},
};
use examples::hello;
use serde_json::json;
use sidereal::{Connect, Signals, Sse};
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

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let app = || {
        App::new()
            .route("/", get().to(async || Html::new(hello::page())))
            .route("/hello", get().to(hello))
            .route(
                "/datastar.js",
                get().to(async || {
                    HttpResponse::Ok()
                        .content_type("text/javascript")
                        .body(examples::DATASTAR_JS)
                }),
            )
    };
    let server = HttpServer::new(app).bind(examples::start())?;
    println!("hello on http://{}", server.addrs()[0]);
    server.run().await
}
