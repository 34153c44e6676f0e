//! Signals both ways: the page's fields come as a struct, go through the server's checks, and come back as notes.
//!
//! `cargo run -p examples --bin warp-form`, then open the address that it prints. Try -1 seats too: that is no `u32`, so
//! the filter rejects it, and `Config::reject_with` says on the page what would otherwise be a 400 that nobody sees.

use examples::form::{self, Booking};
use sidereal::{Config, Connect, PatchElements, Signals, Sse, warp::recover};
use tokio::net::TcpListener;
use warp::{Filter, reply};

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
    let datastar = sidereal::warp::with(Config::new().reject_with(form::rejected));
    let routes = warp::path!()
        .map(|| reply::html(form::page()))
        .or(warp::path!("check")
            .and(warp::post())
            .and(datastar.signals())
            .then(check))
        .or(warp::path!("book")
            .and(warp::post())
            .and(datastar.connect())
            .and(datastar.signals())
            .then(book))
        .or(warp::path!("datastar.js")
            .map(|| reply::with_header(examples::DATASTAR_JS, "content-type", "text/javascript")))
        .recover(recover);
    let listener = TcpListener::bind(examples::start()).await?;
    println!("form on http://{}", listener.local_addr()?);
    warp::serve(routes).incoming(listener).run().await;
    Ok(())
}
