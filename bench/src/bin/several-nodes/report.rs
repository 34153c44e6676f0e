//! What was measured, as tables: of several rounds the median, and the least and the most.

use std::time::Duration;

use bench::order::Kind;

use crate::{
    contestant::Contestant,
    load::{Load, What},
    topics::{Grown, RATE},
    viewers::Measured,
};

/// All rounds of all contestants.
#[derive(Default)]
pub(crate) struct Report {
    viewers: Vec<WithViewers>,
    topics: Vec<WithTopics>,
}

struct WithViewers {
    contestant: Contestant,
    load: Load,
    rounds: Vec<Measured>,
}

struct WithTopics {
    contestant: Contestant,
    kind: Kind,
    count: u64,
    events: u64,
    rounds: Vec<Grown>,
}

impl Report {
    pub(crate) fn add_viewers(&mut self, contestant: Contestant, load: Load, measured: Measured) {
        let is_same = |row: &&mut WithViewers| row.contestant == contestant && row.load == load;
        match self.viewers.iter_mut().find(is_same) {
            Some(row) => row.rounds.push(measured),
            None => self.viewers.push(WithViewers {
                contestant,
                load,
                rounds: vec![measured],
            }),
        }
    }

    pub(crate) fn add_topics(
        &mut self,
        contestant: Contestant,
        kind: Kind,
        count: u64,
        events: u64,
        grown: Grown,
    ) {
        let is_same = |row: &&mut WithTopics| {
            (row.contestant, row.kind, row.count) == (contestant, kind, count)
        };
        match self.topics.iter_mut().find(is_same) {
            Some(row) => row.rounds.push(grown),
            None => self.topics.push(WithTopics {
                contestant,
                kind,
                count,
                events,
                rounds: vec![grown],
            }),
        }
    }

    pub(crate) fn print_viewers(&self) {
        for kind in Kind::ALL {
            self.print_latency(kind);
            self.print_cpu(kind);
        }
    }

    fn of(&self, what: What, kind: Kind) -> impl Iterator<Item = &WithViewers> {
        let rows = self.viewers.iter();
        rows.filter(move |row| row.load.what == what && row.load.kind == kind)
    }

    fn print_latency(&self, kind: Kind) {
        let Some(first) = self.of(What::Latency, kind).next() else {
            return;
        };
        println!("\nFrom publish to arrival, topic: {}; ms:\n", first.load);
        println!(
            "| contestant | p50 | p99 | max | on the publishing node p50 | p99 | on the others p50 | p99 | others, % of the core |"
        );
        println!("|---|---|---|---|---|---|---|---|---|");
        for row in self.of(What::Latency, kind) {
            let time = |of: fn(&Measured) -> Duration| {
                spread(row.rounds.iter().map(|round| millis(of(round))), 2)
            };
            let of_others = |of: fn(&Measured) -> Duration| match row.contestant.nodes {
                1 => String::new(),
                _ => time(of),
            };
            println!(
                "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                row.contestant,
                time(|round| round.all.p50),
                time(|round| round.all.p99),
                time(|round| round.all.max),
                time(|round| round.here.p50),
                time(|round| round.here.p99),
                of_others(|round| round.elsewhere.p50),
                of_others(|round| round.elsewhere.p99),
                row.others(),
            );
        }
    }

    fn print_cpu(&self, kind: Kind) {
        let Some(first) = self.of(What::Deliveries, kind).next() else {
            return;
        };
        println!("\nCPU for a delivery, topic: {}; µs:\n", first.load);
        println!(
            "| contestant | nodes | of the first | broker | nginx | all, of the first | for an event, one viewer on each node: nodes | broker | others, % of the core |"
        );
        println!("|---|---|---|---|---|---|---|---|---|");
        let events = self.of(What::Events, kind);
        for (row, event) in self.of(What::Deliveries, kind).zip(events) {
            let ratio = |of: &dyn Fn(&Measured) -> Duration| {
                let median = |row: &WithViewers| {
                    let rounds = row.rounds.iter();
                    middle(rounds.map(|round| micros(of(round))).collect())
                };
                median(row) / median(first)
            };
            println!(
                "| {} | {} | {:.2} | {} | {} | {:.2} | {} | {} | {} |",
                row.contestant,
                row.each(|round| round.spent.nodes()),
                ratio(&|round| round.spent.nodes()),
                row.each(|round| round.spent.broker),
                row.each(|round| round.spent.nginx),
                ratio(&|round| round.spent.all()),
                event.for_event(|round| round.spent.nodes()),
                event.for_event(|round| round.spent.broker),
                row.others(),
            );
        }
    }

