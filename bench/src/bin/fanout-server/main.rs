//! Sidereal's hub, with one event for all who read `/events`, in any codec that they ask for: the
//! server of `fanout`, and a program of its own for other load generators.
//!
//! ```text
//! fanout-server [--port N] [--size BYTES | --page] [--rate PER_SECOND] [--stack axum|hyper|blocking] [--threads N] [--wait]
//! ```
//!
//! | option | default |
//! |---|---|
//! | `--port` | one that is free; the first line says which |
//! | `--size`: bytes of an event's elements, the same each time | 200 |
//! | `--page`: the page of 20 KB instead, which changes with each event | |
//! | `--rate`: events a second | 1 |
//! | `--stack`: `axum` is `axum::serve`, `hyper` is `sidereal::serve`, `blocking` is a thread for each connection | `axum` |
//! | `--threads`: of a multi-threaded runtime with `axum`, with a runtime each with `hyper`; 0 for one current-thread runtime for all | 0 |
//! | `--wait`: publishes nothing before `start N`, and ends with its input | |
//!
//! Lines of its input: `start N` publishes N events, `times` prints when each was published and how
//! long that took, in nanoseconds, any other prints statistics in one line.

mod hub_server;
mod stack;
mod threads;

use std::{io, process::ExitCode};

use bench::{arguments::Arguments, content::Content, publisher::Publisher};
use stack::Stack;

struct Options {
    port: u16,
    content: Content,
    rate: f64,
    stack: Stack,
    threads: usize,
    waits: bool,
}

impl Options {
    fn parse(mut arguments: Arguments) -> Result<Self, String> {
        let size = arguments.value("--size")?.unwrap_or(200);
        let options = Self {
            port: arguments.value("--port")?.unwrap_or(0),
            content: match arguments.flag("--page") {
                true => Content::Page,
                false => Content::Text(size),
            },
            rate: arguments.value("--rate")?.unwrap_or(1.0),
            stack: arguments.value("--stack")?.unwrap_or(Stack::Axum),
            threads: arguments.value("--threads")?.unwrap_or(0),
            waits: arguments.flag("--wait"),
        };
        arguments.end()?;
        match (0.001..=1000.0).contains(&options.rate) {
            true => Ok(options),
            false => Err("--rate is from 0.001 to 1000".into()),
        }
    }
}

fn main() -> ExitCode {
    let options = match Options::parse(Arguments::new(std::env::args().skip(1))) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("fanout-server: {error}");
            eprintln!(
                "usage: fanout-server [--port N] [--size BYTES | --page] [--rate PER_SECOND] [--stack axum|hyper] [--threads N] [--wait]"
            );
            return ExitCode::from(2);
        }
    };
    match run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fanout-server: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: Options) -> io::Result<()> {
    let publisher = Publisher::new(options.content, options.rate);
    let runtime = options.stack.runtime(options.threads)?;
    runtime.block_on(hub_server::run(
        options.port,
        options.stack,
        options.threads,
        publisher,
        options.waits,
    ))
}
