//! What subscribers ask for.

use sidereal::Codec;

pub(crate) const PATH: &str = "/events";

fn accepted(codec: Option<Codec>) -> &'static str {
    codec.map_or("identity", Codec::as_str)
}

pub(crate) fn http1(codec: Option<Codec>) -> String {
    let accepted = accepted(codec);
    format!(
        "GET {PATH} HTTP/1.1\r\nhost: bench\r\naccept: text/event-stream\r\naccept-encoding: {accepted}\r\n\r\n"
    )
}

pub(crate) fn http2(codec: Option<Codec>) -> http::Request<()> {
    let mut request = http::Request::new(());
    *request.uri_mut() = http::Uri::from_static("http://bench/events");
    let headers = request.headers_mut();
    headers.insert(
        http::header::ACCEPT,
        http::HeaderValue::from_static("text/event-stream"),
    );
    headers.insert(
        http::header::ACCEPT_ENCODING,
        http::HeaderValue::from_static(accepted(codec)),
    );
    request
}
