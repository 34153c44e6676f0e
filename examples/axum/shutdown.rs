//! A graceful shutdown that open streams do not block, and a page that comes back by itself.
//!
//! `cargo run -p examples --bin axum-shutdown`, open the address that it prints, press Ctrl-C, start it again: the page
//! shows the new process. Press Ctrl-C in the middle of a save: the server ends when the save has.
//!
//! With `axum::serve` the open stream would keep the old server running for ever.

use std::time::{Duration, Instant};

use axum::{
    Router,
    extract::State,
    http::header::CONTENT_TYPE,
    response::Html,
    routing::{get, post},
};
use examples::shutdown;
use sidereal::{
    Connect, Sse,
    serve::{Listener, stop_signal},
};
use tokio::time::sleep;

/// Long-lived: a shutdown breaks it on purpose, since a page comes back after a break and not after a clean end.
async fn status(connect: Connect, State(started): State<Instant>) -> Sse {
    connect.every(Duration::from_secs(1), move |tx| async move {
        tx.patch_elements(shutdown::status(started.elapsed()))
            .await?;
        Ok(())
    })
}

/// One-shot: a shutdown lets it finish, within the grace. The work runs on even if the page leaves.
async fn save(connect: Connect) -> Sse {
    connect
        .respond(async |tx| {
            for thirds in 0..=3 {
                tx.patch_elements(shutdown::saving(thirds)).await?;
                sleep(Duration::from_secs(1)).await;
            }
            Ok(())
        })
        .detached()
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let app = Router::new()
        .route("/", get(async || Html(shutdown::page())))
        .route("/status", get(status))
        .route("/save", post(save))
        .route(
            "/datastar.js",
            get(async || ([(CONTENT_TYPE, "text/javascript")], examples::DATASTAR_JS)),
        )
        .with_state(Instant::now());
    let listener = Listener::bind(examples::start()).await?;
    println!("shutdown on http://{}", listener.local_addr()?);
    let served = sidereal::serve(listener, app)
        .shutdown_on(stop_signal())
        .grace(Duration::from_secs(10))
        .await?;
    println!(
        "ended; {} connections were closed by force",
        served.forced()
    );
    Ok(())
}
