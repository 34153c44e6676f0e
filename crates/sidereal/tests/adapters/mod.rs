//! What every adapter has to do, asked over a real socket: each one's tests serve the same
//! application, with these paths.
//!
//! | path | what |
//! |---|---|
//! | `/strict`, `/optional`, `/result`, `/lenient` | the ways to take signals, for any method |
//! | `/limited`, `/framework` | `/strict`, with 100 bytes by `Config`, and by the framework's own limit |
//! | `/rejecting` | `/strict`, with [`rejecting`] |
//! | `/head`, `/tab` | what the head of a request says |
//! | `/connected`, `/configured` | [`event`], with [`config`] by `Connect` and by `Config` |
//! | `/event`, `/script`, `/html`, `/json`, `/error` | what a handler returns |
//! | `/slow`, `/silent`, `/broken` | the streams of the same names |
#![allow(dead_code)]

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{LazyLock, Mutex},
    time::{Duration, Instant},
};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use sidereal::{
    Config, Connect, End, EndReason, ExecuteScript, HtmlReply, IsDatastar, LastEventId,
    PatchElements, PatchSignals, Signals, SignalsError, SignalsRejection, SignalsReply, Sse, TabId,
    selector,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

/// The tests, for the application that a function starts.
macro_rules! tests {
    ($start:path: $($test:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            adapters::$test($start().await).await;
        }
    )*};
    ($start:path) => {
        adapters::tests!($start:
            signals_come_from_wherever_the_method_puts_them the_three_ways_to_take_signals
            a_body_of_another_site_is_refused a_form_carries_no_signals both_limits_answer_with_413
            a_body_far_over_the_limit_is_read_so_that_its_sender_sees_the_413
            a_rejection_can_be_events_for_datastar_requests_only what_the_head_of_a_request_says
            the_configuration_reaches_streams_and_events events_and_replies_are_responses
            events_go_out_one_by_one heartbeats_go_out_on_their_own
            a_client_that_leaves_is_noticed many_streams_leave_room_for_requests over_http2
        );
    };
}
pub(crate) use tests;

/// The signals.
#[derive(Debug, Deserialize)]
pub(crate) struct Form {
    pub(crate) name: String,
}

/// The answer of `/strict`.
pub(crate) fn strict(Signals(form): Signals<Form>) -> PatchElements {
    PatchElements::new(format!("<p id=name>{}</p>", form.name))
}

/// The answer of `/optional`.
pub(crate) fn optional(form: Option<Signals<Form>>) -> String {
    format!("{:?}", form.map(|Signals(form)| form.name))
}

/// The answer of `/result`.
pub(crate) fn result(form: Result<Signals<Form>, SignalsRejection>) -> String {
    match form {
        Ok(Signals(form)) => form.name,
        Err(rejection) => format!("mine: {rejection}"),
    }
}

/// The settings of `/limited`.
pub(crate) fn limited() -> Config {
    Config::new().signals_limit(100)
}

/// The settings of `/rejecting`.
pub(crate) fn rejecting() -> Config {
    Config::new().reject_with(|rejection| {
        PatchElements::from_display(rejection.error().is_absent()).inner(selector!("#problem"))
    })
}

/// The answer of `/head`.
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

/// The settings of `/connected` and `/configured`.
pub(crate) fn config() -> Config {
    Config::new().retry(Duration::from_secs(5))
}

/// The answer of `/configured`.
pub(crate) fn configured(config: &Config) -> Sse {
    event(Connect::new().with_config(config))
}

/// The answer of `/connected`.
pub(crate) fn event(connect: Connect) -> Sse {
    connect.reply(PatchElements::new("<p id=x></p>"))
}

/// What `/event`, `/script`, `/html`, `/json` and `/error` return.
pub(crate) fn signals_event() -> PatchSignals {
    PatchSignals::new(&json!({ "a": 1 })).unwrap()
}

pub(crate) fn script() -> ExecuteScript {
    ExecuteScript::new("go()")
}

pub(crate) fn html() -> HtmlReply {
    HtmlReply::new("<p>x</p>").append(selector!("#feed"))
}

pub(crate) fn json() -> SignalsReply {
    SignalsReply::new(&json!({ "a": 1 })).unwrap()
}

pub(crate) fn error() -> Result<PatchSignals, SignalsError> {
    PatchSignals::new(&[1, 2])
}

