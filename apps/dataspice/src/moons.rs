//! Where Saturn's moons are, from the mean elements in `data/moons.json`.

use std::fmt;

use serde::Deserialize;

use crate::body::Body;
use crate::kepler::State;
use crate::rotation::{OBLIQUITY, Rotation};
use crate::time::Moment;
use crate::vector::Vector;

const MOONS: &str = include_str!("../data/moons.json");

/// How far off a moon may be (Mimas); see `data/README.md`.
pub(crate) const ERROR_KM: u32 = 30_000;

/// Half the distance in time of the two places from which a velocity comes, in seconds. Mimas turns by 0.27 degrees meanwhile, so
/// the velocity is good to 0.1 m/s.
const HALF_STEP: f64 = 60.0;

/// The moons of which there are elements.
#[derive(Clone, Debug)]
pub(crate) struct Moons([Moon; Body::MOONS.len()]);

#[derive(Clone, Copy, Debug)]
struct Moon {
    semi_major_axis: f64,
    semi_minor_axis: f64,
    eccentricity: f64,
    inclination: Rotation,
    node: Angle,
    periapsis: Angle,
    mean_anomaly: Angle,
    /// From the moon's Laplace plane to the ecliptic.
    plane: Rotation,
}

/// Degrees at J2000, and degrees a day.
#[derive(Clone, Copy, Debug)]
struct Angle {
    value: f64,
    rate: f64,
}

impl Angle {
    fn at(self, days: f64) -> f64 {
        (self.value + self.rate * days) % 360.0
    }
}

impl Moons {
    /// Reads the data that is built into the program.
    ///
    /// # Errors
    ///
    /// [`MoonsError`] where the data is not as this module needs it; a test shows that it is.
    pub(crate) fn load() -> Result<Moons, MoonsError> {
        Moons::from_json(MOONS)
    }

    fn from_json(text: &str) -> Result<Moons, MoonsError> {
        let file: File =
            serde_json::from_str(text).map_err(|e| MoonsError::Syntax(e.to_string()))?;
        let moon = |body: Body| {
            let found = file.moons.iter().find(|moon| moon.name == body.name());
            found.ok_or(MoonsError::Missing(body)).and_then(Moon::new)
        };
        let [mimas, enceladus, tethys, dione, rhea, titan] = Body::MOONS;
        Ok(Moons([
            moon(mimas)?,
            moon(enceladus)?,
            moon(tethys)?,
            moon(dione)?,
            moon(rhea)?,
            moon(titan)?,
        ]))
    }

    /// Place and velocity about Saturn; none for what is no moon of Saturn.
    pub(crate) fn state(&self, body: Body, at: Moment) -> Option<State> {
        let moon = self.find(body)?;
        let day = at.days_since_j2000();
        let step = HALF_STEP / 86_400.0;
        Some(State {
            position: moon.place(day),
            velocity: (moon.place(day + step) - moon.place(day - step)) * (0.5 / HALF_STEP),
        })
    }

    /// Titan's, which is always there.
    pub(crate) fn titan(&self, at: Moment) -> Vector {
        let [.., titan] = &self.0;
        titan.place(at.days_since_j2000())
    }

    fn find(&self, body: Body) -> Option<&Moon> {
        let i = Body::MOONS.iter().position(|moon| *moon == body)?;
        self.0.get(i)
    }
}

impl Moon {
    fn new(moon: &MoonInFile) -> Result<Moon, MoonsError> {
        let MoonInFile { a_km: a, e, .. } = *moon;
        if !(a > 0.0 && (0.0..1.0).contains(&e)) {
            return Err(MoonsError::Orbit(moon.name.clone()));
        }
        Ok(Moon {
            semi_major_axis: a,
            semi_minor_axis: a * (1.0 - e * e).sqrt(),
            eccentricity: e,
            inclination: Rotation::x(moon.i_deg),
            node: Angle {
                value: moon.node_deg,
                rate: moon.node_rate_deg_day,
            },
            periapsis: Angle {
                value: moon.arg_periapsis_deg,
                rate: moon.arg_periapsis_rate_deg_day,
            },
            mean_anomaly: Angle {
                value: moon.mean_anomaly_deg,
                rate: moon.mean_anomaly_rate_deg_day,
            },
            plane: Rotation::x(-OBLIQUITY)
                * Rotation::z(moon.pole_ra_deg + 90.0)
                * Rotation::x(90.0 - moon.pole_dec_deg),
        })
    }

    /// About Saturn, some days after J2000.
    fn place(&self, days: f64) -> Vector {
        let anomaly = eccentric_anomaly(self.mean_anomaly.at(days).to_radians(), self.eccentricity);
        let (sin, cos) = anomaly.sin_cos();
        let in_orbit = Vector::new(
            self.semi_major_axis * (cos - self.eccentricity),
            self.semi_minor_axis * sin,
            0.0,
        );
        let in_plane = Rotation::z(self.periapsis.at(days)) * in_orbit;
        self.plane * (Rotation::z(self.node.at(days)) * (self.inclination * in_plane))
    }
}

/// Solves Kepler's equation. Every step leaves at most e times the miss, and no moon's e is above 0.03: eight are enough for 1e-12.
fn eccentric_anomaly(mean: f64, e: f64) -> f64 {
    let mut anomaly = mean;
    for _ in 0..8 {
        anomaly = mean + e * anomaly.sin();
    }
    anomaly
}

