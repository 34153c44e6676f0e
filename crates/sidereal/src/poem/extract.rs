//! What handlers take, as poem's extractors.

use http::request::Parts;
use poem::{FromRequest, Request, RequestBody, Result};
use serde::de::DeserializeOwned;

use crate::{
    Config, Connect, IsDatastar, LastEventId, LenientSignals, Optional, ReadSignalsError, Signals,
    TabId,
    receive::{Chunks, Read, parts, receive},
};

/// Implements an extractor that looks at the request's head only.
macro_rules! from_head {
    ($($extractor:ty: $read:expr;)*) => {$(
        impl<'a> FromRequest<'a> for $extractor {
            async fn from_request(request: &'a Request, _: &mut RequestBody) -> Result<Self> {
                let read: fn(&Request) -> Result<Self> = $read;
                read(request)
            }
        }
    )*};
}

from_head! {
    Connect: |request| Ok(Connect::from_parts(&head(request)));
    Config: |request| {
        Ok(Config::from_extensions(request.extensions()).cloned().unwrap_or_default())
    };
    IsDatastar: |request| Ok(IsDatastar::from_headers(request.headers()));
    LastEventId: |request| Ok(LastEventId::from_headers(request.headers()));
    TabId: |request| Ok(TabId::from_query(request.uri().query())?);
    Optional<TabId>: |request| Ok(Optional(TabId::from_optional_query(request.uri().query())?));
}

/// Implements an extractor of signals.
macro_rules! from_signals {
    ($($extractor:ty: $take:expr;)*) => {$(
        impl<'a, T: DeserializeOwned> FromRequest<'a> for $extractor {
            async fn from_request(request: &'a Request, body: &mut RequestBody) -> Result<Self> {
                let take: fn(Read<T>) -> Result<Self> = $take;
                take(read(request, body).await)
            }
        }
    )*};
}

from_signals! {
    Signals<T>: |read| Ok(read.required()?);
    Optional<Signals<T>>: |read| Ok(Optional(read.optional()?));
    LenientSignals<T>: |read| Ok(read.lenient());
}

async fn read<T: DeserializeOwned>(request: &Request, body: &mut RequestBody) -> Read<T> {
    let receive = async |limit| {
        let body = body
            .take()
            .map_err(|_| ReadSignalsError::unreadable_body())?;
        receive(
            Chunks::new(body.into_bytes_stream(), request.headers()),
            limit,
        )
        .await
    };
    Read::new(&head(request), receive).await
}

fn head(request: &Request) -> Parts {
    parts(
        request.version(),
        request.method().clone(),
        request.uri().clone(),
        request.headers().clone(),
        request.extensions().clone(),
    )
}
