//! Extractors and responses on axum, through a `Router` as a user has it.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![cfg(all(feature = "axum", feature = "testing"))]

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Extension, Router,
    body::{Body, Bytes},
    extract::DefaultBodyLimit,
    http::StatusCode,
    response::IntoResponse,
    routing::{any, get, post},
};
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sidereal::{
    Config, Connect, ExecuteScript, HtmlReply, IsDatastar, LastEventId, LenientSignals,
    PatchElements, PatchSignals, Signals, SignalsError, SignalsRejection, SignalsReply, Sse, TabId,
    selector,
    testing::{Client, EventStream, assert_elements, assert_signals},
};
use tower::ServiceExt;

#[derive(Debug, Deserialize, PartialEq)]
struct Form {
    name: String,
}

fn client(
    router: Router,
) -> Client<impl Fn(http::Request<sidereal::testing::RequestBody>) -> BoxFuture> {
    Client::new(move |request| {
        let router = router.clone();
        Box::pin(async move {
            router
                .oneshot(request)
                .await
                .unwrap_or_else(|never| match never {})
        }) as BoxFuture
    })
}

type BoxFuture = Pin<Box<dyn Future<Output = axum::response::Response> + Send>>;

async fn text<B>(mut stream: EventStream<B>) -> (StatusCode, String)
where
    B: http_body::Body + Unpin,
    B::Data: bytes::Buf,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    (stream.status(), stream.text().await.unwrap())
}

async fn name(Signals(form): Signals<Form>) -> PatchElements {
    PatchElements::new(format!("<p id=name>{}</p>", form.name))
}

#[tokio::test]
async fn signals_come_from_wherever_the_method_puts_them() {
    let client = client(Router::new().route("/", any(name)));
    for method in ["GET", "DELETE", "POST", "PUT", "PATCH", "QUERY"] {
        let method = http::Method::from_bytes(method.as_bytes()).unwrap();
        let request = client.request(method.clone(), "/").datastar();
        let mut stream = request.signals(&json!({ "name": "Ada" })).send().await;
        stream.assert_event_stream_head();
        let collected = stream.collect().await.unwrap();
        let [event] = collected.events() else {
            panic!("{method}: one event")
        };
        assert_elements(event, "<p id=name>Ada</p>");
        assert!(collected.end().is_clean());
    }
}

#[tokio::test]
async fn the_three_ways_to_take_signals() {
    async fn optional(signals: Option<Signals<Form>>) -> String {
        format!("{:?}", signals.map(|Signals(form)| form.name))
    }
    async fn result(signals: Result<Signals<Form>, SignalsRejection>) -> String {
        match signals {
            Ok(Signals(form)) => form.name,
            Err(rejection) => format!("mine: {rejection}"),
        }
    }
    async fn lenient(LenientSignals(form): LenientSignals<Form>) -> String {
        format!("{form:?}")
    }
    async fn untyped(Signals(map): Signals<Map<String, Value>>) -> String {
        map.len().to_string()
    }
    let client = client(
        Router::new()
            .route("/strict", any(name))
            .route("/optional", any(optional))
            .route("/result", any(result))
            .route("/lenient", any(lenient))
            .route("/untyped", any(untyped)),
    );
    let good = br#"{"name":"Ada"}"#.as_slice();
    let ok = StatusCode::OK;
    let bad = StatusCode::BAD_REQUEST;
    let absent = "the request carries no signals";
    for (path, body, expected) in [
        ("/strict", b"".as_slice(), (bad, absent)),
        ("/strict", b"{", (bad, "signals are not JSON")),
        ("/strict", b"[]", (bad, "signals must be a JSON object")),
        ("/strict", b"{}", (bad, "missing field `name`")),
        ("/optional", b"", (ok, "None")),
        ("/optional", good, (ok, "Some(\"Ada\")")),
        ("/optional", b"{}", (bad, "missing field `name`")),
        ("/result", b"", (ok, "mine: the request carries no signals")),
        ("/result", good, (ok, "Ada")),
        ("/lenient", b"", (ok, "None")),
        ("/lenient", b"{", (ok, "None")),
        ("/lenient", good, (ok, "Ada")),
        ("/untyped", good, (ok, "1")),
        ("/untyped", b"7", (bad, "signals must be a JSON object")),
    ] {
        let request = client.post(path).datastar().body(body.to_vec());
        let (status, text) = text(request.send().await).await;
        assert_eq!(status, expected.0, "{path} {text}");
        assert!(text.contains(expected.1), "{path}: {text}");
    }
}

