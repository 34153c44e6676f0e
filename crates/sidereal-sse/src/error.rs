//! The errors of streams: of writing, of bodies, and the one that breaks a response on purpose.

use std::{any::Any, error::Error, fmt};

use crate::EndReason;

type BoxError = Box<dyn Error + Send + Sync>;

/// Why an event was not accepted.
#[derive(Debug)]
pub struct SendError(Kind);

#[derive(Debug)]
enum Kind {
    Ended(EndReason),
    Full,
    Away,
    TooLarge { length: usize, limit: usize },
    Event(BoxError),
}

impl SendError {
    pub(crate) fn ended(reason: EndReason) -> Self {
        Self(Kind::Ended(reason))
    }

    pub(crate) fn full() -> Self {
        Self(Kind::Full)
    }

    pub(crate) fn away() -> Self {
        Self(Kind::Away)
    }

    pub(crate) fn too_large(length: usize, limit: usize) -> Self {
        Self(Kind::TooLarge { length, limit })
    }

    /// An event that could not be built, for verbs that build and send in one call.
    pub fn from_event(error: impl Into<BoxError>) -> Self {
        Self(Kind::Event(error.into()))
    }

    /// Why the stream ended, if that is what stood in the way.
    pub fn reason(&self) -> Option<EndReason> {
        match self.0 {
            Kind::Ended(reason) => Some(reason),
            _ => None,
        }
    }

    /// The stream has ended: nothing more can be sent on it.
    pub fn is_ended(&self) -> bool {
        matches!(self.0, Kind::Ended(_))
    }

    /// The client is on another node, and the [broker](crate::broker) is away.
    pub fn is_away(&self) -> bool {
        matches!(self.0, Kind::Away)
    }

    /// The queue is full, or that to the broker; only [`Sender::try_send`](crate::Sender::try_send) and
    /// [`Hub::send`](crate::Hub::send) say so.
    pub fn is_full(&self) -> bool {
        matches!(self.0, Kind::Full)
    }

    /// The event is larger than the stream's limit.
    pub fn is_too_large(&self) -> bool {
        matches!(self.0, Kind::TooLarge { .. })
    }

    /// The event could not be built.
    pub fn is_event(&self) -> bool {
        matches!(self.0, Kind::Event(_))
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Ended(reason) => write!(f, "the stream has ended: {reason}"),
            Kind::Full => f.write_str("the stream's queue is full"),
            Kind::Away => f.write_str("the client is on another node, and the broker is away"),
            Kind::TooLarge { length, limit } => {
                write!(f, "an event of {length} bytes is over the limit of {limit}")
            }
            Kind::Event(error) => write!(f, "the event cannot be sent: {error}"),
        }
    }
}

impl Error for SendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            Kind::Event(error) => Some(&**error),
            _ => None,
        }
    }
}

/// What a body may fail with: `From` every type that implements [`Error`], so that `?` works on
/// them. A boxed error, or anyhow's, implements it not: `.map_err(BodyError::new)?`.
///
/// ```
/// use sidereal_sse::{BodyError, Connect};
///
/// let connect = Connect::new();
/// let response = connect.respond(async move |tx| {
///     let number: i32 = "17".parse()?; // a foreign error
///     tx.send(sidereal_sse::Event::from_display(number)).await?; // one of ours
///     Ok(())
/// });
/// # let _ = response;
/// ```
///
/// For the same reason it is no [`Error`] itself; [`BodyError::as_error`] gives the one inside.
pub struct BodyError(BoxError);

impl BodyError {
    /// From a text, or from a boxed or otherwise wrapped error such as anyhow's.
    pub fn new(error: impl Into<BoxError>) -> Self {
        Self(error.into())
    }

    /// The error inside.
    pub fn as_error(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.0
    }

    /// The [`SendError`] inside, if it is one: a body that failed because its client left.
    pub fn send_error(&self) -> Option<&SendError> {
        self.0.downcast_ref()
    }

    /// The error inside, boxed.
    pub fn into_boxed(self) -> Box<dyn Error + Send + Sync> {
        self.0
    }

    /// Whether it says no more than that the stream has ended.
    pub(crate) fn is_ended(&self) -> bool {
        self.send_error().is_some_and(SendError::is_ended)
    }

    pub(crate) fn from_panic(payload: Box<dyn Any + Send>) -> Self {
        let text = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("(no text)");
        let error = Self::new(format!("panicked: {text}"));
        // Its destructor is others' code, and may panic as well.
        std::mem::forget(payload);
        error
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for BodyError {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl fmt::Debug for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The error that a response body ends with when the connection is to be broken on purpose, so
/// that the page comes back by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aborted(pub(crate) EndReason);

impl Aborted {
    /// Why.
    pub fn reason(self) -> EndReason {
        self.0
    }
}

impl fmt::Display for Aborted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event stream cut off on purpose: {}", self.0)
    }
}

impl Error for Aborted {}

/// What bodies of some frameworks fail with.
impl From<Aborted> for std::io::Error {
    fn from(aborted: Aborted) -> Self {
        Self::other(aborted)
    }
}
