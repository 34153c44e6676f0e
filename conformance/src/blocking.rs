//! tiny_http, with a thread for each request.

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
    IsDatastar, LastEventId, LenientSignals, PatchElements, Signals, SignalsRejection,
    blocking::{Connect, head, read_signals, write_whole},
};
use tiny_http::{Request, Server};

use crate::{
    announce, config,
    suite::{self, Form, element},
    test_case,
};

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

/// What a request is answered with, once its body is read.
enum Answer {
    Events(PatchElements),
    Frames(Vec<sidereal::Frame>),
    Whole(Response<Bytes>),
}

fn answer(mut request: Request) -> io::Result<()> {
    let mut parts = parts(&request)?;
    let path = parts.uri.path().to_owned();
    let app = suite::app();
    let connect = |request: Request| (Connect::from_parts(&parts), request.into_writer());
    match path.as_str() {
        "/once" => {
            let (connect, socket) = connect(request);
            let two = sidereal::PatchSignals::from_json(r#"{"two":2}"#).ok();
            return connect.reply((element("one", 1), two)).write_to(socket);
        }
        "/slow" => {
            let (connect, socket) = connect(request);
            let sse = connect.respond(|tx| {
                tx.patch_elements(element("one", 1))?;
                tx.sleep(suite::PAUSE)?;
                tx.patch_elements(element("two", 2))?;
                Ok(())
            });
            return sse.write_to(socket);
        }
        "/stream" => {
            let (connect, socket) = connect(request);
            let sse = connect.run(|tx| {
                tx.patch_elements(element("one", 1))?;
                tx.wait_for(std::future::pending::<()>())?;
                Ok(())
            });
            return sse
                .keep_alive(suite::KEEP_ALIVE)
                .on_disconnect(suite::log_end)
                .write_to(socket);
        }
        "/view" | "/poll" | "/topic" => {
            let (connect, socket) = connect(request);
            let sse = match path.as_str() {
                "/view" => connect.watch(&app.view),
                "/poll" => connect.once(&app.view),
                _ => connect.subscribe(&app.topic),
            };
            return sse.write_to(socket);
        }
        _ => {}
    }
    if path == "/test" {
        as_datastar(&mut parts);
    }
    let body = request.as_reader();
    let answer = match path.as_str() {
        "/test" => Signals::<Box<RawValue>>::read_from(&parts, body).map(|case| {
            match test_case::frames(case.get()) {
                Ok(frames) => Answer::Frames(frames),
                Err(refused) => text(StatusCode::BAD_REQUEST, refused.to_string()),
            }
        }),
        "/signals" => Signals::read_from(&parts, body)
            .map(|Signals(form)| Answer::Events(suite::greeting(Some(form)))),
        "/optional" => {
            read_signals::<Form>(&parts, body).map(|form| Answer::Events(suite::greeting(form)))
        }
        "/lenient" => {
            let LenientSignals(form) = LenientSignals::read_from(&parts, body);
            Ok(Answer::Events(suite::greeting(form)))
        }
        _ => Ok(plain(&path, &parts)),
    };
    let answer =
        answer.unwrap_or_else(|rejection: SignalsRejection| Answer::Whole(rejection.into_http()));
    let socket = request.into_writer();
    let connect = Connect::from_parts(&parts);
    match answer {
        Answer::Events(event) => connect.reply(event).write_to(socket),
        Answer::Frames(frames) => {
            let sse = sidereal::Connect::from_parts(&parts).reply(frames);
            sidereal::blocking::write(&parts, vary(sse.into_http()), socket)
        }
        Answer::Whole(response) => write_whole(&parts, vary(response), socket),
    }
}

fn plain(path: &str, parts: &Parts) -> Answer {
    match path {
        "/publish" => {
            suite::publish();
            text(StatusCode::NO_CONTENT, "")
        }
        "/shutdown" => {
            suite::shutdown();
            text(StatusCode::NO_CONTENT, "")
        }
        "/head" => {
            let is_datastar = IsDatastar::from_headers(&parts.headers);
            let last_event_id = LastEventId::from_headers(&parts.headers);
            Answer::Events(suite::head(is_datastar, last_event_id))
        }
        "/html" => Answer::Whole(suite::html().into_http()),
        "/event" => Answer::Events(element("event", 1)),
        "/fails" => match suite::fails() {
            Ok(event) => Answer::Events(event),
            Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        },
        "/ends" => text(StatusCode::OK, suite::ends()),
        "/plain" => text(StatusCode::OK, "plain"),
        _ => text(StatusCode::NOT_FOUND, "not found"),
    }
}

fn text(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    Answer::Whole(response)
}

fn parts(request: &Request) -> io::Result<Parts> {
    let headers = request.headers().iter();
    let headers = headers.map(|header| (header.field.as_str().as_str(), header.value.as_str()));
    let mut parts =
        head(request.method().as_str(), request.url(), headers).map_err(io::Error::other)?;
    parts.extensions.insert(config());
    Ok(parts)
}

/// Whoever asks here is taken for the Datastar client, whatever its tools call their JSON.
fn as_datastar(parts: &mut Parts) {
    let headers = &mut parts.headers;
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let name = HeaderName::from_static("datastar-request");
    headers.insert(name, HeaderValue::from_static("true"));
}

/// What is not negotiated, a refusal for one, might have been: a cache must not give it to others.
fn vary<B>(mut response: Response<B>) -> Response<B> {
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    response
}
