//! Bodies of requests, under the limits of actix-web and of the application.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, error::PayloadError, http::StatusCode};
use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderMap, header::TRANSFER_ENCODING};
use http_body::{Body, Frame, SizeHint};

use crate::{
    ReadSignalsError,
    receive::{Limited, OverLimit, announced, receive_by},
};

/// The whole body, under actix-web's own limit and this one, in bytes.
pub(super) async fn receive(
    request: &HttpRequest,
    headers: &HeaderMap,
    payload: Payload,
    limit: Option<usize>,
) -> Result<Bytes, ReadSignalsError> {
    let is_lost = matches!(payload, Payload::None)
        && (announced(headers).lower() > 0 || headers.contains_key(TRANSFER_ENCODING));
    if is_lost {
        // Another extractor has read it.
        return Err(ReadSignalsError::unreadable_body());
    }
    let body = PayloadBody {
        payload,
        announced: announced(headers),
    };
    let extract = async |body| {
        let payload: BoxedPayloadStream = Box::pin(LimitedPayload(body));
        let mut payload = Payload::Stream { payload };
        let received = Bytes::from_request(request, &mut payload).await;
        received.map_err(|error| match error.as_response_error().status_code() {
            StatusCode::PAYLOAD_TOO_LARGE => ReadSignalsError::body_too_large(),
            _ => ReadSignalsError::unreadable_body(),
        })
    };
    receive_by(body, limit, extract).await
}

/// The body of a request.
struct PayloadBody {
    payload: Payload,
    announced: SizeHint,
}

impl Body for PayloadBody {
    type Data = Bytes;
    type Error = PayloadError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, PayloadError>>> {
        let polled = Pin::new(&mut self.payload).poll_next(cx);
        polled.map(|next| next.map(|chunk| chunk.map(Frame::data)))
    }

    fn size_hint(&self) -> SizeHint {
        self.announced
    }
}

type BoxedPayloadStream = Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>>;

/// The same as what actix-web reads.
struct LimitedPayload(Limited<PayloadBody>);

impl Stream for LimitedPayload {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = Pin::new(&mut self.0).poll_frame(cx);
        polled.map(|next| next.map(|frame| frame.map(|data| data.into_data().unwrap_or_default())))
    }
}

impl From<OverLimit> for PayloadError {
    fn from(_: OverLimit) -> Self {
        Self::Overflow
    }
}
