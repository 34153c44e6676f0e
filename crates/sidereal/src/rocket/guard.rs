//! What handlers take, as rocket's guards.

use std::convert::Infallible;

use bytes::Bytes;
use http::request::Parts;
use rocket::{
    Request,
    data::{self, Data, FromData},
    http::Status,
    outcome::Outcome,
    request::{self, FromRequest},
};
use serde::de::DeserializeOwned;

use super::{
    head::{request_head, status},
    receive::receive_data,
    rejected,
};
use crate::{
    Config, Connect, IsDatastar, LastEventId, LenientSignals, Optional, ReadSignalsError, Signals,
    SignalsRejection, TabId, TabIdError, is_datastar_request, receive::signals, signals_in_query,
};

/// Implements a guard that looks at the request's head only, and rejects nothing.
macro_rules! from_head {
    ($($guard:ty: $read:expr;)*) => {$(
        #[rocket::async_trait]
        impl<'r> FromRequest<'r> for $guard {
            type Error = Infallible;

            async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Infallible> {
                let read: fn(&Parts) -> Self = $read;
                Outcome::Success(read(&request_head(request)))
            }
        }
    )*};
}

from_head! {
    Connect: Connect::from_parts;
    Config: |parts| Config::from_extensions(&parts.extensions).cloned().unwrap_or_default();
    IsDatastar: |parts| IsDatastar::from_headers(&parts.headers);
    LastEventId: |parts| LastEventId::from_headers(&parts.headers);
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for TabId {
    type Error = TabIdError;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, TabIdError> {
        match Self::from_query(request_head(request).uri.query()) {
            Ok(id) => Outcome::Success(id),
            Err(error) => {
                rejected::leave(request, error.clone());
                Outcome::Error((status(error.status()), error))
            }
        }
    }
}

/// Implements a way to take signals: as a request guard for those in the query, and as a data guard.
macro_rules! signals_guard {
    ($($guard:ty: $error:ty, $answer:expr;)*) => {$(
        /// For methods with the signals in the query.
        #[rocket::async_trait]
        impl<'r, T: DeserializeOwned + Send> FromRequest<'r> for $guard {
            type Error = $error;

            async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, $error> {
                let answer: fn(_, Read<T>) -> Result<Self, (Status, $error)> = $answer;
                match answer(request, read(request, None).await) {
                    Ok(signals) => Outcome::Success(signals),
                    Err(error) => Outcome::Error(error),
                }
            }
        }

        /// For all methods.
        #[rocket::async_trait]
        impl<'r, T: DeserializeOwned + Send> FromData<'r> for $guard {
            type Error = $error;

            async fn from_data(
                request: &'r Request<'_>,
                data: Data<'r>,
            ) -> data::Outcome<'r, Self> {
                let answer: fn(_, Read<T>) -> Result<Self, (Status, $error)> = $answer;
                match answer(request, read(request, Some(data)).await) {
                    Ok(signals) => Outcome::Success(signals),
                    Err(error) => Outcome::Error(error),
                }
            }
        }
    )*};
}

signals_guard! {
    Signals<T>: SignalsRejection, |request, Read { result, head }| {
        let signals = result.and_then(|signals| signals.ok_or_else(ReadSignalsError::absent));
        signals.map(Signals).map_err(|error| reject(request, &head, error))
    };
    Optional<Signals<T>>: SignalsRejection, |request, Read { result, head }| {
        let signals = result.map(|signals| Optional(signals.map(Signals)));
        signals.map_err(|error| reject(request, &head, error))
    };
    LenientSignals<T>: Infallible, |_, Read { result, .. }| Ok(LenientSignals::from_result(result));
}

/// The signals of a request.
struct Read<T> {
    result: Result<Option<T>, ReadSignalsError>,
    head: Parts,
}

async fn read<T: DeserializeOwned>(request: &Request<'_>, data: Option<Data<'_>>) -> Read<T> {
    let head = request_head(request);
    let config = Config::from_extensions(&head.extensions);
    if data.is_none() && !signals_in_query(&head.method) {
        tracing::warn!(
            target: "sidereal::signals",
            method = %head.method,
            "signals are in the body, and not looked for: their guard is to be the route's `data`"
        );
    }
    let receive = async || match data {
        Some(data) => receive_data(request, &head.headers, config, data).await,
        None => Ok(Bytes::new()),
    };
    let result = signals(&head.method, head.uri.query(), &head.headers, receive).await;
    Read { result, head }
}

/// The rejection that application and request want, left for who answers it.
fn reject(
    request: &Request<'_>,
    head: &Parts,
    error: ReadSignalsError,
) -> (Status, SignalsRejection) {
    let config = Config::from_extensions(&head.extensions);
    let status = status(error.status());
    let rejection = SignalsRejection::new(error, config, is_datastar_request(&head.headers));
    rejected::leave(request, rejection.clone());
    (status, rejection)
}
