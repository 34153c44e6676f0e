//! What was measured, as tables, and against the bars.

use std::time::Duration;

use sidereal::Codec;

use crate::{
    contestant::{Contestant, Who},
    load::Load,
    measure::Measured,
};

/// All rounds of all contestants.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

struct Row {
    load: Load,
    contestant: Contestant,
    /// Fewer than the load has, for some.
    subscribers: usize,
    rounds: Vec<Measured>,
}

impl Report {
    pub(crate) fn add(
        &mut self,
        load: &Load,
        contestant: Contestant,
        actual: &Load,
        measured: Measured,
    ) {
        let is_same = |row: &&mut Row| row.load == *load && row.contestant == contestant;
        match self.rows.iter_mut().find(is_same) {
            Some(row) => row.rounds.push(measured),
            None => self.rows.push(Row {
                load: *load,
                contestant,
                subscribers: actual.subscribers,
                rounds: vec![measured],
            }),
        }
    }

    /// The median of the rounds, in each respect.
    fn measured(&self, load: &Load, who: Who, codec: Option<Codec>) -> Option<Measured> {
        let contestant = who.with(codec);
        let mut rows = self.rows.iter();
        let row = rows.find(|row| row.load == *load && row.contestant == contestant)?;
        Some(Measured::median(&row.rounds))
    }

    pub(crate) fn print(&self, load: &Load) {
        println!("\n{load}:\n");
        println!(
            "| contestant | subscribers | CPU for a delivery, µs | of the floor | memory, KiB | bytes | p50, ms | p99, ms | publish p50, µs | publish max, µs |"
        );
        println!("|---|---|---|---|---|---|---|---|---|---|");
        let floor = self.measured(load, Who::Floor, None);
        for row in self.rows.iter().filter(|row| row.load == *load) {
            let measured = Measured::median(&row.rounds);
            let of_floor = floor.map_or(0.0, |floor| ratio(measured.cpu, floor.cpu));
            let mark = |kind| match self.is_missed(load, row.contestant, kind) {
                true => " (missed)",
                false => "",
            };
            println!(
                "| {} | {} | {:.1}{} | {of_floor:.2} | {:.1}{} | {:.0}{} | {:.1} | {:.1} | {:.1} | {:.1} |",
                row.contestant,
                row.subscribers,
                micros(measured.cpu),
                mark(Kind::Cpu),
                measured.memory / 1024.0,
                mark(Kind::Memory),
                measured.bytes,
                mark(Kind::Bytes),
                millis(measured.latency.p50),
                millis(measured.latency.p99),
                micros(measured.publish.p50),
                micros(measured.publish.max),
            );
        }
        println!();
    }

    /// From few subscribers to the crowd.
    pub(crate) fn print_growth(&self, steps: &[Load]) {
        println!("\nGrowth, {} events/s of 200 B:\n", Load::CROWD.rate);
        println!(
            "| contestant | subscribers | CPU for a delivery, µs | memory, KiB | p50, ms | p99, ms | publish p50, µs |"
        );
        println!("|---|---|---|---|---|---|---|");
        for who in [Who::Official, Who::Axum, Who::Hyper] {
            let contestant = who.with(None);
            for load in steps.iter().chain([&Load::CROWD]) {
                let mut rows = self.rows.iter();
                let row = rows.find(|row| row.load == *load && row.contestant == contestant);
                let Some(row) = row else { continue };
                let measured = Measured::median(&row.rounds);
                println!(
                    "| {contestant} | {} | {:.1} | {:.1} | {:.1} | {:.1} | {:.1} |",
                    row.subscribers,
                    micros(measured.cpu),
                    measured.memory / 1024.0,
                    millis(measured.latency.p50),
                    millis(measured.latency.p99),
                    micros(measured.publish.p50),
                );
            }
        }
        println!();
    }

    /// Each beside the same with one that stalls.
    pub(crate) fn print_stalling(&self) {
        println!("\nOne that stalls beside {}:\n", Load::NONE_STALLS);
        println!(
            "| contestant | one stalls | CPU for a delivery, µs | memory, KiB | p50, ms | p99, ms | it missed |"
        );
        println!("|---|---|---|---|---|---|---|");
        for row in &self.rows {
            if row.load.name != Load::NONE_STALLS.name {
                continue;
            }
            let measured = Measured::median(&row.rounds);
            println!(
                "| {}{} | {} | {:.1} | {:.1} | {:.1} | {:.1} | {} |",
                row.contestant,
                if row.load.is_http2 { ", HTTP/2" } else { "" },
                if row.load.one_stalls { "yes" } else { "no" },
                micros(measured.cpu),
                measured.memory / 1024.0,
                millis(measured.latency.p50),
                millis(measured.latency.p99),
                measured.missed,
            );
        }
        println!();
    }

