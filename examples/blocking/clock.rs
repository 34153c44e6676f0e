//! Long-lived: one stream for each viewer, a body that runs every second, and hooks that count who is there.
//!
//! `cargo run -p examples --bin blocking-clock`, then open the address that it prints, in more than one window.
//! `RUST_LOG=sidereal=debug` in front of it shows the end of each stream.

use std::{io, sync::Arc, thread, time::Duration};

use examples::{
    clock::{self, Viewers},
    tiny_http::Request,
};
use sidereal::blocking::{Connect, Sse};

fn clock(connect: Connect, viewers: &Arc<Viewers>) -> Sse<'_> {
    let left = Arc::clone(viewers);
    connect
        // At once, and then a second after each run ended. What it borrows is there as long as the thread is.
        .every(Duration::from_secs(1), |tx| {
            tx.patch_elements(clock::now())?;
            tx.patch_signals(&viewers.signals())?;
            Ok(())
        })
        // After 5 s without a byte. This body is never silent for so long; one that waits for news would be.
        .keep_alive(Duration::from_secs(5))
        // Its events go first.
        .on_connect(|tx| {
            viewers.add();
            tx.patch_elements(clock::welcome(tx.client().id()))?;
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

fn answer(request: Request, viewers: &Arc<Viewers>) -> io::Result<()> {
    match request.path() {
        "/" => request.write("text/html; charset=utf-8", clock::page()),
        "/clock" => clock(request.connect(), viewers).write_to(request.into_writer()),
        "/datastar.js" => request.write("text/javascript", examples::DATASTAR_JS),
        _ => request.not_found(),
    }
}

fn main() -> io::Result<()> {
    let viewers = Arc::new(Viewers::default());
    let server = tiny_http::Server::http(examples::start()).map_err(io::Error::other)?;
    println!("clock on http://{}", server.server_addr());
    for request in server.incoming_requests() {
        let viewers = Arc::clone(&viewers);
        // A client that has left is an error too, and nothing to be done about.
        thread::spawn(move || Request::new(request).map(|request| answer(request, &viewers)));
    }
    Ok(())
}
