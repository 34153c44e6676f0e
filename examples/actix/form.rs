//! Signals both ways: the page's fields come as a struct, go through the server's checks, and come back as notes.
//!
//! `cargo run -p examples --bin actix-form`, then open the address that it prints. Try -1 seats too: that is no `u32`, so
//! the extractor rejects it, and `Config::reject_with` says on the page what would otherwise be a 400 that nobody sees.

use actix_web::{
    App, HttpResponse, HttpServer,
    web::{Html, get, post},
};
use examples::form::{self, Booking};
use sidereal::{Config, Connect, PatchElements, Signals, Sse};

/// As the user types: notes, and nothing else. One event is a response.
async fn check(Signals(booking): Signals<Booking>) -> PatchElements {
    PatchElements::new(booking.check().elements())
}

/// On submit: notes again, or thanks and an empty form.
async fn book(connect: Connect, Signals(booking): Signals<Booking>) -> Sse {
    let notes = booking.check();
    connect.respond(async move |tx| {
        tx.patch_elements(notes.elements()).await?;
        if notes.is_empty() {
            tx.patch_elements(booking.thanks()).await?;
            tx.patch_signals(&Booking::empty()).await?;
        }
        Ok(())
    })
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let config = Config::new().reject_with(form::rejected);
    let app = move || {
        App::new()
            .app_data(config.clone())
            .route("/", get().to(async || Html::new(form::page())))
            .route("/check", post().to(check))
            .route("/book", post().to(book))
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
    println!("form on http://{}", server.addrs()[0]);
    server.run().await
}
