//! Datastar on trillium.

use std::{error::Error, io, pin::Pin};

use bytes::Bytes;
use futures_util::{AsyncRead, TryStreamExt, stream::poll_fn};
use http_body::Frame;
use http_body_util::StreamBody;
use serde::de::DeserializeOwned;
use sidereal::{
    Config, Connect, Signals, SignalsRejection, Sse,
    http::{self, request, response},
};
use trillium::{Body, Conn, Headers, HttpConfig, KnownHeaderName, Status};

/// The head of the request in the types of the crate `http`, with the application's settings.
fn head(conn: &Conn) -> Option<request::Parts> {
    let (mut head, ()) = http::Request::new(()).into_parts();
    head.method = conn.method().try_into().ok()?;
    head.uri = conn.path_and_query().parse().ok()?;
    head.version = conn.http_version().into();
    head.headers = conn.request_headers().clone().try_into().ok()?;
    if let Some(config) = conn.shared_state::<Config>() {
        head.extensions.insert(config.clone());
    }
    Some(head)
}

/// The page's signals.
async fn signals<T: DeserializeOwned>(
    conn: &mut Conn,
    head: request::Parts,
) -> Result<Signals<T>, SignalsRejection> {
    let mut body = conn.request_body();
    let mut chunk = [0; 8192];
    let frames = poll_fn(move |cx| {
        let read = Pin::new(&mut body).poll_read(cx, &mut chunk);
        read.map(|read| match read {
            Ok(0) => None,
            Ok(read) => Some(Ok(Frame::data(Bytes::copy_from_slice(&chunk[..read])))),
            Err(error) => Some(Err(error)),
        })
    });
    Signals::receive(http::Request::from_parts(head, StreamBody::new(frames))).await
}

/// A stream, as it is: trillium flushes whenever there is nothing more to send.
fn stream(conn: Conn, sse: Sse) -> Conn {
    let (head, body) = sse.into_http().into_parts();
    let body = body.map_err(io::Error::other).into_async_read();
    with_head(conn, head).with_body(Body::new_streaming(body, None))
}

/// Signals that cannot be read: 400, 413 or 415, or events.
fn rejected(conn: Conn, rejection: SignalsRejection) -> Conn {
    let (head, body) = rejection.into_http().into_parts();
    with_head(conn, head).with_body(body.to_vec())
}

fn with_head(mut conn: Conn, head: response::Parts) -> Conn {
    conn.set_status(head.status.as_u16());
    let headers = conn.response_headers_mut();
    headers.append_all(Headers::from(head.headers));
    conn
}

async fn answer(mut conn: Conn) -> Conn {
    let Some(head) = head(&conn) else {
        return conn.with_status(Status::BadRequest).halt();
    };
    let connect = Connect::from_parts(&head);
    match conn.path() {
        "/" => conn
            .with_response_header(KnownHeaderName::ContentType, "text/html; charset=utf-8")
            .ok(recipes::page()),
        "/hello" => match signals(&mut conn, head).await {
            Ok(signals) => stream(conn, recipes::hello(connect, signals).await),
            Err(rejection) => rejected(conn, rejection),
        },
        "/live" => stream(conn, recipes::live(connect).await),
        _ => conn,
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let (config, shutdown) = recipes::config();
    let listener = tokio::net::TcpListener::from_std(recipes::listen()?)?;
    let server = trillium_tokio::config()
        .with_shared_state(config)
        .with_nodelay()
        // Sidereal has a limit of its own. What is beyond it is read, so that the page sees the 413.
        .with_http_config(HttpConfig::default().with_received_body_max_len(64 << 20))
        .with_prebound_server(listener);
    // Open streams end with the server.
    let swansong = server.handle().swansong();
    tokio::spawn(async move {
        swansong.shutting_down().await;
        shutdown.trigger();
    });
    server.run_async(answer).await;
    Ok(())
}
