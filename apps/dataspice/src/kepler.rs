//! Two-body motion along an ellipse.
//!
//! The state is carried by the elliptic f and g functions of the change in eccentric anomaly. Whole turns are dropped before
//! anything is solved, so an arc with 23 revolutions is no harder than one with half a revolution; a universal-variable Newton
//! iteration from the usual first guess fails there.

use std::f64::consts::TAU;
use std::fmt;

use crate::vector::Vector;

/// Where something is and how it moves, relative to some centre.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct State {
    /// km.
    pub(crate) position: Vector,
    /// km/s.
    pub(crate) velocity: Vector,
}

/// The state is not one of an ellipse, so it cannot be carried along one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct NotAnEllipse {
    /// km; negative for a hyperbola, not finite for a parabola or for no orbit at all.
    pub(crate) semi_major_axis: f64,
}

impl fmt::Display for NotAnEllipse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "not an ellipse: its semi-major axis would be {} km",
            self.semi_major_axis
        )
    }
}

impl std::error::Error for NotAnEllipse {}

/// The state `seconds` later (or earlier, where negative), about a centre with the gravitational parameter `gm` in km³/s².
///
/// # Errors
///
/// [`NotAnEllipse`] where the state is not bound to the centre, or not made of finite numbers.
pub(crate) fn propagate(start: State, gm: f64, seconds: f64) -> Result<State, NotAnEllipse> {
    let r0 = start.position.length();
    let a = 1.0 / (2.0 / r0 - start.velocity.dot(start.velocity) / gm);
    if !(a.is_finite() && a > 0.0 && r0 > 0.0 && seconds.is_finite()) {
        return Err(NotAnEllipse { semi_major_axis: a });
    }

    // e cos E0 and e sin E0 of the starting point.
    let e_cos = 1.0 - r0 / a;
    let e_sin = start.position.dot(start.velocity) / (gm * a).sqrt();

    let mean_motion = (gm / (a * a * a)).sqrt();
    let turn = (mean_motion * seconds).rem_euclid(TAU);
    let mean = if turn > TAU / 2.0 { turn - TAU } else { turn };
    let change = eccentric_change(e_cos, e_sin, mean);

    let (sin, cos) = change.sin_cos();
    let r = a * (1.0 - e_cos * cos + e_sin * sin);
    let f = 1.0 - a / r0 * (1.0 - cos);
    let g = (mean - change + sin) / mean_motion;
    let f_dot = -(gm * a).sqrt() / (r * r0) * sin;
    let g_dot = 1.0 - a / r * (1.0 - cos);
    Ok(State {
        position: start.position * f + start.velocity * g,
        velocity: start.position * f_dot + start.velocity * g_dot,
    })
}

/// Solves `E - e_cos sin E + e_sin (1 - cos E) = mean` for E.
///
/// The left side rises everywhere (its derivative is r/a) and differs from E by at most 2e < 2, which brackets the root;
/// a Newton step that leaves the bracket is replaced by halving it.
fn eccentric_change(e_cos: f64, e_sin: f64, mean: f64) -> f64 {
    let (mut low, mut high) = (mean - 2.0, mean + 2.0);
    let mut e = mean;
    for _ in 0..100 {
        let (sin, cos) = e.sin_cos();
        let miss = e - e_cos * sin + e_sin * (1.0 - cos) - mean;
        if miss > 0.0 {
            high = e;
        } else {
            low = e;
        }
        let newton = e - miss / (1.0 - e_cos * cos + e_sin * sin);
        let next = if newton > low && newton < high {
            newton
        } else {
            f64::midpoint(low, high)
        };
        if (next - e).abs() < 1e-15 {
            return next;
        }
        e = next;
    }
    e
}

#[cfg(test)]
mod tests {
    use super::*;

    const GM: f64 = 37_940_584.841_8;

    fn ellipse(periapsis: f64, e: f64) -> State {
        State {
            position: Vector::new(periapsis, 0.0, 0.0),
            velocity: Vector::new(0.0, (GM * (1.0 + e) / periapsis).sqrt(), 0.0),
        }
    }

    #[test]
    fn comes_back_after_many_turns_however_thin_the_ellipse() {
        for e in [0.0, 0.3, 0.9, 0.99, 0.999] {
            let start = ellipse(80_000.0, e);
            let a = 80_000.0 / (1.0 - e);
            let period = TAU * (a * a * a / GM).sqrt();
            for turns in [1.0, 23.0, -23.0] {
                let end = propagate(start, GM, period * turns).unwrap();
                // At 31 km/s, the rounding of 23 periods of 23 years is 0.2 km.
                assert!(
                    end.position.distance(start.position) < 0.5,
                    "e {e}, {turns} turns: {end:?}"
                );
            }
        }
    }

    #[test]
    fn half_a_turn_is_at_apoapsis() {
        let start = ellipse(100_000.0, 0.5);
        let a: f64 = 200_000.0;
        let end = propagate(start, GM, TAU / 2.0 * (a * a * a / GM).sqrt()).unwrap();
        assert!(
            end.position.distance(Vector::new(-300_000.0, 0.0, 0.0)) < 1e-3,
            "{end:?}"
        );
    }

    #[test]
    fn there_and_back_again() {
        let start = ellipse(100_000.0, 0.8);
        for seconds in [1.0, 1e3, 1e5, 1e7, 3e8] {
            let there = propagate(start, GM, seconds).unwrap();
            let back = propagate(there, GM, -seconds).unwrap();
            assert!(
                back.position.distance(start.position) < 0.5,
                "{seconds} s: {back:?}"
            );
            let energy = |s: State| s.velocity.dot(s.velocity) / 2.0 - GM / s.position.length();
            assert!((energy(there) / energy(start) - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn refuses_what_is_no_ellipse() {
        let mut fast = ellipse(100_000.0, 0.5);
        fast.velocity = fast.velocity * 3.0;
        assert!(
            propagate(fast, GM, 1.0)
                .unwrap_err()
                .to_string()
                .contains("not an ellipse")
        );
        let nowhere = State {
            position: Vector::ZERO,
            velocity: Vector::ZERO,
        };
        assert!(propagate(nowhere, GM, 1.0).is_err());
        assert!(propagate(ellipse(100_000.0, 0.5), GM, f64::NAN).is_err());
    }
}
