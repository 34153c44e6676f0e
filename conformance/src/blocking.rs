//! `/test` on tiny_http, with a thread for each request.

use std::{io, net::SocketAddr, thread};

use axum::{
    body::Bytes,
    http::{
        HeaderValue, Response, StatusCode,
        header::{CONTENT_TYPE, HeaderName, VARY},
        request::Parts,
    },
};
use serde_json::value::RawValue;
use sidereal::{
    Signals,
    blocking::{head, write, write_whole},
};
use tiny_http::{Request, Server};

use crate::{announce, config, test_case};

pub(crate) fn serve(address: SocketAddr) -> io::Result<()> {
    let server = Server::http(address).map_err(io::Error::other)?;
    if let Some(address) = server.server_addr().to_ip() {
        announce(address);
    }
    for request in server.incoming_requests() {
        // A client that has left is no failure of the server.
        thread::spawn(|| drop(answer(request)));
    }
    Ok(())
}

fn answer(mut request: Request) -> io::Result<()> {
    let parts = parts(&request)?;
    let signals = Signals::<Box<RawValue>>::read_from(&parts, request.as_reader());
    let frames = match &signals {
        Ok(case) => test_case::frames(case.get()).map_err(|refused| {
            let mut response = Response::new(Bytes::from(refused.to_string()));
            *response.status_mut() = StatusCode::BAD_REQUEST;
            let plain = HeaderValue::from_static("text/plain; charset=utf-8");
            response.headers_mut().insert(CONTENT_TYPE, plain);
            response
        }),
        Err(rejection) => Err(rejection.clone().into_http()),
    };
    let socket = request.into_writer();
    match frames {
        Ok(frames) => {
            let sse = sidereal::Connect::from_parts(&parts).reply(frames);
            write(&parts, vary(sse.into_http()), socket)
        }
        Err(response) => write_whole(&parts, vary(response), socket),
    }
}

/// Whoever asks here is taken for the Datastar client, whatever its tools call their JSON.
fn parts(request: &Request) -> io::Result<Parts> {
    let headers = request.headers().iter();
    let headers = headers.map(|header| (header.field.as_str().as_str(), header.value.as_str()));
    let mut parts =
        head(request.method().as_str(), request.url(), headers).map_err(io::Error::other)?;
    parts.extensions.insert(config());
    let headers = &mut parts.headers;
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let name = HeaderName::from_static("datastar-request");
    headers.insert(name, HeaderValue::from_static("true"));
    Ok(parts)
}

/// What is not negotiated, a refusal for one, might have been: a cache must not give it to others.
fn vary<B>(mut response: Response<B>) -> Response<B> {
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    response
}
