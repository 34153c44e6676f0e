//! Times, and how long most of them are.

use std::time::Duration;

/// Of many times, how long they were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quantiles {
    /// Half of them were no longer.
    pub p50: Duration,
    /// Of a hundred, 99 were no longer.
    pub p99: Duration,
    /// None was longer.
    pub max: Duration,
}

impl Quantiles {
    /// Of these times; zero where there is none.
    pub fn new(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |share: f64| {
            let place = (times.len() as f64 * share).ceil() as usize;
            times
                .get(place.saturating_sub(1))
                .copied()
                .unwrap_or_default()
        };
        Self {
            p50: at(0.50),
            p99: at(0.99),
            max: at(1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_hundred_times_one_is_longer_than_p99() {
        let times = (1..=100).rev().map(Duration::from_millis).collect();
        let [p50, p99, max] = [50, 99, 100].map(Duration::from_millis);
        assert_eq!(Quantiles::new(times), Quantiles { p50, p99, max });
        assert_eq!(Quantiles::new(Vec::new()), Quantiles::default());
    }
}
