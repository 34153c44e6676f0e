//! Signals both ways: the page's fields come as a struct, go through the server's checks, and come back as notes.
//!
//! `cargo run -p examples --bin blocking-form`, then open the address that it prints. Try -1 seats too: that is no `u32`, so
//! reading rejects it, and `Config::reject_with` says on the page what would otherwise be a 400 that nobody sees.

use std::{io, thread};

use examples::{
    form::{self, Booking},
    tiny_http::Request,
};
use sidereal::{
    Config, PatchElements, Signals,
    blocking::{Connect, Sse},
};

/// As the user types: notes, and nothing else.
fn check(connect: Connect, Signals(booking): Signals<Booking>) -> Sse<'static> {
    connect.reply(PatchElements::new(booking.check().elements()))
}

/// On submit: notes again, or thanks and an empty form.
fn book(connect: Connect, Signals(booking): Signals<Booking>) -> Sse<'static> {
    let notes = booking.check();
    connect.respond(move |tx| {
        tx.patch_elements(notes.elements())?;
        if notes.is_empty() {
            tx.patch_elements(booking.thanks())?;
            tx.patch_signals(&Booking::empty())?;
        }
        Ok(())
    })
}

fn answer(mut request: Request) -> io::Result<()> {
    match request.path() {
        "/" => request.write("text/html; charset=utf-8", form::page()),
        "/check" => match request.signals() {
            Ok(signals) => check(request.connect(), signals).write_to(request.into_writer()),
            Err(rejection) => request.write_response(rejection.into_http()),
        },
        "/book" => match request.signals() {
            Ok(signals) => book(request.connect(), signals).write_to(request.into_writer()),
            Err(rejection) => request.write_response(rejection.into_http()),
        },
        "/datastar.js" => request.write("text/javascript", examples::DATASTAR_JS),
        _ => request.not_found(),
    }
}

fn main() -> io::Result<()> {
    let config = Config::new().reject_with(form::rejected);
    let server = tiny_http::Server::http(examples::start()).map_err(io::Error::other)?;
    println!("form on http://{}", server.server_addr());
    for request in server.incoming_requests() {
        let config = config.clone();
        // A client that has left is an error too, and nothing to be done about.
        thread::spawn(|| Request::new(request).map(|request| answer(request.with(config))));
    }
    Ok(())
}
