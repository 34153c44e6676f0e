//! Streams on HTTP/1.1.

use std::{
    net::SocketAddr,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use sidereal::EndReason;

use super::{Answer, DATASTAR, Framework, KEEP_ALIVE, Server, ask, ended, has_ended, new_name};

/// Events leave the server when they are sent, however it is asked for them.
pub(crate) fn events_are_not_held_back<F: Framework>() {
    let server = F::start();
    for (accepted, coding) in [
        (None, "identity"),
        (Some("identity"), "identity"),
        (Some("gzip"), "gzip"),
        (Some("zstd"), "zstd"),
        // As browsers do.
        (Some("gzip, zstd"), "zstd"),
    ] {
        let accepted = accepted.map(|accepted| ("accept-encoding", accepted));
        let headers: Vec<_> = [DATASTAR].into_iter().chain(accepted).collect();
        let asked = Instant::now();
        let mut answer = server.ask("GET", "/slow", &headers, None);
        let found = answer.header("content-encoding").unwrap_or("identity");
        assert_eq!(found, coding);
        let (mut arrived, mut early) = (Vec::new(), 0);
        loop {
            let chunk = answer.chunk().unwrap();
            let after = asked.elapsed().as_millis();
            match after {
                _ if chunk == b":\n\n" => continue,
                ..150 => early += chunk.len(),
                after => assert!((290..600).contains(&after), "after {after} ms"),
            }
            arrived.push(after);
            if chunk.is_empty() {
                break;
            }
        }
        println!("{accepted:?}: chunks after {arrived:?} ms");
        // More than what a coding begins with.
        assert!(early > 30, "{early} bytes of the first event");
        assert!(arrived.last() >= Some(&290), "they came together");
    }
}

pub(crate) fn heartbeats_go_out_on_their_own<F: Framework>() {
    let server = F::start();
    let (mut stream, _) = open(&server, "/configured/silent");
    for _ in 0..3 {
        let begun = Instant::now();
        let chunk = stream.chunk().unwrap();
        assert!(chunk.starts_with(b":"), "{chunk:?}");
        let waited = begun.elapsed();
        assert!(
            waited > KEEP_ALIVE / 2 && waited < KEEP_ALIVE * 3 / 2,
            "{waited:?}"
        );
    }
}

pub(crate) fn a_client_that_leaves_is_noticed<F: Framework>() {
    let server = F::start();
    let leaves = |how: &str, heartbeats, leave: fn(Answer) -> Instant| {
        let mut slowest = Duration::ZERO;
        for number in 0..5 {
            let (stream, name) = open(&server, to_leave(heartbeats));
            if number == 0 {
                thread::sleep(Duration::from_millis(200));
                assert!(!has_ended(&name));
            }
            let left = leave(stream);
            let (reason, noticed) = ended(&name);
            assert_eq!(reason, EndReason::Disconnected);
            slowest = slowest.max(noticed.saturating_duration_since(left));
        }
        println!("{how}: noticed within {slowest:?}");
        assert!(slowest < patience(heartbeats), "{how}: {slowest:?}");
    };
    leaves("closed", F::NOTICES.closed, Answer::leave);
    // With an event that it has not read: the system then resets the connection.
    leaves("aborted", F::NOTICES.aborted, Answer::abort);
}

pub(crate) fn many_streams_leave_room_for_requests<F: Framework>() {
    let server = F::start();
    let target = to_leave(F::NOTICES.closed);
    let opened = (0..200).map(|_| open(&server, target));
    let (streams, names): (Vec<_>, Vec<_>) = opened.unzip();
    let (mut slowest, mut all) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..50 {
        let begun = Instant::now();
        let mut answer = server.post("/result", br#"{"name":"Ada"}"#);
        assert_eq!((answer.status, &*answer.text()), (200, "Ada"));
        slowest = slowest.max(begun.elapsed());
        all += begun.elapsed();
    }
    println!("beside 200 streams: 50 answers within {all:?}, each within {slowest:?}");
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    assert!(all < Duration::from_secs(5), "{all:?}");
    drop(streams);
    for name in names {
        assert_eq!(ended(&name).0, EndReason::Disconnected);
    }
}

pub(crate) fn a_broken_end_is_broken<F: Framework>() {
    let server = F::start();
    for (target, reason) in [
        ("/broken", EndReason::Finished),
        ("/old", EndReason::MaxAge),
    ] {
        let (mut stream, name) = open(&server, target);
        assert_eq!(stream.end().is_err(), F::BREAKS_OFF, "{target}");
        assert_eq!(ended(&name).0, reason);
    }
}

/// Tells a server to stop, and its streams by the same signal: whether an open one broke off.
pub(crate) fn a_graceful_stop_does_not_wait_for_open_streams(
    (address, server): (SocketAddr, JoinHandle<()>),
    stop: impl FnOnce(),
) -> bool {
    let name = new_name();
    let mut stream = ask(address, "GET", "/silent", &[("last-event-id", &name)], None);
    stream.until("<p id=one></p>\n\n");
    let told = Instant::now();
    stop();
    let is_broken = stream.end().is_err();
    assert_eq!(ended(&name).0, EndReason::Shutdown);
    while !server.is_finished() {
        assert!(told.elapsed() < Duration::from_secs(3), "it goes on");
        thread::sleep(Duration::from_millis(1));
    }
    server.join().unwrap();
    println!("stopped within {:?}", told.elapsed());
    is_broken
}

/// The silent stream to leave: one with frequent heartbeats where these are what it takes.
pub(super) fn to_leave(heartbeats: u32) -> &'static str {
    match heartbeats {
        0 => "/silent",
        _ => "/configured/silent",
    }
}

/// How long it may take to notice what so many heartbeats make noticed.
pub(super) fn patience(heartbeats: u32) -> Duration {
    match heartbeats {
        0 => Duration::from_millis(100),
        _ => KEEP_ALIVE * (heartbeats + 1),
    }
}

/// A stream whose first event has come, and its name.
fn open(server: &Server, target: &str) -> (Answer, String) {
    let name = new_name();
    let headers = [DATASTAR, ("last-event-id", &name)];
    let mut stream = server.ask("GET", target, &headers, None);
    stream.until("<p id=one></p>\n\n");
    (stream, name)
}
