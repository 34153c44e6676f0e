//! Every golden, on every adapter of the real program, by GET and by POST, byte for byte.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod decode;
mod server;

use std::{fs, path::Path};

use decode::decode;
use server::{Response, Server, adapters};

/// One of `conformance/goldens`; their README tells the format.
struct Golden {
    name: String,
    input: String,
    status: u16,
    body: String,
}

/// The largest request target that every adapter's server takes: hyper's limit is 64 KiB.
const LONGEST_TARGET: usize = 60_000;

#[test]
fn every_golden_on_every_adapter() {
    let goldens = goldens();
    assert!(goldens.len() > 80, "only {} were found", goldens.len());
    let mut wrong = Vec::new();
    for adapter in adapters() {
        let server = Server::start(&adapter);
        for golden in &goldens {
            let answers = [
                ("GET", server.get(&golden.input)),
                ("POST", server.send("POST", golden.input.as_bytes())),
            ];
            for (method, answer) in answers {
                if let Err(problem) = golden.compare(&answer) {
                    wrong.push(format!("{adapter}, {method}, {}: {problem}", golden.name));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn every_method_but_get_has_its_events_where_the_client_puts_them() {
    let input = r#"{"events": [{"type": "patchElements", "elements": "<p>"}]}"#;
    for adapter in adapters() {
        let server = Server::start(&adapter);
        for method in ["PUT", "PATCH", "QUERY"] {
            // Rocket knows the methods of HTTP/1.1, and refuses all others.
            if (adapter.as_str(), method) == ("rocket", "QUERY") {
                continue;
            }
            let answer = server.send(method, input.as_bytes());
            assert_eq!(answer.status, 200, "{adapter}, {method}");
        }
        let answer = server.query("DELETE", input);
        assert_eq!(answer.status, 200, "{adapter}, DELETE");
    }
}

/// Every golden in every coding; what is refused says so in plain text.
#[test]
fn every_golden_in_every_coding() {
    for adapter in adapters() {
        let server = Server::start(&adapter);
        for (golden, coding) in goldens()
            .iter()
            .flat_map(|golden| ["zstd", "br", "gzip"].map(|coding| (golden, coding)))
        {
            let mut answer = server.accepting(coding, &golden.input);
            let name = format!("{adapter}, {coding}, {}", golden.name);
            assert_eq!(answer.header("vary"), Some("accept-encoding"), "{name}");
            if golden.status == 200 && !golden.body.is_empty() {
                assert_eq!(answer.take_header("content-encoding"), coding, "{name}");
                answer.body = decode(coding, &answer.body);
            }
            golden
                .compare(&answer)
                .unwrap_or_else(|problem| panic!("{name}: {problem}"));
        }
    }
}

#[test]
fn who_refuses_every_coding_gets_a_406() {
    for adapter in adapters() {
        let server = Server::start(&adapter);
        let answer = server.accepting("identity;q=0, *;q=0", r#"{"events":[]}"#);
        assert_eq!(answer.status, 406, "{adapter}");
        assert_eq!(answer.header("vary"), Some("accept-encoding"));
        assert!(answer.text().contains("Accept-Encoding"));
    }
}

#[test]
fn requests_without_events_are_refused() {
    for adapter in adapters() {
        let server = Server::start(&adapter);
        for answer in [
            server.get(""),
            server.send("POST", b""),
            server.send("POST", b"\xff"),
        ] {
            assert_eq!(answer.status, 400, "{adapter}");
            assert_eq!(answer.header("vary"), Some("accept-encoding"), "{adapter}");
            assert!(!answer.body.is_empty());
        }
    }
}

#[test]
fn a_body_over_the_limit_is_a_413_and_one_below_is_not() {
    const LIMIT: usize = 1024 * 1024;
    let of_size = |size: usize| {
        let around = r#"{"events":[{"type":"patchElements","elements":""}]}"#;
        let elements = "x".repeat(size - around.len());
        around.replace("\"\"", &format!("\"{elements}\""))
    };
    for adapter in adapters() {
        let server = Server::start(&adapter);
        let largest = server.send("POST", of_size(LIMIT).as_bytes());
        assert_eq!(largest.status, 200, "{adapter}");
        assert!(largest.body.len() > LIMIT - 100);
        for size in [LIMIT + 1, 8 * LIMIT] {
            let refused = server.send("POST", of_size(size).as_bytes());
            assert_eq!(refused.status, 413, "{adapter}");
            assert_eq!(refused.header("vary"), Some("accept-encoding"), "{adapter}");
            assert_eq!(refused.text(), "signals are too large");
            assert_eq!(
                refused.header("content-type"),
                Some("text/plain; charset=utf-8")
            );
        }
        // It goes on.
        assert_eq!(server.get(r#"{"events":[]}"#).status, 200);
    }
}

impl Golden {
    fn compare(&self, answer: &Response) -> Result<(), String> {
        let head: &[(&str, Option<&str>)] = match self.status {
            200 => &[
                ("content-type", Some("text/event-stream")),
                ("cache-control", Some("no-cache")),
                ("x-accel-buffering", Some("no")),
                // Nothing is compressed unasked.
                ("content-encoding", None),
                ("vary", Some("accept-encoding")),
            ],
            _ => &[("content-type", Some("text/plain; charset=utf-8"))],
        };
        if answer.status != self.status {
            return Err(format!("status {}, {:?}", answer.status, answer.text()));
        }
        for (name, value) in head {
            if answer.header(name) != *value {
                return Err(format!("{name}: {:?}", answer.header(name)));
            }
        }
        // The server speaks HTTP/1.1, where it is legal, and what is meant without it: actix-web and
        // rocket say nothing.
        let connection = answer.header("connection");
        if !matches!(connection, None | Some("keep-alive")) {
            return Err(format!("connection: {connection:?}"));
        }
        if answer.body != self.body.as_bytes() {
            return Err(format!("{:?}\n  instead of {:?}", answer.text(), self.body));
        }
        Ok(())
    }
}

fn goldens() -> Vec<Golden> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("goldens");
    let mut goldens = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            let text = fs::read_to_string(&path).unwrap();
            let file = path.file_stem().unwrap().to_string_lossy();
            let (_, cases) = text.split_once("\n=== ").expect("a case");
            goldens.extend(cases.split("\n=== ").map(|case| golden(&file, case)));
        }
    }
    goldens
}

fn golden(file: &str, case: &str) -> Golden {
    let (name, rest) = case.split_once('\n').expect("a name");
    let (input, rest) = rest.split_once("\n--- ").expect("an answer");
    let (status, body) = rest.split_once('\n').unwrap_or((rest, ""));
    let status = status.parse().expect("a status");
    let body = body.replace('␠', " ");
    Golden {
        name: format!("{file}, {name}"),
        input: input.to_owned(),
        status,
        // The line break before the next case belongs to the body of a stream, and not to a text.
        body: match status {
            200 if !body.is_empty() && !body.ends_with("\n\n") => body + "\n",
            200 => body,
            _ => body.trim_end_matches('\n').to_owned(),
        },
    }
}

#[test]
fn goldens_are_read_as_their_readme_says() {
    let found = golden("f", "n\n{\n}\n--- 200\nevent: x\ndata: y␠\n");
    assert_eq!(
        (found.name.as_str(), found.input.as_str()),
        ("f, n", "{\n}")
    );
    assert_eq!(found.body, "event: x\ndata: y \n\n");
    assert_eq!(golden("f", "n\n{}\n--- 400\nno\n").body, "no");
    assert_eq!(golden("f", "n\n{}\n--- 200").body, "");
    assert!(
        goldens()
            .iter()
            .all(|golden| golden.input.len() * 3 < LONGEST_TARGET)
    );
}
