//! Extractors and responses on axum, over a real socket.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![cfg(feature = "axum")]

mod adapter;

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use adapter::{DATASTAR, Form, Framework, JSON, Server, ask};
use axum::{
    Extension, Router,
    body::{Body, Bytes},
    extract::DefaultBodyLimit,
    response::IntoResponse,
    routing::{any, get, post},
};
use futures_util::StreamExt;
use serde_json::{Map, Value};
use sidereal::{
    Config, Connect, IsDatastar, LastEventId, PatchElements, Signals, SignalsRejection, TabId,
};
use tower::ServiceExt;

adapter::tests!(Axum);
adapter::handlers!();

struct Axum;

impl Framework for Axum {
    fn start() -> Server {
        Server::at(start(routes()))
    }
}

fn start(app: Router) -> SocketAddr {
    adapter::on_tokio(async |listener| axum::serve(listener, app).await.unwrap())
}

fn routes() -> Router {
    let configured = Router::new()
        .route("/strict", any(strict))
        .route("/silent", any(silent))
        .route("/connected", any(connected))
        .route("/settings", any(settings))
        .layer(Extension(adapter::settings()));
    let framework = any(strict).layer(DefaultBodyLimit::max(adapter::FRAMEWORK_LIMIT));
    Router::new()
        .route("/strict", any(strict))
        .route("/optional", any(optional))
        .route("/result", any(result))
        .route("/lenient", any(lenient))
        .route("/framework", framework)
        .route("/head", any(head))
        .route("/tab", any(tab_id))
        .route("/event", any(event))
        .route("/script", any(script))
        .route("/html", any(html))
        .route("/json", any(json))
        .route("/error", any(failing))
        .route("/slow", any(slow))
        .route("/silent", any(silent))
        .route("/broken", any(broken))
        .route("/old", any(old))
        .nest("/configured", configured)
}

async fn optional(form: Option<Signals<Form>>) -> String {
    adapter::optional(form)
}

async fn result(form: Result<Signals<Form>, SignalsRejection>) -> String {
    adapter::result(form)
}

async fn head(
    is_datastar: IsDatastar,
    id: LastEventId,
    tab: Option<TabId>,
    connect: Connect,
) -> String {
    adapter::head(is_datastar, id, tab, &connect)
}

#[test]
fn signals_can_be_any_object() {
    async fn untyped(Signals(map): Signals<Map<String, Value>>) -> String {
        map.len().to_string()
    }
    let address = start(Router::new().route("/", any(untyped)));
    for (body, status, text) in [
        (&br#"{"name":"Ada"}"#[..], 200, "1"),
        (b"7", 400, "signals must be a JSON object"),
    ] {
        let mut answer = ask(address, "POST", "/", &[DATASTAR], Some(body));
        assert_eq!(answer.status, status);
        let found = answer.text();
        assert!(found.contains(text), "{found}");
    }
}

/// 2 MB, where neither has another one.
#[test]
fn a_body_over_axums_own_default_is_read_to_its_end() {
    let server = Axum::start();
    let body = vec![b'x'; 20 << 20];
    let answer = server.ask("POST", "/strict", &[], Some(&body));
    assert!(answer.status == 413 && answer.was_sent);
    // It is not ours that counts.
    let mut body = vec![b' '; 2 << 20];
    for status in [400, 413] {
        let answer = server.ask("POST", "/strict", &[JSON], Some(&body));
        assert_eq!(answer.status, status, "{}", body.len());
        body.push(b' ');
    }
}

#[test]
fn a_sse_can_be_part_of_a_response() {
    async fn stream(connect: Connect) -> impl IntoResponse {
        (
            [("x-own", "header")],
            connect.reply(PatchElements::new("<p id=x></p>")),
        )
    }
    let address = start(Router::new().route("/", get(stream)));
    let answer = ask(address, "GET", "/", &[], None);
    assert_eq!(answer.header("x-own"), Some("header"));
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    assert_eq!(answer.header("connection"), Some("keep-alive"));
}

/// The smaller limit bounds the memory, be the framework's switched off.
#[tokio::test]
async fn no_more_of_a_body_than_its_limit_is_held() {
    const CHUNK: usize = 1 << 16;

    /// Bytes that are counted as long as they are held.
    struct Chunk {
        bytes: Vec<u8>,
        live: Arc<AtomicUsize>,
    }

    impl AsRef<[u8]> for Chunk {
        fn as_ref(&self) -> &[u8] {
            &self.bytes
        }
    }

    impl Drop for Chunk {
        fn drop(&mut self) {
            self.live.fetch_sub(CHUNK, Ordering::SeqCst);
        }
    }

    let app = Router::new()
        .route("/", post(strict))
        .layer(DefaultBodyLimit::disable())
        .layer(Extension(Config::new().signals_limit(4 * CHUNK)));
    let (mut sent, mut largest) = (Vec::new(), Vec::new());
    for (chunks, announced) in [(2, false), (2, true), (512, false), (512, true)] {
        let (live, peak) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (counted, highest) = (live.clone(), peak.clone());
        let stream = futures_util::stream::iter(0..chunks).map(move |_| {
            let now = counted.fetch_add(CHUNK, Ordering::SeqCst) + CHUNK;
            highest.fetch_max(now, Ordering::SeqCst);
            let live = counted.clone();
            let bytes = vec![b' '; CHUNK];
            Ok::<_, Infallible>(Bytes::from_owner(Chunk { bytes, live }))
        });
        let body = Announced {
            body: Body::from_stream(stream),
            length: announced.then_some((chunks * CHUNK) as u64),
        };
        let request = http::Request::post("/")
            .header("content-type", "application/json")
            .body(Body::new(body))
            .unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        sent.push(response.status().as_u16());
        largest.push(peak.load(Ordering::SeqCst) / CHUNK);
        assert_eq!(live.load(Ordering::SeqCst), 0);
    }
    // White space is no signals, which is a 400.
    assert_eq!(sent, [400, 400, 413, 413]);
    // As much as the limit, and the chunk that is too much; none of what is announced as too much.
    assert_eq!(largest, [2, 2, 5, 1]);
}

/// A body that says how long it is, as one with a `Content-Length` does.
struct Announced {
    body: Body,
    length: Option<u64>,
}

impl http_body::Body for Announced {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.length
            .map_or_else(Default::default, http_body::SizeHint::with_exact)
    }
}