    pub(crate) fn print_bars(&self) {
        println!("| bar | measured | at most | |");
        println!("|---|---|---|---|");
        let bars = Load::ALL.iter().flat_map(|load| self.bars(load));
        for bar in bars.chain(self.stalling_bars()) {
            let verdict = match bar.is_missed() {
                true => format!("missed by {:.0} %", (bar.value / bar.at_most - 1.0) * 100.0),
                false => "met".into(),
            };
            println!(
                "| {} | {:.2} | {:.2} | {verdict} |",
                bar.what, bar.value, bar.at_most
            );
        }
    }

    fn is_missed(&self, load: &Load, contestant: Contestant, kind: Kind) -> bool {
        self.bars(load)
            .iter()
            .any(|bar| bar.contestant == contestant && bar.kind == kind && bar.is_missed())
    }

    /// The bars for one load, of what was measured so far.
    fn bars(&self, load: &Load) -> Vec<Bar> {
        let mut bars = Vec::new();
        for row in self.rows.iter().filter(|row| row.load == *load) {
            // Threads are what they are.
            if matches!(row.contestant.who, Who::Axum | Who::Hyper) {
                bars.extend(self.cpu_and_bytes(load, row.contestant));
                bars.extend(self.memory(load, row.contestant));
            }
        }
        bars
    }

    /// What one that stalls costs the others.
    fn stalling_bars(&self) -> Vec<Bar> {
        let contestant = Who::Hyper.with(None);
        let bar = |[without, with]: [Load; 2]| {
            let without = self.measured(&without, contestant.who, None)?;
            let measured = self.measured(&with, contestant.who, None)?;
            Some(Bar {
                what: format!("{contestant}, {with}: p99 of that without"),
                contestant,
                kind: Kind::Latency,
                value: ratio(measured.latency.p99, without.latency.p99),
                at_most: 1.2,
            })
        };
        Load::stalling().into_iter().filter_map(bar).collect()
    }

    fn memory(&self, load: &Load, contestant: Contestant) -> Option<Bar> {
        let measured = self.measured(load, contestant.who, contestant.codec)?;
        let at_most = match contestant.who {
            Who::Axum => 20.0,
            _ => 12.0,
        };
        Some(Bar {
            what: format!("{contestant}, {}: memory for a subscriber, KiB", load.name),
            contestant,
            kind: Kind::Memory,
            value: measured.memory / 1024.0,
            at_most,
        })
    }

    fn cpu_and_bytes(&self, load: &Load, contestant: Contestant) -> Vec<Bar> {
        let Contestant { who, codec } = contestant;
        let cpu = |load, who, codec| self.measured(load, who, codec).map(|measured| measured.cpu);
        let bytes = |who| {
            self.measured(load, who, codec)
                .map(|measured| measured.bytes)
        };
        let mut bars = Vec::new();
        let mut bar = |kind, than: &str, value: Option<f64>, at_most| {
            bars.extend(value.map(|value| Bar {
                what: format!("{contestant}, {}: {} of {than}", load.name, kind_name(kind)),
                contestant,
                kind,
                value,
                at_most,
            }));
        };
        let own = cpu(load, who, codec);
        let of = |other: Option<Duration>| own.zip(other).map(|(own, other)| ratio(own, other));
        if *load == Load::TEXT && codec.is_none() {
            if who == Who::Axum {
                bar(Kind::Cpu, "(b)'s", of(cpu(load, Who::Official, None)), 1.0);
            } else {
                bar(
                    Kind::Cpu,
                    "the floor's",
                    of(cpu(load, Who::Floor, None)),
                    1.6,
                );
                bar(Kind::Cpu, "(c)'s", of(cpu(load, Who::Nchan, None)), 1.0);
            }
        }
        if *load == Load::PAGE && codec.is_some() {
            let plain = of(cpu(&Load::TEXT, who, None));
            bar(Kind::Cpu, "its own for plain 200 B", plain, 1.5);
            let rival = of(cpu(load, Who::Official, codec));
            bar(Kind::Cpu, "(b)'s with the same codec", rival, 1.0 / 12.0);
            let at_most = if codec == Some(Codec::Gzip) { 0.5 } else { 1.0 };
            let share = bytes(who)
                .zip(bytes(Who::Official))
                .map(|(own, rival)| own / rival);
            bar(Kind::Bytes, "(b)'s with the same codec", share, at_most);
        }
        bars
    }
}

/// What was asked of us.
struct Bar {
    what: String,
    contestant: Contestant,
    kind: Kind,
    value: f64,
    at_most: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Cpu,
    Memory,
    Bytes,
    Latency,
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Cpu => "CPU",
        Kind::Memory => "memory",
        Kind::Bytes => "bytes",
        Kind::Latency => "latency",
    }
}

impl Bar {
    fn is_missed(&self) -> bool {
        self.value > self.at_most
    }
}

fn ratio(own: Duration, other: Duration) -> f64 {
    own.as_secs_f64() / other.as_secs_f64()
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
