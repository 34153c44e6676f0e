//! Signals both ways: the page's fields come as a struct, go through the server's checks, and come back as notes.
//!
//! `cargo run -p examples --bin poem-form`, then open the address that it prints. Try -1 seats too: that is no `u32`, so
//! the extractor rejects it, and `Config::reject_with` says on the page what would otherwise be a 400 that nobody sees.

use examples::form::{self, Booking};
use poem::{
    EndpointExt, IntoResponse, Route, Server, endpoint::make_sync, get, handler,
    listener::TcpAcceptor, post, web::Html,
};
use sidereal::{Config, Connect, PatchElements, Signals, Sse};
use tokio::net::TcpListener;

/// As the user types: notes, and nothing else. One event is a response.
#[handler]
async fn check(Signals(booking): Signals<Booking>) -> PatchElements {
    PatchElements::new(booking.check().elements())
}

/// On submit: notes again, or thanks and an empty form.
#[handler]
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
    let app = Route::new()
        .at("/", get(make_sync(|_| Html(form::page()))))
        .at("/check", post(check))
        .at("/book", post(book))
        .at(
            "/datastar.js",
            get(make_sync(|_| {
                examples::DATASTAR_JS.with_content_type("text/javascript")
            })),
        )
        .data(Config::new().reject_with(form::rejected));
    let listener = TcpListener::bind(examples::start()).await?;
    println!("form on http://{}", listener.local_addr()?);
    Server::new_with_acceptor(TcpAcceptor::from_tokio(listener)?)
        .run(app)
        .await
}
