//! What the server does and spends, as it is measured: events and bytes by mode, and processor time.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sidereal::{Client, Ended, Observer, Wrote};

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
    /// Since the last measurement, by [`Mode`].
    used: [Used; 2],
    /// Push streams that are open.
    pushed: usize,
    /// Until when their time is counted.
    counted: Instant,
    /// When each tab pulled last.
    pullers: HashMap<String, Instant>,
    since: Instant,
    processor: Option<Duration>,
    /// The last measurement of each mode in which it was used.
    last: [Rates; 2],
}

/// How much a mode was used.
#[derive(Clone, Copy, Debug, Default)]
struct Used {
    /// The time of all viewers together, as far as each was there: what came is divided by it, so that who comes or goes
    /// meanwhile changes nothing.
    time: Duration,
    answers: u64,
    /// Of these, how many followed another one of the same tab, after a time that is counted above.
    intervals: u64,
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
    /// How many there were.
    viewers: usize,
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

/// What is shorter says nothing.
const LEAST: Duration = Duration::from_millis(700);

/// Where nobody looked for so long, nothing was measured: processor time is of something else.
const LONGEST: Duration = Duration::from_secs(5);

/// At most so many that pull are told apart, by so many characters.
const MAX_PULLERS: usize = 20_000;
const MAX_TAB: usize = 64;

impl Default for Meter {
    fn default() -> Meter {
        Meter::new(Instant::now())
    }
}

impl Meter {
    fn new(now: Instant) -> Meter {
        Meter(Mutex::new(Counts {
            used: Default::default(),
            pushed: 0,
            counted: now,
            pullers: HashMap::new(),
            since: now,
            processor: processor::time(),
            last: Default::default(),
        }))
    }

    /// A tab has pulled.
    pub(crate) fn pulled(&self, tab: &str) {
        self.pulled_at(tab, Instant::now());
    }

    fn pulled_at(&self, tab: &str, now: Instant) {
        let mut counts = self.lock();
        let tab: String = tab.chars().take(MAX_TAB).collect();
        let before = counts.pullers.get(&tab).copied();
        if before.is_some() || counts.pullers.len() < MAX_PULLERS {
            counts.pullers.insert(tab, now);
        }
        let used = &mut counts.used[Mode::Pull as usize];
        used.answers += 1;
        let waited = before.map(|before| now.saturating_duration_since(before));
        if let Some(waited) = waited.filter(|waited| *waited < PATIENCE) {
            used.intervals += 1;
            used.time += waited;
        }
    }

    /// What was done since the last time.
    pub(crate) fn measure(&self) -> Measured {
        self.measure_at(Instant::now(), processor::time())
    }

    fn measure_at(&self, now: Instant, processor: Option<Duration>) -> Measured {
        let mut counts = self.lock();
        counts.count_time(now);
        let window = now.saturating_duration_since(counts.since);
        counts
            .pullers
            .retain(|_, at| now.saturating_duration_since(*at) < PATIENCE);
        let is_measured = (LEAST..LONGEST).contains(&window);
        let spent = processor.zip(counts.processor).filter(|_| is_measured);
        let cpu = spent.map(|(now, before)| {
            now.saturating_sub(before).as_secs_f64() * 1e3 / window.as_secs_f64()
        });
        let used = std::mem::take(&mut counts.used);
        let viewers = [counts.pushed, counts.pullers.len()];
        for mode in [Mode::Push, Mode::Pull] {
            let [used_by_others, viewers_of_others] = match mode {
                Mode::Push => [used[1].events, viewers[1] as u64],
                Mode::Pull => [used[0].events, viewers[0] as u64],
            };
            let are_all = used_by_others == 0 && viewers_of_others == 0;
            let rates = &mut counts.last[mode as usize];
            if let Some(new) = used[mode as usize].rates(mode, cpu.filter(|_| are_all), window) {
                let cpu = if new.cpu > 0.0 { new.cpu } else { rates.cpu };
                *rates = Rates { cpu, ..new };
            }
        }
        counts.since = now;
        counts.processor = processor;
        Measured {
            push: counts.last[Mode::Push as usize],
            pull: counts.last[Mode::Pull as usize],
            pushed: viewers[0],
            pulled: viewers[1],
            cpu: cpu.map_or(0.0, rounded),
        }
    }

    fn opened(&self, now: Instant) {
        let mut counts = self.lock();
        counts.count_time(now);
        counts.pushed += 1;
    }

    fn closed(&self, now: Instant) {
        let mut counts = self.lock();
        counts.count_time(now);
        counts.pushed = counts.pushed.saturating_sub(1);
    }

