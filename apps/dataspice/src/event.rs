//! What happened, and what kind of thing it was.

use crate::body::Body;
use crate::time::{Moment, TimeError};

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) at: Moment,
    /// The time as published: a date alone where the minute is not sure.
    pub(crate) utc: String,
    pub(crate) text: String,
    pub(crate) kind: Kind,
}

/// What an event is, as its text has it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Flyby(Flyby),
    Milestone,
}

/// A pass that was flown for the sake of the body, or for its pull.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Flyby {
    /// Of what: `Titan`.
    pub(crate) of: String,
    /// The same, where it is one of the bodies that are shown.
    pub(crate) body: Option<Body>,
    /// What it is called among its like, where it has a name: `T-45`.
    pub(crate) name: Option<String>,
    /// How near it came, as published: the height above the surface where the text says so, which it does of Titan.
    pub(crate) km: Option<f64>,
}

impl Event {
    pub(crate) fn new(utc: String, text: String) -> Result<Event, TimeError> {
        Ok(Event {
            at: utc.parse()?,
            kind: flyby(&text).map_or(Kind::Milestone, Kind::Flyby),
            utc,
            text,
        })
    }

    pub(crate) fn flyby(&self) -> Option<&Flyby> {
        match &self.kind {
            Kind::Flyby(flyby) => Some(flyby),
            Kind::Milestone => None,
        }
    }
}

/// Reads `Titan flyby T-45, altitude 1,614 km` and the like: one word before `flyby`, and a name, a comma or nothing after it.
fn flyby(text: &str) -> Option<Flyby> {
    let mut words = text.splitn(3, ' ');
    let (of, flyby) = (words.next()?, words.next()?);
    if flyby.trim_end_matches(',') != "flyby" {
        return None;
    }
    let rest = words.next().unwrap_or_default();
    let name = if flyby.ends_with(',') {
        ""
    } else {
        rest.split([',', ':', ' ']).next().unwrap_or_default()
    };
    Some(Flyby {
        of: of.to_owned(),
        body: Body::ALL.into_iter().find(|body| body.name() == of),
        name: (!name.is_empty()).then(|| name.to_owned()),
        km: kilometres(rest),
    })
}

/// The first number of kilometres in a text: `about 2,070 km`, `9.7 million km`.
fn kilometres(text: &str) -> Option<f64> {
    let mut words = text
        .split(' ')
        .map(|word| word.trim_end_matches([',', ':', ';', ')']));
    let mut number = None;
    words.find_map(|word| match word {
        "km" => number,
        "million" => {
            number = number.map(|n: f64| n * 1e6);
            None
        }
        _ => {
            number = word.replace(',', "").parse().ok();
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Kind {
        Event::new("2008-09-20".to_owned(), text.to_owned())
            .unwrap()
            .kind
    }

    fn flown(of: &str, body: Option<Body>, name: Option<&str>, km: Option<f64>) -> Kind {
        Kind::Flyby(Flyby {
            of: of.to_owned(),
            body,
            name: name.map(str::to_owned),
            km,
        })
    }

    #[test]
    fn flybys_are_read_however_they_are_written() {
        for (text, kind) in [
            (
                "Titan flyby T-C, altitude 60,003 km (relaying Huygens)",
                flown("Titan", Some(Body::Titan), Some("T-C"), Some(60_003.0)),
            ),
            (
                "Titan flyby T-6",
                flown("Titan", Some(Body::Titan), Some("T-6"), None),
            ),
            (
                "Titan flyby T-126, altitude 979 km: on to the Grand Finale",
                flown("Titan", Some(Body::Titan), Some("T-126"), Some(979.0)),
            ),
            (
                "Venus flyby 2, altitude about 600 km",
                flown("Venus", Some(Body::Venus), Some("2"), Some(600.0)),
            ),
            (
                "Jupiter flyby, 9.7 million km",
                flown("Jupiter", Some(Body::Jupiter), None, Some(9.7e6)),
            ),
            (
                "Phoebe flyby, about 2,070 km",
                flown("Phoebe", None, None, Some(2070.0)),
            ),
            ("Titan flyby", flown("Titan", Some(Body::Titan), None, None)),
        ] {
            assert_eq!(of(text), kind, "{text}");
        }
    }

    #[test]
    fn all_else_is_a_milestone() {
        for text in [
            "",
            "flyby",
            "flyby, 100 km",
            "First distant pass of Titan, about 340,000 km",
            "Titan flybys end",
            "After the Titan flyby T-5, 10 km",
            "Huygens lands on Titan",
        ] {
            assert_eq!(of(text), Kind::Milestone, "{text}");
        }
    }

    #[test]
    fn a_time_that_is_none_is_told() {
        assert!(Event::new("1999".to_owned(), String::new()).is_err());
    }
}
