//! A hub on several nodes, beside the same in one process: how long events take, what they cost, and how
//! that grows with topics, in one run.
//!
//! ```text
//! several-nodes [--quick] [--part viewers|topics]
//! ```
//!
//! With viewers: one node without a broker, the same behind nginx, one with NATS, one with Redis, and three
//! behind nginx with each, in turns; on topics without history and with it. One node publishes.
//!
//! | measured | with |
//! |---|---|
//! | from publish to arrival | 300 viewers in all, 40 events a second |
//! | CPU for each delivery, of the nodes together, the broker and nginx | 900 viewers in all, 20 events a second |
//! | CPU for each event, whoever sees it | one viewer on each node, 20 events a second |
//!
//! With topics: one node without a broker, and three with each, in turns; 1 to 10,000 topics, of which each
//! is followed once in each node itself, and 1,000 events a second on all of them together, one after the
//! other. Of 10,000 some have none in that time.
//!
//! Each event is 200 B and has in it when it was published, by the wall clock, which all processes of a
//! machine share. Nodes, broker and nginx share a core, and what views them has another; so with three
//! nodes, one waits for the others, which on three machines it would not. NATS keeps its log in files, Redis
//! has `appendonly yes` and `appendfsync everysec`.
//!
//! How much of that core others had, none of these, is in the last column. Where it is much, times are longer,
//! and deliveries even cheaper: events that wait for each other go out together.
//!
//! Everyone has to get every event, once and in order, with its text: else it is an error. To see that all
//! of it works takes 20 seconds: `cargo xtask bench several-nodes --quick`. All of it takes seven minutes.

mod audience;
mod contestant;
mod load;
mod report;
mod stage;
mod topics;
mod viewers;

use std::{fmt, fs, io, process::ExitCode, thread, time::Duration};

use bench::{
    arguments::Arguments,
    order::Kind,
    process::{LOAD_CORE, pin_this, raise_open_files},
};
use contestant::Contestant;
use load::Load;
use report::Report;
use stage::Stage;
use topics::Growth;

/// How long all of it may take: nothing that hangs does so for ever.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// Viewers, and connections of nginx to nodes for them.
const OPEN_FILES: usize = 4096;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Viewers,
    Topics,
}

/// How much of it is measured.
struct Plan {
    parts: Vec<Part>,
    is_quick: bool,
    /// How often each contestant has its turn.
    rounds: usize,
    topics: &'static [u64],
    growth: Growth,
}

impl Plan {
    fn new(parts: Vec<Part>, is_quick: bool) -> Self {
        match is_quick {
            false => Self {
                parts,
                is_quick,
                rounds: 3,
                topics: &[1, 10, 100, 1000, 10_000],
                growth: Growth {
                    warm_up: 200,
                    events: 1500,
                },
            },
            true => Self {
                parts,
                is_quick,
                rounds: 1,
                topics: &[1, 100],
                growth: Growth {
                    warm_up: 50,
                    events: 100,
                },
            },
        }
    }
}

fn main() -> ExitCode {
    let mut arguments = Arguments::new(std::env::args().skip(1));
    let is_quick = arguments.flag("--quick");
    let part = arguments.value::<String>("--part");
    let part = part.and_then(|part| arguments.end().map(|()| part));
    let parts = match part.as_ref().map(Option::as_deref) {
        Ok(None) => vec![Part::Viewers, Part::Topics],
        Ok(Some("viewers")) => vec![Part::Viewers],
        Ok(Some("topics")) => vec![Part::Topics],
        Ok(Some(_)) | Err(_) => {
            eprintln!("usage: several-nodes [--quick] [--part viewers|topics]");
            return ExitCode::from(2);
        }
    };
    thread::spawn(|| {
        thread::sleep(LIMIT);
        eprintln!("several-nodes: still not done");
        // Nodes end with their input, and broker and nginx with this process.
        std::process::exit(1);
    });
    match run(&Plan::new(parts, is_quick)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("several-nodes: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(plan: &Plan) -> io::Result<()> {
    if thread::available_parallelism()?.get() > LOAD_CORE {
        pin_this(LOAD_CORE)?;
    }
    raise_open_files(OPEN_FILES)?;
    let others = fs::read_to_string("/proc/loadavg")?;
    println!("load average before: {}", others.trim());
    if plan.is_quick {
        println!("this is to see that it works: with so few, the figures mean little");
    }
    // Whatever is not installed is known at once.
    for contestant in Contestant::ALL {
        block_on(Stage::start(contestant)).map_err(|error| at(contestant, error))?;
    }
    let mut report = Report::default();
    if plan.parts.contains(&Part::Viewers) {
        with_viewers(plan, &mut report)?;
        report.print_viewers();
    }
    if plan.parts.contains(&Part::Topics) {
        with_topics(plan, &mut report)?;
        report.print_topics();
    }
    Ok(())
}

fn with_viewers(plan: &Plan, report: &mut Report) -> io::Result<()> {
    let rounds = plan.rounds;
    for round in 1..=rounds {
        for contestant in Contestant::ALL {
            let stage = block_on(Stage::start(contestant));
            let mut stage = stage.map_err(|error| at(contestant, error))?;
            for load in Load::all(contestant.nodes, plan.is_quick) {
                let what = format!("{contestant}, {load}");
                let measured = viewers::measure(&mut stage, &load);
                let measured = measured.map_err(|error| at(&what, error))?;
                println!("{what}, {round}/{rounds}: {}", measured.summary(&load));
                report.add_viewers(contestant, load, measured);
            }
        }
    }
    Ok(())
}

fn with_topics(plan: &Plan, report: &mut Report) -> io::Result<()> {
    let rounds = plan.rounds;
    for round in 1..=rounds {
        for kind in Kind::ALL {
            for &count in plan.topics {
                for contestant in Contestant::GROWING {
                    let what = format!("{contestant}, {count} topics, {kind}");
                    let grown = block_on(topics::measure(contestant, kind, count, plan.growth));
                    let grown = grown.map_err(|error| at(&what, error))?;
                    println!("{what}, {round}/{rounds}: {}", grown.summary());
                    report.add_topics(contestant, kind, count, plan.growth.events, grown);
                }
            }
        }
    }
    Ok(())
}

fn block_on<T>(future: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(future)
}

fn at(what: impl fmt::Display, error: io::Error) -> io::Error {
    io::Error::other(format!("{what}: {error}"))
}
