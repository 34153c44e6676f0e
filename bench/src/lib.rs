//! Measuring ourselves beside others, in one run.
//!
//! These machines are noisy, so a time by itself says little: contestants take turns, round by
//! round, and what counts is the ratio of their medians. Results are checked, so that a wrong
//! answer is not a fast one.

pub mod arguments;
pub mod child;
pub mod content;
pub mod decode;
pub mod nginx;
pub mod order;
pub mod page;
pub mod process;
pub mod publisher;
pub mod quantiles;
pub mod recording;
pub mod stamped;

use std::time::{Duration, Instant};

/// How long one contestant took for one operation, over all rounds.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    /// The fastest round.
    pub fastest: Duration,
    /// The middle round.
    pub median: Duration,
    /// The slowest round.
    pub slowest: Duration,
}

/// Runs contestants in turns.
///
/// Each is called with the number of operations to do in one round, and returns how long they
/// took: so it prepares and checks outside of what it times.
pub fn take_turns<const N: usize>(
    rounds: usize,
    operations: usize,
    mut contestants: [&mut dyn FnMut(usize) -> Duration; N],
) -> [Spread; N] {
    let mut times: [Vec<Duration>; N] = std::array::from_fn(|_| Vec::new());
    // One round to warm up, which does not count.
    for round in 0..=rounds {
        for (contestant, times) in contestants.iter_mut().zip(&mut times) {
            let time = contestant(operations);
            if round > 0 {
                times.push(time / operations as u32);
            }
        }
    }
    times.map(|mut times| {
        times.sort();
        Spread {
            fastest: times.first().copied().unwrap_or_default(),
            median: times.get(times.len() / 2).copied().unwrap_or_default(),
            slowest: times.last().copied().unwrap_or_default(),
        }
    })
}

/// Times `count` calls of an operation: in small batches, so that inputs and results stay in the
/// cache and the allocator has memory at hand, as in a server that frees what it has sent.
///
/// Inputs are made, and results checked and dropped, outside of what is timed.
pub fn timed<I, O>(
    count: usize,
    mut input: impl FnMut() -> I,
    mut operation: impl FnMut(I) -> O,
    mut check: impl FnMut(&O),
) -> Duration {
    const BATCH: usize = 50;
    let mut time = Duration::ZERO;
    let mut results = Vec::with_capacity(BATCH);
    for _ in 0..count.div_ceil(BATCH) {
        let inputs: Vec<I> = std::iter::repeat_with(&mut input).take(BATCH).collect();
        let begun = Instant::now();
        for input in inputs {
            results.push(operation(input));
        }
        time += begun.elapsed();
        results.drain(..).for_each(|result| check(&result));
    }
    time
}
