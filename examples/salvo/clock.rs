//! Long-lived: one stream for each viewer, a body that runs every second, and hooks that count who is there.
//!
//! `cargo run -p examples --bin salvo-clock`, then open the address that it prints, in more than one window.
//! `RUST_LOG=sidereal=debug` in front of it shows the end of each stream.

use std::{sync::Arc, time::Duration};

use examples::clock::{self, Viewers};
use salvo_core::{
    Depot, Response, Router, Server, Writer,
    conn::tcp::TcpAcceptor,
    handler,
    http::header::{CONTENT_TYPE, HeaderValue},
    writing::Text,
};
use sidereal::{Connect, Sse};
use tokio::net::TcpListener;

/// Gives the handlers the count of viewers, as `affix_state::inject` of the crate salvo does.
struct Inject(Arc<Viewers>);

#[handler]
impl Inject {
    async fn handle(&self, depot: &mut Depot) {
        depot.insert_typed(Arc::clone(&self.0));
    }
}

#[handler]
async fn tick(connect: Connect, depot: &mut Depot) -> Sse {
    let viewers = depot
        .get_typed::<Arc<Viewers>>()
        .cloned()
        .unwrap_or_default();
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

#[handler]
async fn index() -> Text<String> {
    Text::Html(clock::page())
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
        .hoop(Inject(Arc::default()))
        .get(index)
        .push(Router::with_path("clock").get(tick))
        .push(Router::with_path("datastar.js").get(datastar_js));
    let listener = TcpListener::bind(examples::start()).await?;
    println!("clock on http://{}", listener.local_addr()?);
    let acceptor = TcpAcceptor::try_from(listener)?;
    Server::new(acceptor).try_serve(app).await
}
