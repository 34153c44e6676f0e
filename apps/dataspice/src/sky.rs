//! The solar system at one instant.

use crate::body::Body;
use crate::cassini::{Center, Event, Mission, OutsideMission, Phase};
use crate::kepler::State;
use crate::planets;
use crate::time::Moment;
use crate::vector::Vector;

/// km/s.
const LIGHT: f64 = 299_792.458;

/// A picture of the system: every body's place and velocity about the Sun, and what Cassini is doing.
#[derive(Clone, Debug)]
pub(crate) struct Sky {
    pub(crate) at: Moment,
    /// In the order of [`Body::ALL`].
    states: [State; Body::ALL.len()],
    pub(crate) cassini: Cassini,
}

/// What there is to say of Cassini besides its place.
#[derive(Clone, Debug)]
pub(crate) struct Cassini {
    pub(crate) phase: Phase,
    /// The stretch of its path: `T-45 to T-46`.
    pub(crate) leg: String,
    pub(crate) center: Center,
    /// Relative to the centre, km and km/s.
    pub(crate) about_center: State,
    /// The last event, and the next.
    pub(crate) last: Option<Event>,
    pub(crate) next: Option<Event>,
}

impl Sky {
    /// Computes all of it, in about a millisecond.
    ///
    /// # Errors
    ///
    /// [`OutsideMission`] before launch, and after the end.
    pub(crate) fn at(mission: &Mission, at: Moment) -> Result<Sky, OutsideMission> {
        let place = mission.place(at)?;
        let resting = State { position: Vector::ZERO, velocity: Vector::ZERO };
        let mut states = Body::ALL.map(|body| planets::state(body, at).unwrap_or(resting));
        let center = match place.arc.center {
            Center::Sun => resting,
            Center::Saturn => states[Body::Saturn as usize],
        };
        states[Body::Cassini as usize] = State {
            position: center.position + place.state.position,
            velocity: center.velocity + place.state.velocity,
        };
        Ok(Sky {
            at,
            states,
            cassini: Cassini {
                phase: Phase::at(at),
                leg: place.arc.name.clone(),
                center: place.arc.center,
                about_center: place.state,
                last: mission.last_event(at).cloned(),
                next: mission.next_event(at).cloned(),
            },
        })
    }

    /// Place (km) and velocity (km/s) about the Sun.
    pub(crate) fn state(&self, body: Body) -> State {
        self.states[body as usize]
    }

    /// km between two bodies.
    pub(crate) fn distance(&self, one: Body, other: Body) -> f64 {
        self.state(one).position.distance(self.state(other).position)
    }

    /// km/s of one body as seen from another.
    pub(crate) fn speed(&self, of: Body, seen_from: Body) -> f64 {
        self.state(of).velocity.distance(self.state(seen_from).velocity)
    }

    /// Seconds that light takes between two bodies.
    pub(crate) fn light_seconds(&self, one: Body, other: Body) -> f64 {
        self.distance(one, other) / LIGHT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sky(utc: &str) -> Sky {
        Sky::at(&Mission::load().unwrap(), utc.parse().unwrap()).unwrap()
    }

    #[test]
    fn leaves_from_earth() {
        let sky = sky("1997-10-15T08:43:00Z");
        assert!(sky.distance(Body::Cassini, Body::Earth) < 200_000.0);
        assert_eq!(sky.cassini.phase, Phase::InnerCruise);
        assert!(sky.cassini.next.unwrap().text.starts_with("Venus flyby 1"));
    }

    #[test]
    fn ends_at_saturn() {
        let sky = sky("2017-09-15T10:31:48Z");
        // The place of the plunge is off by more than Saturn's radius; see data/README.md.
        assert!(sky.distance(Body::Cassini, Body::Saturn) < 600_000.0);
        assert_eq!((sky.cassini.phase, &sky.cassini.next), (Phase::GrandFinale, &None));
        assert!(sky.light_seconds(Body::Cassini, Body::Earth) > 80.0 * 60.0);
    }

    #[test]
    fn places_match_the_sources() {
        let sky = sky("2008-09-20");
        for body in Body::ALL {
            let expected = planets::position(body, sky.at);
            let state = sky.state(body);
            match expected {
                Some(place) => assert_eq!(state.position, place, "{body:?}"),
                None => assert!((sky.distance(body, Body::Saturn) - sky.cassini.about_center.position.length()).abs() < 1e-3),
            }
        }
        assert!((sky.speed(Body::Cassini, Body::Saturn) - sky.cassini.about_center.velocity.length()).abs() < 1e-9);
    }

    #[test]
    fn bodies_are_listed_in_order() {
        for (i, body) in Body::ALL.into_iter().enumerate() {
            assert_eq!(body as usize, i);
        }
    }
}
