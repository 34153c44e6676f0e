//! Bodies of requests, under the limits of axum and of the application.

use axum_core::{
    body::Body,
    extract::{FromRequest, Request},
};
use bytes::Bytes;
use http::{Extensions, StatusCode};

use crate::{
    ReadSignalsError,
    receive::{OverLimit, receive_by},
};

/// The whole body, under axum's own limit, which is in the extensions, and this one, in bytes.
pub(super) async fn receive<S: Send + Sync>(
    extensions: &Extensions,
    body: Body,
    state: &S,
    limit: Option<usize>,
) -> Result<Bytes, ReadSignalsError> {
    let extract = async |body| {
        let mut request = Request::new(Body::new(body));
        *request.extensions_mut() = extensions.clone();
        let received = Bytes::from_request(request, state).await;
        received.map_err(|error| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ReadSignalsError::body_too_large(),
            _ => ReadSignalsError::unreadable_body(),
        })
    };
    receive_by(body, limit, extract).await
}

impl From<OverLimit> for axum_core::Error {
    fn from(over: OverLimit) -> Self {
        Self::new(over)
    }
}
