//! tiny_http, with a thread for each request.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use sidereal::blocking::{head, read_signals, write, write_whole};
use sidereal::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use sidereal::http::{HeaderValue, Response, Version};
use sidereal::serve::stop_signal;
use sidereal::{Config, Connect, Shutdown, Signals};
use tiny_http::Request;

use super::{announce, cannot_listen};
use crate::handlers::{self, Answer, App};
use crate::site::{CACHING, Site, Whole};

/// How long streams have to end once the process is told to stop.
const GRACE: Duration = Duration::from_secs(3);

pub(super) fn serve(address: SocketAddr, app: App, site: Site) -> io::Result<()> {
    let server = tiny_http::Server::http(address).map_err(|error| cannot_listen(address, error))?;
    let server = Arc::new(server);
    announce(server.server_addr());
    let shutdown = Shutdown::new();
    let config = app.config().shutdown(shutdown.clone());
    let stopping = Arc::clone(&server);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    thread::spawn(move || {
        runtime.block_on(stop_signal());
        shutdown.trigger();
        stopping.unblock();
    });
    // Each thread has a sender, so the channel is closed when the last has ended.
    let (serving, served) = mpsc::channel::<Infallible>();
    for request in server.incoming_requests() {
        let (app, site, config) = (app.clone(), site.clone(), config.clone());
        let serving = serving.clone();
        thread::spawn(move || {
            // A client that has left is an error too, and nothing to be done about.
            let _ = answer(request, config, &app, &site);
            drop(serving);
        });
    }
    drop(serving);
    let _ = served.recv_timeout(GRACE);
    Ok(())
}

fn answer(mut request: Request, config: Config, app: &App, site: &Site) -> io::Result<()> {
    let headers = request.headers().iter();
    let headers = headers.map(|header| (header.field.as_str().as_str(), header.value.as_str()));
    let method = request.method().as_str();
    let mut head = match head(method, request.url(), headers) {
        Ok(head) => head,
        // Its method or its target is none.
        Err(error) => {
            let refused = tiny_http::Response::from_string(error.to_string());
            return request.respond(refused.with_status_code(400));
        }
    };
    if *request.http_version() < (1, 1) {
        head.version = Version::HTTP_10;
    }
    head.extensions.insert(config);
    let connect = Connect::from_parts(&head);
    let path = head.uri.path();
    let answer = match (head.method.as_str(), path) {
        ("GET" | "HEAD", "/stream" | "/details") => {
            let handler = match path {
                "/stream" => handlers::stream,
                _ => handlers::details,
            };
            let page = read_signals(&head, request.as_reader());
            page.map(|page| handler(app, connect, page.map(Signals)).into())
        }
        ("POST", "/clock") => {
            let command = Signals::read_from(&head, request.as_reader());
            Ok(handlers::clock(app, connect, command))
        }
        ("GET" | "HEAD", path) => Ok(site.answer(path, head.uri.query()).into()),
        _ => Ok(Whole::not_allowed().into()),
    };
    let socket = request.into_writer();
    match answer {
        Ok(Answer::Events(sse)) => write(&head, sse.into_http(), socket),
        Ok(Answer::Whole(whole)) => write_whole(&head, response(whole), socket),
        Err(rejection) => write_whole(&head, rejection.into_http(), socket),
    }
}

fn response(whole: Whole) -> Response<Bytes> {
    let mut response = Response::new(whole.body);
    *response.status_mut() = whole.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(whole.content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(CACHING));
    response
}
