//! The Deep Space Network: which of its great antennas has Cassini above the horizon.
//!
//! The Earth turns by the Earth rotation angle of the IERS Conventions 2003 with UT1 taken as UTC (under 0.9 s: 0.004 degrees), its
//! axis moves by the precession of IAU 2006. Left out: nutation (0.005 degrees), polar motion, aberration (0.006), and refraction,
//! which lifts what is at 6 degrees by 0.14.

use crate::body::Body;
use crate::rotation::{OBLIQUITY, Rotation};
use crate::sky::Sky;
use crate::time::{J2000, Moment};
use crate::vector::Vector;

/// An antenna, at its geodetic coordinates in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Station {
    pub(crate) name: &'static str,
    /// What the place is called.
    pub(crate) place: &'static str,
    /// North.
    latitude: f64,
    /// East.
    longitude: f64,
}

/// The antennas of 70 m; coordinates after the DSN's handbook 810-005, module 301. Their heights, up to 1 km, are left out.
pub(crate) const STATIONS: [Station; 3] = [
    Station {
        name: "DSS-14",
        place: "Goldstone",
        latitude: 35.4259,
        longitude: -116.8895,
    },
    Station {
        name: "DSS-43",
        place: "Canberra",
        latitude: -35.4024,
        longitude: 148.9813,
    },
    Station {
        name: "DSS-63",
        place: "Madrid",
        latitude: 40.4314,
        longitude: -4.2480,
    },
];

/// Degrees above the horizon from which a station can use a signal. The network takes 6 for receiving and 10 for sending.
pub(crate) const MASK: f64 = 6.0;

/// A station that has Cassini in sight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Track {
    pub(crate) station: &'static Station,
    /// Degrees.
    pub(crate) elevation: f64,
}

/// The station that has Cassini highest, if one has it above the [`MASK`].
pub(crate) fn tracking(sky: &Sky) -> Option<Track> {
    highest(sky.at, from_earth(sky, Body::Cassini))
}

/// Between two looks for a station, in seconds.
const LOOK: f64 = 600.0;

