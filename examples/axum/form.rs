//! Signals both ways: the page's fields come as a struct, go through the server's checks, and come back as notes.
//!
//! `cargo run -p examples --bin axum-form`, then open the address that it prints. Try -1 seats too: that is no `u32`, so
//! the extractor rejects it, and `Config::reject_with` says on the page what would otherwise be a 400 that nobody sees.

use axum::{
    Extension, Router,
    http::header::CONTENT_TYPE,
    response::Html,
    routing::{get, post},
};
use examples::form::{self, Booking};
use sidereal::{Config, Connect, PatchElements, Signals, Sse};
use tokio::net::TcpListener;

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

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let app = Router::new()
        .route("/", get(async || Html(form::page())))
        .route("/check", post(check))
        .route("/book", post(book))
        .route(
            "/datastar.js",
            get(async || ([(CONTENT_TYPE, "text/javascript")], examples::DATASTAR_JS)),
        )
        .layer(Extension(Config::new().reject_with(form::rejected)));
    let listener = TcpListener::bind(examples::start()).await?;
    println!("form on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await
}
