//! Bodies that are too long.

use super::{
    DATASTAR, Enforced, FRAMEWORK_LIMIT, Framework, JSON, OWN_LIMIT, Server, ask_as_it_is,
};

const TEXT: &str = "signals are too large";

pub(crate) fn bodies_over_a_limit_are_refused<F: Framework>() {
    let server = F::start();
    // Who is Datastar would get events.
    adapter_refuses(&server, "/configured/strict", OWN_LIMIT, JSON);
    match F::LIMIT_ENFORCED_BY {
        Enforced::ByAdapter => adapter_refuses(&server, "/framework", FRAMEWORK_LIMIT, DATASTAR),
        Enforced::ByFramework => {
            for (length, status) in lengths(FRAMEWORK_LIMIT) {
                let answer = server.ask("POST", "/framework", &[DATASTAR], Some(&body(length)));
                assert_eq!(answer.status, status, "{length}");
            }
        }
        Enforced::Nowhere => {}
    }
}

fn adapter_refuses(server: &Server, target: &str, limit: usize, header: (&str, &str)) {
    // A server that answers before it has read the body closes the connection, and a browser that
    // is still sending sees no answer: Chromium failed to fetch 3 times of 3 with 10 MB.
    for (length, status) in lengths(limit).into_iter().chain([(20 << 20, 413)]) {
        let mut answer = server.ask("POST", target, &[header], Some(&body(length)));
        assert_eq!(answer.status, status, "{target} {length}");
        assert!(answer.was_sent, "{target} {length}");
        if status == 413 {
            assert_eq!(answer.text(), TEXT, "{target} {length}");
        }
    }
    // Without a length that could be looked at first.
    for (length, status) in [(limit, 200), (limit + 1, 413)] {
        let headers = [header, ("transfer-encoding", "chunked")];
        let (body, half) = (body(length), limit / 2);
        let mut chunked = Vec::new();
        for chunk in [&body[..half], &body[half..]] {
            chunked.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            chunked.extend_from_slice(chunk);
            chunked.extend_from_slice(b"\r\n");
        }
        chunked.extend_from_slice(b"0\r\n\r\n");
        let answer = ask_as_it_is(server.of(target), "POST", target, &headers, &chunked);
        assert_eq!(answer.status, status, "{target} chunked {length}");
    }
}

fn lengths(limit: usize) -> [(usize, u16); 4] {
    [
        (limit / 2, 200),
        (limit, 200),
        (limit + 1, 413),
        (1_000_000, 413),
    ]
}

fn body(length: usize) -> Vec<u8> {
    let body = format!("{{\"name\":\"{}\"}}", "x".repeat(length - 11));
    assert_eq!(body.len(), length);
    body.into_bytes()
}
