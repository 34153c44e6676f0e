//! What handlers take, as salvo's extractors.

use std::{convert::Infallible, error::Error, io};

use bytes::Bytes;
use http::request::Parts;
use http_body_util::LengthLimitError;
use salvo_core::{
    Depot, Request,
    extract::{Extractible, Metadata},
    http::ReqBody,
};
use serde::de::DeserializeOwned;

use crate::{
    Config, Connect, IsDatastar, LastEventId, LenientSignals, Optional, ReadSignalsError, Signals,
    SignalsRejection, TabId, TabIdError,
    receive::{Read, announced, parts, receive_telling},
};

/// Implements an extractor that looks at the request's head only.
macro_rules! from_head {
    ($($extractor:ty, $error:ty: $read:expr;)*) => {$(
        impl<'ex> Extractible<'ex> for $extractor {
            fn metadata() -> &'static Metadata {
                static METADATA: Metadata = Metadata::new(stringify!($extractor));
                &METADATA
            }

            #[allow(refining_impl_trait)]
            async fn extract(
                request: &'ex mut Request,
                depot: &'ex mut Depot,
            ) -> Result<Self, $error> {
                let read: fn(&Request, &Depot) -> Result<Self, $error> = $read;
                read(request, depot)
            }
        }
    )*};
}

from_head! {
    Connect, Infallible: |request, depot| Ok(Connect::from_parts(&head(request, depot)));
    Config, Infallible: |request, depot| Ok(config(request, depot).cloned().unwrap_or_default());
    IsDatastar, Infallible: |request, _| Ok(IsDatastar::from_headers(request.headers()));
    LastEventId, Infallible: |request, _| Ok(LastEventId::from_headers(request.headers()));
    TabId, TabIdError: |request, _| TabId::from_query(request.uri().query());
    Optional<TabId>, TabIdError: |request, _| {
        TabId::from_optional_query(request.uri().query()).map(Optional)
    };
}

/// Implements an extractor of signals.
macro_rules! from_signals {
    ($($extractor:ty, $error:ty: $take:expr;)*) => {$(
        impl<'ex, T: DeserializeOwned> Extractible<'ex> for $extractor {
            fn metadata() -> &'static Metadata {
                static METADATA: Metadata = Metadata::new(stringify!($extractor));
                &METADATA
            }

            #[allow(refining_impl_trait)]
            async fn extract(
                request: &'ex mut Request,
                depot: &'ex mut Depot,
            ) -> Result<Self, $error> {
                let take: fn(Read<T>) -> Result<Self, $error> = $take;
                take(read(request, depot).await)
            }
        }
    )*};
}

from_signals! {
    Signals<T>, SignalsRejection: Read::required;
    Optional<Signals<T>>, SignalsRejection: |read| read.optional().map(Optional);
    LenientSignals<T>, Infallible: |read| Ok(read.lenient());
}

async fn read<T: DeserializeOwned>(request: &mut Request, depot: &Depot) -> Read<T> {
    let head = head(request, depot);
    Read::new(&head, async |limit| body(request, limit).await).await
}

/// The body, under salvo's own limit and this one.
async fn body(request: &mut Request, limit: Option<usize>) -> Result<Bytes, ReadSignalsError> {
    let salvo = request.secure_max_size();
    let limit = limit.map_or(salvo, |limit| limit.min(salvo));
    if request.body().is_none() {
        // A hoop has read it, and salvo has kept it.
        let kept = request.payload_with_max_size(limit).await;
        let kept = kept
            .map_err(|_| ReadSignalsError::unreadable_body())?
            .clone();
        let is_lost = kept.is_empty() && announced(request.headers()).lower() > 0;
        return match kept.len() > limit {
            true => Err(ReadSignalsError::body_too_large()),
            false if is_lost => Err(ReadSignalsError::unreadable_body()),
            false => Ok(kept),
        };
    }
    let received = receive_telling(request.take_body(), Some(limit), |error| {
        // `Request::limit_body` cuts off what is too much, and calls it an error.
        match is_over_limit(&error) {
            true => ReadSignalsError::body_too_large(),
            false => ReadSignalsError::unreadable_body(),
        }
    });
    let received = received.await?;
    // For whoever reads it after us: hoops and handlers may both.
    request.replace_body(ReqBody::Once(received.clone()));
    Ok(received)
}

fn is_over_limit(error: &(dyn Error + 'static)) -> bool {
    let within = error.downcast_ref().and_then(io::Error::get_ref);
    error.is::<LengthLimitError>()
        || within.is_some_and(|error| is_over_limit(error))
        || error.source().is_some_and(is_over_limit)
}

fn config<'a>(request: &'a Request, depot: &'a Depot) -> Option<&'a Config> {
    let injected = depot.get_typed::<Config>().ok();
    injected.or_else(|| Config::from_extensions(request.extensions()))
}

fn head(request: &Request, depot: &Depot) -> Parts {
    let mut extensions = request.extensions().clone();
    if let Some(config) = config(request, depot) {
        extensions.insert(config.clone());
    }
    parts(
        request.version(),
        request.method().clone(),
        request.uri().clone(),
        request.headers().clone(),
        extensions,
    )
}
