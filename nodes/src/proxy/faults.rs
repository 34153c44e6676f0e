//! What a proxy does to messages, and how often it has done it.

use std::{
    ops::RangeInclusive,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// How likely each fault is for a message, from 0.0, never, which is the default of all, to 1.0, always.
///
/// ```
/// use std::time::Duration;
/// use nodes::Faults;
///
/// let faults = Faults {
///     duplicate: 0.1,
///     delay: 0.01,
///     delay_for: Duration::ZERO..=Duration::from_millis(20),
///     ..Faults::default()
/// };
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Faults {
    /// A delivered message comes twice: half of those at once, half after some others, as a held one would.
    pub duplicate: f64,
    /// A delivered message does not come.
    pub drop: f64,
    /// A delivered message comes later, and with it all that comes after it on its connection.
    pub delay: f64,
    /// How much later.
    pub delay_for: RangeInclusive<Duration>,
    /// A delivered message is held back until others of its connection have passed it.
    pub hold: f64,
    /// How many have to pass it: from 1 to this number.
    pub hold_for: u32,
    /// It comes after this time even if they do not.
    pub hold_at_most: Duration,
    /// What a client publishes reaches the broker twice, one after the other. What Redis answers to the second is kept
    /// from the client. Not within `MULTI`.
    pub publish_twice: f64,
    /// What a client publishes to Redis is done, and instead of the answer its connection is reset. With NATS, where an
    /// answer is a message, it is `drop` that loses it.
    pub lose_reply: f64,
    /// Only messages whose subject, channel or key begins with this: `None` for all, those with which JetStream is asked
    /// and answers included (`$JS.`, `_INBOX.`).
    pub only: Option<String>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            duplicate: 0.0,
            drop: 0.0,
            delay: 0.0,
            delay_for: Duration::ZERO..=Duration::from_millis(50),
            hold: 0.0,
            hold_for: 3,
            hold_at_most: Duration::from_millis(200),
            publish_twice: 0.0,
            lose_reply: 0.0,
            only: None,
        }
    }
}

impl Faults {
    /// Whether they are for messages of this subject.
    pub(crate) fn concern(&self, subject: &str) -> bool {
        let only = self.only.as_deref();
        only.is_none_or(|only| subject.starts_with(only))
    }
}

/// One fault, for the next message that it can be for: see [`Proxy::next`](crate::Proxy::next).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A delivered message comes twice, at once.
    Duplicate,
    /// A delivered message does not come.
    Drop,
    /// A delivered message comes so much later, and all after it too.
    Delay(Duration),
    /// A delivered message comes after so many others, or after [`Faults::hold_at_most`].
    Hold(u32),
    /// What is published reaches the broker twice.
    PublishTwice,
    /// What is published to Redis is done, and the connection reset instead of an answer.
    LoseReply,
}

impl Fault {
    /// Whether it is for what clients send.
    pub(crate) fn is_of_publishing(self) -> bool {
        matches!(self, Self::PublishTwice | Self::LoseReply)
    }
}

macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// How often what has happened, since the proxy was started.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Counts {
            $($(#[$doc])* pub $name: u64,)*
        }

        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: AtomicU64,)*
        }

        impl Counters {
            pub(crate) fn read(&self) -> Counts {
                Counts { $($name: self.$name.load(Relaxed),)* }
            }
        }
    };
}

counts! {
    /// Connections that were taken.
    connections,
    /// Messages that the broker has sent, those with faults included.
    messages,
    /// What clients have published.
    publishes,
    /// Messages that came twice.
    duplicated,
    /// Messages that did not come.
    dropped,
    /// Messages that came later, and all after them.
    delayed,
    /// Messages that were held back.
    held,
    /// Those of them that others have passed.
    reordered,
    /// What reached the broker twice.
    published_twice,
    /// Answers that were not given, and their connections reset.
    replies_lost,
    /// Connections that were cut by `cut` or `close`.
    cut,
    /// Times that a connection has waited, with something to forward or to begin with, since the proxy was a black hole.
    black_holed,
    /// Connections that were taken, and reset since the broker takes none.
    unreachable,
    /// Connections that were reset since something on them was not understood: a mistake of the test, or of the proxy.
    unreadable,
}

/// Adds one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}
