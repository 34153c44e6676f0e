//! 1,000 private streams, five events a second each, compressed: Sidereal beside the crate
//! `datastar` with axum and tower-http's `CompressionLayer`, in one run.
//!
//! ```text
//! streams [--quick] [--load page20|page80|patches]
//! ```
//!
//! Each contestant is a server of its own process on one core, and the load is on another. Measured
//! in a window after all streams run: memory for each connection (anonymous memory, less what the
//! server had before the first connection), CPU for each event (the process's own time), bytes for
//! each event (on the wire). Some streams are recorded and decoded: what they say has to be what
//! was to be sent.

mod load;
mod report;
mod server;
mod viewers;

use std::{process::ExitCode, time::Duration};

use load::Load;
use report::Report;
use server::{Contestant, Setting};
use viewers::Plan;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [first, contestant] = &words[..]
        && first == "serve"
    {
        return server::run(contestant);
    }
    let mut plan = Plan {
        streams: 1000,
        warm_up: Duration::from_secs(4),
        window: Duration::from_secs(8),
    };
    let mut loads = Load::ALL.to_vec();
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match (word, word == "--load") {
            ("--quick", _) => {
                plan.streams = 100;
                plan.warm_up = Duration::from_secs(1);
                plan.window = Duration::from_secs(2);
            }
            (_, true) => match words.next().and_then(Load::named) {
                Some(load) => loads = vec![load],
                None => return usage(),
            },
            _ => return usage(),
        }
    }
    let mut report = Report::default();
    for load in loads {
        for contestant in Contestant::all(load) {
            match viewers::measure(contestant, &plan) {
                Ok(measured) => report.add(contestant, measured),
                Err(error) => {
                    eprintln!("streams: {contestant}: {error}");
                    return ExitCode::FAILURE;
                }
            }
        }
        report.print(load);
    }
    match report.misses() {
        0 => ExitCode::SUCCESS,
        misses => {
            println!("{misses} of the bars are missed; each has its other end above");
            ExitCode::SUCCESS
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: streams [--quick] [--load page20|page80|patches]");
    ExitCode::from(2)
}

/// The settings of Sidereal that are measured, beside its defaults.
pub(crate) const SETTINGS: &[Setting] = &[Setting::Default, Setting::FewBytes, Setting::LittleCpu];
