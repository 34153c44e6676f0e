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
    Config, Connect, IsDatastar, LastEventId, LenientSignals, Optional, Signals, SignalsRejection,
    TabId, TabIdError, receive::Read, signals_in_query,
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
            Err(error) => Outcome::Error(reject_tab(request, error)),
        }
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Optional<TabId> {
    type Error = TabIdError;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, TabIdError> {
        match TabId::from_optional_query(request_head(request).uri.query()) {
            Ok(id) => Outcome::Success(Self(id)),
            Err(error) => Outcome::Error(reject_tab(request, error)),
        }
    }
}

fn reject_tab(request: &Request<'_>, error: TabIdError) -> (Status, TabIdError) {
    let status = status(error.status());
    rejected::leave(request, status, error.clone());
    (status, error)
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
    Signals<T>: SignalsRejection, |request, read| {
        read.required().map_err(|rejection| reject(request, rejection))
    };
    Optional<Signals<T>>: SignalsRejection, |request, read| {
        let signals = read.optional().map(Optional);
        signals.map_err(|rejection| reject(request, rejection))
    };
    LenientSignals<T>: Infallible, |_, read| Ok(read.lenient());
}

async fn read<T: DeserializeOwned>(request: &Request<'_>, data: Option<Data<'_>>) -> Read<T> {
    let head = request_head(request);
    if data.is_none() && !signals_in_query(&head.method) {
        tracing::warn!(
            target: "sidereal::signals",
            method = %head.method,
            "signals are in the body, and not looked for: their guard is to be the route's `data`"
        );
    }
    let receive = async |limit| match data {
        Some(data) => receive_data(request, &head.headers, limit, data).await,
        None => Ok(Bytes::new()),
    };
    Read::new(&head, receive).await
}

/// The rejection, left for who answers it.
fn reject(request: &Request<'_>, rejection: SignalsRejection) -> (Status, SignalsRejection) {
    let status = status(rejection.error().status());
    rejected::leave(request, status, rejection.clone());
    (status, rejection)
}
