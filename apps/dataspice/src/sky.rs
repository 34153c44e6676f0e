//! The solar system at one instant.

use crate::body::Body;
use crate::cassini::{Center, Event, Mission, OutsideMission, Phase};
use crate::huygens::Stage;
use crate::kepler::State;
use crate::planets;
use crate::time::Moment;
use crate::vector::Vector;

/// km/s.
const LIGHT: f64 = 299_792.458;

/// A picture of the system: every body's place about the Sun, and what Cassini and Huygens are doing.
#[derive(Clone, Debug)]
pub(crate) struct Sky {
    pub(crate) at: Moment,
    /// In the order of [`Body::ALL`].
    places: [Place; Body::ALL.len()],
    pub(crate) cassini: Cassini,
    pub(crate) huygens: Stage,
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

/// Where a body is shown.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// When it is there: the sky's moment, or when the light left it.
    when: Moment,
    /// About the Sun, km.
    position: Vector,
    motion: Motion,
}

/// How a body moves: what costs nothing to know is kept, the rest is computed when it is asked for.
#[derive(Clone, Copy, Debug)]
enum Motion {
    /// By the theory of the planets.
    Planet,
    /// About the Sun, km/s.
    AboutSun(Vector),
    /// About Saturn, km/s.
    AboutSaturn(Vector),
}

impl Sky {
    /// Computes all of it, in two milliseconds: share it between those who look at the same time.
    ///
    /// # Errors
    ///
    /// [`OutsideMission`] before launch, and after the end.
    pub(crate) fn at(mission: &Mission, at: Moment) -> Result<Sky, OutsideMission> {
        let saturn = planets::position(Body::Saturn, at).unwrap_or(Vector::ZERO);
        Sky::of(mission, at, |body| place(mission, body, at, |_| saturn))
    }

    fn of(
        mission: &Mission,
        at: Moment,
        place: impl Fn(Body) -> Result<Place, OutsideMission>,
    ) -> Result<Sky, OutsideMission> {
        let sun = Place {
            when: at,
            position: Vector::ZERO,
            motion: Motion::AboutSun(Vector::ZERO),
        };
        let mut places = [sun; Body::ALL.len()];
        for (body, entry) in Body::ALL.into_iter().zip(&mut places) {
            *entry = place(body)?;
        }
        let [cassini, huygens] = [Body::Cassini, Body::Huygens].map(|b| places[b as usize].when);
        let path = mission.place(cassini)?;
        Ok(Sky {
            at,
            places,
            cassini: Cassini {
                phase: Phase::at(cassini),
                leg: path.arc.name.clone(),
                center: path.arc.center,
                about_center: path.state,
                last: mission.last_event(cassini).cloned(),
                next: mission.next_event(cassini).cloned(),
            },
            huygens: mission.huygens().stage(huygens),
        })
    }

    /// The place about the Sun, in km.
    pub(crate) fn position(&self, body: Body) -> Vector {
        self.places[body as usize].position
    }

    /// The velocity about the Sun, in km/s. It is computed when it is asked for.
    pub(crate) fn velocity(&self, body: Body) -> Vector {
        let Place { when, motion, .. } = self.places[body as usize];
        let of = |body| planets::velocity(body, when).unwrap_or(Vector::ZERO);
        match motion {
            Motion::Planet => of(body),
            Motion::AboutSun(velocity) => velocity,
            Motion::AboutSaturn(velocity) => of(Body::Saturn) + velocity,
        }
    }

    /// km between two bodies.
    pub(crate) fn distance(&self, one: Body, other: Body) -> f64 {
        self.position(one).distance(self.position(other))
    }

    /// km/s of one body as the other sees it. It is computed when it is asked for.
    pub(crate) fn speed(&self, one: Body, other: Body) -> f64 {
        let motion = |body: Body| self.places[body as usize].motion;
        match (motion(one), motion(other)) {
            (Motion::AboutSaturn(one), Motion::AboutSaturn(other)) => one.distance(other),
            (Motion::AboutSaturn(one), _) if other == Body::Saturn => one.length(),
            _ => self.velocity(one).distance(self.velocity(other)),
        }
    }

    /// Seconds that light takes between two bodies.
    pub(crate) fn light_seconds(&self, one: Body, other: Body) -> f64 {
        self.distance(one, other) / LIGHT
    }
}

