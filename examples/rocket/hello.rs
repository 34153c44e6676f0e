//! One-shot: a click, and an answer of many patches, of elements and of signals, that ends.
//!
//! `cargo run -p examples --bin rocket-hello`, then open the address that it prints.

use examples::hello;
use rocket::{
    fairing::AdHoc,
    get,
    response::content::{RawHtml, RawJavaScript},
    routes,
};
use serde_json::json;
use sidereal::{Config, Connect, Signals, Sse};
use tokio::time::sleep;

/// Types the message. The closure runs within the response, while the page reads it.
#[get("/hello")]
fn greet(connect: Connect, page: Signals<hello::Signals>) -> Sse {
    connect.respond(async move |tx| {
        for letters in 1..=hello::MESSAGE.chars().count() {
            tx.patch_elements(hello::message(letters)).await?;
            tx.patch_signals(&json!({ "letters": letters })).await?;
            sleep(page.delay()).await;
        }
        Ok(())
    })
}

#[get("/")]
fn page() -> RawHtml<String> {
    RawHtml(hello::page())
}

#[get("/datastar.js")]
fn client() -> RawJavaScript<&'static [u8]> {
    RawJavaScript(examples::DATASTAR_JS)
}

#[rocket::main]
async fn main() -> Result<(), Box<rocket::Error>> {
    let address = examples::start();
    let settings = rocket::Config {
        address: address.ip(),
        port: address.port(),
        ..rocket::Config::default()
    };
    let announce = AdHoc::on_liftoff("announce", |rocket| {
        println!(
            "hello on http://{}:{}",
            rocket.config().address,
            rocket.config().port
        );
        Box::pin(async {})
    });
    rocket::custom(settings)
        .attach(announce)
        .attach(Config::new())
        .mount("/", routes![page, greet, client])
        .launch()
        .await?;
    Ok(())
}
