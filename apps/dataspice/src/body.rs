//! The bodies that are shown, and a few facts about each.

use std::fmt;
use std::str::FromStr;

/// One of the bodies, in the order in which everything lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub(crate) enum Body {
    Sun,
    Mercury,
    Venus,
    Earth,
    Moon,
    Mars,
    Jupiter,
    Saturn,
    Uranus,
    Neptune,
    Cassini,
}

impl Body {
    pub(crate) const ALL: [Body; 11] = [
        Body::Sun,
        Body::Mercury,
        Body::Venus,
        Body::Earth,
        Body::Moon,
        Body::Mars,
        Body::Jupiter,
        Body::Saturn,
        Body::Uranus,
        Body::Neptune,
        Body::Cassini,
    ];

    /// The planets by distance from the Sun.
    pub(crate) const PLANETS: [Body; 8] = [
        Body::Mercury,
        Body::Venus,
        Body::Earth,
        Body::Mars,
        Body::Jupiter,
        Body::Saturn,
        Body::Uranus,
        Body::Neptune,
    ];

    /// What it is called in addresses, signals and JSON.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Body::Sun => "sun",
            Body::Mercury => "mercury",
            Body::Venus => "venus",
            Body::Earth => "earth",
            Body::Moon => "moon",
            Body::Mars => "mars",
            Body::Jupiter => "jupiter",
            Body::Saturn => "saturn",
            Body::Uranus => "uranus",
            Body::Neptune => "neptune",
            Body::Cassini => "cassini",
        }
    }

    /// What people call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Body::Sun => "Sun",
            Body::Mercury => "Mercury",
            Body::Venus => "Venus",
            Body::Earth => "Earth",
            Body::Moon => "Moon",
            Body::Mars => "Mars",
            Body::Jupiter => "Jupiter",
            Body::Saturn => "Saturn",
            Body::Uranus => "Uranus",
            Body::Neptune => "Neptune",
            Body::Cassini => "Cassini",
        }
    }

    /// The days that one turn about the Sun takes (sidereal); none for the Sun, the Moon and Cassini.
    pub(crate) fn year_days(self) -> Option<f64> {
        match self {
            Body::Mercury => Some(87.969),
            Body::Venus => Some(224.701),
            Body::Earth => Some(365.256),
            Body::Mars => Some(686.980),
            Body::Jupiter => Some(4_332.589),
            Body::Saturn => Some(10_759.22),
            Body::Uranus => Some(30_685.4),
            Body::Neptune => Some(60_189.0),
            Body::Sun | Body::Moon | Body::Cassini => None,
        }
    }

    /// What the details pane says, as label and text. Radii are means by volume; figures after NASA's planetary fact sheets.
    pub(crate) fn facts(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Body::Sun => &[
                ("Radius", "695,700 km"),
                ("Mass", "332,946 Earths"),
                ("Turns in", "25.4 days at the equator"),
                ("Surface", "5,772 K"),
            ],
            Body::Mercury => &[
                ("Radius", "2,440 km"),
                ("Mass", "0.055 Earths"),
                ("Orbit", "88.0 days"),
                ("Turns in", "58.6 days"),
            ],
            Body::Venus => &[
                ("Radius", "6,052 km"),
                ("Mass", "0.815 Earths"),
                ("Orbit", "224.7 days"),
                ("Turns in", "243.0 days, backwards"),
            ],
            Body::Earth => &[
                ("Radius", "6,371 km"),
                ("Mass", "5.97 × 10²⁴ kg"),
                ("Orbit", "365.26 days"),
                ("Turns in", "23 h 56 min"),
            ],
            Body::Moon => &[
                ("Radius", "1,737 km"),
                ("Mass", "0.0123 Earths"),
                ("Orbit", "27.32 days about Earth"),
                ("Turns in", "27.32 days"),
            ],
            Body::Mars => &[
                ("Radius", "3,390 km"),
                ("Mass", "0.107 Earths"),
                ("Orbit", "687.0 days"),
                ("Turns in", "24 h 37 min"),
            ],
            Body::Jupiter => &[
                ("Radius", "69,911 km"),
                ("Mass", "317.8 Earths"),
                ("Orbit", "11.86 years"),
                ("Turns in", "9 h 56 min"),
            ],
            Body::Saturn => &[
                ("Radius", "58,232 km"),
                ("Mass", "95.2 Earths"),
                ("Orbit", "29.46 years"),
                ("Turns in", "10 h 33 min"),
                ("Main rings", "to 136,780 km from its centre"),
            ],
            Body::Uranus => &[
                ("Radius", "25,362 km"),
                ("Mass", "14.5 Earths"),
                ("Orbit", "84.0 years"),
                ("Turns in", "17 h 14 min, on its side"),
            ],
            Body::Neptune => &[
                ("Radius", "24,622 km"),
                ("Mass", "17.1 Earths"),
                ("Orbit", "164.8 years"),
                ("Turns in", "16 h 7 min"),
            ],
            Body::Cassini => &[
                ("Height", "6.8 m"),
                ("Mass at launch", "5,712 kg, with Huygens"),
                ("Antenna", "4 m across"),
                ("Power", "3 plutonium generators"),
                ("Launched", "1997-10-15, Cape Canaveral"),
            ],
        }
    }
}

/// No body has this id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnknownBody(pub(crate) String);

impl fmt::Display for UnknownBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no body is called {:?}; there are ", self.0)?;
        for (i, body) in Body::ALL.iter().enumerate() {
            write!(f, "{}{}", if i == 0 { "" } else { ", " }, body.id())?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownBody {}

impl FromStr for Body {
    type Err = UnknownBody;

    fn from_str(id: &str) -> Result<Body, UnknownBody> {
        Body::ALL
            .into_iter()
            .find(|body| body.id() == id)
            .ok_or_else(|| UnknownBody(id.chars().take(40).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_back() {
        for body in Body::ALL {
            assert_eq!(body.id().parse(), Ok(body));
            assert!(!body.facts().is_empty());
        }
        let message = "pluto".parse::<Body>().unwrap_err().to_string();
        assert!(
            message.starts_with("no body is called \"pluto\"; there are sun, mercury"),
            "{message}"
        );
    }

    #[test]
    fn a_long_name_is_not_repeated_whole() {
        assert!(
            "x".repeat(100_000)
                .parse::<Body>()
                .unwrap_err()
                .to_string()
                .len()
                < 200
        );
    }
}
