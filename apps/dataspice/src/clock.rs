//! The mission clock that everyone shares.
//!
//! It is a function of a monotonic [`Instant`] that is passed in, so it has no thread and no timer, and tests need not wait.

use std::fmt;
use std::str::FromStr;
use std::time::Instant;

use crate::time::Moment;

/// How fast the mission goes by: mission seconds in a second.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(crate) struct Speed(f64);

impl Speed {
    const DAY: f64 = 86_400.0;
    /// 20 mission days a second: the mission takes six minutes.
    pub(crate) const DEFAULT: Speed = Speed(20.0 * Speed::DAY);

    /// From mission days in a second.
    ///
    /// # Errors
    ///
    /// [`SpeedError`] outside of 1 hour to 366 days a second.
    pub(crate) fn from_days(days: f64) -> Result<Speed, SpeedError> {
        if (1.0 / 24.0..=366.0).contains(&days) {
            Ok(Speed(days * Speed::DAY))
        } else {
            Err(SpeedError)
        }
    }

    /// Mission days in a second.
    pub(crate) fn days(self) -> f64 {
        self.0 / Speed::DAY
    }
}

impl FromStr for Speed {
    type Err = SpeedError;

    /// Reads mission days in a second: `20`, `0.5`.
    fn from_str(text: &str) -> Result<Speed, SpeedError> {
        text.parse()
            .map_err(|_| SpeedError)
            .and_then(Speed::from_days)
    }
}

/// Not a speed of the mission clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SpeedError;

impl fmt::Display for SpeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a speed is a number of mission days a second, from 0.0417 (one hour) to 366")
    }
}

impl std::error::Error for SpeedError {}

/// Mission time as a function of the time that has gone by; after the end it begins again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MissionClock {
    start: Moment,
    end: Moment,
    speed: Speed,
    since: Instant,
}

impl MissionClock {
    /// A clock that shows `start` at `now`.
    pub(crate) fn new(start: Moment, end: Moment, speed: Speed, now: Instant) -> MissionClock {
        MissionClock {
            start,
            end,
            speed,
            since: now,
        }
    }

    /// The mission's time: never before the start, always before the end.
    pub(crate) fn at(&self, now: Instant) -> Moment {
        let length = self.end.seconds_since(self.start);
        let passed = now.saturating_duration_since(self.since).as_secs_f64() * self.speed.0;
        self.start
            .plus_seconds(if length > 0.0 { passed % length } else { 0.0 })
    }

    pub(crate) fn speed(&self) -> Speed {
        self.speed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn clock(days: f64) -> (MissionClock, Instant) {
        let now = Instant::now();
        let (start, end) = (
            "1997-10-15T08:43:00Z".parse().unwrap(),
            "2017-09-15T10:31:48Z".parse().unwrap(),
        );
        (
            MissionClock::new(start, end, Speed::from_days(days).unwrap(), now),
            now,
        )
    }

    #[test]
    fn starts_at_launch_and_runs() {
        let (clock, now) = clock(20.0);
        assert_eq!(clock.at(now).to_string(), "1997-10-15T08:43:00Z");
        assert_eq!(
            clock.at(now + Duration::from_millis(100)).to_string(),
            "1997-10-17T08:43:00Z"
        );
        assert_eq!(
            clock.at(now + Duration::from_secs(10)).to_string(),
            "1998-05-03T08:43:00Z"
        );
        assert_eq!(clock.speed().days(), 20.0);
    }

    #[test]
    fn begins_again_after_the_end() {
        let (clock, now) = clock(20.0);
        let length = clock.end.seconds_since(clock.start);
        let round = Duration::from_secs_f64(length / clock.speed.0);
        let again = clock.at(now + round * 3 + Duration::from_millis(100));
        assert!(
            (again.seconds_since(clock.start) - 172_800.0).abs() < 1.0,
            "{again}"
        );
        for i in 0..10_000_u32 {
            let at = clock.at(now + Duration::from_millis(u64::from(i) * 137));
            assert!(at >= clock.start && at < clock.end);
        }
    }

    #[test]
    fn never_runs_backwards_from_an_earlier_instant() {
        let (clock, now) = clock(1.0);
        if let Some(earlier) = now.checked_sub(Duration::from_secs(5)) {
            assert_eq!(clock.at(earlier), clock.start);
        }
    }

    #[test]
    fn refuses_speeds_of_nonsense() {
        for text in ["", "fast", "0", "-1", "NaN", "inf", "367", "0.04", "1e400"] {
            assert_eq!(text.parse::<Speed>(), Err(SpeedError), "{text}");
        }
        assert_eq!("20".parse(), Ok(Speed::DEFAULT));
        assert_eq!("366".parse::<Speed>().map(Speed::days), Ok(366.0));
    }
}
