//! How a hub deals with its broker.

use std::time::Duration;

/// What becomes of what is published while the broker is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WhenAway {
    /// Publishing is an error. On a topic without history, those who follow on this node have been sent
    /// the event all the same, and those on other nodes learn that they have missed one.
    Refuse,
    /// It waits for the broker, as long as there is room
    /// ([`outbox`](BrokerOptions::outbox)), and publishing succeeds. It is gone if this process ends
    /// before.
    Hold,
}

/// The settings of a hub on several nodes.
///
/// | setting | default |
/// |---|---|
/// | [`when_away`](Self::when_away) | [`WhenAway::Refuse`] |
/// | [`outbox`](Self::outbox) | 10,000 messages, 16 MiB |
/// | [`node_timeout`](Self::node_timeout) | 5 s |
///
/// ```
/// use sidereal_sse::broker::{BrokerOptions, WhenAway};
///
/// let options = BrokerOptions::new().when_away(WhenAway::Hold);
/// # let _ = options;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct BrokerOptions {
    pub(super) when_away: WhenAway,
    pub(super) outbox: usize,
    pub(super) outbox_bytes: usize,
    pub(super) node_timeout: Duration,
}

impl BrokerOptions {
    /// The defaults.
    pub const fn new() -> Self {
        Self {
            when_away: WhenAway::Refuse,
            outbox: 10_000,
            outbox_bytes: 16 << 20,
            node_timeout: Duration::from_secs(5),
        }
    }

    /// What becomes of what is published while the broker is away. Default
    /// [`WhenAway::Refuse`].
    pub const fn when_away(mut self, when: WhenAway) -> Self {
        self.when_away = when;
        self
    }

    /// How many messages may wait for the broker, and how many bytes; one more is an error to who
    /// publishes it. The two kinds of topics, with history and without, have as much each. Default
    /// 10,000 messages and 16 MiB.
    pub const fn outbox(mut self, messages: usize, bytes: usize) -> Self {
        self.outbox = messages;
        self.outbox_bytes = bytes;
        self
    }

    /// After which time a node counts as gone of which nothing is heard. Each says that it is there
    /// once a second. Default 5 s, at least 2 s.
    pub const fn node_timeout(mut self, timeout: Duration) -> Self {
        let least = Duration::from_secs(2);
        self.node_timeout = match timeout.as_nanos() < least.as_nanos() {
            true => least,
            false => timeout,
        };
        self
    }
}

impl Default for BrokerOptions {
    fn default() -> Self {
        Self::new()
    }
}
