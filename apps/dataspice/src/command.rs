//! What anyone may tell the mission clock.

use std::fmt;
use std::time::Instant;

use serde::Deserialize;

use crate::cassini::{Mission, OutsideMission};
use crate::clock::{MissionClock, Speed, SpeedError};
use crate::time::{Moment, TimeError};

/// One command, in JSON an object with one member: `{"playing": false}`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(try_from = "Given")]
pub(crate) enum Command {
    /// Run on, or stop.
    Playing(bool),
    /// Mission days in a second.
    Speed(f64),
    /// Go to this moment, in UTC: `1999-08-18T03:28:26Z`, or a date alone.
    At(String),
    /// Go to this part of the mission, from 0 to 1.
    Part(f64),
    /// Go to an event, by its number.
    Event(usize),
}

/// The object as it comes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    playing: Option<bool>,
    speed: Option<f64>,
    at: Option<String>,
    part: Option<f64>,
    event: Option<usize>,
}

impl TryFrom<Given> for Command {
    type Error = &'static str;

    fn try_from(given: Given) -> Result<Command, &'static str> {
        let commands = [
            given.playing.map(Command::Playing),
            given.speed.map(Command::Speed),
            given.at.map(Command::At),
            given.part.map(Command::Part),
            given.event.map(Command::Event),
        ];
        let mut commands = commands.into_iter().flatten();
        match (commands.next(), commands.next()) {
            (Some(command), None) => Ok(command),
            _ => Err("one command at a time: playing, speed, at, part or event"),
        }
    }
}

impl Command {
    /// Does it, or changes nothing.
    ///
    /// # Errors
    ///
    /// [`Refused`] says why not.
    pub(crate) fn run(
        &self,
        clock: &MissionClock,
        mission: &Mission,
        now: Instant,
    ) -> Result<(), Refused> {
        match self {
            Command::Playing(playing) => clock.play(*playing, now),
            Command::Speed(days) => clock.set_speed(Speed::from_days(*days)?, now),
            Command::At(text) => {
                let at: Moment = text.chars().take(40).collect::<String>().parse()?;
                clock.go_to(at, now)?;
            }
            Command::Part(part) => {
                if !(0.0..=1.0).contains(part) {
                    return Err(Refused::NoPart(*part));
                }
                clock.go_to(clock.part(*part), now)?;
            }
            Command::Event(number) => {
                let events = mission.events();
                let event = events.get(*number).ok_or(Refused::NoEvent {
                    asked: *number,
                    events: events.len(),
                })?;
                clock.go_to(event.at, now)?;
            }
        }
        Ok(())
    }
}

/// Why a command was not done.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub(crate) enum Refused {
    Speed(SpeedError),
    Time(TimeError),
    Outside(OutsideMission),
    NoPart(f64),
    NoEvent { asked: usize, events: usize },
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Speed(error) => error.fmt(f),
            Refused::Time(error) => error.fmt(f),
            Refused::Outside(error) => error.fmt(f),
            Refused::NoPart(part) => {
                write!(f, "{part} is no part of the mission: these go from 0 to 1")
            }
            Refused::NoEvent { asked, events } => {
                write!(
                    f,
                    "there is no event {asked}: they go from 0 to {}",
                    events - 1
                )
            }
        }
    }
}

impl std::error::Error for Refused {}

impl From<SpeedError> for Refused {
    fn from(error: SpeedError) -> Refused {
        Refused::Speed(error)
    }
}

impl From<TimeError> for Refused {
    fn from(error: TimeError) -> Refused {
        Refused::Time(error)
    }
}

impl From<OutsideMission> for Refused {
    fn from(error: OutsideMission) -> Refused {
        Refused::Outside(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(json: &str) -> Result<String, String> {
        let command: Command = serde_json::from_str(json).map_err(|error| error.to_string())?;
        let (mission, now) = (Mission::load().unwrap(), Instant::now());
        let clock = MissionClock::new(mission.start(), mission.end(), Speed::DEFAULT, now);
        let before = clock.read(now);
        match command.run(&clock, &mission, now) {
            Ok(()) => {
                let after = clock.read(now);
                let state = if after.playing { "runs" } else { "stands" };
                Ok(format!("{} {state} at {}", after.at, after.speed.days()))
            }
            Err(refused) => {
                assert_eq!(clock.read(now), before, "nothing is changed");
                Err(refused.to_string())
            }
        }
    }

    #[test]
    fn each_does_one_thing() {
        let launch = "1997-10-15T08:43:00Z";
        for (json, done) in [
            (r#"{"playing":false}"#, format!("{launch} stands at 20")),
            (r#"{"playing":true}"#, format!("{launch} runs at 20")),
            (r#"{"speed":0.5}"#, format!("{launch} runs at 0.5")),
            (
                r#"{"at":"2004-07-01"}"#,
                "2004-07-01T00:00:00Z runs at 20".into(),
            ),
            (r#"{"part":1}"#, "2017-09-15T10:31:48Z runs at 20".into()),
            (r#"{"event":0}"#, format!("{launch} runs at 20")),
        ] {
            assert_eq!(told(json), Ok(done), "{json}");
        }
    }

    #[test]
    fn nonsense_is_refused_in_words() {
        for (json, words) in [
            (r#"{"speed":367}"#, "a speed is a number of mission days"),
            (r#"{"speed":-1}"#, "a speed is a number of mission days"),
            (r#"{"speed":"x"}"#, "invalid type: string"),
            (r#"{"at":"soon"}"#, "\"soon\" is not a time in UTC"),
            (r#"{"at":"2004-02-30"}"#, "is not on the calendar"),
            (r#"{"at":"1997-10-15"}"#, "is outside the mission"),
            (r#"{"at":"2017-09-16"}"#, "is outside the mission"),
            (r#"{"part":1.01}"#, "1.01 is no part of the mission"),
            (r#"{"part":-0.5}"#, "is no part of the mission"),
            (
                r#"{"event":181}"#,
                "there is no event 181: they go from 0 to 180",
            ),
            (r#"{"event":-1}"#, "invalid value"),
            (r#"{"warp":9}"#, "unknown field `warp`"),
            (r#"{"playing":true,"speed":1}"#, "one command at a time"),
            (r#"{"playing":true,"playing":true}"#, "duplicate field"),
            ("{}", "one command at a time"),
        ] {
            let error = told(json).unwrap_err();
            assert!(error.contains(words), "{json}: {error}");
        }
        let long = format!(r#"{{"at":"{}"}}"#, "9".repeat(100_000));
        assert!(told(&long).unwrap_err().len() < 200);
    }
}