#[tokio::test]
async fn both_limits_answer_with_413() {
    let framework = Router::new()
        .route("/", post(name))
        .layer(DefaultBodyLimit::max(100));
    let ours = Router::new()
        .route("/", post(name))
        .layer(Extension(Config::new().signals_limit(100)));
    for router in [framework, ours] {
        let client = client(router);
        for (length, status) in [(50, 200), (100, 200), (101, 413), (1_000_000, 413)] {
            let body = format!("{{\"name\":\"{}\"}}", "x".repeat(length - 11));
            assert_eq!(body.len(), length);
            let request = client.post("/").datastar().body(body);
            let (got, text) = text(request.send().await).await;
            assert_eq!(got, status, "{length}: {text}");
        }
    }
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
        .route("/", post(name))
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

/// Any site can have a browser send JSON to this one, with the user's cookies, as long as it does
/// not say that it is JSON: `<form enctype=text/plain>`, or `fetch` of a blob without a type.
#[tokio::test]
async fn a_body_of_another_site_is_refused() {
    let client = client(Router::new().route("/", any(name)).route(
        "/optional",
        any(async |form: Option<Signals<Form>>| format!("{form:?}")),
    ));
    let json = r#"{"name":"Ada","x":"="}"#;
    for (content_type, datastar, status) in [
        (Some("text/plain"), None, 415),
        (Some("text/plain;charset=UTF-8"), None, 415),
        (Some("text/plain, application/json"), None, 415),
        (Some("text/html"), None, 415),
        (None, None, 415),
        (None, Some("false"), 415),
        (None, Some("true"), 200),
        (Some("text/plain"), Some("true"), 200),
        (Some("application/json"), None, 200),
        (Some("Application/JSON; charset=utf-8"), None, 200),
        (Some("application/merge-patch+json"), None, 200),
    ] {
        for method in ["POST", "PUT", "PATCH", "QUERY"] {
            let method = http::Method::from_bytes(method.as_bytes()).unwrap();
            let mut request = client.request(method, "/").body(json);
            if let Some(content_type) = content_type {
                request = request.header("content-type", content_type);
            }
            if let Some(datastar) = datastar {
                request = request.header("datastar-request", datastar);
            }
            let (got, text) = text(request.send().await).await;
            assert_eq!(got, status, "{content_type:?} {datastar:?} {text}");
            assert_eq!(text.contains("Datastar-Request: true"), status == 415);
        }
    }
    // A request without a body has no signals, whatever it says of its type.
    let request = client
        .post("/optional")
        .header("content-type", "text/plain");
    assert_eq!(
        text(request.send().await).await,
        (StatusCode::OK, "None".into())
    );
    let request = client.post("/optional").body(json);
    assert_eq!(text(request.send().await).await.0, 415);
}

/// A server that answers before it has read the body closes the connection, and a browser that is
/// still sending sees no answer: Chromium failed to fetch 3 times of 3 with 10 MB.
#[tokio::test]
async fn a_body_far_over_the_limit_is_read_so_that_its_sender_sees_the_413() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().route("/", post(name));
    tokio::spawn(async move { axum::serve(listener, app).await });

    let body = vec![b'x'; 20 << 20];
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body).await.unwrap();
    let mut answer = vec![0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 413");
}

