//! What handlers take, as axum's extractors.

use std::convert::Infallible;

use axum_core::extract::{
    FromRequest, FromRequestParts, OptionalFromRequest, OptionalFromRequestParts, Request,
};
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::receive::receive;
use crate::{
    Config, Connect, IsDatastar, LastEventId, LenientSignals, ReadSignalsError, Signals,
    SignalsRejection, TabId, TabIdError, is_datastar_request, receive::signals,
};

/// Implements an extractor that looks at the request's head only, and rejects nothing.
macro_rules! from_head {
    ($($extractor:ty: $read:expr;)*) => {$(
        impl<S: Sync> FromRequestParts<S> for $extractor {
            type Rejection = Infallible;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
                let read: fn(&Parts) -> Self = $read;
                Ok(read(parts))
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

impl<S: Sync> FromRequestParts<S> for TabId {
    type Rejection = TabIdError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, TabIdError> {
        TabId::from_query(parts.uri.query())
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for TabId {
    type Rejection = TabIdError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, TabIdError> {
        TabId::from_optional_query(parts.uri.query())
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Signals<T> {
    type Rejection = SignalsRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, SignalsRejection> {
        let (result, reject) = read(request, state).await;
        let signals = result.and_then(|signals| signals.ok_or_else(ReadSignalsError::absent));
        signals.map(Signals).map_err(reject)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Signals<T> {
    type Rejection = SignalsRejection;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, SignalsRejection> {
        let (result, reject) = read(request, state).await;
        result.map(|signals| signals.map(Signals)).map_err(reject)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for LenientSignals<T> {
    type Rejection = Infallible;

    async fn from_request(request: Request, state: &S) -> Result<Self, Infallible> {
        Ok(LenientSignals::from_result(read(request, state).await.0))
    }
}

/// The signals of a request, wherever its method puts them; and what makes an error the rejection
/// that application and request want.
async fn read<T: DeserializeOwned, S: Send + Sync>(
    request: Request,
    state: &S,
) -> (
    Result<Option<T>, ReadSignalsError>,
    impl FnOnce(ReadSignalsError) -> SignalsRejection + use<T, S>,
) {
    let config = Config::from_extensions(request.extensions()).cloned();
    let is_datastar = is_datastar_request(request.headers());
    let limit = config.as_ref().and_then(Config::max_signals);
    let result = read_limited(request, state, limit).await;
    let reject = move |error| SignalsRejection::new(error, config.as_ref(), is_datastar);
    (result, reject)
}

async fn read_limited<T: DeserializeOwned, S: Send + Sync>(
    request: Request,
    state: &S,
    limit: Option<usize>,
) -> Result<Option<T>, ReadSignalsError> {
    let method = request.method().clone();
    let query = request.uri().query().map(str::to_owned);
    let headers = request.headers().clone();
    let received = receive(request, state, limit);
    signals(&method, query.as_deref(), &headers, || received).await
}
