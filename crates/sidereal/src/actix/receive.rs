//! Bodies of requests, under the limits of actix-web and of the application.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, error::PayloadError, http::StatusCode};
use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderMap, header::CONTENT_LENGTH};
use http_body::{Body, Frame, SizeHint};

use crate::{
    ReadSignalsError,
    receive::{Limited, OverLimit, receive_by},
};

/// The whole body, under actix-web's own limit and this one, in bytes.
pub(super) async fn receive(
    request: &HttpRequest,
    headers: &HeaderMap,
    payload: Payload,
    limit: Option<usize>,
) -> Result<Bytes, ReadSignalsError> {
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

/// What the head says of the body's length, in bytes.
fn announced(headers: &HeaderMap) -> u64 {
    let length = headers.get(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    length.unwrap_or_default()
}

/// The body of a request.
struct PayloadBody {
    payload: Payload,
    announced: u64,
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
        let mut hint = SizeHint::new();
        hint.set_lower(self.announced);
        hint
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
