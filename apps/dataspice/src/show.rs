//! What all viewers share: the mission, its clock, and the picture of the moment.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sidereal::{BodyError, PatchSignals};

use crate::cassini::{Mission, OutsideMission};
use crate::clock::MissionClock;
use crate::render;
use crate::sky::Sky;

/// How often there is a picture: one costs 2 ms, however many look at it.
pub(crate) const PERIOD: Duration = Duration::from_millis(100);

pub(crate) struct Show {
    mission: Mission,
    clock: MissionClock,
    /// When pictures were pulled, in the last second.
    pulls: Mutex<VecDeque<Instant>>,
}

impl Show {
    pub(crate) fn new(mission: Mission, clock: MissionClock) -> Show {
        Show {
            mission,
            clock,
            pulls: Mutex::default(),
        }
    }

    pub(crate) fn sky(&self) -> Result<Sky, OutsideMission> {
        Sky::at(&self.mission, self.clock.at(Instant::now()))
    }

    /// The picture of the moment.
    pub(crate) fn picture(&self) -> Result<PatchSignals, BodyError> {
        let (sky, speed) = (self.sky()?, self.clock.speed());
        let signals = render::signals(&sky, &self.mission, speed, self.pulls());
        Ok(PatchSignals::new(&signals)?)
    }

    /// Counts a picture that was pulled.
    pub(crate) fn pulled(&self) {
        lock(&self.pulls).push_back(Instant::now());
    }

    fn pulls(&self) -> usize {
        let mut pulls = lock(&self.pulls);
        while pulls
            .front()
            .is_some_and(|at| at.elapsed() > Duration::from_secs(1))
        {
            pulls.pop_front();
        }
        pulls.len()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