/// Two events, 300 ms apart.
pub(crate) fn slow(connect: Connect) -> Sse {
    connect.respond(async |tx| {
        tx.patch_elements("<p id=one></p>").await?;
        sleep(Duration::from_millis(300)).await;
        tx.patch_elements("<p id=two></p>").await?;
        Ok(())
    })
}

/// One event and heartbeats, for ever. How it ends is known by its `Last-Event-ID`.
pub(crate) fn silent(connect: Connect) -> Sse {
    let name = connect.last_event_id().unwrap().to_string();
    connect
        .run(async |tx| {
            tx.patch_elements("<p id=one></p>").await?;
            std::future::pending().await
        })
        .keep_alive(Duration::from_secs(if name == "beating" { 1 } else { 60 }))
        .on_disconnect(move |_, ended| {
            ENDS.lock().unwrap().insert(name, ended.reason());
        })
}

static ENDS: LazyLock<Mutex<HashMap<String, EndReason>>> = LazyLock::new(Mutex::default);

/// An event, and an end that makes the page come back.
pub(crate) fn broken(connect: Connect) -> Sse {
    connect
        .respond(async |tx| {
            tx.patch_elements("<p id=one></p>").await?;
            Ok(())
        })
        .end_with(EndReason::Finished, End::Broken)
}

pub(crate) async fn signals_come_from_wherever_the_method_puts_them(address: SocketAddr) {
    for method in ["GET", "DELETE", "POST", "PUT", "PATCH", "QUERY"] {
        let answer = match method {
            "GET" | "DELETE" => {
                let path = "/strict?datastar=%7B%22name%22%3A%22Ada%22%7D";
                ask(address, method, path, &[DATASTAR], b"").await
            }
            _ => ask(address, method, "/strict", &[DATASTAR], ADA).await,
        };
        assert_eq!(answer.status, 200, "{method}");
        assert_eq!(answer.header("content-type"), Some("text/event-stream"));
        assert_eq!(
            answer.body,
            "event: datastar-patch-elements\ndata: elements <p id=name>Ada</p>\n\n"
        );
    }
}

pub(crate) async fn the_three_ways_to_take_signals(address: SocketAddr) {
    for (path, body, status, text) in [
        (
            "/strict",
            b"".as_slice(),
            400,
            "the request carries no signals",
        ),
        ("/strict", b"{", 400, "signals are not JSON"),
        ("/strict", b"[]", 400, "signals must be a JSON object"),
        ("/strict", b"{}", 400, "missing field `name`"),
        ("/optional", b"", 200, "None"),
        ("/optional", ADA, 200, "Some(\"Ada\")"),
        ("/optional", b"{}", 400, "missing field `name`"),
        ("/result", b"", 200, "mine: the request carries no signals"),
        ("/result", ADA, 200, "Ada"),
        ("/lenient", b"", 200, "None"),
        ("/lenient", b"{", 200, "None"),
        ("/lenient", ADA, 200, "Ada"),
    ] {
        let answer = ask(address, "POST", path, &[DATASTAR], body).await;
        assert_eq!(answer.status, status, "{path} {answer:?}");
        assert!(answer.body.contains(text), "{path} {answer:?}");
        if status == 400 {
            let text = Some("text/plain; charset=utf-8");
            assert_eq!(answer.header("content-type"), text, "{path}");
        }
    }
    let answer = ask(address, "GET", "/optional", &[], b"").await;
    assert_eq!((answer.status, &*answer.body), (200, "None"));
}

pub(crate) async fn a_body_of_another_site_is_refused(address: SocketAddr) {
    for (headers, status) in [
        ([("content-type", "text/plain"), NOTHING], 415),
        ([NOTHING, NOTHING], 415),
        ([("content-type", "text/plain"), DATASTAR], 200),
        ([("content-type", "application/json"), NOTHING], 200),
    ] {
        for method in ["POST", "PUT", "QUERY"] {
            let answer = ask(address, method, "/strict", &headers, ADA).await;
            assert_eq!(answer.status, status, "{method} {headers:?} {answer:?}");
        }
    }
}

pub(crate) async fn a_form_carries_no_signals(address: SocketAddr) {
    let headers = [("content-type", "multipart/form-data; boundary=x")];
    let answer = ask(address, "POST", "/optional", &headers, ADA).await;
    assert_eq!((answer.status, &*answer.body), (200, "None"));
}