/// The data about the moons is not as it should be.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub(crate) enum MoonsError {
    /// Not the JSON that is expected.
    Syntax(String),
    /// There is nothing about this moon.
    Missing(Body),
    /// The elements of this moon are not those of an ellipse.
    Orbit(String),
}

impl fmt::Display for MoonsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MoonsError::Syntax(message) => {
                write!(f, "the moons' elements cannot be read: {message}")
            }
            MoonsError::Missing(body) => write!(f, "there are no elements of {}", body.name()),
            MoonsError::Orbit(name) => write!(f, "the elements of {name} are not of an ellipse"),
        }
    }
}

impl std::error::Error for MoonsError {}

#[derive(Deserialize)]
struct File {
    moons: Vec<MoonInFile>,
}

#[derive(Deserialize)]
struct MoonInFile {
    name: String,
    a_km: f64,
    e: f64,
    i_deg: f64,
    node_deg: f64,
    arg_periapsis_deg: f64,
    mean_anomaly_deg: f64,
    node_rate_deg_day: f64,
    arg_periapsis_rate_deg_day: f64,
    mean_anomaly_rate_deg_day: f64,
    pole_ra_deg: f64,
    pole_dec_deg: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Saturn's mass with its moons, as in the arcs' file.
    const GM: f64 = 37_940_584.841_8;

    fn state(body: Body, at: Moment) -> State {
        Moons::load().unwrap().state(body, at).unwrap()
    }

    #[test]
    fn are_where_the_data_says() {
        let file: serde_json::Value = serde_json::from_str(MOONS).unwrap();
        let at = Moment::from_julian_day(2_453_385.0);
        let moons = file["moons"].as_array().unwrap();
        assert_eq!(moons.len(), Body::MOONS.len());
        for (moon, body) in moons.iter().zip(Body::MOONS) {
            assert_eq!(moon["name"], body.name());
            let [x, y, z] = [0, 1, 2].map(|i| moon["r_km_at_2453385.0"][i].as_f64().unwrap());
            let miss = state(body, at).position.distance(Vector::new(x, y, z));
            // Each number is rounded to 0.1 km.
            assert!(miss < 0.09, "{body:?}: {miss} km");
        }
    }

    #[test]
    fn move_as_saturns_mass_makes_them() {
        // Vis viva. Saturn's flattening makes the inner ones up to 0.5 % faster than a point of its mass would.
        for body in Body::MOONS {
            let State { position, velocity } = state(body, "2008-09-20".parse().unwrap());
            let a = Moons::load().unwrap().find(body).unwrap().semi_major_axis;
            let expected = (GM * (2.0 / position.length() - 1.0 / a)).sqrt();
            let ratio = velocity.length() / expected;
            assert!((0.999..1.006).contains(&ratio), "{body:?}: {ratio}");
        }
    }

    #[test]
    fn come_back_after_their_periods() {
        // Sidereal days, after NASA's fact sheet of Saturn's satellites.
        for (body, days) in [
            (Body::Mimas, 0.942_422),
            (Body::Enceladus, 1.370_218),
            (Body::Tethys, 1.887_802),
            (Body::Dione, 2.736_915),
            (Body::Rhea, 4.517_500),
            (Body::Titan, 15.945_421),
        ] {
            let at: Moment = "2008-09-20".parse().unwrap();
            let (now, then) = (state(body, at), state(body, at.plus_days(days)));
            let miss = now.position.distance(then.position) / now.position.length();
            assert!(miss < 2e-3, "{body:?}: {miss} of its distance");
        }
    }

    #[test]
    fn mimas_and_tethys_and_enceladus_and_dione_keep_step() {
        // Known resonances: 4:2 in the long run (with the nodes), and 2:1 (with Enceladus' periapsis); rates in degrees a day.
        let moons = Moons::load().unwrap();
        let longitude = |body| {
            let moon = moons.find(body).unwrap();
            moon.mean_anomaly.rate + moon.periapsis.rate + moon.node.rate
        };
        let nodes = [Body::Mimas, Body::Tethys].map(|body| moons.find(body).unwrap().node.rate);
        let slow = 4.0 * longitude(Body::Tethys)
            - 2.0 * longitude(Body::Mimas)
            - nodes.iter().sum::<f64>();
        assert!(slow.abs() < 0.02, "{slow}");
        let slow = 2.0 * longitude(Body::Dione) - longitude(Body::Enceladus);
        assert!((0.3..0.4).contains(&slow), "{slow}");
    }

    #[test]
    fn what_is_no_moon_has_no_place_here() {
        let moons = Moons::load().unwrap();
        let at = Moment::from_julian_day(2_453_385.0);
        for body in [Body::Saturn, Body::Moon, Body::Huygens] {
            assert_eq!(moons.state(body, at), None);
        }
        let titan = moons.state(Body::Titan, at).unwrap().position;
        assert_eq!(moons.titan(at), titan);
    }

    #[test]
    fn broken_data_is_told_not_run() {
        let of = |text: &str| Moons::from_json(text).unwrap_err();
        assert!(matches!(of("{"), MoonsError::Syntax(_)));
        let missing = MOONS.replace("\"Titan\"", "\"Pan\"");
        assert_eq!(of(&missing).to_string(), "there are no elements of Titan");
        let open = MOONS.replace("\"e\": 0.0288", "\"e\": 1.0288");
        assert_eq!(of(&open), MoonsError::Orbit("Titan".to_owned()));
    }
}
