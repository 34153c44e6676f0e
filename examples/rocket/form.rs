//! Signals both ways: the page's fields come as a struct, go through the server's checks, and come back as notes.
//!
//! `cargo run -p examples --bin rocket-form`, then open the address that it prints. Try -1 seats too: that is no `u32`, so
//! the guard rejects it, and `Config::reject_with` says on the page what would otherwise be a 400 that nobody sees.

use examples::form::{self, Booking};
use rocket::{
    fairing::AdHoc,
    get, post,
    response::content::{RawHtml, RawJavaScript},
    routes,
};
use sidereal::{Config, Connect, PatchElements, Signals, Sse};

/// As the user types: notes, and nothing else. One event is a response.
#[post("/check", data = "<booking>")]
fn check(booking: Signals<Booking>) -> PatchElements {
    PatchElements::new(booking.check().elements())
}

/// On submit: notes again, or thanks and an empty form.
#[post("/book", data = "<booking>")]
fn book(connect: Connect, booking: Signals<Booking>) -> Sse {
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

#[get("/")]
fn page() -> RawHtml<String> {
    RawHtml(form::page())
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
            "form on http://{}:{}",
            rocket.config().address,
            rocket.config().port
        );
        Box::pin(async {})
    });
    rocket::custom(settings)
        .attach(announce)
        .attach(Config::new().reject_with(form::rejected))
        .mount("/", routes![page, check, book, client])
        .launch()
        .await?;
    Ok(())
}
