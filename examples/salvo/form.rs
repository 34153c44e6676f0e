//! Signals both ways: the page's fields come as a struct, go through the server's checks, and come back as notes.
//!
//! `cargo run -p examples --bin salvo-form`, then open the address that it prints. Try -1 seats too: that is no `u32`, so
//! the extractor rejects it, and `Config::reject_with` says on the page what would otherwise be a 400 that nobody sees.

use examples::form::{self, Booking};
use salvo_core::{
    Response, Router, Server, Writer,
    conn::tcp::TcpAcceptor,
    handler,
    http::header::{CONTENT_TYPE, HeaderValue},
    writing::Text,
};
use sidereal::{Config, Connect, PatchElements, Signals, Sse};
use tokio::net::TcpListener;

/// As the user types: notes, and nothing else. One event is a response.
#[handler]
async fn check(booking: Signals<Booking>) -> PatchElements {
    PatchElements::new(booking.check().elements())
}

/// On submit: notes again, or thanks and an empty form.
#[handler]
async fn book(connect: Connect, booking: Signals<Booking>) -> Sse {
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

#[handler]
async fn index() -> Text<String> {
    Text::Html(form::page())
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
        .hoop(Config::new().reject_with(form::rejected))
        .get(index)
        .push(Router::with_path("check").post(check))
        .push(Router::with_path("book").post(book))
        .push(Router::with_path("datastar.js").get(datastar_js));
    let listener = TcpListener::bind(examples::start()).await?;
    println!("form on http://{}", listener.local_addr()?);
    let acceptor = TcpAcceptor::try_from(listener)?;
    Server::new(acceptor).try_serve(app).await
}
