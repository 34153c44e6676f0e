//! Datastar on rama.

use std::{convert::Infallible, error::Error, time::Duration};

use rama::{
    graceful,
    http::{
        Body, Request, Response, StatusCode,
        convert::hyperium::{HyperiumBody, RamaBody, TryIntoHyperiumHttp, TryIntoRamaHttp},
        service::web::response::{Html, IntoResponse},
    },
    rt::Executor,
    service::service_fn,
    tcp::server::TcpListener,
};
use rama_http_backend::server::HttpServer;
use sidereal::{Config, Connect, Shutdown, Signals, SignalsRejection, Sse, http};

/// The request in the types of the crate `http`, with the application's settings.
fn to_http(
    request: Request,
    config: Config,
) -> Result<http::Request<HyperiumBody<Body>>, http::Error> {
    let mut request = request.try_into_hyperium_http()?;
    request.extensions_mut().insert(config);
    Ok(request.map(HyperiumBody::new))
}

/// A stream, as it is: rama flushes each of its events.
fn stream(sse: Sse) -> Response {
    let response = sse.into_http().map(|body| Body::new(RamaBody::new(body)));
    converted(response)
}

/// Signals that cannot be read: 400, 413 or 415, or events.
fn rejected(rejection: SignalsRejection) -> Response {
    converted(rejection.into_http().map(Body::from))
}

fn converted(response: http::Response<Body>) -> Response {
    let response = response.try_into_rama_http();
    response.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

async fn answer(request: Request, config: Config) -> Response {
    let Ok(request) = to_http(request, config) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let connect = Connect::from_request(&request);
    match request.uri().path() {
        "/" => Html(recipes::page()).into_response(),
        "/hello" => match Signals::receive(request).await {
            Ok(signals) => stream(recipes::hello(connect, signals).await),
            Err(rejection) => rejected(rejection),
        },
        "/live" => stream(recipes::live(connect).await),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let (config, shutdown) = recipes::config();
    let graceful = graceful::Shutdown::default();
    end_streams(graceful.guard_weak(), shutdown);
    let exec = Executor::graceful(graceful.guard());
    let listener = TcpListener::try_from_std_tcp_listener(recipes::listen()?, exec.clone())?;
    let service = service_fn(move |request| {
        let config = config.clone();
        async { Ok::<_, Infallible>(answer(request, config).await) }
    });
    listener
        .serve(HttpServer::auto(exec).service(service))
        .await;
    graceful.shutdown_with_limit(Duration::from_secs(5)).await?;
    Ok(())
}

/// Open streams end with the server.
fn end_streams(guard: graceful::WeakShutdownGuard, shutdown: Shutdown) {
    tokio::spawn(async move {
        guard.into_cancelled().await;
        shutdown.trigger();
    });
}
