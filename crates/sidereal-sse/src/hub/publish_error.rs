//! Why an event was not published.

use std::{error::Error, fmt};

use super::nodes::NotSent;

/// Why an event was not published, or not everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishError(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    TooLarge { length: usize, limit: usize },
    TooManyTopics,
    NotSent { why: NotSent, is_local: bool },
    Refused,
}

impl PublishError {
    pub(super) fn too_large(length: usize, limit: usize) -> Self {
        Self(Kind::TooLarge { length, limit })
    }

    pub(super) fn too_many_topics() -> Self {
        Self(Kind::TooManyTopics)
    }

    pub(super) fn not_sent(why: NotSent, is_local: bool) -> Self {
        Self(Kind::NotSent { why, is_local })
    }

    pub(super) fn refused() -> Self {
        Self(Kind::Refused)
    }

    /// The event is over [`Hub::max_event_size`](crate::Hub::max_event_size), or over what the broker
    /// takes.
    pub fn is_too_large(&self) -> bool {
        matches!(self.0, Kind::TooLarge { .. })
    }

    /// The hub is at [`Hub::max_topics`](crate::Hub::max_topics).
    pub fn is_too_many_topics(&self) -> bool {
        self.0 == Kind::TooManyTopics
    }

    /// The broker is away, and what is published does not wait for it
    /// ([`WhenAway::Refuse`](crate::broker::WhenAway::Refuse)).
    pub fn is_away(&self) -> bool {
        self.is_not_sent(NotSent::Away)
    }

    /// More waits for the broker than may ([`BrokerOptions::outbox`](crate::broker::BrokerOptions::outbox)).
    pub fn is_full(&self) -> bool {
        self.is_not_sent(NotSent::Full)
    }

    /// The broker will not take the event, or the hub is gone: only where it was waited for
    /// ([`Topic::publish_confirmed`](crate::Topic::publish_confirmed)).
    pub fn is_refused(&self) -> bool {
        self.0 == Kind::Refused
    }

    /// Those who follow on this node were sent the event all the same; those on others learn that they
    /// have missed one. So it is with topics without history when the broker does not take an event;
    /// of one with history, nobody is sent it.
    pub fn is_local(&self) -> bool {
        matches!(self.0, Kind::NotSent { is_local: true, .. })
    }

    fn is_not_sent(&self, reason: NotSent) -> bool {
        matches!(self.0, Kind::NotSent { why, .. } if why == reason)
    }
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Kind::TooLarge { length, limit } => {
                write!(f, "an event of {length} bytes is over the limit of {limit}")
            }
            Kind::TooManyTopics => f.write_str("the hub has as many topics as it may have"),
            Kind::NotSent { why, is_local } => {
                f.write_str(match why {
                    NotSent::Away => "the broker is away",
                    NotSent::Full => "too many messages wait for the broker",
                })?;
                match is_local {
                    true => f.write_str(": the event was sent on this node only"),
                    false => f.write_str(": the event was not sent"),
                }
            }
            Kind::Refused => f.write_str("the broker refused the event"),
        }
    }
}

impl Error for PublishError {}