    pub(crate) fn print_topics(&self) {
        for kind in Kind::ALL {
            println!(
                "\nWith topics, {kind}, {RATE} events/s on all of them; ready, p50 and p99 in ms, CPU for an event in µs, memory of a node that receives in MiB:\n"
            );
            println!(
                "| contestant | topics | ready | p50 | p99 | CPU: publishing node | each other node | broker | memory | others, % of the core |"
            );
            println!("|---|---|---|---|---|---|---|---|---|---|");
            for row in self.topics.iter().filter(|row| row.kind == kind) {
                let show =
                    |of: &dyn Fn(&Grown) -> f64, digits| spread(row.rounds.iter().map(of), digits);
                let cpu = |of: &dyn Fn(&Grown) -> Duration, nodes: usize| match nodes {
                    0 => String::new(),
                    _ => show(
                        &|grown| micros(of(grown)) / (row.events as f64 * nodes as f64),
                        1,
                    ),
                };
                println!(
                    "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                    row.contestant,
                    row.count,
                    show(&|grown| millis(grown.ready), 1),
                    show(&|grown| millis(grown.latency.p50), 2),
                    show(&|grown| millis(grown.latency.p99), 2),
                    cpu(&|grown| grown.spent.publishing, 1),
                    cpu(&|grown| grown.spent.receiving, row.contestant.nodes - 1),
                    cpu(
                        &|grown| grown.spent.broker,
                        usize::from(row.contestant.broker.is_some())
                    ),
                    show(&|grown| mebibytes(grown.memory), 1),
                    show(&|grown| grown.spent.others * 100.0, 0),
                );
            }
        }
        println!();
    }
}

impl WithViewers {
    /// For a delivery.
    fn each(&self, of: fn(&Measured) -> Duration) -> String {
        let deliveries = self.load.events as f64 * self.load.viewers as f64;
        let rounds = self.rounds.iter();
        spread(rounds.map(|round| micros(of(round)) / deliveries), 2)
    }

    /// How much of the servers' core others had, in percent.
    fn others(&self) -> String {
        let rounds = self.rounds.iter();
        spread(rounds.map(|round| round.spent.others * 100.0), 0)
    }

    fn for_event(&self, of: fn(&Measured) -> Duration) -> String {
        let events = self.load.events as f64;
        let rounds = self.rounds.iter();
        spread(rounds.map(|round| micros(of(round)) / events), 0)
    }
}

/// The median, and the least and the most where there are others.
fn spread(values: impl Iterator<Item = f64>, digits: usize) -> String {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let number = |value: Option<&f64>| format!("{:.digits$}", value.copied().unwrap_or_default());
    let (least, most) = (number(values.first()), number(values.last()));
    let median = number(Some(&middle(values)));
    match least == most {
        true => median,
        false => format!("{median} ({least}–{most})"),
    }
}

/// The one in the middle; of an even number, the smaller.
fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = values.len().saturating_sub(1) / 2;
    values.get(place).copied().unwrap_or_default()
}

pub(crate) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

pub(crate) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

pub(crate) fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / (1 << 20) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_shows_what_differs() {
        let spread = |values: &[f64]| spread(values.iter().copied(), 1);
        assert_eq!(spread(&[2.04, 2.0, 1.96]), "2.0");
        assert_eq!(spread(&[3.0, 1.0, 2.0]), "2.0 (1.0–3.0)");
    }
}
