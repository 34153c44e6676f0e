//! Huygens: with Cassini, alone, and on Titan.
//!
//! Its flight is one ellipse about Saturn from where Cassini lets it go to where Titan is at entry. Titan's pull, which acts on the
//! last day only, is left out, as it is in Cassini's arcs.

use std::fmt;

use crate::kepler::{self, NotAnEllipse, State};
use crate::time::Moment;
use crate::vector::Vector;

/// The three moments that divide its life.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Times {
    pub(crate) release: Moment,
    pub(crate) entry: Moment,
    pub(crate) landing: Moment,
}

/// The probe's path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Huygens {
    times: Times,
    /// About Saturn, at the release.
    start: State,
    gm: f64,
}

/// What the probe is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Rides,
    Flies,
    Descends,
    Rests,
}

impl Stage {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Stage::Rides => "rides with Cassini",
            Stage::Flies => "on its way to Titan",
            Stage::Descends => "descends",
            Stage::Rests => "on Titan's surface",
        }
    }
}

impl Huygens {
    /// The flight that leaves Cassini at the release and meets Titan at the entry. Both places are relative to Saturn.
    ///
    /// # Errors
    ///
    /// [`HuygensError`] where no such flight is found.
    pub(crate) fn aimed(
        times: Times,
        cassini: State,
        titan: Vector,
        gm: f64,
    ) -> Result<Huygens, HuygensError> {
        let flight = times.entry.seconds_since(times.release);
        if !(flight > 0.0 && times.landing > times.entry) {
            return Err(HuygensError::Order);
        }
        let start = aim(cassini, titan, gm, flight)?;
        Ok(Huygens { times, start, gm })
    }

    pub(crate) fn stage(&self, at: Moment) -> Stage {
        match at {
            _ if at < self.times.release => Stage::Rides,
            _ if at < self.times.entry => Stage::Flies,
            _ if at < self.times.landing => Stage::Descends,
            _ => Stage::Rests,
        }
    }

    /// Place and velocity about Saturn while it flies.
    ///
    /// # Errors
    ///
    /// None in the flight, which is an ellipse: that was seen when it was aimed.
    pub(crate) fn flight(&self, at: Moment) -> Result<State, NotAnEllipse> {
        kepler::propagate(self.start, self.gm, at.seconds_since(self.times.release))
    }
}

/// Finds the velocity with which `from` gets to `target` in some seconds: Newton's method from the velocity that it has.
fn aim(from: State, target: Vector, gm: f64, seconds: f64) -> Result<State, HuygensError> {
    /// km; the mean elements of Titan are good to some thousand.
    const NEAR_ENOUGH: f64 = 1e-3;
    /// km/s, by which each component is changed to see what comes of it.
    const NUDGE: f64 = 1e-6;
    let mut start = from;
    for _ in 0..30 {
        let end = |velocity| {
            let state = State { velocity, ..from };
            kepler::propagate(state, gm, seconds)
                .map(|end| end.position)
                .map_err(HuygensError::Orbit)
        };
        let miss = target - end(start.velocity)?;
        if miss.length() < NEAR_ENOUGH {
            return Ok(start);
        }
        let column = |nudge: Vector| {
            let (more, less) = (
                end(start.velocity + nudge * NUDGE)?,
                end(start.velocity - nudge * NUDGE)?,
            );
            Ok((more - less) * (0.5 / NUDGE))
        };
        let columns = [
            column(Vector::new(1.0, 0.0, 0.0))?,
            column(Vector::new(0.0, 1.0, 0.0))?,
            column(Vector::new(0.0, 0.0, 1.0))?,
        ];
        start.velocity = start.velocity + solve(columns, miss).ok_or(HuygensError::NoFlight)?;
    }
    Err(HuygensError::NoFlight)
}

/// Solves `a x + b y + c z = right` by Cramer's rule.
fn solve([a, b, c]: [Vector; 3], right: Vector) -> Option<Vector> {
    let volume = |a: Vector, b: Vector, c: Vector| a.dot(b.cross(c));
    let whole = volume(a, b, c);
    let solution = Vector::new(
        volume(right, b, c),
        volume(a, right, c),
        volume(a, b, right),
    );
    let solution = solution * (1.0 / whole);
    solution.length().is_finite().then_some(solution)
}

/// No path of Huygens was found.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub(crate) enum HuygensError {
    /// The mission's events do not tell of its release, entry or landing.
    NoEvent(&'static str),
    /// Release, entry and landing do not follow each other.
    Order,
    /// Cassini is not where the probe could fly on an ellipse.
    Orbit(NotAnEllipse),
    /// No flight leads from Cassini to Titan in that time.
    NoFlight,
}

impl fmt::Display for HuygensError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HuygensError::NoEvent(text) => write!(f, "no event begins with {text:?}"),
            HuygensError::Order => {
                f.write_str("release, entry and landing of Huygens do not follow each other")
            }
            HuygensError::Orbit(error) => write!(f, "Huygens cannot fly: {error}"),
            HuygensError::NoFlight => f.write_str("no flight of Huygens to Titan was found"),
        }
    }
}

impl std::error::Error for HuygensError {}

#[cfg(test)]
mod tests {
    use super::*;

    const GM: f64 = 37_940_584.841_8;

    fn times() -> Times {
        Times {
            release: "2004-12-25T02:00Z".parse().unwrap(),
            entry: "2005-01-14T09:06Z".parse().unwrap(),
            landing: "2005-01-14T11:38Z".parse().unwrap(),
        }
    }

    /// Far from Saturn and slow, as near the farthest point of a long ellipse.
    fn far() -> State {
        State {
            position: Vector::new(-4e6, -1e6, 2e5),
            velocity: Vector::new(1.0, -1.5, 0.5),
        }
    }

    #[test]
    fn finds_a_flight_that_it_was_not_told() {
        let seconds = times().entry.seconds_since(times().release);
        let target = kepler::propagate(far(), GM, seconds).unwrap().position;
        let mut off = far();
        off.velocity = off.velocity + Vector::new(0.01, -0.02, 0.01);
        let huygens = Huygens::aimed(times(), off, target, GM).unwrap();
        assert!(huygens.start.velocity.distance(far().velocity) < 1e-6);
        let end = huygens.flight(times().entry).unwrap().position;
        assert!(end.distance(target) < 1e-3);
    }

    #[test]
    fn says_where_it_is_in_words() {
        let seconds = times().entry.seconds_since(times().release);
        let target = kepler::propagate(far(), GM, seconds).unwrap().position;
        let huygens = Huygens::aimed(times(), far(), target, GM).unwrap();
        for (utc, said) in [
            ("1997-10-15", "rides with Cassini"),
            ("2004-12-25T01:59:59Z", "rides with Cassini"),
            ("2004-12-25T02:00:00Z", "on its way to Titan"),
            ("2005-01-14T09:05:59Z", "on its way to Titan"),
            ("2005-01-14T09:06:00Z", "descends"),
            ("2005-01-14T11:38:00Z", "on Titan's surface"),
            ("2017-09-15", "on Titan's surface"),
        ] {
            assert_eq!(huygens.stage(utc.parse().unwrap()).name(), said, "{utc}");
        }
    }

    #[test]
    fn tells_where_there_is_no_flight() {
        let mut fast = far();
        fast.velocity = fast.velocity * 20.0;
        let of = |times, state| Huygens::aimed(times, state, Vector::ZERO, GM).unwrap_err();
        assert!(matches!(of(times(), fast), HuygensError::Orbit(_)));
        let backwards = Times {
            entry: times().release,
            ..times()
        };
        assert_eq!(of(backwards, far()), HuygensError::Order);
    }
}
