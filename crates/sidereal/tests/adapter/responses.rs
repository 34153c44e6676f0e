//! What handlers return.

use std::{thread, time::Duration};

use super::{DATASTAR, Framework, has_begun};

pub(crate) fn events_and_replies_are_responses<F: Framework>() {
    let server = F::start();
    let mut event = server.get("/event");
    assert_eq!(event.status, 200);
    assert_eq!(event.header("content-type"), Some("text/event-stream"));
    assert_eq!(event.header("cache-control"), Some("no-cache"));
    assert_eq!(event.header("x-accel-buffering"), Some("no"));
    let text = event.text();
    assert!(text.contains("\ndata: signals {\"a\":1}\n"), "{text}");
    let text = server.get("/script").text();
    assert!(text.contains("<script") && text.contains("go()"), "{text}");

    let mut html = server.get("/html");
    assert_eq!(html.status, 200);
    let content_type = html.header("content-type");
    assert_eq!(content_type, Some("text/html; charset=utf-8"));
    assert_eq!(html.header("datastar-selector"), Some("#feed"));
    assert_eq!(html.header("datastar-mode"), Some("append"));
    assert_eq!(html.text(), "<p>x</p>");
    let mut json = server.get("/json");
    assert_eq!(json.header("content-type"), Some("application/json"));
    assert_eq!(json.text(), "{\"a\":1}");

    let mut error = server.get("/error");
    assert_eq!(error.status, 500);
    let text = error.text();
    assert!(text.contains("JSON object"), "{text}");
}

pub(crate) fn the_configuration_reaches_streams_and_events<F: Framework>() {
    let server = F::start();
    for (target, events, knows_version) in [
        ("/configured/connected", 2, true),
        ("/configured/settings", 3, false),
    ] {
        let mut answer = server.ask("GET", target, &[], None);
        assert_eq!(answer.header("content-type"), Some("text/event-stream"));
        let connection = (knows_version && F::SAYS_KEEP_ALIVE).then_some("keep-alive");
        assert_eq!(answer.header("connection"), connection, "{target}");
        let text = answer.text();
        assert_eq!(text.matches("event: ").count(), events, "{text}");
        assert_eq!(text.matches("retry: 5000\n").count(), events - 1, "{text}");
        assert_eq!(text.matches("retry: 9000\n").count(), 1, "{text}");
    }
}

pub(crate) fn a_head_request_begins_nothing<F: Framework>() {
    let server = F::start();
    let headers = [("last-event-id", "head")];
    let answer = server.ask("HEAD", "/silent", &headers, None);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    assert_eq!(answer.header("content-length"), None);
    thread::sleep(Duration::from_millis(100));
    assert!(!has_begun("head"));
}

pub(crate) fn a_reply_has_its_length<F: Framework>() {
    let server = F::start();
    for target in ["/event", "/configured/settings"] {
        let mut answer = server.get(target);
        assert_eq!(answer.header("transfer-encoding"), None, "{target}");
        let length = answer.header("content-length").unwrap().to_owned();
        assert_eq!(answer.text().len().to_string(), length, "{target}");
    }
}

pub(crate) fn a_connection_that_the_client_closes_is_not_kept<F: Framework>() {
    let server = F::start();
    for (asked, kept) in [("close", false), ("TE, Close", false), ("keep-alive", true)] {
        let headers = [DATASTAR, ("connection", asked)];
        let mut answer = server.ask("GET", "/slow", &headers, None);
        let kept = kept && F::SAYS_KEEP_ALIVE;
        assert_eq!(answer.says("connection", "keep-alive"), kept, "{asked}");
        answer.until("<p id=two></p>");
    }
}
