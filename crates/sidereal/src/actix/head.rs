//! Heads of requests and responses, between the crate `http` 0.2 of actix-web and `http` 1.

use actix_web::{
    HttpRequest, HttpResponse,
    body::BoxBody,
    http::{
        StatusCode, Version as ActixVersion,
        header::{HeaderName, HeaderValue},
    },
    web::Data,
};
use http::{
    Version,
    request::Parts,
    response::{self},
};

use crate::{Config, foreign_head::ForeignHead};

/// The head of the request, with the application's configuration in its extensions.
pub(super) fn request_head(request: &HttpRequest) -> Parts {
    // Requests of tests come from nowhere, and run on the thread of the test.
    if request.peer_addr().is_some() {
        sidereal_sse::mark_worker_thread();
    }
    let target = request.uri().path_and_query();
    let headers = request.headers().iter();
    ForeignHead {
        method: request.method().as_str(),
        target: target.map_or("/", |target| target.as_str()),
        version: version(request.version()),
        headers: headers.map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes())),
        config: config(request),
    }
    .into_parts()
}

fn config(request: &HttpRequest) -> Option<&Config> {
    let data = || request.app_data::<Data<Config>>().map(|data| &***data);
    request.app_data::<Config>().or_else(data)
}

fn version(version: ActixVersion) -> Version {
    match version {
        ActixVersion::HTTP_09 => Version::HTTP_09,
        ActixVersion::HTTP_10 => Version::HTTP_10,
        ActixVersion::HTTP_2 => Version::HTTP_2,
        ActixVersion::HTTP_3 => Version::HTTP_3,
        _ => Version::HTTP_11,
    }
}

/// A response with this head and body.
pub(super) fn response(head: response::Parts, body: BoxBody) -> HttpResponse {
    let status = StatusCode::from_u16(head.status.as_u16());
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::with_body(status, body);
    for (name, value) in &head.headers {
        if let Ok(name) = HeaderName::from_bytes(name.as_str().as_bytes())
            && let Ok(value) = HeaderValue::from_bytes(value.as_bytes())
        {
            response.headers_mut().append(name, value);
        }
    }
    response
}