pub(crate) async fn both_limits_answer_with_413(address: SocketAddr) {
    for path in ["/limited", "/framework"] {
        for (length, status) in [(50, 200), (100, 200), (101, 413), (1_000_000, 413)] {
            let body = format!("{{\"name\":\"{}\"}}", "x".repeat(length - 11));
            let answer = ask(address, "POST", path, &[DATASTAR], body.as_bytes()).await;
            assert_eq!(answer.status, status, "{path} {length}");
        }
    }
    // Without a length that could be looked at first.
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = "POST /limited HTTP/1.1\r\nHost: x\r\nDatastar-Request: true\r\n\
                Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    let chunk = format!("50\r\n{}\r\n", "x".repeat(0x50));
    let request = format!("{head}{chunk}{chunk}0\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    assert_eq!(read_answer(&mut stream).await.status, 413);
}

pub(crate) async fn a_body_far_over_the_limit_is_read_so_that_its_sender_sees_the_413(
    address: SocketAddr,
) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let body = vec![b'x'; 20 << 20];
    let head = format!(
        "POST /limited HTTP/1.1\r\nHost: x\r\nDatastar-Request: true\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body).await.unwrap();
    let mut answer = vec![0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 413");
}

pub(crate) async fn a_rejection_can_be_events_for_datastar_requests_only(address: SocketAddr) {
    let answer = ask(address, "POST", "/rejecting", &[DATASTAR], b"").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    assert!(answer.body.contains("elements true\n"), "{answer:?}");
    let answer = ask(address, "POST", "/rejecting", &[], b"").await;
    assert_eq!(
        (answer.status, &*answer.body),
        (400, "the request carries no signals")
    );
}

pub(crate) async fn what_the_head_of_a_request_says(address: SocketAddr) {
    let get = async |path, headers: &[_]| ask(address, "GET", path, headers, b"").await;
    assert_eq!(get("/head", &[]).await.body, "false None None");
    let path = "/head?datastar=%7B%22tabId%22%3A%22t1%22%7D";
    let headers = [DATASTAR, ("last-event-id", "7")];
    let answer = get(path, &headers).await;
    assert_eq!(answer.body, "true Some(\"7\") Some(\"t1\")");

    let answer = get("/tab?datastar=%7B%22tabId%22%3A%22t1%22%7D", &[]).await;
    assert_eq!((answer.status, &*answer.body), (200, "t1"));
    for path in [
        "/tab",
        "/tab?datastar=%7B%22tabId%22%3A1%7D",
        "/head?datastar=x",
    ] {
        let answer = get(path, &[]).await;
        assert_eq!(answer.status, 400, "{path}");
        assert!(answer.body.contains("tab"), "{answer:?}");
    }
}

pub(crate) async fn the_configuration_reaches_streams_and_events(address: SocketAddr) {
    for path in ["/connected", "/configured"] {
        let answer = ask(address, "GET", path, &[], b"").await;
        assert!(answer.body.contains("retry: 5000\n"), "{path} {answer:?}");
        let connection = (path == "/connected").then_some("keep-alive");
        assert_eq!(answer.header("connection"), connection, "HTTP/1.1 is known");
    }
}

pub(crate) async fn events_and_replies_are_responses(address: SocketAddr) {
    let get = async |path| ask(address, "GET", path, &[], b"").await;
    let answer = get("/event").await;
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    assert!(answer.body.contains("signals {\"a\":1}"), "{answer:?}");
    assert!(get("/script").await.body.contains("go()"));

    let answer = get("/html").await;
    assert_eq!(answer.header("datastar-selector"), Some("#feed"));
    assert_eq!(answer.header("datastar-mode"), Some("append"));
    assert_eq!(
        answer.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(answer.body, "<p>x</p>");
    let answer = get("/json").await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.body, "{\"a\":1}");

    let answer = get("/error").await;
    assert_eq!(answer.status, 500);
    assert!(answer.body.contains("object"), "{answer:?}");
}

pub(crate) async fn events_go_out_one_by_one(address: SocketAddr) {
    // As a browser asks: nothing may hold back what is compressed, either.
    for headers in [vec![], vec![("accept-encoding", "gzip, zstd")]] {
        let asked = Instant::now();
        let mut stream = open(address, "/slow", &headers).await;
        let mut arrived = Vec::new();
        let mut bytes = vec![0; 1 << 16];
        let mut is_over = false;
        while !is_over {
            let read = stream.read(&mut bytes).await.unwrap();
            is_over = read == 0 || bytes[..read].ends_with(b"0\r\n\r\n");
            arrived.push(asked.elapsed().as_millis());
        }
        eprintln!("{headers:?}: bytes came after {arrived:?} ms");
        assert!(arrived.iter().any(|after| *after < 200), "{arrived:?}");
        assert!(
            arrived.iter().all(|after| !(210..290).contains(after)),
            "{arrived:?}"
        );
        assert!(arrived.iter().any(|after| *after >= 290), "{arrived:?}");
    }
}

pub(crate) async fn heartbeats_go_out_on_their_own(address: SocketAddr) {
    let mut stream = open(address, "/silent", &[("last-event-id", "beating")]).await;
    read_until(&mut stream, "<p id=one>").await;
    for _ in 0..2 {
        let asked = Instant::now();
        read_until(&mut stream, "\n:").await;
        assert!((500..1500).contains(&asked.elapsed().as_millis()));
    }
}

pub(crate) async fn a_broken_end_is_broken(address: SocketAddr) {
    assert!(!ends_whole(address, "/broken").await);
}

/// Whether a response ends with its last chunk.
pub(crate) async fn ends_whole(address: SocketAddr, path: &str) -> bool {
    let mut stream = open(address, path, &[("connection", "close")]).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.contains("<p id=one>"), "{answer}");
    answer.ends_with("\r\n0\r\n\r\n")
}

pub(crate) async fn a_client_that_leaves_is_noticed(address: SocketAddr) {
    let mut stream = open(address, "/silent", &[("last-event-id", "leaving")]).await;
    read_until(&mut stream, "<p id=one>").await;
    sleep(Duration::from_millis(200)).await;
    assert!(!ENDS.lock().unwrap().contains_key("leaving"));
    drop(stream);
    let left = Instant::now();
    let reason = ended("leaving").await;
    eprintln!("noticed after {} ms", left.elapsed().as_millis());
    assert_eq!(reason, EndReason::Disconnected);
    assert!(left.elapsed() < Duration::from_millis(500));
}

pub(crate) async fn many_streams_leave_room_for_requests(address: SocketAddr) {
    let mut streams = Vec::new();
    for number in 0..200 {
        let name = format!("many-{number}");
        let mut stream = open(address, "/silent", &[("last-event-id", &name)]).await;
        read_until(&mut stream, "<p id=one>").await;
        streams.push(stream);
    }
    let asked = Instant::now();
    for _ in 0..50 {
        let answer = ask(address, "POST", "/strict", &[DATASTAR], ADA).await;
        assert_eq!(answer.status, 200);
    }
    eprintln!(
        "50 requests beside 200 streams: {} ms",
        asked.elapsed().as_millis()
    );
    assert!(asked.elapsed() < Duration::from_secs(5));
    drop(streams);
    for number in 0..200 {
        let reason = ended(&format!("many-{number}")).await;
        assert_eq!(reason, EndReason::Disconnected);
    }
}

pub(crate) async fn over_http2(address: SocketAddr) {
    let socket = TcpStream::connect(address).await.unwrap();
    let (client, connection) = h2::client::handshake(socket).await.unwrap();
    tokio::spawn(connection);
    let mut client = client.ready().await.unwrap();
    let get = |path: &str, name: &'static str| {
        http::Request::get(format!("http://{address}{path}"))
            .header("last-event-id", name)
            .body(())
            .unwrap()
    };

    let asked = Instant::now();
    let (answer, _) = client.send_request(get("/slow", "x"), true).unwrap();
    let answer = answer.await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    assert!(!answer.headers().contains_key("connection"));
    let mut body = answer.into_body();
    let mut read = async |text: &str| {
        let mut read = Vec::new();
        while !String::from_utf8_lossy(&read).contains(text) {
            let data: Bytes = body.data().await.unwrap().unwrap();
            body.flow_control().release_capacity(data.len()).unwrap();
            read.extend_from_slice(&data);
        }
        asked.elapsed().as_millis()
    };
    let arrived = [read("<p id=one>").await, read("<p id=two>").await];
    eprintln!("HTTP/2: events came after {arrived:?} ms");
    assert!(arrived[0] < 200 && arrived[1] >= 290, "{arrived:?}");

    // A broken end is a reset.
    let mut client = client.ready().await.unwrap();
    let (answer, _) = client.send_request(get("/broken", "x"), true).unwrap();
    let mut body = answer.await.unwrap().into_body();
    let end = loop {
        match body.data().await {
            Some(Ok(data)) => body.flow_control().release_capacity(data.len()).unwrap(),
            end => break end,
        }
    };
    assert!(end.is_some_and(|end| end.unwrap_err().is_reset()));

    // One that leaves resets its stream.
    let mut client = client.ready().await.unwrap();
    let (answer, _) = client
        .send_request(get("/silent", "leaving-2"), true)
        .unwrap();
    let mut body = answer.await.unwrap().into_body();
    body.data().await.unwrap().unwrap();
    drop(body);
    let left = Instant::now();
    assert_eq!(ended("leaving-2").await, EndReason::Disconnected);
    eprintln!("HTTP/2: noticed after {} ms", left.elapsed().as_millis());
}

