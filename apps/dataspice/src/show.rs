//! What all viewers share: the mission, its clock, and the picture of the moment.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sidereal::{Frame, IntoFrame, PatchSignals};

use crate::cassini::Mission;
use crate::clock::{MissionClock, Speed};
use crate::render::{self, Served};
use crate::sky::Sky;

/// How often a viewer gets a picture, pushed or pulled.
pub(crate) const PERIOD: Duration = Duration::from_millis(100);

/// How old a picture may be for the next viewer: one picture costs 2 ms, however many look at it.
const FRESH: Duration = Duration::from_millis(50);

/// An error from wherever it comes, for the stream that ends with it.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

pub(crate) struct Show {
    mission: Mission,
    clock: MissionClock,
    push: AtomicUsize,
    /// When pictures were pulled, in the last second.
    pulls: Mutex<VecDeque<Instant>>,
    picture: Mutex<Option<(Instant, Frame)>>,
}

impl Show {
    pub(crate) fn new(mission: Mission, speed: Speed) -> Show {
        let clock = MissionClock::new(mission.start(), mission.end(), speed, Instant::now());
        Show {
            mission,
            clock,
            push: AtomicUsize::new(0),
            pulls: Mutex::default(),
            picture: Mutex::default(),
        }
    }

    pub(crate) fn sky(&self) -> Result<Sky, Failure> {
        Ok(Sky::at(&self.mission, self.clock.at(Instant::now()))?)
    }

    /// The picture of the moment, made at most once in [`FRESH`] for all.
    pub(crate) fn picture(&self) -> Result<Frame, Failure> {
        let mut picture = lock(&self.picture);
        if let Some((made, frame)) = &*picture
            && made.elapsed() < FRESH
        {
            return Ok(frame.clone());
        }
        let signals = render::signals(
            &self.sky()?,
            &self.mission,
            self.clock.speed(),
            self.served(),
        );
        let frame = PatchSignals::new(&signals)?.into_frame();
        *picture = Some((Instant::now(), frame.clone()));
        Ok(frame)
    }

    pub(crate) fn push_began(&self) {
        self.push.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn push_ended(&self) {
        self.push.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn pulled(&self) {
        lock(&self.pulls).push_back(Instant::now());
    }

    fn served(&self) -> Served {
        let mut pulls = lock(&self.pulls);
        while pulls
            .front()
            .is_some_and(|at| at.elapsed() > Duration::from_secs(1))
        {
            pulls.pop_front();
        }
        Served {
            push: self.push.load(Ordering::Relaxed),
            pull: pulls.len(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
