//! axum, by `axum::serve`.

use std::io;
use std::net::SocketAddr;

use axum::extract::State;
use axum::http::Uri;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use sidereal::serve::{Listener, stop_signal, with_transport};
use sidereal::{Connect, Shutdown, Signals, SignalsRejection, Sse};

use super::{announce, cannot_listen};
use crate::command::Command;
use crate::handlers::{self, Answer, App, Page};
use crate::site::{CACHING, Site, Whole};

pub(super) async fn serve(address: SocketAddr, app: App, site: Site) -> io::Result<()> {
    let shutdown = Shutdown::new();
    let config = app.config().shutdown(shutdown.clone());
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
        .route("/clock", post(clock))
        .with_state(app)
        .fallback_service(get(whole).with_state(site))
}

async fn stream(State(app): State<App>, connect: Connect, page: Option<Signals<Page>>) -> Sse {
    handlers::stream(&app, connect, page)
}

async fn details(State(app): State<App>, connect: Connect, page: Option<Signals<Page>>) -> Sse {
    handlers::details(&app, connect, page)
}

async fn clock(
    State(app): State<App>,
    connect: Connect,
    command: Result<Signals<Command>, SignalsRejection>,
) -> Answer {
    handlers::clock(&app, connect, command)
}

async fn whole(State(site): State<Site>, uri: Uri) -> Whole {
    site.answer(uri.path(), uri.query())
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        match self {
            Answer::Events(sse) => sse.into_response(),
            Answer::Whole(whole) => whole.into_response(),
        }
    }
}

impl IntoResponse for Whole {
    fn into_response(self) -> Response {
        let headers = [(CONTENT_TYPE, self.content_type), (CACHE_CONTROL, CACHING)];
        (self.status, headers, self.body).into_response()
    }
}
