//! Where the planets and the Moon are, by the theory VSOP87 in its rectangular heliocentric form for the equinox of J2000 (VSOP87A).
//!
//! The theory's frame and that of the arcs differ by less than 0.1 arcseconds, which is left out.

use vsop87::{RectangularCoordinates, vsop87a};

use crate::body::Body;
use crate::time::Moment;
use crate::vector::Vector;

/// km in one astronomical unit.
pub(crate) const AU: f64 = 149_597_870.7;
/// How far off a planet may be: Neptune is off by 29,000 km, those up to Saturn by less than 3,000. A test holds the theory against
/// DE421, over the mission.
pub(crate) const ERROR_KM: u32 = 30_000;
/// How many times heavier the Earth is than the Moon (DE440).
const EARTH_TO_MOON: f64 = 81.300_568;
/// Half the distance in time of the two places from which a velocity comes, in days.
const HALF_STEP: f64 = 0.01;

/// The heliocentric place of a body in km; none for Saturn's moons (see [`crate::moons`]), Cassini and Huygens.
///
/// A planet costs some 0.1 ms: its series has thousands of terms.
pub(crate) fn position(body: Body, at: Moment) -> Option<Vector> {
    let day = at.julian_day();
    let au = match body {
        Body::Sun => return Some(Vector::ZERO),
        Body::Mercury => vsop87a::mercury(day),
        Body::Venus => vsop87a::venus(day),
        Body::Earth => vsop87a::earth(day),
        Body::Moon => return Some(moon(day)),
        Body::Mars => vsop87a::mars(day),
        Body::Jupiter => vsop87a::jupiter(day),
        Body::Saturn => vsop87a::saturn(day),
        Body::Uranus => vsop87a::uranus(day),
        Body::Neptune => vsop87a::neptune(day),
        Body::Mimas
        | Body::Enceladus
        | Body::Tethys
        | Body::Dione
        | Body::Rhea
        | Body::Titan
        | Body::Cassini
        | Body::Huygens => return None,
    };
    Some(km(au))
}

/// The heliocentric velocity of a body in km/s; none for those that have no place here.
///
/// A central difference over half an hour, good to 1 mm/s for the planets and 1 m/s for the Moon.
pub(crate) fn velocity(body: Body, at: Moment) -> Option<Vector> {
    let before = position(body, at.plus_days(-HALF_STEP))?;
    let after = position(body, at.plus_days(HALF_STEP))?;
    Some((after - before) * (1.0 / (2.0 * HALF_STEP * 86_400.0)))
}

/// The Moon is where the Earth and the common centre of mass put it.
///
/// The theory's error in the distance of the two is multiplied by 82 in this; against DE421 the Moon is off by 120 km at most.
fn moon(day: f64) -> Vector {
    let earth = km(vsop87a::earth(day));
    let centre = km(vsop87a::earth_moon(day));
    earth + (centre - earth) * (1.0 + EARTH_TO_MOON)
}

fn km(au: RectangularCoordinates) -> Vector {
    Vector::new(au.x, au.y, au.z) * AU
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Moment {
        text.parse().unwrap()
    }

    fn place(body: Body, text: &str) -> Vector {
        position(body, at(text)).unwrap()
    }

    #[test]
    fn earth_is_nearest_and_farthest_when_the_almanac_says() {
        // Astronomical Almanac, to the hour; distances to 1e-4 AU.
        let near = place(Body::Earth, "2005-01-02T01:00Z").length() / AU;
        let far = place(Body::Earth, "2005-07-05T05:00Z").length() / AU;
        assert!((near - 0.98330).abs() < 1e-4, "{near}");
        assert!((far - 1.01674).abs() < 1e-4, "{far}");
    }

    #[test]
    fn the_sun_is_at_the_equinox_at_the_equinox() {
        // 2000-03-20 07:35 UTC: the Sun's longitude is 0, so the Earth's is 180 degrees. 0.01 degrees are a quarter of an hour, and hold
        // the 0.003 degrees that the equinox has moved since J2000 and the 0.006 degrees of aberration.
        let earth = place(Body::Earth, "2000-03-20T07:35Z");
        let longitude = earth.y.atan2(earth.x).to_degrees().rem_euclid(360.0);
        assert!((longitude - 180.0).abs() < 0.02, "{longitude}");
    }

    #[test]
    fn venus_crosses_the_sun_on_2004_06_08() {
        // Greatest transit 08:20 UTC: Venus is 10.5 arcminutes from the Sun's centre as seen from Earth.
        let earth = place(Body::Earth, "2004-06-08T08:20Z");
        let venus = place(Body::Venus, "2004-06-08T08:20Z") - earth;
        let sun = Vector::ZERO - earth;
        let angle = (venus.dot(sun) / venus.length() / sun.length())
            .acos()
            .to_degrees()
            * 60.0;
        assert!((angle - 10.5).abs() < 1.0, "{angle} arcminutes");
    }

    #[test]
    fn mars_was_as_near_as_it_gets_on_2003_08_27() {
        let distance = place(Body::Mars, "2003-08-27T09:51Z")
            .distance(place(Body::Earth, "2003-08-27T09:51Z"));
        assert!((distance - 55_758_000.0).abs() < 5_000.0, "{distance}");
    }

    #[test]
    fn saturn_was_nearest_the_sun_in_july_2003() {
        // Perihelion 2003-07-26 at 9.031 AU.
        let distance = place(Body::Saturn, "2003-07-26").length() / AU;
        assert!((distance - 9.031).abs() < 2e-3, "{distance}");
    }

    #[test]
    fn the_moon_hides_the_sun_on_1999_08_11() {
        let earth = place(Body::Earth, "1999-08-11T11:03Z");
        let moon = place(Body::Moon, "1999-08-11T11:03Z") - earth;
        let sun = Vector::ZERO - earth;
        let angle = (moon.dot(sun) / moon.length() / sun.length())
            .acos()
            .to_degrees();
        assert!(angle < 0.7, "{angle} degrees between Moon and Sun");
        assert!(
            (moon.length() - 373_000.0).abs() < 5_000.0,
            "{} km",
            moon.length()
        );
    }

    #[test]
    fn planets_move_as_fast_as_they_should() {
        // Mean orbital speeds, km/s; the ellipses make them vary.
        for (body, speed, margin) in [
            (Body::Mercury, 47.4, 12.0),
            (Body::Earth, 29.78, 0.6),
            (Body::Saturn, 9.7, 0.6),
            (Body::Neptune, 5.43, 0.1),
        ] {
            let v = velocity(body, at("2001-01-01")).unwrap().length();
            assert!((v - speed).abs() < margin, "{body:?}: {v} km/s");
        }
    }

    #[test]
    fn cassini_is_no_planet() {
        assert_eq!(position(Body::Cassini, at("2001-01-01")), None);
    }
}