pub(crate) const ADA: &[u8] = br#"{"name":"Ada"}"#;
pub(crate) const DATASTAR: (&str, &str) = ("datastar-request", "true");
const NOTHING: (&str, &str) = ("x-nothing", "");

/// An answer, its chunks put together.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = headers.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }
}

/// One request on a connection of its own, and its whole answer.
pub(crate) async fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\n");
    // A GET that announces a body of no bytes is none that a browser sends.
    if !body.is_empty() || method != "GET" {
        head += &format!("Content-Length: {}\r\n", body.len());
    }
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    stream.write_all((head + "\r\n").as_bytes()).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    // A server that refuses may not read everything.
    let (_, answer) = tokio::join!(writer.write_all(body), read_answer(&mut reader));
    answer
}

async fn open(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut head = format!("GET {path} HTTP/1.1\r\nHost: x\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    stream.write_all((head + "\r\n").as_bytes()).await.unwrap();
    stream
}

/// The end of the stream of this name, when there is one.
async fn ended(name: &str) -> EndReason {
    for _ in 0..5000 {
        if let Some(reason) = ENDS.lock().unwrap().get(name) {
            return *reason;
        }
        sleep(Duration::from_millis(1)).await;
    }
    panic!("{name} has not ended");
}

async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut read = Vec::new();
    loop {
        let byte = timeout(Duration::from_secs(10), stream.read_u8()).await;
        read.push(byte.expect("a byte").unwrap());
        if read.ends_with(text.as_bytes()) {
            return String::from_utf8_lossy(&read).into_owned();
        }
    }
}

