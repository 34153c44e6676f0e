//! What a client would throw on, or silently ignore.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use super::Mode;

/// Why an event of the stream would not do on the page what its server meant.
///
/// Each is something the official client 1.0.x throws on, ignores, or turns into something else.
///
/// ```
/// use sidereal::testing::{EventError, StreamError, events};
///
/// let broken = b"event: datastar-patch-elements\ndata: mode append\ndata: elements <li>\n\n";
/// let Err(StreamError::Event(error)) = events(broken) else { panic!("an error") };
/// assert!(matches!(error, EventError::SelectorRequired { .. }));
/// assert_eq!(
///     error.to_string(),
///     "mode `append` without a selector: the client throws PatchElementsExpectedSelector",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventError {
    /// A data line that has no space between key and value; the client takes all but its last character for the key.
    LineWithoutSpace {
        /// The line, without `data: `.
        line: String,
    },
    /// A key that the event does not have; the client ignores it.
    UnknownKey {
        /// The type of the event.
        event: String,
        /// The key.
        key: String,
    },
    /// A mode that is not one of the eight.
    UnknownMode {
        /// What was sent in its place.
        mode: String,
    },
    /// A namespace other than `html`, `svg` and `mathml`.
    UnknownNamespace {
        /// What was sent in its place.
        namespace: String,
    },
    /// A mode other than `outer` and `replace`, without a selector.
    SelectorRequired {
        /// The mode.
        mode: Mode,
    },
    /// A signals patch without signals.
    SignalsMissing,
    /// Signals that are not strict JSON; the client evaluates them as JavaScript.
    SignalsNotJson {
        /// What was sent.
        raw: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Signals that are JSON, but not an object.
    SignalsNotObject {
        /// What was sent.
        raw: String,
    },
    /// A `__proto__` key in the signals, which freezes all signal updates of the page.
    ForbiddenSignal {
        /// The path of the key, with dots.
        path: String,
    },
    /// An event of the clients before 1.0, which today's do nothing with.
    OutdatedEvent {
        /// The type of the event.
        event: String,
    },
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LineWithoutSpace { line } => write!(
                f,
                "data line {line:?} has no space between key and value: the client misreads it"
            ),
            Self::UnknownKey { event, key } => {
                write!(f, "`{event}` has no key {key:?}: the client ignores it")
            }
            Self::UnknownMode { mode } => {
                write!(
                    f,
                    "unknown mode {mode:?}: the client throws PatchElementsInvalidMode"
                )
            }
            Self::UnknownNamespace { namespace } => write!(
                f,
                "unknown namespace {namespace:?}: the client throws PatchElementsInvalidNamespace"
            ),
            Self::SelectorRequired { mode } => write!(
                f,
                "mode `{mode}` without a selector: the client throws PatchElementsExpectedSelector"
            ),
            Self::SignalsMissing => {
                f.write_str("no signals: the client throws PatchSignalsExpectedSignals")
            }
            Self::SignalsNotJson { raw, reason } => write!(
                f,
                "signals {raw:?} are not JSON ({reason}): the client would evaluate them as JavaScript"
            ),
            Self::SignalsNotObject { raw } => {
                write!(
                    f,
                    "signals {raw:?} are not a JSON object: there is nothing to merge"
                )
            }
            Self::ForbiddenSignal { path } => {
                write!(
                    f,
                    "signal `{path}`: a key `__proto__` freezes all signals of the page"
                )
            }
            Self::OutdatedEvent { event } => write!(
                f,
                "`{event}` is an event of clients before 1.0: since then it does nothing"
            ),
        }
    }
}

impl Error for EventError {}

/// Why the next event of a stream cannot be had.
///
/// ```
/// use sidereal::testing::{StreamError, events};
///
/// // The blank line is missing, so that no client would ever see this event.
/// assert!(matches!(events(b"data: a\n"), Err(StreamError::Unfinished)));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StreamError {
    /// The head of the response is not that of an event stream this reader can read.
    Head(HeadError),
    /// An event that the client would throw on or ignore. The stream goes on after it.
    Event(EventError),
    /// A line that every client ignores, as [`Item::Ignored`](super::Item::Ignored). The stream goes on after it.
    Ignored {
        /// The line.
        line: String,
    },
    /// The stream ended cleanly, but in the middle of an event, which is lost.
    Unfinished,
    /// The body ended with an error, as for a client whose connection drops.
    Broken(BrokenBody),
    /// Nothing came in time. The stream is as before, and can be read on.
    TimedOut {
        /// How long it was waited for.
        after: Duration,
    },
    /// The stream ended before as many events had come as were wanted.
    Ended {
        /// How many events were wanted.
        wanted: usize,
        /// How many came.
        came: usize,
    },
}

impl StreamError {
    /// Whether nothing came in time.
    #[must_use]
    pub fn is_timed_out(&self) -> bool {
        matches!(self, Self::TimedOut { .. })
    }

    /// Whether the body ended with an error.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        matches!(self, Self::Broken(_))
    }
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head(error) => error.fmt(f),
            Self::Event(error) => error.fmt(f),
            Self::Ignored { line } => write!(f, "every client ignores the line {line:?}"),
            Self::Unfinished => f.write_str(
                "the stream ends in the middle of an event: without a blank line it is never dispatched",
            ),
            Self::Broken(error) => error.fmt(f),
            Self::TimedOut { after } => write!(f, "no event within {after:?}"),
            Self::Ended { wanted, came } => {
                write!(f, "the stream ended after {came} of {wanted} events")
            }
        }
    }
}

impl Error for StreamError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Head(error) => Some(error),
            Self::Event(error) => Some(error),
            Self::Broken(error) => Some(error.error()),
            _ => None,
        }
    }
}

impl From<EventError> for StreamError {
    fn from(error: EventError) -> Self {
        Self::Event(error)
    }
}

impl From<HeadError> for StreamError {
    fn from(error: HeadError) -> Self {
        Self::Head(error)
    }
}

/// What is wrong with the head of a response that should be an event stream.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeadError {
    /// The status is not 200; the client throws such a body away.
    Status(http::StatusCode),
    /// A header has not the value that it must have.
    Header {
        /// The header's name.
        name: &'static str,
        /// What it must be.
        expected: &'static str,
        /// What it is; `None` where the response has no such header.
        found: Option<String>,
    },
    /// The body is compressed, which this reader cannot undo yet.
    Encoded {
        /// The `Content-Encoding`.
        encoding: String,
    },
}

impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(
                f,
                "status {status}: the client throws away the body of every status but 200"
            ),
            Self::Header {
                name,
                expected,
                found: Some(found),
            } => {
                write!(f, "header `{name}` is {found:?}, not {expected}")
            }
            Self::Header {
                name,
                expected,
                found: None,
            } => {
                write!(f, "header `{name}` is missing, not {expected}")
            }
            Self::Encoded { encoding } => write!(
                f,
                "the body has Content-Encoding {encoding:?}: send the request without Accept-Encoding"
            ),
        }
    }
}

impl Error for HeadError {}

/// The error with which a body ended.
#[derive(Clone, Debug)]
pub struct BrokenBody(Arc<dyn Error + Send + Sync>);

impl BrokenBody {
    pub(super) fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Arc::from(error.into()))
    }

    /// The body's own error, for `downcast_ref` to its type.
    #[must_use]
    pub fn error(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.0
    }
}

impl fmt::Display for BrokenBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the stream broke: {}", self.0)
    }
}

impl Error for BrokenBody {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.error())
    }
}
