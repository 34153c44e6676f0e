//! From an event to the contiguous bytes that go out, beside the official crate.
//!
//! The official crate is measured on both of its roads: `DatastarEvent`'s `Display`, and axum's
//! `Sse` body, which is what its users run. Inputs are made and results are checked outside of
//! what is timed; no system calls on any side.

use std::{
    cell::Cell,
    convert::Infallible,
    pin::Pin,
    process::ExitCode,
    task::{Context, Poll, Waker},
    time::Duration,
};

use axum::response::{IntoResponse, sse::Sse};
use bench::{Spread, take_turns, timed};
use bytes::Bytes;
use http_body::Body as _;
use sidereal::{IntoFrame, PatchElements};

/// How many times faster than the faster of the rival's roads.
const BAR: f64 = 3.0;

const ROUNDS: usize = 41;

fn main() -> ExitCode {
    let cases = [
        ("200 B, one line", line(200), 20_000),
        ("200 B, 4 lines", rows(200, 50), 20_000),
        ("20 KB, one line", line(20_000), 1_000),
        ("20 KB, 200 lines", rows(20_000, 100), 1_000),
    ];
    println!("event to contiguous bytes, median of {ROUNDS} rounds (fastest to slowest), ns");
    println!(
        "{:<18} {:>26} {:>28} {:>28} {:>7} {:>7}",
        "elements", "sidereal", "datastar, Display", "datastar, axum's Sse", "ratio", "allocs"
    );
    let mut missed = 0;
    for (name, elements, operations) in cases {
        let case = Case { elements };
        let [ours, display, sse] = take_turns(
            ROUNDS,
            operations,
            [
                &mut |count| case.sidereal(count),
                &mut |count| case.datastar_display(count),
                &mut |count| case.datastar_axum(count),
            ],
        );
        let ratio = display.median.min(sse.median).as_secs_f64() / ours.median.as_secs_f64();
        let allocations = case.allocations();
        println!(
            "{name:<18} {:>26} {:>28} {:>28} {ratio:>6.1}x {allocations:>7}",
            text(ours),
            text(display),
            text(sse)
        );
        if ratio < BAR || allocations != 1 {
            missed += 1;
        }
    }
    if missed > 0 {
        eprintln!("{missed} cases miss the bar: at least {BAR} times faster, one allocation");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

struct Case {
    elements: String,
}

impl Case {
    /// What every contestant must have made, written out by hand.
    fn expected(&self) -> String {
        let mut event = String::from("event: datastar-patch-elements\n");
        for line in self.elements.split('\n') {
            event += &format!("data: elements {line}\n");
        }
        event + "\n"
    }

    fn time<O: AsRef<[u8]>>(&self, count: usize, mut encode: impl FnMut(String) -> O) -> Duration {
        let expected = self.expected();
        timed(
            count,
            || self.elements.clone(),
            &mut encode,
            |event| assert_eq!(event.as_ref(), expected.as_bytes()),
        )
    }

    fn sidereal(&self, count: usize) -> Duration {
        self.time(count, |elements| {
            PatchElements::new(elements).into_frame().into_bytes()
        })
    }

    fn datastar_display(&self, count: usize) -> Duration {
        self.time(count, |elements| {
            datastar::patch_elements::PatchElements::new(elements)
                .into_datastar_event()
                .to_string()
        })
    }

    fn datastar_axum(&self, count: usize) -> Duration {
        thread_local!(static ELEMENTS: Cell<Option<String>> = const { Cell::new(None) });
        // One response for all, as in a long stream; polled once for each event.
        let events = futures_util::stream::poll_fn(|_| {
            let event =
                datastar::patch_elements::PatchElements::new(ELEMENTS.take().unwrap_or_default());
            Poll::Ready(Some(Ok::<_, Infallible>(event.write_as_axum_sse_event())))
        });
        let mut body = Sse::new(events).into_response().into_body();
        self.time(count, |elements| {
            ELEMENTS.set(Some(elements));
            next(&mut body)
        })
    }

    fn allocations(&self) -> u64 {
        let elements = self.elements.clone();
        let counts = allocation_counter::measure(|| {
            std::hint::black_box(PatchElements::new(elements).into_frame());
        });
        counts.count_total
    }
}

fn next(body: &mut axum::body::Body) -> Bytes {
    let mut cx = Context::from_waker(Waker::noop());
    match Pin::new(body).poll_frame(&mut cx) {
        Poll::Ready(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
        _ => Bytes::new(),
    }
}

fn line(length: usize) -> String {
    format!("<p id=\"x\">{}</p>", "x".repeat(length - 14))
}

/// Rows of a table, each of so many bytes, LF between them.
fn rows(length: usize, row: usize) -> String {
    let rows: Vec<_> = (0..length / row)
        .map(|number| {
            let start = format!("<li id=\"row-{number}\">");
            let text = "x".repeat(row - start.len() - 6);
            format!("{start}{text}</li>")
        })
        .collect();
    rows.join("\n")
}

fn text(spread: Spread) -> String {
    format!(
        "{} ({} to {})",
        spread.median.as_nanos(),
        spread.fastest.as_nanos(),
        spread.slowest.as_nanos()
    )
}
