//! The solar system at one instant.

use crate::body::Body;
use crate::cassini::{Center, Event, Mission, OutsideMission, Phase};
use crate::kepler::State;
use crate::planets;
use crate::time::Moment;
use crate::vector::Vector;

/// km/s.
const LIGHT: f64 = 299_792.458;

/// A picture of the system: every body's place about the Sun, and what Cassini is doing.
#[derive(Clone, Debug)]
pub(crate) struct Sky {
    pub(crate) at: Moment,
    /// In the order of [`Body::ALL`].
    positions: [Vector; Body::ALL.len()],
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
    /// Computes all of it, in a millisecond: share it between those who look at the same time.
    ///
    /// # Errors
    ///
    /// [`OutsideMission`] before launch, and after the end.
    pub(crate) fn at(mission: &Mission, at: Moment) -> Result<Sky, OutsideMission> {
        let place = mission.place(at)?;
        let mut positions =
            Body::ALL.map(|body| planets::position(body, at).unwrap_or(Vector::ZERO));
        let center = match place.arc.center {
            Center::Sun => Vector::ZERO,
            Center::Saturn => positions[Body::Saturn as usize],
        };
        positions[Body::Cassini as usize] = center + place.state.position;
        Ok(Sky {
            at,
            positions,
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

    /// The place about the Sun, in km.
    pub(crate) fn position(&self, body: Body) -> Vector {
        self.positions[body as usize]
    }

    /// The velocity about the Sun, in km/s. It is computed when it is asked for.
    pub(crate) fn velocity(&self, body: Body) -> Vector {
        let of = |body| planets::velocity(body, self.at).unwrap_or(Vector::ZERO);
        match (body, self.cassini.center) {
            (Body::Cassini, Center::Sun) => self.cassini.about_center.velocity,
            (Body::Cassini, Center::Saturn) => {
                of(Body::Saturn) + self.cassini.about_center.velocity
            }
            _ => of(body),
        }
    }

    /// km between two bodies.
    pub(crate) fn distance(&self, one: Body, other: Body) -> f64 {
        self.position(one).distance(self.position(other))
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
        assert_eq!(
            (sky.cassini.phase, &sky.cassini.next),
            (Phase::GrandFinale, &None)
        );
        assert!(sky.light_seconds(Body::Cassini, Body::Earth) > 80.0 * 60.0);
    }

    #[test]
    fn places_match_the_sources() {
        let sky = sky("2008-09-20");
        for body in Body::ALL {
            match planets::position(body, sky.at) {
                Some(place) => assert_eq!(sky.position(body), place, "{body:?}"),
                None => {
                    let distance = sky.cassini.about_center.position.length();
                    assert!((sky.distance(body, Body::Saturn) - distance).abs() < 1e-3);
                }
            }
        }
    }

    #[test]
    fn velocities_lead_to_the_places_that_follow() {
        for utc in ["2001-01-01", "2008-09-20"] {
            let (now, then) = (
                sky(&format!("{utc}T00:00:00Z")),
                sky(&format!("{utc}T00:01:00Z")),
            );
            for body in Body::ALL {
                let miss =
                    (now.position(body) + now.velocity(body) * 60.0).distance(then.position(body));
                assert!(miss < 20.0, "{body:?} on {utc}: {miss} km");
            }
        }
    }

    #[test]
    fn bodies_are_listed_in_order() {
        for (i, body) in Body::ALL.into_iter().enumerate() {
            assert_eq!(body as usize, i);
        }
    }
}
