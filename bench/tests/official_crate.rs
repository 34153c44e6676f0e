//! What the crate `datastar` 0.4.1 does with hostile and with unusual input, as it was seen: for
//! COMPARE.md, and for the day when it does something else.
//!
//! What a page makes of its bytes is read with `sidereal::testing`, which follows the standard and
//! the official client. `wire` is the road of axum's `Sse`, `display` that of its users who write
//! `DatastarEvent` themselves.

#![allow(clippy::unwrap_used)]

use std::{convert::Infallible, panic, time::Duration};

use axum::{
    body::{Body, HttpBody as _},
    extract::FromRequest,
    http::{Method, Request, StatusCode},
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
};
use datastar::{axum::ReadSignals, prelude::*};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use serde_json::{Value, json};
use sidereal::testing::{self, EventError, StreamError, events};

/// The whole body of an event stream of this event.
fn wire(event: impl Into<Event>) -> String {
    String::from_utf8(body(response(event))).unwrap()
}

fn response(event: impl Into<Event>) -> Response {
    let event: Result<Event, Infallible> = Ok(event.into());
    Sse::new(stream::iter([event])).into_response()
}

fn body(response: Response) -> Vec<u8> {
    let mut body = response.into_body();
    let frames = stream::poll_fn(move |cx| std::pin::Pin::new(&mut body).poll_frame(cx));
    let all = frames.map(|frame| frame.unwrap().into_data().unwrap());
    all.collect::<Vec<_>>().now_or_never().unwrap().concat()
}

fn display(event: impl Into<DatastarEvent>) -> String {
    event.into().to_string()
}

