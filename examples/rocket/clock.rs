//! Long-lived: one stream for each viewer, a body that runs every second, and hooks that count who is there.
//!
//! `cargo run -p examples --bin rocket-clock`, then open the address that it prints, in more than one window.
//! `RUST_LOG=sidereal=debug` in front of it shows the end of each stream.

use std::{sync::Arc, time::Duration};

use examples::clock::{self, Viewers};
use rocket::{
    State,
    fairing::AdHoc,
    get,
    response::content::{RawHtml, RawJavaScript},
    routes,
};
use sidereal::{Config, Connect, Sse};

#[get("/clock")]
fn watch(connect: Connect, viewers: &State<Arc<Viewers>>) -> Sse {
    let viewers = Arc::clone(viewers);
    let (arrived, left) = (Arc::clone(&viewers), Arc::clone(&viewers));
    connect
        // At once, and then a second after each run ended. The sender comes by value, and what a run needs is cloned.
        .every(Duration::from_secs(1), move |tx| {
            let viewers = Arc::clone(&viewers);
            async move {
                tx.patch_elements(clock::now()).await?;
                tx.patch_signals(&viewers.signals()).await?;
                Ok(())
            }
        })
        // After 5 s without a byte. This body is never silent for so long; one that waits for news would be.
        .keep_alive(Duration::from_secs(5))
        // Its events go first.
        .on_connect(async move |tx| {
            arrived.add();
            tx.patch_elements(clock::welcome(tx.client().id())).await?;
            Ok(())
        })
        // Exactly once, whatever ended the stream, and only where on_connect has run.
        .on_disconnect(move |client, ended| {
            left.remove();
            println!(
                "connection {}: {}, after {:.1} s and {} events",
                client.id(),
                ended.reason(),
                ended.duration().as_secs_f64(),
                ended.events()
            );
        })
}

#[get("/")]
fn page() -> RawHtml<String> {
    RawHtml(clock::page())
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
            "clock on http://{}:{}",
            rocket.config().address,
            rocket.config().port
        );
        Box::pin(async {})
    });
    rocket::custom(settings)
        .attach(announce)
        // Attached, it ends the streams when rocket shuts down.
        .attach(Config::new())
        .manage(Arc::new(Viewers::default()))
        .mount("/", routes![page, watch, client])
        .launch()
        .await?;
    Ok(())
}
