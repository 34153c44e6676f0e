//! How many are sent how much, how often.

use std::{fmt, time::Duration};

use bench::content::Content;

use crate::contestant::{Contestant, Who};

const TEXT: Content = Content::Text(200);

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Load {
    pub(crate) name: &'static str,
    pub(crate) subscribers: usize,
    /// Events a second.
    pub(crate) rate: f64,
    pub(crate) content: Content,
    /// How often each contestant has its turn.
    pub(crate) rounds: usize,
    /// How long it is measured each time.
    pub(crate) window: Duration,
}

impl Load {
    pub(crate) const TEXT: Self = Self {
        name: "text",
        subscribers: 2000,
        rate: 10.0,
        content: TEXT,
        rounds: 3,
        window: Duration::from_secs(3),
    };
    pub(crate) const PAGE: Self = Self {
        name: "page",
        subscribers: 1000,
        rate: 5.0,
        content: Content::Page,
        rounds: 3,
        window: Duration::from_secs(3),
    };
    pub(crate) const CROWD: Self = Self {
        name: "crowd",
        subscribers: 15_000,
        rate: 1.0,
        content: TEXT,
        rounds: 2,
        window: Duration::from_secs(5),
    };
    pub(crate) const ALL: [Self; 3] = [Self::TEXT, Self::PAGE, Self::CROWD];

    /// The steps on the way to the crowd.
    pub(crate) const GROWTH: [Self; 3] = [step(100), step(1000), step(5000)];

    /// As much of it as shows that it works.
    pub(crate) fn quick(self) -> Self {
        Self {
            subscribers: self.subscribers.min(100),
            rate: 20.0,
            rounds: 1,
            window: Duration::from_millis(500),
            ..self
        }
    }

    /// Fewer subscribers for tower-http's layer, which compresses for each of them: one core could
    /// hardly keep up with the others' load. What each costs is the same.
    pub(crate) fn for_contestant(self, contestant: Contestant) -> Self {
        let is_slow = contestant.who == Who::Official && contestant.codec.is_some();
        let most = if is_slow { 200 } else { usize::MAX };
        Self {
            subscribers: self.subscribers.min(most),
            ..self
        }
    }

    /// Events before those that are measured.
    pub(crate) fn warm_up(&self) -> u64 {
        self.events_in(self.window.as_secs_f64() / 3.0).max(2)
    }

    /// Events that are measured.
    pub(crate) fn events(&self) -> u64 {
        self.events_in(self.window.as_secs_f64()).max(2)
    }

    fn events_in(&self, seconds: f64) -> u64 {
        (self.rate * seconds).round() as u64
    }
}

const fn step(subscribers: usize) -> Load {
    Load {
        name: "growth",
        subscribers,
        rounds: 1,
        ..Load::CROWD
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (subscribers, rate) = (self.subscribers, self.rate);
        write!(f, "{subscribers} subscribers, {rate} events/s of ")?;
        match self.content {
            Content::Text(bytes) => write!(f, "{bytes} B"),
            Content::Page => f.write_str("a 20 KB page"),
        }
    }
}
