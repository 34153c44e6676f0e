//! The mission clock that everyone shares, and anyone may set.
//!
//! It is a function of a monotonic [`Instant`] that is passed in, so it has no thread and no timer, and tests need not wait.

use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::cassini::OutsideMission;
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

/// How long the end is shown before the mission begins again, in seconds.
const AT_THE_END: f64 = 6.0;

/// Mission time as a function of the time that has gone by; a while after the end it begins again.
#[derive(Debug)]
pub(crate) struct MissionClock {
    start: Moment,
    end: Moment,
    run: Mutex<Run>,
}

/// How it runs since it was last set.
#[derive(Clone, Copy, Debug)]
struct Run {
    from: Moment,
    since: Instant,
    speed: Speed,
    playing: bool,
}

/// What the clock shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Reading {
    /// Never before the mission's start, never after its end.
    pub(crate) at: Moment,
    /// The speed while it is playing.
    pub(crate) speed: Speed,
    pub(crate) playing: bool,
}

impl MissionClock {
    /// A clock that shows `start` at `now`, and runs.
    pub(crate) fn new(start: Moment, end: Moment, speed: Speed, now: Instant) -> MissionClock {
        let run = Run {
            from: start,
            since: now,
            speed,
            playing: true,
        };
        MissionClock {
            start,
            end,
            run: Mutex::new(run),
        }
    }

    pub(crate) fn read(&self, now: Instant) -> Reading {
        let run = *self.lock();
        Reading {
            at: self.shown(&run, now),
            speed: run.speed,
            playing: run.playing,
        }
    }

    /// Lets it run on, or stops it where it is.
    pub(crate) fn play(&self, playing: bool, now: Instant) {
        self.set(now, |run| run.playing = playing);
    }

    pub(crate) fn set_speed(&self, speed: Speed, now: Instant) {
        self.set(now, |run| run.speed = speed);
    }

    /// Shows another moment, and runs on from there if it was running.
    ///
    /// # Errors
    ///
    /// [`OutsideMission`] before the start and after the end; the clock is as it was.
    pub(crate) fn go_to(&self, at: Moment, now: Instant) -> Result<(), OutsideMission> {
        if !(self.start..=self.end).contains(&at) {
            return Err(OutsideMission {
                asked: at,
                start: self.start,
                end: self.end,
            });
        }
        self.set(now, |run| run.from = at);
        Ok(())
    }

    /// The moment after this part of the mission, from 0 to 1.
    pub(crate) fn part(&self, part: f64) -> Moment {
        let length = self.end.seconds_since(self.start);
        self.start.plus_seconds(length * part)
    }

    fn set(&self, now: Instant, change: impl FnOnce(&mut Run)) {
        let mut run = self.lock();
        run.from = self.shown(&run, now);
        run.since = now;
        change(&mut run);
    }

    fn shown(&self, run: &Run, now: Instant) -> Moment {
        if !run.playing {
            return run.from;
        }
        let length = self.end.seconds_since(self.start);
        let round = length + AT_THE_END * run.speed.0;
        let passed = now.saturating_duration_since(run.since).as_secs_f64() * run.speed.0;
        let passed = (run.from.seconds_since(self.start) + passed) % round;
        if passed < length {
            self.start.plus_seconds(passed)
        } else {
            self.end
        }
    }

    fn lock(&self) -> MutexGuard<'_, Run> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
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

    fn shown(clock: &MissionClock, at: Instant) -> String {
        clock.read(at).at.to_string()
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn starts_at_launch_and_runs() {
        let (clock, now) = clock(20.0);
        assert_eq!(shown(&clock, now), "1997-10-15T08:43:00Z");
        assert_eq!(shown(&clock, now + SECOND / 10), "1997-10-17T08:43:00Z");
        assert_eq!(shown(&clock, now + SECOND * 10), "1998-05-03T08:43:00Z");
        assert_eq!(clock.read(now).speed.days(), 20.0);
        assert!(clock.read(now).playing);
    }

    #[test]
    fn stays_at_the_end_for_a_while_and_begins_again() {
        let (clock, now) = clock(20.0);
        let length = clock.end.seconds_since(clock.start) / (20.0 * 86_400.0);
        let after = |seconds: f64| now + Duration::from_secs_f64(length + seconds);
        for seconds in [0.001, 3.0, AT_THE_END - 0.001] {
            assert_eq!(clock.read(after(seconds)).at, clock.end, "{seconds}");
        }
        let again = clock.read(after(AT_THE_END + 0.1)).at;
        let passed = again.seconds_since(clock.start);
        assert!((passed - 172_800.0).abs() < 1.0, "{again}");
        for i in 0..10_000_u32 {
            let at = clock
                .read(now + Duration::from_millis(u64::from(i) * 137))
                .at;
            assert!(at >= clock.start && at <= clock.end);
        }
    }

    #[test]
    fn stops_and_goes_on_where_it_was() {
        let (clock, now) = clock(1.0);
        clock.play(false, now + SECOND);
        let stopped = clock.read(now + SECOND * 99);
        assert_eq!(stopped.at.to_string(), "1997-10-16T08:43:00Z");
        assert!(!stopped.playing);
        clock.play(false, now + SECOND * 100);
        clock.play(true, now + SECOND * 100);
        assert_eq!(shown(&clock, now + SECOND * 101), "1997-10-17T08:43:00Z");
    }

    #[test]
    fn another_speed_does_not_move_it() {
        let (clock, now) = clock(1.0);
        clock.set_speed(Speed::from_days(10.0).unwrap(), now + SECOND);
        assert_eq!(shown(&clock, now + SECOND), "1997-10-16T08:43:00Z");
        assert_eq!(shown(&clock, now + SECOND * 2), "1997-10-26T08:43:00Z");
    }

    #[test]
    fn goes_to_any_moment_of_the_mission_and_no_other() {
        let (clock, now) = clock(1.0);
        let then = "2004-07-01T02:39Z".parse().unwrap();
        clock.go_to(then, now + SECOND).unwrap();
        assert_eq!(shown(&clock, now + SECOND), "2004-07-01T02:39:00Z");
        assert_eq!(shown(&clock, now + SECOND * 2), "2004-07-02T02:39:00Z");
        clock.play(false, now + SECOND * 2);
        for outside in ["1997-10-15T08:42Z", "2017-09-16"] {
            let outside = outside.parse().unwrap();
            clock.go_to(outside, now + SECOND * 3).unwrap_err();
        }
        assert_eq!(shown(&clock, now + SECOND * 9), "2004-07-02T02:39:00Z");
        clock.go_to(clock.end, now + SECOND * 9).unwrap();
        assert_eq!(clock.read(now + SECOND * 99).at, clock.end);
        assert_eq!((clock.part(0.0), clock.part(1.0)), (clock.start, clock.end));
    }

    #[test]
    fn never_runs_backwards_from_an_earlier_instant() {
        let (clock, now) = clock(1.0);
        if let Some(earlier) = now.checked_sub(Duration::from_secs(5)) {
            assert_eq!(clock.read(earlier).at, clock.start);
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
