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
    /// All on HTTP/2, ten to a connection, as a proxy has them.
    pub(crate) is_http2: bool,
    /// One more subscriber is there, and reads nothing.
    pub(crate) one_stalls: bool,
}

impl Load {
    pub(crate) const TEXT: Self = Self {
        name: "text",
        subscribers: 2000,
        rate: 10.0,
        content: TEXT,
        rounds: 3,
        window: Duration::from_secs(3),
        is_http2: false,
        one_stalls: false,
    };
    pub(crate) const PAGE: Self = Self {
        name: "page",
        subscribers: 1000,
        rate: 5.0,
        content: Content::Page,
        ..Self::TEXT
    };
    pub(crate) const CROWD: Self = Self {
        name: "crowd",
        subscribers: 15_000,
        rate: 1.0,
        content: TEXT,
        rounds: 2,
        window: Duration::from_secs(5),
        ..Self::TEXT
    };
    pub(crate) const ALL: [Self; 3] = [Self::TEXT, Self::PAGE, Self::CROWD];

    /// Pages that are not compressed, and many: what a topic keeps by default is over before the last
    /// one, and far more than a connection's buffers hold.
    pub(crate) const NONE_STALLS: Self = Self {
        name: "stalled",
        subscribers: 1000,
        rate: 10.0,
        content: Content::Page,
        rounds: 5,
        window: Duration::from_secs(10),
        ..Self::TEXT
    };

    /// Each beside the same with one that stalls.
    pub(crate) fn stalling() -> [[Self; 2]; 2] {
        [false, true].map(|is_http2| {
            [false, true].map(|one_stalls| Self {
                is_http2,
                one_stalls,
                ..Self::NONE_STALLS
            })
        })
    }

    /// The steps on the way to the crowd.
    pub(crate) const GROWTH: [Self; 3] = [step(100), step(1000), step(5000)];

    /// As much of it as shows that it works.
    pub(crate) fn quick(self) -> Self {
        // As many events as make one lag, where one is to.
        let (rate, window) = match self.name == Self::NONE_STALLS.name {
            true => (50.0, Duration::from_secs(2)),
            false => (20.0, Duration::from_millis(500)),
        };
        Self {
            subscribers: self.subscribers.min(100),
            rate,
            rounds: 1,
            window,
            ..self
        }
    }

    /// Fewer subscribers for tower-http's layer, which compresses for each of them: one core could
    /// hardly keep up with the others' load. What each costs is the same.
    pub(crate) fn for_contestant(self, contestant: Contestant) -> Self {
        let is_slow = contestant.who == Who::Official && contestant.codec.is_some();
        let most = match contestant.who {
            _ if is_slow => 200,
            Who::Blocking => 1000,
            _ => usize::MAX,
        };
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
        }?;
        if self.is_http2 {
            f.write_str(", HTTP/2")?;
        }
        match self.one_stalls {
            true => f.write_str(", beside one that stalls"),
            false => Ok(()),
        }
    }
}