/// What the client throws on or ignores in it.
fn broken(stream: &str) -> EventError {
    match events(stream.as_bytes()) {
        Err(StreamError::Event(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn one(stream: &str) -> testing::Event {
    match events(stream.as_bytes()).as_deref() {
        Ok([event]) => event.clone(),
        other => panic!("{other:?} from {stream:?}"),
    }
}

// A carriage return alone ends a line for the client, but not for `str::lines`.

#[test]
fn a_lone_cr_in_elements_loses_content() {
    let wire = wire(PatchElements::new("<pre id=a>1\r2</pre>"));
    assert_eq!(
        wire,
        "event: datastar-patch-elements\ndata: elements <pre id=a>1\rdata: 2</pre>\n\n"
    );
    // The second line has no key.
    let line = "2</pre>".into();
    assert_eq!(broken(&wire), EventError::LineWithoutSpace { line });
}

#[test]
fn a_lone_cr_in_elements_forges_options() {
    let text = "hello\rselector #account\rmode remove";
    let event = one(&wire(PatchElements::new(format!("<p id=a>{text}"))));
    let patch = event.as_elements().unwrap();
    assert_eq!(patch.selector(), Some("#account"));
    assert_eq!(patch.mode(), testing::Mode::Remove);
}

#[test]
fn a_lone_cr_in_elements_forges_whole_events_by_display() {
    let text = "hello\r\revent: datastar-patch-signals\rdata: signals {\"admin\":true}";
    let events = events(display(PatchElements::new(text)).as_bytes()).unwrap();
    assert_eq!(events.len(), 2);
    assert_eq!(events[1].signals(), Some(&json!({ "admin": true })));
}

// One-line fields are not checked.

#[test]
fn a_line_break_in_a_selector_forges_lines() {
    for line_break in ["\n", "\r"] {
        let patch = PatchElements::new("<p>").selector(format!("#a{line_break}elements <b>forged"));
        let event = one(&wire(patch));
        assert_eq!(event.as_elements().unwrap().selector(), Some("#a"));
        assert_eq!(event.elements(), Some("<b>forged\n<p>"));
    }
    // axum makes two lines of CRLF, one of them without a key.
    let forged = wire(PatchElements::new("<p>").selector("#a\r\nelements <b>forged"));
    let lines: Vec<&str> = forged.lines().skip(2).collect();
    assert_eq!(
        lines,
        ["data: elements <b>forged", "data: elements <p>", ""]
    );
}

#[test]
fn a_line_break_in_a_selector_forges_whole_events_by_display() {
    let selector = "#a\n\nevent: datastar-patch-signals\ndata: signals {\"admin\":true}\n";
    let stream = display(PatchElements::new("<p>").selector(selector));
    assert!(stream.contains("\n\nevent: datastar-patch-signals\ndata: signals {\"admin\":true}\n"));
}

#[test]
fn a_line_break_or_nul_in_an_id_panics() {
    for id in ["1\n", "1\r2", "\0"] {
        let made = panic::catch_unwind(|| wire(PatchElements::new("<p>").id(id)));
        assert!(made.is_err(), "{id:?}");
    }
}

#[test]
fn a_line_break_in_an_id_forges_lines_by_display() {
    let patch = PatchElements::new("<p>").id("1\ndata: elements <b>forged");
    assert_eq!(one(&display(patch)).elements(), Some("<b>forged\n<p>"));
}

#[test]
fn an_id_that_breaks_reconnecting_is_sent() {
    assert_eq!(
        one(&wire(PatchElements::new("<p>").id("日"))).id(),
        Some("日")
    );
}

// Scripts are put into their element as they are.

#[test]
fn an_end_tag_in_a_script_ends_it() {
    let script = ExecuteScript::new("console.log('</script><img src=x onerror=alert(1)>')");
    let event = one(&wire(script));
    let read = event.as_elements().unwrap().read_script();
    let html = "<img src=x onerror=alert(1)>')</script>".into();
    assert_eq!(read, Err(testing::ScriptError::Trailing { html }));
}

#[test]
fn a_comment_in_a_script_swallows_its_end() {
    let event = one(&wire(ExecuteScript::new("f('<!--<script>')")));
    let read = event.as_elements().unwrap().read_script();
    assert_eq!(read, Err(testing::ScriptError::Unclosed));
}

#[test]
fn an_attribute_of_a_script_is_any_text() {
    let script = ExecuteScript::new("f()").attributes(["x><img src=x onerror=alert(1)"]);
    let html = one(&wire(script)).elements().unwrap().to_owned();
    assert_eq!(
        html,
        "<script data-effect=\"el.remove()\" x><img src=x onerror=alert(1)>f()</script>"
    );
}

// Signals are any text.

#[test]
fn signals_that_are_not_json_are_sent() {
    let raw = "{a: alert(1)}";
    let error = broken(&wire(PatchSignals::new(raw)));
    assert!(matches!(error, EventError::SignalsNotJson { raw: sent, .. } if sent == raw));
}

#[test]
fn a_key_proto_is_sent() {
    let error = broken(&wire(PatchSignals::new(r#"{"a":{"__proto__":{}}}"#)));
    let path = "a.__proto__".into();
    assert_eq!(error, EventError::ForbiddenSignal { path });
}

#[test]
fn signals_that_are_not_an_object_are_sent() {
    let error = broken(&wire(PatchSignals::new("[1]")));
    assert!(matches!(error, EventError::SignalsNotObject { .. }));
}

// The protocol.

#[test]
fn a_mode_without_its_selector_is_sent() {
    let patch = PatchElements::new("<p>").mode(ElementPatchMode::Append);
    let mode = testing::Mode::Append;
    assert_eq!(broken(&wire(patch)), EventError::SelectorRequired { mode });
}

#[test]
fn id_and_retry_are_out_of_order_through_axum() {
    let patch = || {
        PatchElements::new("<p>")
            .id("7")
            .retry(Duration::from_millis(5))
    };
    assert_eq!(
        wire(patch()),
        "event: datastar-patch-elements\nretry: 5\nid: 7\ndata: elements <p>\n\n"
    );
    assert_eq!(
        display(patch()),
        "event: datastar-patch-elements\nid: 7\nretry: 5\ndata: elements <p>\n\n"
    );
}

#[test]
fn a_line_break_at_the_end_is_lost() {
    for elements in ["<p>", "<p>\n", "<p>\r\n"] {
        assert_eq!(
            one(&wire(PatchElements::new(elements))).elements(),
            Some("<p>")
        );
    }
    assert_eq!(
        one(&wire(PatchElements::new("a\n\nb"))).elements(),
        Some("a\n\nb")
    );
}

#[test]
fn empty_elements_are_an_event_without_data() {
    // An event source does not dispatch it.
    assert_eq!(
        wire(PatchElements::new("")),
        "event: datastar-patch-elements\n\n"
    );
}

#[test]
fn a_retry_is_not_bounded() {
    let patch = PatchElements::new("<p>").retry(Duration::from_secs(1 << 40));
    // More than the 31 bits of a browser's timer, which then fires at once.
    assert!(wire(patch).contains("retry: 1099511627776000\n"));
}

#[test]
fn the_head_lacks_what_proxies_need() {
    let response = response(PatchElements::new("<p>"));
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["cache-control"], "no-cache");
    assert!(!response.headers().contains_key("x-accel-buffering"));
}

// Signals of requests.

fn read(method: Method, target: &str, body: impl Into<Body>) -> Result<Value, StatusCode> {
    let request = Request::builder()
        .method(method)
        .uri(target)
        .header("content-type", "application/json")
        .body(body.into())
        .unwrap();
    let read = <ReadSignals<Value> as FromRequest<()>>::from_request(request, &());
    let read = read.now_or_never().unwrap();
    read.map(|signals| signals.0)
        .map_err(|rejection| rejection.status())
}

#[test]
fn signals_of_requests_may_be_anything() {
    assert_eq!(read(Method::POST, "/", "[1]"), Ok(json!([1])));
    assert_eq!(read(Method::GET, "/?datastar=7", ""), Ok(json!(7)));
    // A plain page load gives null, which only an `Option` takes.
    assert_eq!(read(Method::GET, "/", ""), Ok(Value::Null));
}

#[test]
fn a_body_over_the_limit_is_a_400() {
    let large = vec![b' '; 3 * 1024 * 1024];
    assert_eq!(read(Method::POST, "/", large), Err(StatusCode::BAD_REQUEST));
}

#[test]
fn a_body_that_breaks_off_is_a_400() {
    let broken = Body::from_stream(stream::iter([Err::<&str, _>(std::io::Error::other(
        "gone",
    ))]));
    assert_eq!(
        read(Method::POST, "/", broken),
        Err(StatusCode::BAD_REQUEST)
    );
}
