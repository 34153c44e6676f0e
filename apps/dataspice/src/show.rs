//! What all viewers share: the mission, its clock, and the picture of the moment.

use std::time::{Duration, Instant};

use sidereal::{BodyError, PatchSignals};

use crate::cassini::{Mission, OutsideMission};
use crate::clock::MissionClock;
use crate::command::{Command, Refused};
use crate::log::{self, Line};
use crate::render;
use crate::sky::Sky;
use crate::time::Moment;

/// How often there is a picture: one costs 2 ms, however many look at it.
pub(crate) const PERIOD: Duration = Duration::from_millis(100);

pub(crate) struct Show {
    mission: Mission,
    clock: MissionClock,
}

impl Show {
    pub(crate) fn new(mission: Mission, clock: MissionClock) -> Show {
        Show { mission, clock }
    }

    /// The sky now.
    pub(crate) fn sky(&self) -> Result<Sky, OutsideMission> {
        self.sky_at(self.now())
    }

    /// The sky at any moment of the mission.
    pub(crate) fn sky_at(&self, at: Moment) -> Result<Sky, OutsideMission> {
        Sky::at(&self.mission, at)
    }

    /// What the mission clock shows.
    pub(crate) fn now(&self) -> Moment {
        self.clock.read(Instant::now()).at
    }

    /// The picture of the moment.
    pub(crate) fn picture(&self) -> Result<PatchSignals, BodyError> {
        let clock = self.clock.read(Instant::now());
        let sky = self.sky_at(clock.at)?;
        Ok(PatchSignals::new(&render::signals(
            &sky,
            &self.mission,
            clock,
        ))?)
    }

    /// What has happened of late.
    pub(crate) fn log(&self) -> Vec<Line> {
        log::log(&self.mission, self.now())
    }

    /// Does what a viewer wants.
    pub(crate) fn command(&self, command: &Command) -> Result<(), Refused> {
        command.run(&self.clock, &self.mission, Instant::now())
    }
}