/// Reads until the answer is whole by its head: a connection may stay open.
async fn read_answer(stream: &mut (impl AsyncReadExt + Unpin)) -> Answer {
    let mut read = Vec::new();
    loop {
        if let Some(answer) = whole(&read) {
            return answer;
        }
        let more = timeout(Duration::from_secs(10), stream.read_buf(&mut read)).await;
        let more = more.expect("an answer").unwrap();
        assert!(more > 0, "{}", String::from_utf8_lossy(&read));
    }
}

fn whole(read: &[u8]) -> Option<Answer> {
    let end = read.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8(read[..end].to_vec()).unwrap();
    let mut rest = &read[end + 4..];
    let mut answer = Answer {
        status: head[9..12].parse().unwrap(),
        head,
        body: String::new(),
    };
    let mut body = Vec::new();
    if answer.header("transfer-encoding") == Some("chunked") {
        loop {
            let line = rest.windows(2).position(|window| window == b"\r\n")?;
            let size = std::str::from_utf8(&rest[..line]).unwrap();
            let size = usize::from_str_radix(size, 16).unwrap();
            let chunk = rest.get(line + 2..line + 2 + size)?;
            body.extend_from_slice(chunk);
            rest = rest.get(line + 2 + size + 2..)?;
            if size == 0 {
                break;
            }
        }
    } else {
        let length = answer.header("content-length")?.parse().unwrap();
        body.extend_from_slice(rest.get(..length)?);
    }
    answer.body = String::from_utf8(body).unwrap();
    Some(answer)
}
