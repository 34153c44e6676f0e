//! Long-lived: one stream for each viewer, a body that runs every second, and hooks that count who is there.
//!
//! `cargo run -p examples --bin poem-clock`, then open the address that it prints, in more than one window.
//! `RUST_LOG=sidereal=debug` in front of it shows the end of each stream.

use std::{sync::Arc, time::Duration};

use examples::clock::{self, Viewers};
use poem::{
    EndpointExt, IntoResponse, Route, Server,
    endpoint::make_sync,
    get, handler,
    listener::TcpAcceptor,
    web::{Data, Html},
};
use sidereal::{Connect, Sse};
use tokio::net::TcpListener;

#[handler]
async fn tick(connect: Connect, Data(viewers): Data<&Arc<Viewers>>) -> Sse {
    let viewers = Arc::clone(viewers);
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

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let app = Route::new()
        .at("/", get(make_sync(|_| Html(clock::page()))))
        .at("/clock", get(tick))
        .at(
            "/datastar.js",
            get(make_sync(|_| {
                examples::DATASTAR_JS.with_content_type("text/javascript")
            })),
        )
        .data(Arc::new(Viewers::default()));
    let listener = TcpListener::bind(examples::start()).await?;
    println!("clock on http://{}", listener.local_addr()?);
    Server::new_with_acceptor(TcpAcceptor::from_tokio(listener)?)
        .run(app)
        .await
}
