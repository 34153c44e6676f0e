//! Requests and responses on hyper, without a framework: what an application on it writes once.

use std::{convert::Infallible, future::Future};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::body::Incoming;
use sidereal::{
    Aborted, SignalsRejection, Sse,
    http::{self, HeaderValue, StatusCode, header::CONTENT_TYPE},
};
use tower::{Service, service_fn};

/// A request, as hyper reads it.
pub type Request = http::Request<Incoming>;

/// A response of any kind.
#[derive(Debug)]
pub struct Reply(http::Response<UnsyncBoxBody<Bytes, Aborted>>);

impl From<Sse> for Reply {
    fn from(sse: Sse) -> Self {
        Self(sse.into_http().map(BodyExt::boxed_unsync))
    }
}

impl From<SignalsRejection> for Reply {
    fn from(rejection: SignalsRejection) -> Self {
        whole(rejection.into_http())
    }
}

fn whole(response: http::Response<impl Into<Bytes>>) -> Reply {
    Reply(response.map(|body| {
        let body = Full::new(body.into());
        body.map_err(|never| match never {}).boxed_unsync()
    }))
}

/// A file.
pub fn file(content_type: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut response = http::Response::new(body);
    let content_type = HeaderValue::from_static(content_type);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    whole(response)
}

/// There is no such thing.
pub fn not_found() -> Reply {
    let mut response = http::Response::new("not found");
    *response.status_mut() = StatusCode::NOT_FOUND;
    whole(response)
}

/// A service of tower, which `sidereal::serve` and hyper take.
pub fn service<F: Future<Output = Reply> + Send>(
    answer: impl Fn(Request) -> F + Clone + Send,
) -> impl Service<
    Request,
    Response = http::Response<UnsyncBoxBody<Bytes, Aborted>>,
    Error = Infallible,
    Future: Send,
> + Clone
+ Send {
    service_fn(move |request| {
        let answer = answer(request);
        async { Ok(answer.await.0) }
    })
}
