//! Long-lived: one stream for each viewer, a body that runs every second, and hooks that count who is there.
//!
//! `cargo run -p examples --bin actix-clock`, then open the address that it prints, in more than one window.
//! `RUST_LOG=sidereal=debug` in front of it shows the end of each stream.

use std::time::Duration;

use actix_web::{
    App, HttpResponse, HttpServer,
    web::{Data, Html, get},
};
use examples::clock::{self, Viewers};
use sidereal::{Connect, Sse};

async fn clock(connect: Connect, viewers: Data<Viewers>) -> Sse {
    let (arrived, left) = (Data::clone(&viewers), Data::clone(&viewers));
    connect
        // At once, and then a second after each run ended. The sender comes by value, and what a run needs is cloned.
        .every(Duration::from_secs(1), move |tx| {
            let viewers = Data::clone(&viewers);
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

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let viewers = Data::new(Viewers::default());
    let app = move || {
        App::new()
            .app_data(viewers.clone())
            .route("/", get().to(async || Html::new(clock::page())))
            .route("/clock", get().to(clock))
            .route(
                "/datastar.js",
                get().to(async || {
                    HttpResponse::Ok()
                        .content_type("text/javascript")
                        .body(examples::DATASTAR_JS)
                }),
            )
    };
    let server = HttpServer::new(app)
        // Who leaves is noticed at once, and not by heartbeats.
        .h1_allow_half_closed(false)
        .bind(examples::start())?;
    println!("clock on http://{}", server.addrs()[0]);
    server.run().await
}
