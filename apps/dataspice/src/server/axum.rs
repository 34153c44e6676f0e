//! axum, by `axum::serve`.

use std::io;
use std::net::SocketAddr;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use sidereal::serve::{Listener, stop_signal, with_transport};
use sidereal::{Config, Connect, Shutdown, Signals, Sse};

use super::{announce, cannot_listen};
use crate::handlers::{self, App, Page};
use crate::site::{CACHING, Site};

pub(super) async fn serve(address: SocketAddr, app: App, site: Site) -> io::Result<()> {
    let shutdown = Shutdown::new();
    let config = Config::new().shutdown(shutdown.clone());
    let router = router(app, site).layer(Extension(config));
    let bound = Listener::bind(address).await;
    let listener = bound.map_err(|error| cannot_listen(address, error))?;
    announce(listener.local_addr()?);
    let stop = async move {
        stop_signal().await;
        shutdown.trigger();
    };
    axum::serve(listener, with_transport(router))
        .with_graceful_shutdown(stop)
        .await
}

/// Any server on hyper can serve it.
pub(super) fn router(app: App, site: Site) -> Router {
    Router::new()
        .route("/stream", get(stream))
        .route("/details", get(details))
        .with_state(app)
        .fallback_service(get(file).with_state(site))
}

async fn stream(State(app): State<App>, connect: Connect, page: Option<Signals<Page>>) -> Sse {
    handlers::stream(&app, connect, page)
}

async fn details(State(app): State<App>, connect: Connect, page: Option<Signals<Page>>) -> Sse {
    handlers::details(&app, connect, page)
}

async fn file(State(site): State<Site>, uri: Uri) -> Response {
    match site.file(uri.path()) {
        Some(file) => {
            let headers = [(CONTENT_TYPE, file.content_type), (CACHE_CONTROL, CACHING)];
            (headers, file.body).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
