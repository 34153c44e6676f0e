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
    Config, Connect, IsDatastar, LastEventId, LenientSignals, Optional, ReadSignalsError, Signals,
    SignalsRejection, TabId, TabIdError, is_datastar_request, receive::signals,
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

type Extracting<T, E> = Pin<Box<dyn Future<Output = Result<T, E>>>>;

impl<T: DeserializeOwned + 'static> FromRequest for Signals<T> {
    type Error = SignalsRejection;
    type Future = Extracting<Self, SignalsRejection>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let read = read(request, payload);
        Box::pin(async {
            let (result, reject) = read.await;
            let signals = result.and_then(|signals| signals.ok_or_else(ReadSignalsError::absent));
            signals.map(Self).map_err(reject)
        })
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Optional<Signals<T>> {
    type Error = SignalsRejection;
    type Future = Extracting<Self, SignalsRejection>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let read = read(request, payload);
        Box::pin(async {
            let (result, reject) = read.await;
            let signals = result.map(|signals| Self(signals.map(Signals)));
            signals.map_err(reject)
        })
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for LenientSignals<T> {
    type Error = Infallible;
    type Future = Extracting<Self, Infallible>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let read = read(request, payload);
        Box::pin(async { Ok(Self::from_result(read.await.0)) })
    }
}

/// The signals of a request, wherever its method puts them; and what makes an error the rejection
/// that application and request want.
fn read<T: DeserializeOwned>(
    request: &HttpRequest,
    payload: &mut Payload,
) -> impl Future<
    Output = (
        Result<Option<T>, ReadSignalsError>,
        impl FnOnce(ReadSignalsError) -> SignalsRejection + use<T>,
    ),
> + use<T> {
    let (request, payload) = (request.clone(), payload.take());
    async move {
        let parts = request_head(&request);
        let config = Config::from_extensions(&parts.extensions);
        let limit = config.and_then(Config::max_signals);
        let receive = || receive(&request, &parts.headers, payload, limit);
        let result = signals(&parts.method, parts.uri.query(), &parts.headers, receive).await;
        let (config, is_datastar) = (config.cloned(), is_datastar_request(&parts.headers));
        let reject = move |error| SignalsRejection::new(error, config.as_ref(), is_datastar);
        (result, reject)
    }
}