    fn sent(&self, mode: Mode, encoded: usize, sent: usize) {
        let used = &mut self.lock().used[mode as usize];
        used.events += 1;
        used.encoded += encoded as u64;
        used.sent += sent as u64;
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    /// Counts the time of the push streams that were open until now.
    fn count_time(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.counted);
        let pushed = u32::try_from(self.pushed).unwrap_or(u32::MAX);
        self.used[Mode::Push as usize].time += passed.saturating_mul(pushed);
        self.counted = now;
    }
}

impl Used {
    /// None where it was used for too short a time.
    fn rates(&self, mode: Mode, cpu: Option<f64>, window: Duration) -> Option<Rates> {
        if self.time < LEAST || self.events == 0 {
            return None;
        }
        let seconds = self.time.as_secs_f64();
        // Of what was pulled, each answer counts for the interval before it.
        let share = match mode {
            Mode::Push => 1.0,
            Mode::Pull => self.intervals as f64 / self.answers.max(1) as f64,
        };
        let each = |count: u64| count as f64 * share / seconds;
        let viewers = (seconds / window.as_secs_f64()).round().max(1.0);
        Some(Rates {
            viewers: viewers as usize,
            events: rounded(each(self.events)),
            encoded: each(self.encoded).round() as u64,
            sent: each(self.sent).round() as u64,
            answers: rounded(each(self.answers)),
            cpu: cpu.map_or(0.0, |cpu| rounded(cpu / viewers)),
        })
    }
}

impl Observer for Meter {
    fn connected(&self, client: &Client) {
        if client.data() == Some(&Mode::Push) {
            self.opened(Instant::now());
        }
    }

    fn wrote(&self, client: &Client, wrote: &Wrote) {
        if let Some(mode) = client.data::<Mode>() {
            self.sent(*mode, wrote.encoded(), wrote.sent());
        }
    }

    fn ended(&self, client: &Client, _: &Ended) {
        if client.data() == Some(&Mode::Push) {
            self.closed(Instant::now());
        }
    }
}

fn rounded(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_millis(100);

    /// Some seconds of a viewer in each mode, by the same clock.
    struct Time {
        meter: Meter,
        now: Instant,
        processor: Duration,
    }

    impl Time {
        fn new() -> Time {
            let now = Instant::now();
            let meter = Meter::new(now);
            meter.lock().processor = Some(Duration::ZERO);
            Time {
                meter,
                now,
                processor: Duration::ZERO,
            }
        }

        fn pass(&mut self, ticks: u32, mut each: impl FnMut(&Meter, Instant)) {
            for _ in 0..ticks {
                self.now += TICK;
                each(&self.meter, self.now);
            }
        }

        /// After ten milliseconds of work.
        fn measure(&mut self) -> Measured {
            self.processor += Duration::from_millis(10);
            self.meter.measure_at(self.now, Some(self.processor))
        }
    }

    fn push(meter: &Meter, _: Instant) {
        meter.sent(Mode::Push, 700, 200);
    }

    fn pull(meter: &Meter, now: Instant) {
        meter.pulled_at("a", now);
        for _ in 0..5 {
            meter.sent(Mode::Pull, 700, 300);
        }
    }

    #[test]
    fn each_viewer_is_told_of_whoever_comes_and_goes() {
        let mut time = Time::new();
        time.meter.opened(time.now);
        time.pass(20, push);
        let alone = time.measure().push;
        assert_eq!((alone.viewers, alone.events, alone.sent), (1, 10.0, 2000));
        assert_eq!((alone.answers, alone.cpu), (0.0, 5.0));
        // A hundred come, stay for a second, and go.
        for _ in 0..100 {
            time.meter.opened(time.now);
        }
        time.pass(10, |meter, now| (0..101).for_each(|_| push(meter, now)));
        for _ in 0..100 {
            time.meter.closed(time.now);
        }
        time.pass(10, push);
        let many = time.measure().push;
        assert_eq!((many.viewers, many.events, many.sent), (51, 10.0, 2000));
    }

    #[test]
    fn what_was_pulled_stays_right_after_the_last_pull() {
        let mut time = Time::new();
        let mut last = None;
        time.pass(17, pull);
        for _ in 0..4 {
            last = Some(time.measure());
            time.pass(20, |_, _| {});
        }
        let pull = last.unwrap().pull;
        assert_eq!((pull.answers, pull.events, pull.sent), (10.0, 50.0, 15_000));
    }

    #[test]
    fn one_answer_alone_and_a_long_silence_say_nothing() {
        let mut time = Time::new();
        time.pass(600, |_, _| {});
        time.meter.opened(time.now);
        time.pass(5, push);
        assert_eq!(time.measure().push, Rates::default());
        time.pass(20, push);
        let pushed = time.measure();
        assert_eq!(pushed.push.events, 10.0);
        time.pass(1, pull);
        time.pass(19, push);
        assert_eq!(time.measure().pull, Rates::default());
    }

    #[test]
    fn the_processor_is_shared_out_where_all_are_in_one_mode() {
        let mut time = Time::new();
        time.meter.opened(time.now);
        time.pass(20, |meter, now| {
            push(meter, now);
            pull(meter, now);
        });
        let both = time.measure();
        assert_eq!((both.cpu, both.push.cpu, both.pull.cpu), (5.0, 0.0, 0.0));
        assert_eq!((both.pushed, both.pulled), (1, 1));
    }

    #[test]
    fn tabs_are_told_apart_by_their_beginning_and_not_kept_for_ever() {
        let meter = Meter::default();
        let now = Instant::now();
        for tab in 0..2 * MAX_PULLERS {
            meter.pulled_at(&format!("{tab}-{}", "x".repeat(1000)), now);
        }
        let counts = meter.lock();
        assert_eq!(counts.pullers.len(), MAX_PULLERS);
        assert!(counts.pullers.keys().all(|tab| tab.len() == MAX_TAB));
    }
}
