//! One suite for all adapters, over the real program: streams, flush, compression, signals, hooks, what
//! is pushed, shutdown.

#![allow(clippy::unwrap_used)]

mod decode;
mod server;

use std::{
    thread,
    time::{Duration, Instant},
};

use decode::decode;
use server::{Server, Streaming, adapters};

/// Between two heartbeats of `/stream`.
const KEEP_ALIVE: Duration = Duration::from_secs(2);

/// Those on which the server below says at once that a client has left. The others write first.
const NOTICE_AT_ONCE: [&str; 5] = ["axum", "actix", "hyper", "warp", "salvo"];

/// Those on which no response of HTTP/1.1 can be broken off: the framework writes the last chunk of one that
/// fails, as if it were whole.
const CANNOT_BREAK: [&str; 2] = ["rocket", "poem"];

/// Runs a test on all of them side by side: most of the time it waits.
fn on_each(test: impl Fn(&str, &Server) + Sync) {
    thread::scope(|scope| {
        let running: Vec<_> = adapters()
            .into_iter()
            .map(|adapter| {
                let test = &test;
                thread::Builder::new()
                    .name(adapter.clone())
                    .spawn_scoped(scope, move || test(&adapter, &Server::start(&adapter)))
                    .unwrap()
            })
            .collect();
        let failed = running.into_iter().map(|thread| {
            let name = thread.thread().name().unwrap_or_default().to_owned();
            thread.join().is_err().then_some(name)
        });
        let failed: Vec<_> = failed.flatten().collect();
        assert!(failed.is_empty(), "on {failed:?}");
    });
}

fn post(server: &Server, target: &str) {
    let answer = server.ask("POST", target, Some(b""), "");
    assert_eq!(answer.status, 204, "{target}");
}

#[test]
fn a_reply_has_its_head_and_its_events() {
    on_each(|_, server| {
        let answer = server.ask("GET", "/once", None, "");
        assert_eq!(answer.header("content-type"), Some("text/event-stream"));
        assert_eq!(answer.header("cache-control"), Some("no-cache"));
        assert_eq!(answer.header("x-accel-buffering"), Some("no"));
        assert_eq!(
            answer.text(),
            "event: datastar-patch-elements\ndata: elements <p id='one'>1</p>\n\nevent: datastar-patch-signals\ndata: signals {\"two\":2}\n\n"
        );
    });
}

#[test]
fn each_event_is_flushed_on_its_own_in_every_coding() {
    on_each(|_, server| {
        for coding in ["identity", "zstd", "br", "gzip"] {
            let mut answer = server.open("/slow", &format!("Accept-Encoding: {coding}\r\n"));
            // On actix-web, `identity` says that its `Compress` is to keep off.
            let found = answer
                .headers
                .iter()
                .find(|(name, value)| name == "content-encoding" && value != "identity");
            let expected = (coding != "identity").then_some(coding);
            assert_eq!(found.map(|(_, value)| value.as_str()), expected);
            let mut decoded = Vec::new();
            let mut has = |answer: &Streaming, text: &str| {
                decoded = match expected {
                    Some(coding) => decode(coding, &answer.body),
                    None => answer.body.clone(),
                };
                let end = format!("{text}</p>\n\n");
                String::from_utf8_lossy(&decoded).ends_with(&end)
            };
            while !has(&answer, "1") {
                assert!(answer.next(), "{coding}: the first event never comes alone");
            }
            let first = Instant::now();
            while answer.next() {}
            assert!(has(&answer, "2"), "{coding}");
            assert!(answer.is_whole, "{coding}: it ends broken");
            assert!(
                first.elapsed() > Duration::from_millis(200),
                "{coding}: they came together"
            );
        }
    });
}

#[test]
fn heartbeats_come_and_a_client_that_leaves_is_noticed() {
    on_each(|adapter, server| {
        let mut stream = server.open("/stream", "");
        stream.until("<p id='one'>1</p>\n\n");
        let silent = Instant::now();
        stream.until(":\n\n");
        let heartbeat = silent.elapsed();
        assert!(
            heartbeat > KEEP_ALIVE / 2 && heartbeat < KEEP_ALIVE * 2,
            "{heartbeat:?}"
        );
        drop(stream);
        let left = Instant::now();
        while server.ask("GET", "/ends", None, "").text() != "Disconnected" {
            assert!(left.elapsed() < KEEP_ALIVE * 5, "it is never noticed");
            thread::sleep(Duration::from_millis(20));
        }
        let after = left.elapsed();
        println!("{adapter}: a client that left is noticed after {after:?}");
        let at_most = match NOTICE_AT_ONCE.contains(&adapter) {
            true => Duration::from_secs(1),
            false => KEEP_ALIVE * 2 + Duration::from_secs(1),
        };
        assert!(after < at_most, "after {after:?}");
    });
}

#[test]
fn many_streams_leave_the_server_free_for_others() {
    on_each(|_, server| {
        let mut streams: Vec<_> = (0..100).map(|_| server.open("/stream", "")).collect();
        for stream in &mut streams {
            stream.until("<p id='one'>1</p>\n\n");
        }
        let begun = Instant::now();
        assert_eq!(server.ask("GET", "/plain", None, "").text(), "plain");
        assert!(begun.elapsed() < Duration::from_secs(1));
    });
}

