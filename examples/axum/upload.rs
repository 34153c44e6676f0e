//! File signals: what a bound `<input type="file">` sends, with a limit, and a 413 that the page shows by itself.
//!
//! `cargo run -p examples --bin axum-upload`, then open the address that it prints.

use axum::{
    Extension, Router,
    http::header::CONTENT_TYPE,
    response::Html,
    routing::{get, post},
};
use examples::upload;
use sidereal::{Config, PatchElements, Signals};
use tokio::net::TcpListener;

async fn upload(Signals(page): Signals<upload::Signals>) -> PatchElements {
    PatchElements::new(page.list())
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let app = Router::new()
        .route("/", get(async || Html(upload::page())))
        .route("/upload", post(upload))
        .route(
            "/datastar.js",
            get(async || ([(CONTENT_TYPE, "text/javascript")], examples::DATASTAR_JS)),
        )
        // More than this is answered with a 413. For more than axum's own 2 MiB, raise its `DefaultBodyLimit` too.
        .layer(Extension(Config::new().signals_limit(upload::LIMIT)));
    let listener = TcpListener::bind(examples::start()).await?;
    println!("upload on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await
}
