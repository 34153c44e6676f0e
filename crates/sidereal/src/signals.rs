//! The extractors' types for signals, without any framework.

use std::ops::{Deref, DerefMut};

use http::Method;
use serde::de::DeserializeOwned;

use crate::{ReadSignalsError, read_signals};

/// The signals of a request, as a type of your own or as an untyped map.
///
/// There are three ways to take them, by what is to happen when they cannot be read:
///
/// | in the handler's arguments | signals that cannot be read |
/// |---|---|
/// | `Signals<T>` | are answered with 400, 413 or 415 and a text; absent ones too |
/// | `Result<Signals<T>, SignalsRejection>` | are the handler's to decide about |
/// | [`LenientSignals<T>`] | are logged, and count as absent |
///
/// A plain page load has no signals: `Option<Signals<T>>` (on actix-web, poem, rocket and salvo
/// `Optional`) is `None` for it, and an answer of 400, 413 or 415 only for what came
/// and cannot be read.
///
/// A body is read where its `Content-Type` is JSON, as the Datastar client's is, or the request has
/// the header `Datastar-Request: true`. Anything else is a 415: a form of another site can send
/// JSON as `text/plain`, with the user's cookies.
///
/// The page shows nothing of a 400: the client throws its text away. With
/// [`Config::reject_with`](crate::Config::reject_with) the answer is events that say it on the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signals<T>(pub T);

impl<T> Deref for Signals<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Signals<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: DeserializeOwned> Signals<T> {
    /// Reads them as [`read_signals`] does, for a handler that cannot do without.
    ///
    /// ```
    /// use serde_json::{Map, Value};
    /// use sidereal::{Signals, http::Method};
    ///
    /// let Signals(form) =
    ///     Signals::<Map<String, Value>>::read(&Method::POST, None, br#"{"name":"Ada"}"#)?;
    /// assert_eq!(form["name"], "Ada");
    ///
    /// let absent = Signals::<Map<String, Value>>::read(&Method::GET, None, b"");
    /// assert!(absent.unwrap_err().is_absent());
    /// # Ok::<(), sidereal::ReadSignalsError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`read_signals`], and where there are no signals.
    pub fn read(
        method: &Method,
        query: Option<&str>,
        body: &[u8],
    ) -> Result<Self, ReadSignalsError> {
        let signals = read_signals(method, query, body)?;
        signals.map(Self).ok_or_else(ReadSignalsError::absent)
    }
}

/// The signals of a request, or `None` where there are none that can be read.
///
/// Those that cannot are logged by `tracing`, as a warning with the target `sidereal::signals`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LenientSignals<T>(pub Option<T>);

impl<T> LenientSignals<T> {
    /// Reads them as [`read_signals`] does, without an error.
    ///
    /// ```
    /// use serde_json::Value;
    /// use sidereal::{LenientSignals, http::Method};
    ///
    /// let LenientSignals(signals) =
    ///     LenientSignals::<Value>::read(&Method::POST, None, b"not JSON");
    /// assert!(signals.is_none());
    /// ```
    pub fn read(method: &Method, query: Option<&str>, body: &[u8]) -> Self
    where
        T: DeserializeOwned,
    {
        Self::from_result(read_signals(method, query, body))
    }

    /// Takes what was read; an error goes to the log.
    pub fn from_result(signals: Result<Option<T>, ReadSignalsError>) -> Self {
        Self(signals.unwrap_or_else(|error| {
            tracing::warn!(
                target: "sidereal::signals",
                %error,
                "signals could not be read, and count as absent"
            );
            None
        }))
    }
}
