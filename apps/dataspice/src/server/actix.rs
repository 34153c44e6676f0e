//! actix-web, whose workers have a thread each.

use std::io;
use std::net::SocketAddr;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::rt::System;
use actix_web::web::{self, Data, get};
use actix_web::{App as Application, HttpRequest, HttpResponse, HttpServer};
use sidereal::serve::stop_signal;
use sidereal::{Config, Connect, Optional, Shutdown, Signals, Sse};

use super::{announce, cannot_listen};
use crate::handlers::{self, App, Page};
use crate::site::{CACHING, Site};

pub(super) fn serve(
    address: SocketAddr,
    workers: Option<usize>,
    app: App,
    site: Site,
) -> io::Result<()> {
    let shutdown = Shutdown::new();
    let config = Config::new().shutdown(shutdown.clone());
    let (app, site) = (Data::new(app), Data::new(site));
    let mut server = HttpServer::new(move || {
        Application::new()
            .app_data(config.clone())
            .app_data(app.clone())
            .app_data(site.clone())
            .route("/stream", get().to(stream))
            .route("/details", get().to(details))
            .default_service(web::to(file))
    })
    // So that a viewer who leaves is noticed at once.
    .h1_allow_half_closed(false)
    .shutdown_signal(async move {
        stop_signal().await;
        shutdown.trigger();
    });
    if let Some(workers) = workers {
        server = server.workers(workers);
    }
    System::new().block_on(async {
        let bound = server.bind(address);
        let server = bound.map_err(|error| cannot_listen(address, error))?;
        for address in server.addrs() {
            announce(address);
        }
        server.run().await
    })
}

async fn stream(app: Data<App>, connect: Connect, page: Optional<Signals<Page>>) -> Sse {
    handlers::stream(&app, connect, page.0)
}

async fn details(app: Data<App>, connect: Connect, page: Optional<Signals<Page>>) -> Sse {
    handlers::details(&app, connect, page.0)
}

async fn file(site: Data<Site>, request: HttpRequest) -> HttpResponse {
    match site.file(request.path()) {
        Some(file) => HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, file.content_type))
            .insert_header((CACHE_CONTROL, CACHING))
            .body(file.body),
        None => HttpResponse::NotFound().finish(),
    }
}
