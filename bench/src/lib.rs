//! Measuring ourselves beside others, in one run.
//!
//! These machines are noisy, so a time by itself says little: contestants take turns, round by
//! round, and what counts is the ratio of their medians. Results are checked, so that a wrong
//! answer is not a fast one.

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

/// Times one call for each input, and returns the results, to be checked by the caller.
pub fn timed<I, O>(inputs: Vec<I>, mut operation: impl FnMut(I) -> O) -> (Duration, Vec<O>) {
    let mut results = Vec::with_capacity(inputs.len());
    let begun = Instant::now();
    for input in inputs {
        results.push(operation(input));
    }
    (begun.elapsed(), results)
}
