//! Signals of a request whose body is read by its thread.

use std::io::Read;

use bytes::Bytes;
use http::request::Parts;
use serde::de::DeserializeOwned;
use sidereal_sse::blocking::block_on;

use crate::{
    DEFAULT_SIGNALS_LIMIT, LenientSignals, ReadSignalsError, Signals, SignalsRejection, receive,
};

/// Reads the signals of a request as the adapters do: `None` where there are none, as in a plain page
/// load.
///
/// The body has to end where the request does: servers' readers do, a socket does not. It is read where
/// signals can be in it, of at most the [limit](crate::Config::signals_limit) of the
/// [`Config`](crate::Config) in the request's extensions, else
/// [`DEFAULT_SIGNALS_LIMIT`](crate::DEFAULT_SIGNALS_LIMIT). For the rest see
/// [`receive_signals`](crate::receive_signals).
///
/// ```
/// use serde::Deserialize;
/// use sidereal::{SignalsRejection, blocking};
///
/// #[derive(Deserialize)]
/// struct Form { name: String }
///
/// fn name(request: &http::request::Parts, body: impl std::io::Read) -> Result<String, SignalsRejection> {
///     let form = blocking::read_signals::<Form>(request, body)?;
///     Ok(form.map(|form| form.name).unwrap_or_default())
/// }
/// ```
///
/// # Errors
///
/// As [`receive_signals`](crate::receive_signals).
pub fn read_signals<T: DeserializeOwned>(
    request: &Parts,
    body: impl Read,
) -> Result<Option<T>, SignalsRejection> {
    let signals = read(request, body).optional()?;
    Ok(signals.map(|Signals(signals)| signals))
}

fn read<T: DeserializeOwned>(request: &Parts, body: impl Read) -> receive::Read<T> {
    block_on(receive::Read::new(request, async |limit| {
        received(body, limit)
    }))
}

impl<T: DeserializeOwned> Signals<T> {
    /// Reads them as [`blocking::read_signals`](read_signals) does, for a handler that cannot do without.
    ///
    /// # Errors
    ///
    /// As [`receive_signals`](crate::receive_signals), and where there are no signals.
    pub fn read_from(request: &Parts, body: impl Read) -> Result<Self, SignalsRejection> {
        read(request, body).required()
    }
}

impl<T: DeserializeOwned> LenientSignals<T> {
    /// Reads them as [`blocking::read_signals`](read_signals) does, without an error.
    pub fn read_from(request: &Parts, body: impl Read) -> Self {
        read(request, body).lenient()
    }
}

/// The whole body, of at most so many bytes, or of the default limit.
fn received(body: impl Read, limit: Option<usize>) -> Result<Bytes, ReadSignalsError> {
    let limit = limit.unwrap_or(DEFAULT_SIGNALS_LIMIT) as u64;
    let mut received = Vec::new();
    let mut body = body.take(limit.saturating_add(receive::READ_PAST_LIMIT));
    (&mut body)
        .take(limit.saturating_add(1))
        .read_to_end(&mut received)
        .map_err(|_| ReadSignalsError::unreadable_body())?;
    if received.len() as u64 > limit {
        // The page sees the answer only if what it sends is read, as far as it can be.
        let _ = std::io::copy(&mut body, &mut std::io::sink());
        return Err(ReadSignalsError::body_too_large());
    }
    Ok(received.into())
}
