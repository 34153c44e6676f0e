//! One event for everyone: Sidereal's hub beside the crate `datastar` with tokio's broadcast, nginx
//! with nchan, and a loop that does nothing but write, in one run.
//!
//! ```text
//! fanout [--quick] [--load text|page|crowd|stalled]
//! ```
//!
//! Each contestant is a server of its own process on one core, and the load is on another; they
//! take turns. Events begin when all subscribers are there. Measured after some events to warm up:
//! CPU for each delivery (the server's own time), memory for each subscriber (less what the server
//! had before the first one), bytes for each event (on the wire), the time from publish to arrival,
//! and the time that publishing takes (with nchan: a POST and its answer).
//!
//! Every subscriber has to get every event, and some are recorded and decoded: what they say has to
//! be what was published.
//!
//! The last load is there twice, with and without one more subscriber that reads nothing: what that
//! does to the others. It has to lag, and to be closed for that.

mod audience;
mod contestant;
mod counter;
mod floor;
mod http2;
mod load;
mod measure;
mod nchan;
mod official;
mod report;
mod request;
mod serve;
mod stalled;
mod subject;

use std::{fmt, fs, io, process::ExitCode};

use bench::{
    arguments::Arguments,
    process::{LOAD_CORE, pin_this, raise_open_files},
};
use contestant::{Contestant, Who};
use load::Load;
use report::Report;

fn main() -> ExitCode {
    let mut arguments = Arguments::new(std::env::args().skip(1));
    if arguments.flag("serve") {
        return ended(serve::run(arguments));
    }
    let is_quick = arguments.flag("--quick");
    let name = arguments.value::<String>("--load");
    let name = match name.and_then(|name| arguments.end().map(|()| name)) {
        Ok(name) => name,
        Err(error) => {
            eprintln!("fanout: {error}\nusage: fanout [--quick] [--load text|page|crowd|stalled]");
            return ExitCode::from(2);
        }
    };
    let is_wanted = |load: &Load| name.as_deref().is_none_or(|name| name == load.name);
    let loads: Vec<Load> = Load::ALL.into_iter().filter(is_wanted).collect();
    ended(run(&loads, is_wanted(&Load::NONE_STALLS), is_quick))
}

fn ended(result: io::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fanout: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(loads: &[Load], stalls: bool, is_quick: bool) -> io::Result<()> {
    if std::thread::available_parallelism()?.get() > LOAD_CORE {
        pin_this(LOAD_CORE)?;
    }
    let open_files = raise_open_files(Load::CROWD.subscribers + 1000)?;
    let others = fs::read_to_string("/proc/loadavg")?;
    println!("load average before: {}", others.trim());
    if is_quick {
        println!("this is to see that it works: with so few, the figures mean little");
    }
    if !nchan::is_installed() {
        println!("nginx or libnginx-mod-nchan is not installed: (c) is left out");
    }
    let mut bench = Bench {
        report: Report::default(),
        is_quick,
        open_files,
    };
    for load in loads {
        bench.measure(&[*load], &Contestant::of(load))?;
        bench.report.print(load);
    }
    if loads.contains(&Load::CROWD) {
        let steps = if is_quick { 1 } else { Load::GROWTH.len() };
        let steps = &Load::GROWTH[..steps];
        for load in steps {
            let growing = [Who::Official, Who::Axum, Who::Hyper];
            bench.measure(&[*load], &growing.map(|who| who.with(None)))?;
        }
        bench.report.print_growth(steps);
    }
    if stalls {
        for loads in Load::stalling() {
            // On `axum::serve`, the kernel takes megabytes for one that reads nothing.
            bench.measure(&loads, &[Who::Hyper.with(None)])?;
        }
        bench.report.print_stalling();
    }
    bench.report.print_bars();
    Ok(())
}

struct Bench {
    report: Report,
    is_quick: bool,
    open_files: usize,
}

impl Bench {
    /// All of them under each load, in turns.
    fn measure(&mut self, loads: &[Load], contestants: &[Contestant]) -> io::Result<()> {
        let rounds = match (self.is_quick, loads) {
            (false, [load, ..]) => load.rounds,
            _ => 1,
        };
        for round in 1..=rounds {
            for contestant in contestants {
                for load in loads {
                    self.measure_once(load, *contestant, format_args!("{round}/{rounds}"))?;
                }
            }
        }
        Ok(())
    }

    fn measure_once(
        &mut self,
        load: &Load,
        contestant: Contestant,
        round: fmt::Arguments<'_>,
    ) -> io::Result<()> {
        let mut actual = load.for_contestant(contestant);
        if self.is_quick {
            actual = actual.quick();
        }
        // A few more files are open than there are subscribers.
        actual.subscribers = actual.subscribers.min(self.open_files - 100);
        let measured = measure::measure(contestant, &actual, self.open_files)
            .map_err(|error| io::Error::other(format!("{contestant}, {actual}: {error}")))?;
        println!("{contestant}, {actual}, {round}: {measured}");
        self.report.add(load, contestant, &actual, measured);
        Ok(())
    }
}