/// With `contentType: 'form'` the client sends the form's fields, and no signals.
#[tokio::test]
async fn a_form_carries_no_signals() {
    async fn handler(signals: Option<Signals<Form>>) -> String {
        signals.is_some().to_string()
    }
    let client = client(Router::new().route("/", post(handler)));
    for (content_type, carries) in [
        ("application/x-www-form-urlencoded", "false"),
        ("multipart/form-data; boundary=x", "false"),
        ("Multipart/Form-Data; boundary=x", "false"),
        ("application/json", "true"),
    ] {
        let request = client.post("/").body(r#"{"name":"Ada"}"#);
        let request = request.header("content-type", content_type);
        let (status, text) = text(request.send().await).await;
        assert_eq!(
            (status, text.as_str()),
            (StatusCode::OK, carries),
            "{content_type}"
        );
    }
}

#[tokio::test]
async fn events_that_cannot_be_built_are_a_500() {
    async fn list() -> Result<PatchSignals, SignalsError> {
        PatchSignals::new(&[1, 2])
    }
    let client = client(Router::new().route("/", get(list)));
    assert_eq!(text(client.get("/").send().await).await.0, 500);
}

#[tokio::test]
async fn a_rejection_can_be_events_for_datastar_requests_only() {
    let config = Config::new().reject_with(|rejection| {
        PatchElements::from_display(rejection.error().is_absent()).inner(selector!("#problem"))
    });
    // What is set after it holds for its events too.
    let config = config.retry(Duration::from_secs(7));
    let client = client(
        Router::new()
            .route("/", post(name))
            .layer(Extension(config)),
    );
    let mut stream = client.post("/").datastar().send().await;
    stream.assert_event_stream_head();
    let collected = stream.collect().await.unwrap();
    assert_elements(&collected.events()[0], "true");
    assert_eq!(collected.events()[0].retry(), Some(Duration::from_secs(7)));

    let (status, text) = text(client.post("/").send().await).await;
    assert_eq!(
        (status, text.as_str()),
        (StatusCode::BAD_REQUEST, "the request carries no signals")
    );
}

#[tokio::test]
async fn events_and_replies_are_responses() {
    let router = Router::new()
        .route(
            "/signals",
            get(async || PatchSignals::new(&json!({ "a": 1 })).unwrap()),
        )
        .route("/script", get(async || ExecuteScript::new("go()")))
        .route(
            "/html",
            get(async || HtmlReply::new("<p>x</p>").append(selector!("#feed"))),
        )
        .route(
            "/json",
            get(async || SignalsReply::new(&json!({ "a": 1 })).unwrap()),
        )
        .route(
            "/several",
            get(async |connect: Connect| {
                connect.reply((
                    PatchElements::new("<p id=a></p>"),
                    Some(PatchElements::remove(selector!("#b"))),
                    vec![PatchSignals::new(&json!({ "a": 1 })).unwrap()],
                ))
            }),
        );
    let client = client(router);

    let mut stream = client.get("/signals").send().await;
    stream.assert_event_stream_head();
    assert_signals(&stream.next().await.unwrap().unwrap(), &json!({ "a": 1 }));

    let mut stream = client.get("/script").send().await;
    let event = stream.next().await.unwrap().unwrap();
    assert_eq!(event.script().unwrap().code(), "go()");

    let mut stream = client.get("/several").send().await;
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    assert_eq!(stream.collect().await.unwrap().events().len(), 3);

    let reply = client.get("/html").send().await;
    assert_eq!(reply.headers()["datastar-selector"], "#feed");
    assert_eq!(reply.headers()["datastar-mode"], "append");
    assert_eq!(text(reply).await.1, "<p>x</p>");
    let reply = client.get("/json").send().await;
    assert_eq!(reply.headers()["content-type"], "application/json");
    assert_eq!(text(reply).await.1, "{\"a\":1}");
}

#[tokio::test]
async fn what_the_head_of_a_request_says() {
    async fn head(
        IsDatastar(is_datastar): IsDatastar,
        LastEventId(id): LastEventId,
        tab: Option<TabId>,
        connect: Connect,
    ) -> String {
        assert_eq!(connect.is_datastar(), is_datastar);
        assert_eq!(connect.last_event_id(), id.as_ref());
        let id = id.map(|id| id.to_string());
        format!("{is_datastar} {id:?} {:?}", tab.map(|tab| tab.to_string()))
    }
    let client = client(Router::new().route("/", get(head)));
    assert_eq!(
        text(client.get("/").send().await).await.1,
        "false None None"
    );
    let request = client
        .get("/")
        .datastar()
        .last_event_id("7")
        .signals(&json!({ "tabId": "t1" }));
    assert_eq!(
        text(request.send().await).await.1,
        "true Some(\"7\") Some(\"t1\")"
    );
}

#[tokio::test(start_paused = true)]
async fn the_configuration_reaches_streams_and_events() {
    async fn stream(connect: Connect) -> Sse {
        connect.respond(async |tx| {
            tx.patch_elements(PatchElements::new("<p id=x></p>"))
                .await?;
            tx.patch_elements(PatchElements::new("<p id=x></p>").retry(Duration::from_secs(9)))
                .await?;
            tokio::time::sleep(Duration::from_secs(8)).await;
            Ok(())
        })
    }
    let config = Config::new()
        .keep_alive(Duration::from_secs(3))
        .retry(Duration::from_secs(5));
    let client = client(
        Router::new()
            .route("/", get(stream))
            .layer(Extension(config)),
    );
    let mut stream = client.get("/").send().await;
    let collected = stream.collect().await.unwrap();
    let retries: Vec<_> = collected
        .events()
        .iter()
        .map(|event| event.retry().unwrap().as_secs())
        .collect();
    assert_eq!(retries, [5, 9]);
    assert_eq!(
        collected.comments().len(),
        2,
        "heartbeats after 3 s and 6 s"
    );
}

#[tokio::test]
async fn a_sse_can_be_part_of_a_response() {
    async fn stream(connect: Connect) -> impl IntoResponse {
        (
            [("x-own", "header")],
            connect.reply(PatchElements::new("<p id=x></p>")),
        )
    }
    let client = client(Router::new().route("/", get(stream)));
    let stream = client.get("/").send().await;
    assert_eq!(stream.headers()["x-own"], "header");
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    assert_eq!(stream.headers()["connection"], "keep-alive");
}
