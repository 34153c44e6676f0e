//! actix-web, whose workers have a thread each.

use std::io;
use std::net::SocketAddr;

use actix_web::body::BoxBody;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::http::{Method, StatusCode};
use actix_web::rt::System;
use actix_web::web::{Data, get, head, post, to};
use actix_web::{App as Application, HttpRequest, HttpResponse, HttpServer, Responder};
use sidereal::serve::stop_signal;
use sidereal::{Connect, Optional, Shutdown, Signals, SignalsRejection, Sse};

use super::{announce, cannot_listen};
use crate::command::Command;
use crate::handlers::{self, Answer, App, Page};
use crate::site::{CACHING, Site, Whole};

pub(super) fn serve(
    address: SocketAddr,
    workers: Option<usize>,
    app: App,
    site: Site,
) -> io::Result<()> {
    let shutdown = Shutdown::new();
    let config = app.config().shutdown(shutdown.clone());
    let (app, site) = (Data::new(app), Data::new(site));
    let mut server = HttpServer::new(move || {
        Application::new()
            .app_data(config.clone())
            .app_data(app.clone())
            .app_data(site.clone())
            .route("/stream", get().to(stream))
            .route("/stream", head().to(stream))
            .route("/details", get().to(details))
            .route("/details", head().to(details))
            .route("/clock", post().to(clock))
            .default_service(to(whole))
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

async fn clock(
    app: Data<App>,
    connect: Connect,
    command: Result<Signals<Command>, SignalsRejection>,
) -> Answer {
    handlers::clock(&app, connect, command)
}

async fn whole(site: Data<Site>, request: HttpRequest) -> Whole {
    match *request.method() {
        Method::GET | Method::HEAD => site.answer(request.path(), request.uri().query()),
        _ => Whole::not_allowed(),
    }
}

impl Responder for Answer {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        match self {
            Answer::Events(sse) => sse.respond_to(request).map_into_boxed_body(),
            Answer::Whole(whole) => whole.respond_to(request),
        }
    }
}

impl Responder for Whole {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let status = StatusCode::from_u16(self.status.as_u16()).unwrap_or_default();
        HttpResponse::build(status)
            .insert_header((CONTENT_TYPE, self.content_type))
            .insert_header((CACHE_CONTROL, CACHING))
            .body(self.body)
    }
}
