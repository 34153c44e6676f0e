//! Tickers: one clock for all, made once a second, and a body that runs for each viewer, by one timer.
//!
//! `cargo run -p examples --bin axum-ticker`, then open the address that it prints, in more than one window. While nobody
//! watches, nothing runs.

use std::time::Duration;

use axum::{Router, extract::State, http::header::CONTENT_TYPE, response::Html, routing::get};
use examples::ticker::{self, Arrived};
use sidereal::{Connect, EveryFor, Hub, PatchElements, Sse, Ticker};
use tokio::net::TcpListener;

#[derive(Clone)]
struct App {
    clock: Ticker,
    stays: EveryFor,
}

async fn watch(connect: Connect, State(app): State<App>) -> Sse {
    connect
        .with_data(Arrived::now())
        .watch((&app.clock, &app.stays))
}

/// The same events for all: rendered, encoded and compressed once.
fn clock(hub: &Hub) -> Ticker {
    let mut times = 0;
    hub.every(Duration::from_secs(1), move || {
        times += 1;
        PatchElements::new(ticker::now(times))
    })
}

/// Different events for each. The body runs within the connection's own response: who reads slowly slows nobody, and a body
/// that fails ends its own stream only.
fn stays(hub: &Hub) -> EveryFor {
    hub.every_for(Duration::from_secs(1), async |tx| {
        if let Some(arrived) = tx.client().data::<Arrived>() {
            tx.patch_elements(arrived.stay()).await?;
        }
        Ok(())
    })
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let hub = Hub::new();
    let app = Router::new()
        .route("/", get(async || Html(ticker::page())))
        .route("/watch", get(watch))
        .route(
            "/datastar.js",
            get(async || ([(CONTENT_TYPE, "text/javascript")], examples::DATASTAR_JS)),
        )
        .with_state(App {
            clock: clock(&hub),
            stays: stays(&hub),
        });
    let listener = TcpListener::bind(examples::start()).await?;
    println!("ticker on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await
}
