//! Bodies of requests: read under axum's limit, and read past it where that helps the page.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use axum_core::{
    body::Body,
    extract::{FromRequest, Request},
};
use bytes::Bytes;
use http::StatusCode;
use http_body::{Body as _, Frame, SizeHint};

use crate::ReadSignalsError;

/// How much of a body over the limit is read and thrown away, in bytes.
///
/// A server that answers a request without reading it has to close the connection, and a browser
/// that is still sending then sees an error instead of the answer (Chromium: `Failed to fetch`), and
/// sends everything again. So the rest is read first, up to a bound. It costs no memory.
const READ_PAST_LIMIT: u64 = 64 << 20;

/// The whole body, under axum's own limit.
pub(super) async fn receive<S: Send + Sync>(
    request: Request,
    state: &S,
) -> Result<Bytes, ReadSignalsError> {
    let (parts, body) = request.into_parts();
    let body = Shared(Arc::new(Mutex::new(body)));
    let request = Request::from_parts(parts, Body::new(body.clone()));
    match Bytes::from_request(request, state).await {
        Ok(bytes) => Ok(bytes),
        Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            body.read_past_limit().await;
            Err(ReadSignalsError::body_too_large())
        }
        Err(_) => Err(ReadSignalsError::unreadable_body()),
    }
}

/// A body that can still be read after what limits it has refused it and dropped it.
#[derive(Clone)]
struct Shared(Arc<Mutex<Body>>);

impl Shared {
    fn body(&self) -> MutexGuard<'_, Body> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read_past_limit(mut self) {
        if self.size_hint().lower() > READ_PAST_LIMIT {
            return;
        }
        let mut read = 0;
        while read < READ_PAST_LIMIT {
            match std::future::poll_fn(|cx| Pin::new(&mut self).poll_frame(cx)).await {
                Some(Ok(frame)) => read += frame.data_ref().map_or(0, |data| data.len() as u64),
                Some(Err(_)) | None => return,
            }
        }
    }
}

impl http_body::Body for Shared {
    type Data = Bytes;
    type Error = axum_core::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum_core::Error>>> {
        Pin::new(&mut *self.body()).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body().is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body().size_hint()
    }
}
