//! What the server does and spends, as it is measured: events and bytes by mode, and processor time.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sidereal::{Client, Observer, Wrote};

use crate::processor;

/// How pages get their pictures.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    #[default]
    Push,
    Pull,
}

/// Counts what all streams send. It is told by Sidereal of each event; a client's [`Mode`] is among its data.
#[derive(Debug)]
pub(crate) struct Meter(Mutex<Counts>);

#[derive(Debug)]
struct Counts {
    /// By [`Mode`], since the last measurement.
    sent: [Sent; 2],
    /// Tabs that pull, and when each did last.
    pullers: HashMap<String, Instant>,
    since: Instant,
    processor: Option<Duration>,
    /// The last measurement of each mode in which it was used.
    last: [Rates; 2],
}

#[derive(Clone, Copy, Debug, Default)]
struct Sent {
    answers: u64,
    events: u64,
    encoded: u64,
    sent: u64,
}

/// One measurement: for pages, as signals. Nothing in it is ever null, which would remove a signal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Measured {
    /// The last time that the mode was used, if not now; zeros before the first.
    push: Rates,
    pull: Rates,
    /// Pages that are open now, in each mode.
    pushed: usize,
    pulled: usize,
    /// Of a processor, for all of them, in milliseconds a second; 0 where the system does not tell.
    cpu: f64,
}

/// For each viewer in one mode, a second. Bytes are those of bodies, without heads of requests and answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Rates {
    events: f64,
    /// Before compression.
    encoded: u64,
    /// On the wire.
    sent: u64,
    /// Requests.
    answers: f64,
    /// Milliseconds of a processor for each viewer, the last time that all were in this mode; 0 before.
    cpu: f64,
}

/// Who has not pulled for so long has left.
const PATIENCE: Duration = Duration::from_secs(2);

/// At most so many that pull are told apart.
const MAX_PULLERS: usize = 100_000;

impl Default for Meter {
    fn default() -> Meter {
        Meter(Mutex::new(Counts {
            sent: Default::default(),
            pullers: HashMap::new(),
            since: Instant::now(),
            processor: processor::time(),
            last: Default::default(),
        }))
    }
}

impl Meter {
    /// A tab has pulled.
    pub(crate) fn pulled(&self, tab: &str) {
        let mut counts = self.lock();
        counts.sent[Mode::Pull as usize].answers += 1;
        if counts.pullers.len() < MAX_PULLERS || counts.pullers.contains_key(tab) {
            counts.pullers.insert(tab.to_owned(), Instant::now());
        }
    }

    /// What was done since the last time, with so many push streams open.
    pub(crate) fn measure(&self, pushed: usize) -> Measured {
        let now = Instant::now();
        let processor = processor::time();
        let mut counts = self.lock();
        let seconds = now.saturating_duration_since(counts.since).as_secs_f64();
        counts
            .pullers
            .retain(|_, at| now.saturating_duration_since(*at) < PATIENCE);
        let spent = processor.zip(counts.processor);
        let cpu =
            spent.map(|(now, before)| now.saturating_sub(before).as_secs_f64() * 1e3 / seconds);
        let viewers = [pushed, counts.pullers.len()];
        let all: usize = viewers.iter().sum();
        for (mode, viewers) in viewers.into_iter().enumerate() {
            let sent = std::mem::take(&mut counts.sent[mode]);
            if viewers == 0 || sent.events == 0 {
                continue;
            }
            let each = |count: u64| count as f64 / seconds / viewers as f64;
            let are_all = viewers == all;
            let rates = &mut counts.last[mode];
            *rates = Rates {
                events: rounded(each(sent.events)),
                encoded: each(sent.encoded).round() as u64,
                sent: each(sent.sent).round() as u64,
                answers: rounded(each(sent.answers)),
                cpu: cpu
                    .filter(|_| are_all)
                    .map_or(rates.cpu, |cpu| rounded(cpu / viewers as f64)),
            };
        }
        counts.since = now;
        counts.processor = processor;
        Measured {
            push: counts.last[Mode::Push as usize],
            pull: counts.last[Mode::Pull as usize],
            pushed,
            pulled: counts.pullers.len(),
            cpu: cpu.map_or(0.0, rounded),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Meter {
    fn wrote(&self, client: &Client, wrote: &Wrote) {
        let Some(mode) = client.data::<Mode>() else {
            return;
        };
        let mut counts = self.lock();
        let sent = &mut counts.sent[*mode as usize];
        sent.events += 1;
        sent.encoded += wrote.encoded() as u64;
        sent.sent += wrote.sent() as u64;
    }
}

fn rounded(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}
