//! Bodies of requests, under the limits of axum and of the application.

use axum_core::{
    body::Body,
    extract::{FromRequest, Request},
};
use bytes::Bytes;
use http::StatusCode;

use crate::{
    ReadSignalsError,
    receive::{OverLimit, receive_by},
};

/// The whole body, under axum's own limit and this one, in bytes.
pub(super) async fn receive<S: Send + Sync>(
    request: Request,
    state: &S,
    limit: Option<usize>,
) -> Result<Bytes, ReadSignalsError> {
    let (parts, body) = request.into_parts();
    let extract = async |body| {
        let request = Request::from_parts(parts, Body::new(body));
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
