//! What was measured, as a table, against the bars.

use crate::{
    load::Load,
    server::{Contestant, Setting, Who},
    viewers::Measured,
};

/// For the 20 KB page, over the connection without compression.
const MEMORY_BAR: f64 = 64.0 * 1024.0;

#[derive(Default)]
pub(crate) struct Report {
    all: Vec<(Contestant, Measured)>,
    misses: usize,
}

impl Report {
    pub(crate) fn add(&mut self, contestant: Contestant, measured: Measured) {
        println!(
            "{contestant}: {:.1} KiB, {:.1} µs, {:.0} B, of {} events",
            measured.memory / 1024.0,
            measured.cpu.as_secs_f64() * 1e6,
            measured.bytes,
            measured.events,
        );
        self.all.push((contestant, measured));
    }

    pub(crate) fn misses(&self) -> usize {
        self.misses
    }

    pub(crate) fn print(&mut self, load: Load) {
        println!(
            "\n| {load} | memory over identity, KiB | CPU for an event, µs | bytes for an event |"
        );
        println!("|---|---|---|---|");
        let rows: Vec<_> = self
            .all
            .iter()
            .filter(|(contestant, _)| contestant.load == load)
            .copied()
            .collect();
        for (contestant, measured) in &rows {
            let identity = rows.iter().find(|(other, _)| {
                other.codec.is_none() && is_official(other) == is_official(contestant)
            });
            let over = identity.map_or(0.0, |(_, identity)| measured.memory - identity.memory);
            let rival = rows
                .iter()
                .find(|(other, _)| other.codec == contestant.codec && is_official(other))
                .map_or(*measured, |(_, rival)| *rival);
            let mut missed = |is_missed: bool| match is_missed
                && contestant.who == Who::Sidereal(Setting::Default)
                && contestant.codec.is_some()
            {
                true => {
                    self.misses += 1;
                    " (missed)"
                }
                false => "",
            };
            let memory = missed(load == Load::Page20 && over > MEMORY_BAR);
            let cpu = missed(measured.cpu > rival.cpu);
            let bytes = missed(measured.bytes > rival.bytes);
            println!(
                "| {} | {:.1}{memory} | {:.1}{cpu} | {:.0}{bytes} |",
                contestant,
                over / 1024.0,
                measured.cpu.as_secs_f64() * 1e6,
                measured.bytes,
            );
        }
        println!();
    }
}

fn is_official(contestant: &Contestant) -> bool {
    contestant.who == Who::Official
}
