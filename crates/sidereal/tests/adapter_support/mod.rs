//! What the tests of adapters have in common: handlers, a client of HTTP/1.1 over a socket, and what a server with these
//! handlers has to answer, whatever its framework.
#![allow(dead_code, reason = "not every framework needs all of it")]

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde::Deserialize;
use serde_json::json;
use sidereal::{
    Config, Connect, EndReason, ExecuteScript, HtmlReply, IsDatastar, LastEventId, PatchElements,
    PatchSignals, Signals, SignalsError, SignalsRejection, SignalsReply, Sse, TabId, selector,
};

/// The heartbeat of the servers under test.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_millis(400);

/// The framework's own limit for bodies, at the servers under test.
pub(crate) const FRAMEWORK_LIMIT: usize = 1000;

/// The application's own, where it is smaller.
pub(crate) const OWN_LIMIT: usize = 100;

#[derive(Debug, Deserialize)]
pub(crate) struct Form {
    pub(crate) name: String,
}

/// Why streams ended, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ends(Arc<Mutex<Vec<(EndReason, Instant)>>>);

impl Ends {
    fn push(&self, reason: EndReason) {
        self.0.lock().unwrap().push((reason, Instant::now()));
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Waits until there are so many, and gives the last one.
    pub(crate) fn wait(&self, count: usize, patience: Duration) -> (EndReason, Instant) {
        let begun = Instant::now();
        while self.len() < count {
            assert!(begun.elapsed() < patience, "{} of {count}", self.len());
            std::thread::sleep(Duration::from_millis(1));
        }
        self.0.lock().unwrap()[count - 1]
    }
}

/// The configuration of `/…` of the servers under test.
pub(crate) fn config() -> Config {
    Config::new().keep_alive(KEEP_ALIVE)
}

/// The configuration of `/strict/…`.
pub(crate) fn strict_config() -> Config {
    config().signals_limit(OWN_LIMIT).reject_with(|rejection| {
        PatchElements::from_display(rejection.error().is_absent()).inner(selector!("#problem"))
    })
}

pub(crate) fn name(form: &Form) -> PatchElements {
    PatchElements::new(format!("<p id=name>{}</p>", form.name))
}

pub(crate) fn optional(form: Option<Form>) -> String {
    format!("{:?}", form.map(|form| form.name))
}

pub(crate) fn result(signals: Result<Signals<Form>, SignalsRejection>) -> String {
    match signals {
        Ok(Signals(form)) => form.name,
        Err(rejection) => format!("mine: {rejection}"),
    }
}

pub(crate) fn head(
    IsDatastar(is_datastar): IsDatastar,
    LastEventId(id): LastEventId,
    tab: Option<TabId>,
    connect: &Connect,
) -> String {
    assert_eq!(connect.is_datastar(), is_datastar);
    assert_eq!(connect.last_event_id(), id.as_ref());
    let id = id.map(|id| id.to_string());
    format!("{is_datastar} {id:?} {:?}", tab.map(|tab| tab.to_string()))
}

/// Two events, 300 ms apart.
pub(crate) fn two(connect: Connect) -> Sse {
    connect.respond(async |tx| {
        tx.patch_elements(PatchElements::new("<p id=one></p>"))
            .await?;
        tokio::time::sleep(Duration::from_millis(300)).await;
        tx.patch_elements(PatchElements::new("<p id=two></p>"))
            .await?;
        Ok(())
    })
}

/// A stream that is open and silent.
pub(crate) fn open(connect: Connect, ends: Ends) -> Sse {
    connect
        .run(async |tx| {
            tx.patch_elements(PatchElements::new("<p id=open></p>"))
                .await?;
            std::future::pending::<()>().await;
            Ok(())
        })
        .on_disconnect(move |_, ended| ends.push(ended.reason()))
}

/// The same uncompressed, whatever the client accepts.
pub(crate) fn plain(connect: Connect) -> Sse {
    open(connect, Ends::default()).compression(None)
}

pub(crate) fn patch() -> PatchSignals {
    PatchSignals::new(&json!({ "a": 1 })).unwrap()
}

pub(crate) fn script() -> ExecuteScript {
    ExecuteScript::new("go()")
}

pub(crate) fn html() -> HtmlReply {
    HtmlReply::new("<p>x</p>").append(selector!("#feed"))
}

pub(crate) fn reply() -> SignalsReply {
    SignalsReply::new(&json!({ "a": 1 })).unwrap()
}

pub(crate) fn list() -> Result<PatchSignals, SignalsError> {
    PatchSignals::new(&[1, 2])
}

/// A port that was free a moment ago.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// Waits until the server listens.
pub(crate) fn wait_for(address: SocketAddr) {
    let begun = Instant::now();
    while TcpStream::connect(address).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A response whose head was read.
pub(crate) struct Response {
    stream: BufReader<TcpStream>,
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
}

pub(crate) const DATASTAR: (&str, &str) = ("datastar-request", "true");
const JSON: (&str, &str) = ("content-type", "application/json");

pub(crate) fn get(address: SocketAddr, target: &str) -> Response {
    request(address, "GET", target, &[DATASTAR], None)
}

pub(crate) fn post(address: SocketAddr, target: &str, body: &str) -> Response {
    request(address, "POST", target, &[DATASTAR, JSON], Some(body))
}

pub(crate) fn request(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: Option<&str>,
) -> Response {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let mut head = format!("{method} {target} HTTP/1.1\r\nhost: {address}\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    if let Some(body) = body {
        head += &format!("content-length: {}\r\n", body.len());
    }
    head += "\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    stream
        .write_all(body.unwrap_or_default().as_bytes())
        .unwrap();
    let mut stream = BufReader::new(stream);
    let status = line(&mut stream).unwrap();
    let status = status.strip_prefix("HTTP/1.1 ").unwrap()[..3].parse();
    let mut headers = Vec::new();
    while let Some((name, value)) = line(&mut stream).unwrap().split_once(": ") {
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    Response {
        stream,
        status: status.unwrap(),
        headers,
    }
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The next chunk, which is empty at the end; an error where the response is broken off.
    pub(crate) fn chunk(&mut self) -> io::Result<Vec<u8>> {
        let size = usize::from_str_radix(&line(&mut self.stream)?, 16).map_err(io::Error::other)?;
        let mut chunk = vec![0; size + 2];
        self.stream.read_exact(&mut chunk)?;
        chunk.truncate(size);
        Ok(chunk)
    }

    /// The next chunk that is not only a heartbeat, as text.
    pub(crate) fn event(&mut self) -> String {
        loop {
            let chunk = String::from_utf8(self.chunk().unwrap()).unwrap();
            if !chunk.lines().all(|line| line.is_empty() || line == ":") {
                return chunk;
            }
        }
    }

    /// Reads on until the response ends: `Ok` where it ends cleanly.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        while !self.chunk()?.is_empty() {}
        Ok(())
    }

    /// Status and text.
    pub(crate) fn text(mut self) -> (u16, String) {
        let mut body = Vec::new();
        if self.header("transfer-encoding") == Some("chunked") {
            loop {
                match self.chunk().unwrap() {
                    chunk if chunk.is_empty() => break,
                    chunk => body.extend(chunk),
                }
            }
        } else if let Some(length) = self.header("content-length") {
            body.resize(length.parse().unwrap(), 0);
            self.stream.read_exact(&mut body).unwrap();
        }
        (self.status, String::from_utf8(body).unwrap())
    }

    /// Leaves as a browser does.
    pub(crate) fn leave(self) -> Instant {
        let left = Instant::now();
        let _ = self.stream.get_ref().shutdown(Shutdown::Both);
        left
    }
}

fn line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let whole = line.strip_suffix("\r\n").map(str::to_owned);
    whole.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

const GOOD: &str = r#"{"name":"Ada"}"#;
const GOOD_QUERY: &str = "?datastar=%7B%22name%22%3A%22Ada%22%7D";

/// Each method has its signals where the client puts them.
pub(crate) fn signals_of_every_method(address: SocketAddr, methods: &[&str]) {
    for method in methods {
        let in_query = matches!(*method, "GET" | "DELETE");
        let (target, body) = match in_query {
            true => (format!("/name{GOOD_QUERY}"), None),
            false => ("/name".to_owned(), Some(GOOD)),
        };
        let response = request(address, method, &target, &[DATASTAR, JSON], body);
        assert_eq!(
            response.header("content-type"),
            Some("text/event-stream"),
            "{method}"
        );
        let (status, text) = response.text();
        assert_eq!(status, 200, "{method}: {text}");
        assert!(
            text.contains("elements <p id=name>Ada</p>"),
            "{method}: {text}"
        );
    }
}

/// What each way to take signals makes of those that are absent, bad and good.
pub(crate) fn the_ways_to_take_signals(address: SocketAddr) {
    let absent = "the request carries no signals";
    for (target, body, expected) in [
        ("/name", "", (400, absent)),
        ("/name", "{", (400, "signals are not JSON")),
        ("/name", "[]", (400, "signals must be a JSON object")),
        ("/name", "{}", (400, "missing field `name`")),
        ("/optional", "", (200, "None")),
        ("/optional", GOOD, (200, "Some(\"Ada\")")),
        ("/optional", "{}", (400, "missing field `name`")),
        ("/result", "", (200, "mine: the request carries no signals")),
        ("/result", GOOD, (200, "Ada")),
        ("/lenient", "", (200, "None")),
        ("/lenient", "{", (200, "None")),
        ("/lenient", GOOD, (200, "Some(\"Ada\")")),
    ] {
        let (status, text) = post(address, target, body).text();
        assert_eq!(status, expected.0, "{target} {body} {text}");
        assert!(text.contains(expected.1), "{target} {body}: {text}");
    }
    let (status, text) = request(address, "POST", "/name", &[], Some(GOOD)).text();
    assert_eq!(status, 415, "{text}");
    // A plain page load.
    assert_eq!(get(address, "/optional").text(), (200, "None".into()));
}

/// A body over the limit is a 413, and is read to its end before that is said.
pub(crate) fn limit_of(address: SocketAddr, target: &str, limit: usize) {
    for length in [limit, limit + 1, 20 << 20] {
        let body = format!("{{\"name\":\"{}\"}}", "x".repeat(length - 11));
        assert_eq!(body.len(), length);
        // Not Datastar's, so that no events answer it.
        let response = request(address, "POST", target, &[JSON], Some(&body));
        let expected = if length == limit { 200 } else { 413 };
        assert_eq!(response.status, expected, "{target} {length}");
        if expected == 413 {
            assert_eq!(response.text().1, "signals are too large");
        }
    }
}

/// The events of `Config::reject_with` answer who is Datastar, and nobody else.
pub(crate) fn rejections_as_events(address: SocketAddr) {
    let response = post(address, "/strict/name", "");
    assert_eq!(response.header("content-type"), Some("text/event-stream"));
    let (status, text) = response.text();
    assert_eq!(status, 200, "{text}");
    assert!(text.contains("data: elements true"), "{text}");
    let response = request(address, "POST", "/strict/name", &[], Some(""));
    assert_eq!(
        response.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    assert_eq!(
        response.text(),
        (400, "the request carries no signals".into())
    );
}

pub(crate) fn what_the_head_says(address: SocketAddr) {
    let (_, text) = request(address, "GET", "/head", &[], None).text();
    assert_eq!(text, "false None None");
    let tab = "datastar=%7B%22tabId%22%3A%22t1%22%7D";
    let headers = [DATASTAR, ("last-event-id", "7")];
    let (_, text) = request(address, "GET", &format!("/head?{tab}"), &headers, None).text();
    assert_eq!(text, "true Some(\"7\") Some(\"t1\")");
    assert_eq!(get(address, &format!("/tab?{tab}")).text().1, "t1");
    let (status, text) = get(address, "/tab").text();
    assert_eq!(status, 400);
    assert!(text.contains("no signal tabId"), "{text}");
}

pub(crate) fn events_and_replies_are_responses(address: SocketAddr) {
    let patch = get(address, "/patch");
    assert_eq!(patch.header("content-type"), Some("text/event-stream"));
    assert_eq!(patch.header("cache-control"), Some("no-cache"));
    assert!(patch.text().1.contains("data: signals {\"a\":1}"));
    assert!(get(address, "/script").text().1.contains("go()"));
    let html = get(address, "/html");
    assert_eq!(html.header("datastar-selector"), Some("#feed"));
    assert_eq!(html.header("datastar-mode"), Some("append"));
    assert_eq!(html.text(), (200, "<p>x</p>".into()));
    let reply = get(address, "/reply");
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.text().1, "{\"a\":1}");
    let (status, text) = get(address, "/list").text();
    assert_eq!(status, 500, "{text}");
    assert!(text.contains("JSON object"), "{text}");
}

pub(crate) fn a_head_request_begins_nothing(address: SocketAddr, ends: &Ends) {
    let before = ends.len();
    let response = request(address, "HEAD", "/open", &[], None);
    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-type"), Some("text/event-stream"));
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(ends.len(), before);
}

/// Two events 300 ms apart arrive 300 ms apart.
pub(crate) fn events_are_not_held_back(address: SocketAddr) {
    for accepted in ["identity", "gzip"] {
        let headers = [DATASTAR, ("accept-encoding", accepted)];
        let mut response = request(address, "GET", "/two", &headers, None);
        let begun = Instant::now();
        let mut arrived = Vec::new();
        while arrived.len() < 2 {
            let chunk = response.chunk().unwrap();
            if chunk != b":\n\n" {
                arrived.push(begun.elapsed().as_millis());
            }
        }
        println!("{accepted}: events after {arrived:?} ms");
        assert!(arrived[0] < 150, "{arrived:?}");
        assert!((250..600).contains(&arrived[1]), "{arrived:?}");
        response.end().unwrap();
    }
}

/// How long the server takes to notice that its client has left a silent stream.
pub(crate) fn a_client_that_leaves(address: SocketAddr, ends: &Ends, within: Duration) {
    let mut slowest = Duration::ZERO;
    for _ in 0..5 {
        let count = ends.len() + 1;
        let mut response = get(address, "/open");
        assert!(response.event().contains("id=open"));
        let left = response.leave();
        let (reason, noticed) = ends.wait(count, Duration::from_secs(10));
        assert_eq!(reason, EndReason::Disconnected);
        slowest = slowest.max(noticed.saturating_duration_since(left));
    }
    println!("noticed within {slowest:?}, of heartbeats of {KEEP_ALIVE:?}");
    assert!(slowest < within, "{slowest:?}");
}

pub(crate) fn heartbeats_arrive(address: SocketAddr) {
    let mut response = get(address, "/open");
    assert!(response.event().contains("id=open"));
    for _ in 0..3 {
        let begun = Instant::now();
        let chunk = response.chunk().unwrap();
        assert!(chunk.starts_with(b":"), "{chunk:?}");
        let waited = begun.elapsed();
        assert!(waited < KEEP_ALIVE * 2, "{waited:?}");
    }
}

/// 200 open streams take nothing from ordinary requests.
pub(crate) fn many_streams(address: SocketAddr, ends: &Ends) {
    let before = ends.len();
    let open: Vec<_> = (0..200)
        .map(|_| {
            let mut response = get(address, "/open");
            assert!(response.event().contains("id=open"));
            response
        })
        .collect();
    let mut slowest = Duration::ZERO;
    for _ in 0..20 {
        let begun = Instant::now();
        assert_eq!(post(address, "/result", GOOD).text(), (200, "Ada".into()));
        slowest = slowest.max(begun.elapsed());
    }
    println!("beside 200 streams: answers within {slowest:?}");
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    for response in open {
        response.leave();
    }
    ends.wait(before + 200, Duration::from_secs(10));
}

/// A stream on HTTP/2 that its client resets, which is noticed at the next heartbeat.
pub(crate) fn a_stream_on_http_2(address: SocketAddr, ends: &Ends) {
    let count = ends.len() + 1;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let left = runtime.block_on(async {
        let tcp = tokio::net::TcpStream::connect(address).await.unwrap();
        let (mut client, connection) = h2::client::handshake(tcp).await.unwrap();
        tokio::spawn(connection);
        let uri = format!("http://{address}/open");
        let request = http::Request::get(uri).body(()).unwrap();
        let (response, _) = client.send_request(request, true).unwrap();
        let response = response.await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert!(!response.headers().contains_key("connection"));
        let mut body = response.into_body();
        let mut received = Vec::new();
        while !received.ends_with(b"id=open></p>\n\n") {
            received.extend_from_slice(&body.data().await.unwrap().unwrap());
        }
        drop(body);
        let left = Instant::now();
        tokio::time::sleep(KEEP_ALIVE * 2).await;
        left
    });
    let (reason, noticed) = ends.wait(count, Duration::from_secs(5));
    assert_eq!(reason, EndReason::Disconnected);
    println!("HTTP/2: noticed within {:?}", noticed.duration_since(left));
}
