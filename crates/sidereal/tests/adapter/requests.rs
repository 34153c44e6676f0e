//! What handlers take.

use super::{Answer, Body, DATASTAR, Framework, JSON};

const ADA: &[u8] = br#"{"name":"Ada"}"#;
const ADA_IN_QUERY: &str = "/strict?datastar=%7B%22name%22%3A%22Ada%22%7D";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const ABSENT: &str = "the request carries no signals";
const PLAIN: Option<&str> = Some("text/plain; charset=utf-8");

/// The methods that have signals in the body, without those that the framework does not know.
fn methods_with_body<F: Framework>() -> impl Iterator<Item = &'static str> {
    let methods = ["POST", "PUT", "PATCH", "QUERY"].into_iter();
    methods.filter(|method| !F::UNKNOWN_METHODS.contains(method))
}

pub(crate) fn signals_come_from_wherever_the_method_puts_them<F: Framework>() {
    let server = F::start();
    let in_query = [("GET", None), ("DELETE", None), ("DELETE", Some(&b""[..]))];
    let in_query = in_query.map(|(method, body)| (method, ADA_IN_QUERY, body));
    let in_body = methods_with_body::<F>().map(|method| (method, "/strict", Some(ADA)));
    for (method, target, body) in in_query.into_iter().chain(in_body) {
        for headers in [&[DATASTAR][..], &[JSON], &[DATASTAR, JSON]] {
            let mut answer = server.ask(method, target, headers, body);
            assert_eq!(answer.status, 200, "{method} {headers:?} {answer:?}");
            assert_eq!(answer.header("content-type"), Some("text/event-stream"));
            assert_eq!(
                answer.text(),
                "event: datastar-patch-elements\ndata: elements <p id=name>Ada</p>\n\n"
            );
        }
    }
    for method in F::UNKNOWN_METHODS {
        let answer = server.ask(method, "/strict", &[DATASTAR], Some(ADA));
        assert!(answer.status >= 400, "{method} {answer:?}");
    }
}

pub(crate) fn the_three_ways_to_take_signals<F: Framework>() {
    let server = F::start();
    let mine = "mine: the request carries no signals";
    for (target, body, status, text) in [
        ("/strict", &b""[..], 400, ABSENT),
        ("/strict", b"{", 400, "signals are not JSON"),
        ("/strict", b"[]", 400, "signals must be a JSON object"),
        ("/strict", b"7", 400, "signals must be a JSON object"),
        ("/strict", b"{}", 400, "missing field `name`"),
        ("/optional", b"", 200, "None"),
        ("/optional", ADA, 200, "Some(\"Ada\")"),
        ("/optional", b"{}", 400, "missing field `name`"),
        ("/result", b"", 200, mine),
        ("/result", ADA, 200, "Ada"),
        ("/lenient", b"", 200, "None"),
        ("/lenient", b"{", 200, "None"),
        ("/lenient", ADA, 200, "Some(\"Ada\")"),
    ] {
        for headers in [&[DATASTAR][..], &[DATASTAR, JSON]] {
            let mut answer = server.ask("POST", target, headers, Some(body));
            assert_eq!(answer.status, status, "{target} {answer:?}");
            if status == 400 {
                assert_eq!(answer.header("content-type"), PLAIN, "{target}");
            }
            let found = answer.text();
            assert!(found.contains(text), "{target} {found}");
        }
    }
    // The load of a page, and a first request without signals.
    for headers in [&[][..], &[DATASTAR]] {
        let answer = server.ask("GET", "/optional", headers, None);
        assert_eq!(whole(answer), (200, "None".into()));
    }
}