/// The station that had Cassini from some moment on; none where it was in nobody's sight.
pub(crate) type Handover = (Moment, Option<&'static Station>);

/// Who took over when, in so many seconds before the sky's moment; the newest first, to ten minutes.
pub(crate) fn handovers(sky: &Sky, seconds: f64) -> Vec<Handover> {
    let direction = from_earth(sky, Body::Cassini);
    let motion = sky.velocity(Body::Cassini) - sky.velocity(Body::Earth);
    let mut handovers = Vec::new();
    // Looks are at the same moments whenever it is asked, or the past would tremble.
    let newest = (sky.at.days_since_j2000() * 86_400.0 / LOOK).floor() * LOOK;
    let mut after: Option<Handover> = None;
    for look in 0..=(seconds / LOOK) as u32 {
        let at = Moment::from_julian_day(J2000 + (newest - f64::from(look) * LOOK) / 86_400.0);
        let then = direction + motion * at.seconds_since(sky.at);
        let station = highest(at, then).map(|track| track.station);
        if let Some(after) = after.filter(|(_, of)| *of != station) {
            handovers.push(after);
        }
        after = Some((at, station));
    }
    handovers
}

/// Relative to the Earth's centre, where the sky has the body. A sky as seen from the Earth has the light time in it; without, a
/// body at Saturn is off by 0.005 degrees at most.
fn from_earth(sky: &Sky, body: Body) -> Vector {
    sky.position(body) - sky.position(Body::Earth)
}

fn highest(at: Moment, direction: Vector) -> Option<Track> {
    let turned = earth_fixed(at) * direction;
    STATIONS
        .iter()
        .map(|station| Track {
            station,
            elevation: station.above_horizon(turned),
        })
        .filter(|track| track.elevation >= MASK)
        .max_by(|one, other| one.elevation.total_cmp(&other.elevation))
}

impl Station {
    /// How many degrees a body is above the horizon, without an atmosphere; negative below.
    #[cfg_attr(not(test), allow(dead_code, reason = "no page shows all three yet"))]
    pub(crate) fn elevation(&self, sky: &Sky, body: Body) -> f64 {
        self.above_horizon(earth_fixed(sky.at) * from_earth(sky, body))
    }

    /// The same of a place that is relative to the Earth's centre and turns with the Earth.
    fn above_horizon(&self, place: Vector) -> f64 {
        let (zenith, here) = self.zenith_and_place();
        let towards = place - here;
        (towards.dot(zenith) / towards.length()).asin().to_degrees()
    }

    /// The direction up, and the place in km, on the ellipsoid WGS 84.
    fn zenith_and_place(&self) -> (Vector, Vector) {
        const EQUATOR: f64 = 6378.137;
        const FLATTENING: f64 = 1.0 / 298.257_223_563;
        let (sin, cos) = self.latitude.to_radians().sin_cos();
        let (east, ahead) = self.longitude.to_radians().sin_cos();
        let zenith = Vector::new(cos * ahead, cos * east, sin);
        let shape = (1.0 - FLATTENING) * (1.0 - FLATTENING);
        let radius = EQUATOR / (cos * cos + shape * sin * sin).sqrt();
        let place = Vector::new(zenith.x, zenith.y, zenith.z * shape) * radius;
        (zenith, place)
    }
}

/// From the ecliptic of J2000 to axes that turn with the Earth: x to Greenwich's meridian, z to the north pole.
fn earth_fixed(at: Moment) -> Rotation {
    // Julian centuries; arcseconds after Capitaine et al. 2003, which became IAU 2006.
    let t = at.days_since_j2000() / 36_525.0;
    let degrees = |arcseconds: f64| arcseconds / 3600.0;
    let zeta = degrees(2.650_545 + t * (2_306.083_227 + t * 0.298_849_9));
    let z = degrees(-2.650_545 + t * (2_306.077_181 + t * 1.092_734_8));
    let theta = degrees(t * (2_004.191_903 - t * 0.429_493_4));
    let to_equator_of_date =
        Rotation::z(z) * Rotation::y(-theta) * Rotation::z(zeta) * Rotation::x(OBLIQUITY);
    Rotation::z(-sidereal_degrees(at)) * to_equator_of_date
}

/// Greenwich mean sidereal time in degrees: the Earth rotation angle, and the way that the equinox has gone.
fn sidereal_degrees(at: Moment) -> f64 {
    let days = at.utc_days();
    // Whole turns are dropped before they cost digits.
    let turns = 0.779_057_273_264 + 0.002_737_811_911_354_48 * days + days.rem_euclid(1.0);
    let t = at.days_since_j2000() / 36_525.0;
    let equinox = (0.014_506 + t * (4_612.156_534 + t * 1.391_581_7)) / 3600.0;
    (turns * 360.0 + equinox).rem_euclid(360.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cassini::Mission;
    use crate::planets;

    fn sky(utc: &str) -> Sky {
        Sky::at(&Mission::load().unwrap(), utc.parse().unwrap()).unwrap()
    }

    fn anywhere(latitude: f64, longitude: f64) -> Station {
        Station {
            name: "",
            place: "",
            latitude,
            longitude,
        }
    }

    /// What is above the mask of which station, in steps of some minutes over a day from `at`; Cassini's direction is kept.
    fn day(sky: &Sky, minutes: u32) -> Vec<[bool; 3]> {
        let direction = from_earth(sky, Body::Cassini);
        (0..1440 / minutes)
            .map(|i| {
                let at = sky.at.plus_seconds(f64::from(i * minutes * 60));
                let turned = earth_fixed(at) * direction;
                STATIONS.map(|station| station.above_horizon(turned) >= MASK)
            })
            .collect()
    }

    #[test]
    fn the_earth_turns_as_the_almanac_says() {
        // Greenwich mean sidereal time: 18 h 41 m 50.548 s at 2000-01-01 12:00 UT; the others by the US Naval Observatory's formula
        // of 6.697374558 h + 0.06570982441908 h a day.
        for (utc, h, m, s, margin) in [
            ("2000-01-01T12:00Z", 18.0, 41.0, 50.548, 0.01),
            ("2000-01-01", 6.0, 39.0, 52.27, 0.01),
            ("2017-01-01", 6.0, 43.0, 21.0, 1.0),
        ] {
            let seconds = sidereal_degrees(utc.parse().unwrap()) * 240.0;
            let expected = h * 3600.0 + m * 60.0 + s;
            assert!((seconds - expected).abs() < margin, "{utc}: {seconds} s");
        }
    }

    #[test]
    fn the_sun_stands_where_it_was_eclipsed() {
        // The points of greatest eclipse, with the Sun's height there (NASA's catalogue of eclipses, F. Espenak, rounded to degrees
        // or tenths). Delta T is in them, so the times are UT.
        for (utc, latitude, longitude, height, margin) in [
            ("1999-08-11T11:03:07Z", 45.08, 24.29, 59.0, 0.5),
            ("2006-03-29T10:11:18Z", 23.15, 16.74, 67.0, 0.5),
            ("2017-08-21T18:25:32Z", 36.97, -87.67, 64.0, 0.5),
        ] {
            let sky = sky(utc);
            let station = anywhere(latitude, longitude);
            let sun = station.elevation(&sky, Body::Sun);
            assert!((sun - height).abs() < margin, "{utc}: {sun}");
            // The Moon is in front of it; its place is good to some thousand km, 0.3 degrees.
            let moon = station.elevation(&sky, Body::Moon);
            assert!((moon - sun).abs() < 0.6, "{utc}: the Moon at {moon}");
        }
    }

    #[test]
    fn the_sun_at_the_pole_is_as_high_as_its_declination() {
        // The equinoxes and solstices of the almanac, to the minute. Of date: without precession, 2017 would be 0.09 degrees off.
        let pole = anywhere(90.0, 0.0);
        for (utc, height) in [
            ("2017-03-20T10:29Z", 0.0),
            ("2005-06-21T06:46Z", 23.438),
            ("2014-12-21T23:03Z", -23.437),
            ("1999-09-23T11:31Z", 0.0),
        ] {
            let sun = pole.elevation(&sky(utc), Body::Sun);
            // Aberration and nutation are up to 0.01 degrees, the Sun's parallax 0.002.
            assert!((sun - height).abs() < 0.012, "{utc}: {sun}");
        }
    }

    #[test]
    fn noon_at_goldstone() {
        // At the solstice the Sun's declination is 23.44; true noon is at 12 h + 7 h 47 m 33 s (longitude) + 1 m 48 s (equation of
        // time on June 21).
        let [goldstone, ..] = STATIONS;
        let noon = goldstone.elevation(&sky("2005-06-21T19:49:21Z"), Body::Sun);
        assert!((noon - (90.0 - 35.426 + 23.438)).abs() < 0.02, "{noon}");
        for minutes in [-10.0, 10.0] {
            let sky = Sky::at(
                &Mission::load().unwrap(),
                sky("2005-06-21T19:49:21Z").at.plus_seconds(minutes * 60.0),
            );
            assert!(goldstone.elevation(&sky.unwrap(), Body::Sun) < noon);
        }
    }

    #[test]
    fn tracks_are_as_long_as_the_declination_makes_them() {
        // Saturn stood at declination +21.3 at its opposition in January 2005, and at -20.6 in June 2016. Above 6 degrees it is for
        // 2 acos((sin 6 - sin lat sin dec) / (cos lat cos dec)).
        for (utc, declination) in [("2005-01-13", 21.3_f64), ("2016-06-03", -20.6)] {
            let day = day(&sky(utc), 2);
            let dec = declination.to_radians();
            for (i, station) in STATIONS.iter().enumerate() {
                let lat = station.latitude.to_radians();
                let cos = (MASK.to_radians().sin() - lat.sin() * dec.sin()) / lat.cos() / dec.cos();
                let expected = 2.0 * cos.acos().to_degrees() / 15.041;
                let hours = day.iter().filter(|above| above[i]).count() as f64 / 30.0;
                assert!(
                    (hours - expected).abs() < 0.1,
                    "{utc} {}: {hours} h, not {expected} h",
                    station.place
                );
                assert!((8.0..13.6).contains(&hours));
            }
        }
    }

    #[test]
    fn someone_always_has_it_at_saturn() {
        let mission = Mission::load().unwrap();
        for year in [2005, 2009, 2016] {
            for month in 1..=12 {
                let utc = format!("{year}-{month:02}-15");
                let sky = Sky::at(&mission, utc.parse().unwrap()).unwrap();
                for (i, above) in day(&sky, 10).into_iter().enumerate() {
                    assert!(above.contains(&true), "{utc}, {} minutes later", i * 10);
                }
            }
        }
    }

    #[test]
    fn the_best_station_is_told() {
        let mission = Mission::load().unwrap();
        let start: Moment = "2005-01-13".parse().unwrap();
        let mut places = Vec::new();
        for hour in 0..24 {
            let sky = Sky::at(&mission, start.plus_seconds(f64::from(hour) * 3600.0)).unwrap();
            let track = tracking(&sky).unwrap();
            assert!(track.elevation >= MASK);
            for station in &STATIONS {
                assert!(station.elevation(&sky, Body::Cassini) <= track.elevation);
            }
            if places.last() != Some(&track.station.place) {
                places.push(track.station.place);
            }
        }
        // At opposition Saturn is highest at local midnight: Madrid has it at 0 h UTC, Goldstone at 8 h, Canberra at 14 h.
        assert_eq!(places, ["Madrid", "Goldstone", "Canberra", "Madrid"]);
    }

    #[test]
    fn what_is_near_is_seen_from_the_ground_and_not_from_the_centre() {
        // The Moon's parallax is up to 1 degree at the horizon; straight up there is none.
        let at: Moment = "2005-01-13".parse().unwrap();
        let earth = planets::position(Body::Earth, at).unwrap();
        let moon = earth_fixed(at) * (planets::position(Body::Moon, at).unwrap() - earth);
        let longitude = moon.y.atan2(moon.x).to_degrees();
        let below = anywhere(0.0, longitude + 90.0).above_horizon(Vector::new(moon.x, moon.y, 0.0));
        let parallax = (6378.137 / Vector::new(moon.x, moon.y, 0.0).length()).atan();
        assert!((below + parallax.to_degrees()).abs() < 1e-6, "{below}");
    }

    #[test]
    fn stations_take_over_from_each_other_round_the_clock() {
        let day = 86_400.0;
        let now = sky("2008-09-20T12:00Z");
        let handovers = |sky: &Sky| handovers(sky, 2.0 * day);
        let past = handovers(&now);
        assert!((5..=14).contains(&past.len()), "{past:?}");
        assert!(past.windows(2).all(|pair| pair[0].0 > pair[1].0));
        assert!(past.windows(2).all(|pair| pair[0].1 != pair[1].1));
        assert_eq!(past[0].1, tracking(&now).map(|track| track.station));
        // A moment later the past is the same.
        let again = handovers(&sky("2008-09-20T12:03Z"));
        for (one, other) in past.iter().zip(&again) {
            assert_eq!(one.1, other.1);
            assert!(one.0.seconds_since(other.0).abs() < 1e-3);
        }
    }
}
