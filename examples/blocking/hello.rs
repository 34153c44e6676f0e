//! One-shot: a click, and an answer of many patches, of elements and of signals, that ends.
//!
//! `cargo run -p examples --bin blocking-hello`, then open the address that it prints.

use std::{io, thread};

use examples::{hello, tiny_http::Request};
use serde_json::json;
use sidereal::{
    Signals,
    blocking::{Connect, Sse},
};

/// Types the message. The closure runs on the thread of the request, while the page reads it.
fn hello(connect: Connect, Signals(page): Signals<hello::Signals>) -> Sse<'static> {
    connect.respond(move |tx| {
        for letters in 1..=hello::MESSAGE.chars().count() {
            tx.patch_elements(hello::message(letters))?;
            tx.patch_signals(&json!({ "letters": letters }))?;
            tx.sleep(page.delay())?;
        }
        Ok(())
    })
}

fn answer(mut request: Request) -> io::Result<()> {
    match request.path() {
        "/" => request.write("text/html; charset=utf-8", hello::page()),
        "/hello" => match request.signals() {
            Ok(signals) => hello(request.connect(), signals).write_to(request.into_writer()),
            Err(rejection) => request.write_response(rejection.into_http()),
        },
        "/datastar.js" => request.write("text/javascript", examples::DATASTAR_JS),
        _ => request.not_found(),
    }
}

fn main() -> io::Result<()> {
    let server = tiny_http::Server::http(examples::start()).map_err(io::Error::other)?;
    println!("hello on http://{}", server.server_addr());
    for request in server.incoming_requests() {
        // A client that has left is an error too, and nothing to be done about.
        thread::spawn(|| Request::new(request).map(answer));
    }
    Ok(())
}
