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
    Mimas,
    Enceladus,
    Tethys,
    Dione,
    Rhea,
    Titan,
    Cassini,
    Huygens,
}

impl Body {
    pub(crate) const ALL: [Body; 18] = [
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
        Body::Mimas,
        Body::Enceladus,
        Body::Tethys,
        Body::Dione,
        Body::Rhea,
        Body::Titan,
        Body::Cassini,
        Body::Huygens,
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

    /// Saturn's moons that are shown, by distance from it.
    pub(crate) const MOONS: [Body; 6] = [
        Body::Mimas,
        Body::Enceladus,
        Body::Tethys,
        Body::Dione,
        Body::Rhea,
        Body::Titan,
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
            Body::Mimas => "mimas",
            Body::Enceladus => "enceladus",
            Body::Tethys => "tethys",
            Body::Dione => "dione",
            Body::Rhea => "rhea",
            Body::Titan => "titan",
            Body::Cassini => "cassini",
            Body::Huygens => "huygens",
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
            Body::Mimas => "Mimas",
            Body::Enceladus => "Enceladus",
            Body::Tethys => "Tethys",
            Body::Dione => "Dione",
            Body::Rhea => "Rhea",
            Body::Titan => "Titan",
            Body::Cassini => "Cassini",
            Body::Huygens => "Huygens",
        }
    }

    /// The days that one turn about the Sun takes (sidereal); only the planets have them.
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
            Body::Sun
            | Body::Moon
            | Body::Mimas
            | Body::Enceladus
            | Body::Tethys
            | Body::Dione
            | Body::Rhea
            | Body::Titan
            | Body::Cassini
            | Body::Huygens => None,
        }
    }

    /// What the details pane says, as label and text. Radii are means by volume; figures after NASA's planetary fact sheets,
    /// the moons' distances after `data/moons.json`, those of Huygens after ESA's fact sheet.
    pub(crate) fn facts(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Body::Sun => &[
                ("Radius", "695,700 km"),
                ("Mass", "332,946 Earths"),
                ("Turns in", "25.4 days, at 16° of latitude"),
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
            Body::Mimas => &[
                ("Radius", "198 km"),
                ("Orbit", "22 h 37 min about Saturn"),
                ("Mean distance", "185,539 km from Saturn"),
                ("Crater Herschel", "139 km across"),
                ("Found by", "William Herschel, 1789"),
            ],
            Body::Enceladus => &[
                ("Radius", "252 km"),
                ("Orbit", "1 d 8 h 53 min about Saturn"),
                ("Mean distance", "238,042 km from Saturn"),
                ("Known for", "jets of water from its south pole"),
                ("Found by", "William Herschel, 1789"),
            ],
            Body::Tethys => &[
                ("Radius", "531 km"),
                ("Orbit", "1 d 21 h 18 min about Saturn"),
                ("Mean distance", "294,672 km from Saturn"),
                ("Found by", "Giovanni Cassini, 1684"),
            ],
            Body::Dione => &[
                ("Radius", "561 km"),
                ("Orbit", "2 d 17 h 41 min about Saturn"),
                ("Mean distance", "377,415 km from Saturn"),
                ("Found by", "Giovanni Cassini, 1684"),
            ],
            Body::Rhea => &[
                ("Radius", "764 km"),
                ("Orbit", "4 d 12 h 25 min about Saturn"),
                ("Mean distance", "527,068 km from Saturn"),
                ("Found by", "Giovanni Cassini, 1672"),
            ],
            Body::Titan => &[
                ("Radius", "2,575 km"),
                ("Orbit", "15 d 22 h 41 min about Saturn"),
                ("Mean distance", "1,221,865 km from Saturn"),
                ("Air", "nitrogen and methane, 1.5 bar"),
                ("Surface", "94 K"),
                ("Found by", "Christiaan Huygens, 1655"),
            ],
            Body::Cassini => &[
                ("Height", "6.8 m"),
                ("Mass at launch", "5,712 kg, with Huygens"),
                ("Antenna", "4 m across"),
                ("Power", "3 plutonium generators"),
                ("Launched", "1997-10-15, Cape Canaveral"),
            ],
            Body::Huygens => &[
                ("Mass", "318 kg"),
                ("Heat shield", "2.7 m across"),
                ("Descent", "2 h 28 min, by parachute"),
                ("Sent from the surface for", "72 min, as Cassini heard it"),
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
                < 300
        );
    }
}
