//! Signals both ways: the page's fields come as a struct, go through the server's checks, and come back as notes.
//!
//! `cargo run -p examples --bin hyper-form`, then open the address that it prints. Try -1 seats too: that is no `u32`, so
//! reading rejects it, and `Config::reject_with` says on the page what would otherwise be a 400 that nobody sees.

use examples::{
    form::{self, Booking},
    hyper::{Reply, Request, file, not_found},
};
use sidereal::{Config, Connect, PatchElements, Signals, Sse, serve::Listener};

/// As the user types: notes, and nothing else.
async fn check(connect: Connect, Signals(booking): Signals<Booking>) -> Sse {
    connect.reply(PatchElements::new(booking.check().elements()))
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

async fn answer(mut request: Request, config: Config) -> Reply {
    request.extensions_mut().insert(config);
    let connect = Connect::from_request(&request);
    match request.uri().path() {
        "/" => file("text/html; charset=utf-8", form::page()),
        "/check" => match Signals::receive(request).await {
            Ok(signals) => check(connect, signals).await.into(),
            Err(rejection) => rejection.into(),
        },
        "/book" => match Signals::receive(request).await {
            Ok(signals) => book(connect, signals).await.into(),
            Err(rejection) => rejection.into(),
        },
        "/datastar.js" => file("text/javascript", examples::DATASTAR_JS),
        _ => not_found(),
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let config = Config::new().reject_with(form::rejected);
    let listener = Listener::bind(examples::start()).await?;
    println!("form on http://{}", listener.local_addr()?);
    let service = examples::hyper::service(move |request| answer(request, config.clone()));
    sidereal::serve(listener, service).await.map(|_| ())
}
