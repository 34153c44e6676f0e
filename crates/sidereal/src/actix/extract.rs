//! What handlers take, as actix-web's extractors.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    pin::Pin,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::{head::request_head, receive::receive};
use crate::{
    Config, Connect, IsDatastar, LastEventId, LenientSignals, Optional, Signals, SignalsRejection,
    TabId, TabIdError,
    receive::{Read, are_in_body},
};

/// Implements an extractor that looks at the request's head only, and rejects nothing.
macro_rules! from_head {
    ($($extractor:ty: $read:expr;)*) => {$(
        impl FromRequest for $extractor {
            type Error = Infallible;
            type Future = Ready<Result<Self, Infallible>>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                let read: fn(&Parts) -> Self = $read;
                ready(Ok(read(&request_head(request))))
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

impl FromRequest for TabId {
    type Error = TabIdError;
    type Future = Ready<Result<Self, TabIdError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::from_query(request.uri().query()))
    }
}

impl FromRequest for Optional<TabId> {
    type Error = TabIdError;
    type Future = Ready<Result<Self, TabIdError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(TabId::from_optional_query(request.uri().query()).map(Self))
    }
}

type Extracting<T, E> = Pin<Box<dyn Future<Output = Result<T, E>>>>;

impl<T: DeserializeOwned + 'static> FromRequest for Signals<T> {
    type Error = SignalsRejection;
    type Future = Extracting<Self, SignalsRejection>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let read = read(request, payload);
        Box::pin(async { read.await.required() })
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Optional<Signals<T>> {
    type Error = SignalsRejection;
    type Future = Extracting<Self, SignalsRejection>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let read = read(request, payload);
        Box::pin(async { read.await.optional().map(Self) })
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for LenientSignals<T> {
    type Error = Infallible;
    type Future = Extracting<Self, Infallible>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let read = read(request, payload);
        Box::pin(async { Ok(read.await.lenient()) })
    }
}

fn read<T: DeserializeOwned>(
    request: &HttpRequest,
    payload: &mut Payload,
) -> impl Future<Output = Read<T>> + use<T> {
    let (request, parts) = (request.clone(), request_head(request));
    // What has no signals in it, a form for one, is for other extractors.
    let payload = match are_in_body(&parts.method, &parts.headers) {
        true => payload.take(),
        false => Payload::None,
    };
    async move {
        Read::new(&parts, |limit| {
            receive(&request, &parts.headers, payload, limit)
        })
        .await
    }
}