#[test]
fn what_is_published_by_a_plain_thread_comes_to_all() {
    on_each(|_, server| {
        let mut views = [
            server.open("/view", ""),
            server.open("/view", "Accept-Encoding: gzip;q=0\r\n"),
        ];
        let mut topic = server.open("/topic", "");
        // It has begun.
        topic.until(":\n\n");
        for view in &mut views {
            view.until("<p id='view'>0</p>\n\n");
        }
        for count in 1..=3 {
            post(server, "/publish");
            for view in &mut views {
                view.until(&format!("<p id='view'>{count}</p>\n\n"));
            }
            topic.until(&format!("<p id='topic'>{count}</p>\n\n"));
            let polled = server.ask("GET", "/poll", None, "").text();
            assert!(
                polled.ends_with(&format!("<p id='view'>{count}</p>\n\n")),
                "{polled}"
            );
        }
        let mut late = server.open("/view", "");
        late.until("<p id='view'>3</p>\n\n");
    });
}

const JSON: &str = "Content-Type: application/json\r\n";

#[test]
fn signals_are_read_wherever_they_are_and_refused_where_they_are_wrong() {
    let query = "?datastar=%7B%22name%22%3A%22Ada%22%7D";
    let body: &[u8] = br#"{"name":"Ada"}"#;
    let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(3 << 20));
    on_each(|_, server| {
        for route in ["/signals", "/optional", "/lenient"] {
            let asked = [
                server.ask("GET", &format!("{route}{query}"), None, ""),
                server.ask("POST", route, Some(body), JSON),
                server.ask("POST", route, Some(body), "Datastar-Request: true\r\n"),
            ];
            for answer in asked {
                assert_eq!(answer.status, 200, "{route}: {}", answer.text());
                assert!(answer.text().contains("<p id='name'>Ada</p>"), "{route}");
            }
        }
        let ask = |route: &str, body: &[u8], headers: &str| {
            let answer = server.ask("POST", route, Some(body), headers);
            let is_nobody = answer.text().contains("<p id='name'>nobody</p>");
            (answer.status, is_nobody)
        };
        assert_eq!(ask("/signals", b"{", JSON).0, 400);
        assert_eq!(ask("/signals", b"", JSON).0, 400);
        assert_eq!(ask("/signals", b"{}", JSON).0, 400);
        assert_eq!(ask("/signals", body, "Content-Type: text/plain\r\n").0, 415);
        assert_eq!(ask("/signals", long.as_bytes(), JSON).0, 413);
        assert_eq!(server.ask("GET", "/signals", None, "").status, 400);
        assert_eq!(ask("/optional", b"", JSON), (200, true));
        assert_eq!(server.ask("GET", "/optional", None, "").status, 200);
        assert_eq!(ask("/optional", b"{", JSON).0, 400);
        assert_eq!(ask("/lenient", b"{", JSON), (200, true));
        assert_eq!(ask("/lenient", long.as_bytes(), JSON), (200, true));
        let form = "Content-Type: application/x-www-form-urlencoded\r\n";
        assert_eq!(ask("/optional", b"name=Ada", form), (200, true));
    });
}

#[test]
fn the_head_of_a_request_is_read() {
    on_each(|_, server| {
        let plain = server.ask("GET", "/head", None, "").text();
        assert!(plain.contains("<p id='head'>false none</p>"), "{plain}");
        let headers = "Datastar-Request: true\r\nLast-Event-ID: 42-7\r\n";
        let asked = server.ask("GET", "/head", None, headers).text();
        assert!(asked.contains("<p id='head'>true 42-7</p>"), "{asked}");
    });
}

#[test]
fn plain_replies_events_and_their_errors_are_responses() {
    on_each(|_, server| {
        let html = server.ask("GET", "/html", None, "");
        assert_eq!(html.text(), "<p id='html'>plain</p>");
        assert!(
            html.header("content-type")
                .unwrap()
                .starts_with("text/html")
        );
        let event = server.ask("GET", "/event", None, "");
        assert_eq!(event.header("content-type"), Some("text/event-stream"));
        assert!(event.text().contains("<p id='event'>1</p>"));
        let fails = server.ask("GET", "/fails", None, "");
        assert_eq!(fails.status, 500, "{}", fails.text());
    });
}

#[test]
fn a_shutdown_breaks_long_streams_and_lets_others_finish() {
    on_each(|adapter, server| {
        let mut long = server.open("/stream", "");
        long.until("<p id='one'>1</p>\n\n");
        let mut short = server.open("/slow", "");
        short.until("<p id='one'>1</p>\n\n");
        post(server, "/shutdown");
        let begun = Instant::now();
        while long.next() {}
        assert_eq!(
            long.is_whole,
            CANNOT_BREAK.contains(&adapter),
            "does the page come back?"
        );
        assert!(begun.elapsed() < Duration::from_secs(2));
        while short.next() {}
        assert!(short.is_whole);
        assert!(String::from_utf8_lossy(&short.body).contains("<p id='two'>2</p>"));
        assert_eq!(server.ask("GET", "/ends", None, "").text(), "Shutdown");
    });
}
