//! Bodies of requests, under the limits of axum and of the application.

use std::{
    error::Error,
    fmt,
    pin::{Pin, pin},
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

use crate::{
    ReadSignalsError,
    receive::{length, read_past_limit},
};

/// The whole body, under axum's own limit and this one, in bytes.
pub(super) async fn receive<S: Send + Sync>(
    request: Request,
    state: &S,
    limit: Option<usize>,
) -> Result<Bytes, ReadSignalsError> {
    let (parts, body) = request.into_parts();
    let room = limit.map_or(u64::MAX, |limit| limit as u64);
    let announced = body.size_hint().lower();
    let is_over = announced > room;
    let body = Shared(Arc::new(Mutex::new(Limited {
        body,
        room,
        is_over,
    })));
    if is_over {
        read_past_limit(pin!(body)).await;
        return Err(ReadSignalsError::body_too_large());
    }
    let request = Request::from_parts(parts, Body::new(body.clone()));
    let received = Bytes::from_request(request, state).await;
    let is_over = body.limited().is_over;
    match received {
        Ok(bytes) => Ok(bytes),
        Err(error) if is_over || error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            read_past_limit(pin!(body)).await;
            Err(ReadSignalsError::body_too_large())
        }
        Err(_) => Err(ReadSignalsError::unreadable_body()),
    }
}

/// A body that can still be read after what limits it has refused it and dropped it.
#[derive(Clone)]
struct Shared(Arc<Mutex<Limited>>);

struct Limited {
    body: Body,
    /// How many bytes may still come.
    room: u64,
    /// Whether more came.
    is_over: bool,
}

impl Shared {
    fn limited(&self) -> MutexGuard<'_, Limited> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl http_body::Body for Shared {
    type Data = Bytes;
    type Error = axum_core::Error;

    /// A frame that is more than there is room for is an error: whoever collects the body gives up.
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum_core::Error>>> {
        let mut limited = self.limited();
        let polled = Pin::new(&mut limited.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            match limited.room.checked_sub(length(frame)) {
                Some(room) => limited.room = room,
                None => {
                    limited.is_over = true;
                    return Poll::Ready(Some(Err(axum_core::Error::new(OverLimit))));
                }
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.limited().body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.limited().body.size_hint()
    }
}

#[derive(Debug)]
struct OverLimit;

impl fmt::Display for OverLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body is larger than the limit for signals")
    }
}

impl Error for OverLimit {}
