//! What all viewers share: the mission, its clock, and the picture of the moment.

use std::time::{Duration, Instant};

use serde::Deserialize;
use sidereal::{BodyError, PatchElements, PatchSignals};

use crate::cassini::{Mission, OutsideMission};
use crate::clock::MissionClock;
use crate::command::{Command, Refused};
use crate::log::{self, Line};
use crate::render;
use crate::sky::Sky;
use crate::time::Moment;

/// How often there is a picture: one costs 2 ms, however many look at it.
pub(crate) const PERIOD: Duration = Duration::from_millis(100);

/// How often it is measured what all of it costs.
pub(crate) const LOAD_PERIOD: Duration = Duration::from_secs(2);

/// How often there is a table of the bodies.
pub(crate) const TABLE_PERIOD: Duration = Duration::from_secs(2);

/// The sky as it is, or as the light shows it that arrives on Earth.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Seen {
    #[default]
    Now,
    Earth,
}

pub(crate) struct Show {
    mission: Mission,
    clock: MissionClock,
}

impl Show {
    pub(crate) fn new(mission: Mission, clock: MissionClock) -> Show {
        Show { mission, clock }
    }

    /// The sky now.
    pub(crate) fn sky(&self, seen: Seen) -> Result<Sky, OutsideMission> {
        self.seen_at(seen, self.now())
    }

    /// The sky as it is at any moment of the mission.
    pub(crate) fn sky_at(&self, at: Moment) -> Result<Sky, OutsideMission> {
        self.seen_at(Seen::Now, at)
    }

    fn seen_at(&self, seen: Seen, at: Moment) -> Result<Sky, OutsideMission> {
        match seen {
            Seen::Now => Sky::at(&self.mission, at),
            Seen::Earth => Sky::as_seen_from_earth(&self.mission, at),
        }
    }

    /// What the mission clock shows.
    pub(crate) fn now(&self) -> Moment {
        self.clock.read(Instant::now()).at
    }

    /// The picture of the moment, and what has happened of late.
    pub(crate) fn present(&self, seen: Seen) -> Result<(PatchSignals, Vec<Line>), BodyError> {
        let clock = self.clock.read(Instant::now());
        let sky = self.seen_at(seen, clock.at)?;
        let signals = render::signals(&sky, &self.mission, clock);
        let log = log::log(&self.mission, &sky, clock.speed.days());
        Ok((PatchSignals::new(&signals)?, log))
    }

    /// All bodies and how far they are.
    pub(crate) fn bodies(&self, seen: Seen) -> Result<PatchElements, BodyError> {
        Ok(PatchElements::new(render::bodies(&self.sky(seen)?)))
    }

    /// Does what a viewer wants.
    pub(crate) fn command(&self, command: &Command) -> Result<(), Refused> {
        command.run(&self.clock, &self.mission, Instant::now())
    }
}
