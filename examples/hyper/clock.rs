//! Long-lived: one stream for each viewer, a body that runs every second, and hooks that count who is there.
//!
//! `cargo run -p examples --bin hyper-clock`, then open the address that it prints, in more than one window.
//! `RUST_LOG=sidereal=debug` in front of it shows the end of each stream.

use std::{sync::Arc, time::Duration};

use examples::{
    clock::{self, Viewers},
    hyper::{Reply, Request, file, not_found},
};
use sidereal::{Connect, Sse, serve::Listener};

async fn clock(connect: Connect, viewers: Arc<Viewers>) -> Sse {
    let (arrived, left) = (Arc::clone(&viewers), Arc::clone(&viewers));
    connect
        // At once, and then a second after each run ended. The sender comes by value, and what a run needs is cloned.
        .every(Duration::from_secs(1), move |tx| {
            let viewers = Arc::clone(&viewers);
            async move {
                tx.patch_elements(clock::now()).await?;
                tx.patch_signals(&viewers.signals()).await?;
                Ok(())
            }
        })
        // After 5 s without a byte. This body is never silent for so long; one that waits for news would be.
        .keep_alive(Duration::from_secs(5))
        // Its events go first.
        .on_connect(async move |tx| {
            arrived.add();
            tx.patch_elements(clock::welcome(tx.client().id())).await?;
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

async fn answer(request: Request, viewers: Arc<Viewers>) -> Reply {
    let connect = Connect::from_request(&request);
    match request.uri().path() {
        "/" => file("text/html; charset=utf-8", clock::page()),
        "/clock" => clock(connect, viewers).await.into(),
        "/datastar.js" => file("text/javascript", examples::DATASTAR_JS),
        _ => not_found(),
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let viewers = Arc::new(Viewers::default());
    let listener = Listener::bind(examples::start()).await?;
    println!("clock on http://{}", listener.local_addr()?);
    let service = examples::hyper::service(move |request| answer(request, Arc::clone(&viewers)));
    sidereal::serve(listener, service).await.map(|_| ())
}
