//! What handlers take, as axum's extractors.

use std::convert::Infallible;

use axum_core::extract::{
    FromRequest, FromRequestParts, OptionalFromRequest, OptionalFromRequestParts, Request,
};
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::receive::receive;
use crate::{
    Config, Connect, IsDatastar, LastEventId, LenientSignals, Signals, SignalsRejection, TabId,
    TabIdError, receive::Read,
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
        read(request, state).await.required()
    }
}

impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Signals<T> {
    type Rejection = SignalsRejection;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, SignalsRejection> {
        read(request, state).await.optional()
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for LenientSignals<T> {
    type Rejection = Infallible;

    async fn from_request(request: Request, state: &S) -> Result<Self, Infallible> {
        Ok(read(request, state).await.lenient())
    }
}

async fn read<T: DeserializeOwned, S: Send + Sync>(request: Request, state: &S) -> Read<T> {
    let (parts, body) = request.into_parts();
    Read::new(&parts, |limit| {
        receive(&parts.extensions, body, state, limit)
    })
    .await
}
