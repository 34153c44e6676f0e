//! Where everything is, for programs: `GET /api/state`.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::body::Body;
use crate::cassini::OutsideMission;
use crate::show::Show;
use crate::sky::Sky;
use crate::source::Source;
use crate::time::{Moment, TimeError};

/// What is answered.
#[derive(Debug, Serialize)]
struct State {
    /// UTC.
    at: String,
    frame: &'static str,
    unit: &'static str,
    /// What the positions are computed by, and how far off they may be.
    sources: BTreeMap<&'static str, Source>,
    /// By id: x, y and z.
    bodies: BTreeMap<&'static str, [f64; 3]>,
}

/// Answers a query: `at=` a moment of the mission, or else what its clock shows.
///
/// # Errors
///
/// [`StateError`] where that is no moment, or none of the mission.
pub(crate) fn answer(show: &Show, query: Option<&str>) -> Result<Vec<u8>, StateError> {
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let mut at = None;
    for (name, value) in pairs {
        match &*name {
            "at" => at = Some(value.chars().take(40).collect::<String>()),
            _ => return Err(StateError::Unknown(name.chars().take(40).collect())),
        }
    }
    let at: Moment = match at {
        Some(text) => text.parse()?,
        None => show.now(),
    };
    let state = State::of(&show.sky_at(at)?);
    serde_json::to_vec(&state).map_err(|error| StateError::Unwritable(error.to_string()))
}

impl State {
    fn of(sky: &Sky) -> State {
        let places = Body::ALL.map(|body| {
            let place = sky.position(body);
            (body.id(), [place.x, place.y, place.z])
        });
        let groups = [
            ("cassini", &[Body::Cassini][..]),
            ("planets", &Body::PLANETS),
            ("moons", &Body::MOONS),
            ("huygens", &[Body::Huygens]),
        ];
        let sources = groups
            .into_iter()
            .filter_map(|(name, bodies)| Some((name, sky.source_of(bodies)?)));
        State {
            at: sky.at.to_string(),
            frame: "J2000 ecliptic, about the Sun",
            unit: "km",
            sources: sources.collect(),
            bodies: places.into(),
        }
    }
}

/// Why there is no state.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) enum StateError {
    /// No parameter has this name.
    Unknown(String),
    Time(TimeError),
    Outside(OutsideMission),
    /// The answer cannot be written as JSON.
    Unwritable(String),
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StateError::Unknown(name) => write!(f, "there is no parameter {name:?}; there is `at`"),
            StateError::Time(error) => error.fmt(f),
            StateError::Outside(error) => error.fmt(f),
            StateError::Unwritable(problem) => write!(f, "the state cannot be written: {problem}"),
        }
    }
}

impl std::error::Error for StateError {}

impl From<TimeError> for StateError {
    fn from(error: TimeError) -> StateError {
        StateError::Time(error)
    }
}

impl From<OutsideMission> for StateError {
    fn from(error: OutsideMission) -> StateError {
        StateError::Outside(error)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use serde_json::Value;

    use super::*;
    use crate::cassini::Mission;
    use crate::clock::{MissionClock, Speed};

    fn asked(query: Option<&str>) -> Result<Value, String> {
        let mission = Mission::load().unwrap();
        let (start, end) = (mission.start(), mission.end());
        let clock = MissionClock::new(start, end, Speed::DEFAULT, Instant::now());
        let answer = answer(&Show::new(mission, clock), query);
        answer
            .map(|json| serde_json::from_slice(&json).unwrap())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn tells_where_everything_is() {
        let state = asked(Some("at=1999-08-18T03%3A28:26Z")).unwrap();
        assert_eq!(state["at"], "1999-08-18T03:28:26Z");
        for body in Body::ALL {
            assert_eq!(state["bodies"][body.id()].as_array().unwrap().len(), 3);
        }
        // The flyby of Earth: Cassini's arcs meet at its centre.
        let x = |body: &str| state["bodies"][body][0].as_f64().unwrap();
        assert!((x("cassini") - x("earth")).abs() < 3_000.0);
        assert_eq!(state["sources"]["cassini"]["error_km"], 1_130_000);
        assert_eq!(state["sources"]["planets"]["name"], "VSOP87A");
        // It rides with Cassini.
        assert_eq!(state["sources"]["huygens"], state["sources"]["cassini"]);
    }

    #[test]
    fn without_a_moment_it_is_the_clocks() {
        let state = asked(None).unwrap();
        assert!(
            state["at"].as_str().unwrap().starts_with("1997-10-"),
            "{state}"
        );
    }

    #[test]
    fn says_what_is_wrong() {
        for (query, words) in [
            ("at=", "\"\" is not a time in UTC"),
            ("at=1997-01-01", "is before 1997-07-01"),
            ("at=1997-08-01", "is outside the mission"),
            ("when=now", "there is no parameter \"when\""),
        ] {
            let error = asked(Some(query)).unwrap_err();
            assert!(error.contains(words), "{query}: {error}");
        }
    }
}
