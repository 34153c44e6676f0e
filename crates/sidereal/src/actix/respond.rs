//! Events, streams, replies and rejections as actix-web's responses.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    HttpRequest, HttpResponse, Responder, ResponseError,
    body::{BodySize, BoxBody, MessageBody},
    http::{StatusCode, header},
};
use bytes::Bytes;
use futures_core::Stream as _;

use super::head::response;
use crate::{
    Aborted, AttributeNameError, Connect, ExecuteScript, HtmlReply, PatchElements, PatchSignals,
    ScriptError, SelectorError, SignalsError, SignalsRejection, SignalsReply, Sse, SseBody,
    TabIdError, reply::plain_text,
};

impl Responder for Sse {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let (head, body) = self.into_http().into_parts();
        let body = StreamBody(body);
        let is_stream = body.size() == BodySize::Stream;
        let mut response = response(head, BoxBody::new(body));
        // Actix-web's `Compress` leaves alone what says how it is encoded. Where we do not compress,
        // it would; it asks who accepts a coding only.
        if is_stream && request.headers().contains_key(header::ACCEPT_ENCODING) {
            let headers = response.headers_mut();
            if !headers.contains_key(header::CONTENT_ENCODING) {
                let identity = header::HeaderValue::from_static("identity");
                headers.insert(header::CONTENT_ENCODING, identity);
            }
        }
        response
    }
}

struct StreamBody(SseBody);

impl MessageBody for StreamBody {
    type Error = Aborted;

    fn size(&self) -> BodySize {
        let exact = http_body::Body::size_hint(&self.0).exact();
        exact.map_or(BodySize::Stream, BodySize::Sized)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Aborted>>> {
        Pin::new(&mut self.0).poll_next(cx)
    }
}

macro_rules! event {
    ($($event:ty),*) => {$(
        /// An event stream of this one event.
        impl Responder for $event {
            type Body = BoxBody;

            fn respond_to(self, request: &HttpRequest) -> HttpResponse {
                Connect::new().reply(self).respond_to(request)
            }
        }
    )*};
}

event!(PatchElements, PatchSignals, ExecuteScript);

macro_rules! plain {
    ($($reply:ty),*) => {$(
        impl Responder for $reply {
            type Body = BoxBody;

            fn respond_to(self, _: &HttpRequest) -> HttpResponse {
                whole(self)
            }
        }
    )*};
}

plain!(HtmlReply, SignalsReply, SignalsRejection, TabIdError);

macro_rules! rejection {
    ($($error:ty),*) => {$(
        impl ResponseError for $error {
            fn status_code(&self) -> StatusCode {
                self.error_response().status()
            }

            fn error_response(&self) -> HttpResponse {
                whole(self.clone())
            }
        }
    )*};
}

rejection!(SignalsRejection, TabIdError);

macro_rules! server_error {
    ($($error:ty),*) => {$(
        /// A 500 with the error's text: an event that a handler could not build.
        impl ResponseError for $error {
            fn error_response(&self) -> HttpResponse {
                let status = http::StatusCode::INTERNAL_SERVER_ERROR;
                whole(plain_text(status, self.to_string()))
            }
        }
    )*};
}

server_error!(AttributeNameError, ScriptError, SelectorError, SignalsError);

/// A response whose body is at hand.
fn whole(reply: impl Into<http::Response<Bytes>>) -> HttpResponse {
    let (head, body) = reply.into().into_parts();
    response(head, BoxBody::new(body))
}