/// Where a body is at a moment. `saturn` says where Saturn is, for what goes with it.
fn place(
    mission: &Mission,
    body: Body,
    when: Moment,
    saturn: impl Fn(Moment) -> Vector,
) -> Result<Place, OutsideMission> {
    let about_saturn = |state: State| {
        (
            saturn(when) + state.position,
            Motion::AboutSaturn(state.velocity),
        )
    };
    let (position, motion) = match body {
        Body::Sun => (Vector::ZERO, Motion::AboutSun(Vector::ZERO)),
        Body::Saturn => (saturn(when), Motion::Planet),
        Body::Huygens => match mission.huygens().stage(when) {
            Stage::Rides => return place(mission, Body::Cassini, when, saturn),
            Stage::Flies => about_saturn(mission.huygens_flight(when)?),
            Stage::Descends | Stage::Rests => return place(mission, Body::Titan, when, saturn),
        },
        Body::Cassini => {
            let path = mission.place(when)?;
            match path.arc.center {
                Center::Sun => (path.state.position, Motion::AboutSun(path.state.velocity)),
                Center::Saturn => about_saturn(path.state),
            }
        }
        _ => match mission.moons().state(body, when) {
            Some(state) => about_saturn(state),
            None => {
                let position = planets::position(body, when).unwrap_or(Vector::ZERO);
                (position, Motion::Planet)
            }
        },
    };
    Ok(Place {
        when,
        position,
        motion,
    })
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
        let mission = Mission::load().unwrap();
        let saturn = sky.position(Body::Saturn);
        for body in Body::ALL {
            let moon = mission.moons().state(body, sky.at);
            let place = match (planets::position(body, sky.at), moon, body) {
                (Some(place), None, _) => place,
                (None, Some(moon), _) => saturn + moon.position,
                (None, None, Body::Cassini) => saturn + sky.cassini.about_center.position,
                (None, None, Body::Huygens) => sky.position(Body::Titan),
                other => panic!("{body:?} has {other:?}"),
            };
            assert_eq!(sky.position(body), place, "{body:?}");
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
    fn huygens_flies_from_cassini_to_titan() {
        let mission = Mission::load().unwrap();
        let at = |utc: &str, seconds: f64| {
            let at: Moment = utc.parse().unwrap();
            Sky::at(&mission, at.plus_seconds(seconds)).unwrap()
        };
        for (utc, with) in [
            ("1997-10-15T08:43:00Z", Body::Cassini),
            ("2004-12-24T00:00:00Z", Body::Cassini),
            ("2005-01-14T10:00:00Z", Body::Titan),
            ("2017-09-15T00:00:00Z", Body::Titan),
        ] {
            let sky = at(utc, 0.0);
            assert_eq!(sky.distance(Body::Huygens, with), 0.0, "{utc}");
            assert_eq!(sky.speed(Body::Huygens, with), 0.0, "{utc}");
        }
        // It does not jump: in a second it goes as far as its speed takes it.
        for utc in [
            "2004-12-25T02:00Z",
            "2005-01-14T09:06Z",
            "2005-01-14T11:38Z",
        ] {
            let (before, after) = (at(utc, -0.5), at(utc, 0.5));
            let moved = before
                .position(Body::Huygens)
                .distance(after.position(Body::Huygens));
            assert!(moved < 30.0, "{utc}: {moved} km");
        }
        // A spring pushed it off with 0.35 m/s, and Cassini turned away later. Here the arc of Cassini leads through Titan's centre from
        // the start, two hours after the probe, and the two part with 6 m/s.
        let sky = at("2004-12-25T02:00Z", 1.0);
        let parting = sky.speed(Body::Huygens, Body::Cassini) * 1000.0;
        assert!((6.0..7.0).contains(&parting), "{parting} m/s");
        // ESA: it met the air, 1,270 km up, at about 6 km/s. Titan's pull is not in the ellipse, so it is added here.
        let sky = at("2005-01-14T09:06Z", -1.0);
        assert!(sky.distance(Body::Huygens, Body::Titan) < 10.0);
        let entry = sky.speed(Body::Huygens, Body::Titan);
        let entry = (entry * entry + 2.0 * 8978.1 / (2574.7 + 1270.0)).sqrt();
        assert!((entry - 6.0).abs() < 0.1, "{entry} km/s");
        // Between, it is near the farthest point of its orbit, and never meets Saturn.
        for day in 0..21 {
            let sky = at("2004-12-25T02:00Z", f64::from(day) * 86_400.0);
            let from_saturn = sky.distance(Body::Huygens, Body::Saturn);
            assert!(
                (1.2e6..3.6e6).contains(&from_saturn),
                "day {day}: {from_saturn} km"
            );
            assert!(sky.distance(Body::Huygens, Body::Cassini) < 25_000.0);
        }
    }

    #[test]
    fn speeds_are_of_one_body_past_another() {
        let sky = sky("2008-09-20");
        for body in [Body::Sun, Body::Earth, Body::Saturn, Body::Titan] {
            let speed = sky.speed(Body::Cassini, body);
            let expected = (sky.velocity(Body::Cassini) - sky.velocity(body)).length();
            assert!((speed - expected).abs() < 1e-6, "{body:?}: {speed}");
        }
        assert_eq!(
            sky.speed(Body::Cassini, Body::Saturn),
            sky.cassini.about_center.velocity.length()
        );
        // Well-known mean speeds in orbit, km/s.
        for (moon, mean) in [
            (Body::Mimas, 14.28),
            (Body::Rhea, 8.48),
            (Body::Titan, 5.57),
        ] {
            let speed = sky.speed(moon, Body::Saturn);
            assert!((speed / mean - 1.0).abs() < 0.04, "{moon:?}: {speed}");
        }
    }

    #[test]
    fn bodies_are_listed_in_order() {
        for (i, body) in Body::ALL.into_iter().enumerate() {
            assert_eq!(body as usize, i);
        }
    }
}
