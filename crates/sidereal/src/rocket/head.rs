//! Heads of requests and responses, between rocket's own types and `http` 1.

use http::{Version, request::Parts, response};
use rocket::{Request, Response, http::Status};

use super::fairing::ServerShutdown;
use crate::{Config, foreign_head::ForeignHead};

/// The head of the request; in its extensions the application's configuration, and what ends the
/// streams of the server.
pub(super) fn request_head(request: &Request<'_>) -> Parts {
    let target = request.uri().to_string();
    let headers: Vec<_> = request.headers().iter().collect();
    let headers = headers.iter();
    let mut parts = ForeignHead {
        method: request.method().as_str(),
        target: &target,
        // Rocket does not tell. By this one, the response says nothing of the connection.
        version: Version::HTTP_2,
        headers: headers.map(|h| (h.name().as_str().as_bytes(), h.value().as_bytes())),
        config: request.rocket().state::<Config>(),
    }
    .into_parts();
    if let Some(ServerShutdown(shutdown)) = request.rocket().state() {
        parts.extensions.insert(shutdown.clone());
    }
    parts
}

/// A response with this head, and no body yet.
pub(super) fn response(head: &response::Parts) -> Response<'static> {
    let mut response = Response::new();
    response.set_status(status(head.status));
    for (name, value) in &head.headers {
        if let Ok(value) = value.to_str() {
            response.adjoin_raw_header(name.to_string(), value.to_owned());
        }
    }
    response
}

pub(super) fn status(status: http::StatusCode) -> Status {
    Status::new(status.as_u16())
}