/// Any site can have a browser send JSON to this one, with the user's cookies, as long as it does
/// not say that it is JSON: `<form enctype=text/plain>`, or `fetch` of a blob without a type.
pub(crate) fn a_body_of_another_site_is_refused<F: Framework>() {
    let server = F::start();
    let json = br#"{"name":"Ada","x":"="}"#;
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
        let content_type = content_type.map(|value| ("content-type", value));
        let datastar = datastar.map(|value| (DATASTAR.0, value));
        let headers: Vec<_> = content_type.into_iter().chain(datastar).collect();
        for method in methods_with_body::<F>() {
            let mut answer = server.ask(method, "/strict", &headers, Some(json));
            assert_eq!(answer.status, status, "{method} {headers:?}");
            let names_header = answer.text().contains("Datastar-Request: true");
            assert_eq!(names_header, status == 415, "{method} {headers:?}");
        }
    }
    // A request without a body has no signals, whatever it says of its type.
    for body in [None, Some(&b""[..])] {
        let headers = [("content-type", "text/plain")];
        let answer = server.ask("POST", "/optional", &headers, body);
        assert_eq!(whole(answer), (200, "None".into()));
    }
    let answer = server.ask("POST", "/optional", &[], Some(json));
    assert_eq!(answer.status, 415);
}

/// With `contentType: 'form'` the client sends the form's fields, and no signals.
pub(crate) fn a_form_carries_no_signals<F: Framework>() {
    let server = F::start();
    for (content_type, text) in [
        ("application/x-www-form-urlencoded", "None"),
        ("multipart/form-data; boundary=x", "None"),
        ("Multipart/Form-Data; boundary=x", "None"),
        ("application/json", "Some(\"Ada\")"),
    ] {
        let headers = [("content-type", content_type)];
        let answer = server.ask("POST", "/optional", &headers, Some(ADA));
        assert_eq!(whole(answer), (200, text.into()), "{content_type}");
    }
}

/// What signals are not in is for others.
pub(crate) fn a_form_beside_signals_has_its_body<F: Framework>() {
    let server = F::start();
    let query = "?datastar=%7B%22name%22%3A%22Grace%22%7D";
    for path in F::FORMS {
        for (method, query, signals) in [("POST", "", "None"), ("DELETE", query, "Some(\"Grace\")")]
        {
            let target = format!("{path}{query}");
            let answer = server.ask(method, &target, &[FORM], Some(b"name=Ada"));
            let text = format!("{signals} and a form of \"Ada\"");
            assert_eq!(whole(answer), (200, text), "{method} {target}");
        }
    }
}

pub(crate) fn a_body_that_was_taken_is_not_taken_for_none<F: Framework>() {
    let server = F::start();
    let text = match F::BODY {
        Body::ForOne => return,
        Body::Once => "could not be received",
        Body::Often => "Ada and Ada",
    };
    let mut answer = server.post("/twice", ADA);
    let status = if matches!(F::BODY, Body::Often) {
        200
    } else {
        400
    };
    assert_eq!(answer.status, status);
    let found = answer.text();
    assert!(found.contains(text), "{found}");
}

pub(crate) fn a_rejection_can_be_events_for_datastar_requests_only<F: Framework>() {
    let server = F::start();
    let mut answer = server.post("/configured/strict", b"");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    let text = answer.text();
    assert!(text.contains("\ndata: elements true\n"), "{text}");
    assert!(text.contains("retry: 5000\n"), "{text}");
    let answer = server.ask("POST", "/configured/strict", &[], Some(b""));
    assert_eq!(answer.header("content-type"), PLAIN);
    assert_eq!(whole(answer), (400, ABSENT.into()));
}

pub(crate) fn what_the_head_of_a_request_says<F: Framework>() {
    let server = F::start();
    let get = |target: &str, headers: &[_]| whole(server.ask("GET", target, headers, None));
    let tab = "datastar=%7B%22tabId%22%3A%22t1%22%7D";
    assert_eq!(get("/head", &[]), (200, "false None None".into()));
    let headers = [DATASTAR, ("last-event-id", "7")];
    let text = "true Some(\"7\") Some(\"t1\")";
    assert_eq!(get(&format!("/head?{tab}"), &headers), (200, text.into()));

    assert_eq!(get(&format!("/tab?{tab}"), &[]), (200, "t1".into()));
    let (status, text) = get("/tab", &[]);
    assert!(status == 400 && text.contains("no signal tabId"), "{text}");
    let (status, text) = get("/tab?datastar=%7B%22tabId%22%3A1%7D", &[]);
    assert!(status == 400 && text.contains("tab"), "{text}");
    let (status, text) = get("/head?datastar=x", &[]);
    assert!(status == 400 && text.contains("tab"), "{text}");
}

fn whole(mut answer: Answer) -> (u16, String) {
    (answer.status, answer.text())
}
