//! Why a stream ended, and what its end tells the page.

use std::{fmt, time::Duration};

use crate::BodyError;

/// Why a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndReason {
    /// The body had nothing more to send.
    Finished,
    /// The body, or `on_connect`, returned an error.
    Failed,
    /// The body, or `on_connect`, panicked.
    Panicked,
    /// The application called [`Sender::close`](crate::Sender::close).
    Closed,
    /// The client left, or the server dropped the response.
    Disconnected,
    /// The client did not read for longer than the server's write deadline.
    WriteDeadline,
    /// The stream reached its maximum age.
    MaxAge,
    /// The server is shutting down.
    Shutdown,
    /// The client read so slowly that a topic did not keep the next event any more, and the topic
    /// closes such streams ([`Lag::Close`](crate::Lag::Close)).
    Lagged,
}

/// How a stream ends on the wire.
///
/// A Datastar page that asked for nothing special stays as it is after a clean end, and comes back
/// by itself after a broken one: after 1 s, and with doubled delays of up to 30 s while it fails.
///
/// HTTP/1.0 knows no difference: there the end of a response is the end of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum End {
    /// The response ends as a whole one: the page does not come back.
    Clean,
    /// The response is cut off on purpose (HTTP/1.1: without its last chunk; HTTP/2:
    /// `RST_STREAM`): the page comes back.
    Broken,
}

impl EndReason {
    const COUNT: usize = 9;

    /// How a stream with this reason ends unless it is set otherwise.
    ///
    /// What the application decided ends cleanly, failures included: a page that reconnected to a
    /// handler that fails would do so for ever. What will be better at the next attempt breaks.
    pub fn default_end(self) -> End {
        match self {
            Self::Finished | Self::Failed | Self::Panicked | Self::Closed => End::Clean,
            Self::Disconnected
            | Self::WriteDeadline
            | Self::MaxAge
            | Self::Shutdown
            | Self::Lagged => End::Broken,
        }
    }

    /// The reason in a few words, for logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Panicked => "panicked",
            Self::Closed => "closed by the application",
            Self::Disconnected => "the client is gone",
            Self::WriteDeadline => "the client did not read in time",
            Self::MaxAge => "maximum age reached",
            Self::Shutdown => "the server is shutting down",
            Self::Lagged => "the client read too slowly, and events are gone",
        }
    }
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

const _: () = assert!(EndReason::Lagged as usize + 1 == EndReason::COUNT);

/// How each reason ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ends([Option<End>; EndReason::COUNT]);

impl Ends {
    pub(crate) const DEFAULT: Self = Self([None; EndReason::COUNT]);

    pub(crate) fn set(&mut self, reason: EndReason, end: End) {
        self.0[reason as usize] = Some(end);
    }

    pub(crate) fn of(&self, reason: EndReason) -> End {
        self.0[reason as usize].unwrap_or_else(|| reason.default_end())
    }
}

/// What is known of a stream when it has ended: the argument of `on_disconnect` and of
/// [`Observer::ended`](crate::Observer::ended).
#[derive(Debug)]
#[non_exhaustive]
pub struct Ended {
    pub(crate) reason: EndReason,
    pub(crate) error: Option<BodyError>,
    pub(crate) events: u64,
    pub(crate) bytes: u64,
    pub(crate) duration: Duration,
}

impl Ended {
    /// Why it ended.
    pub fn reason(&self) -> EndReason {
        self.reason
    }

    /// The error, where the body or `on_connect` failed or panicked.
    pub fn error(&self) -> Option<&BodyError> {
        self.error.as_ref()
    }

    /// How many events were handed to the server, heartbeats not counted. The last ones may not
    /// have reached the client: what a server has accepted is not delivered.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// How many bytes were handed to the server, heartbeats counted.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How long the stream lived, from its first poll.
    pub fn duration(&self) -> Duration {
        self.duration
    }
}
