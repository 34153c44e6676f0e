//! Events, streams, replies and rejections as rocket's responders.

use std::{
    io::{self, Cursor},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, Bytes};
use futures_core::Stream;
use http::{StatusCode, header::CONTENT_LENGTH};
use rocket::{
    Request, Response,
    response::{self, Responder},
    tokio::{
        io::{AsyncRead, ReadBuf},
        time::{Sleep, sleep},
    },
};

use super::head::response;
use crate::{
    Aborted, AttributeNameError, Connect, ExecuteScript, HtmlReply, PatchElements, PatchSignals,
    ScriptError, SelectorError, SignalsError, SignalsRejection, SignalsReply, Sse, SseBody,
    TabIdError, reply::plain_text,
};

impl<'r> Responder<'r, 'static> for Sse {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let (head, body) = self.into_http().into_parts();
        let mut response = response(&head);
        if let Some(length) = http_body::Body::size_hint(&body).exact() {
            response.set_raw_header(CONTENT_LENGTH.as_str(), length.to_string());
        }
        let rocket = request.rocket();
        response.set_streamed_body(StreamReader {
            state: State::Open(body),
            event: Bytes::new(),
            shutdown: rocket.shutdown(),
            grace: Duration::from_secs(rocket.config().shutdown.grace.into()),
        });
        Ok(response)
    }
}

/// The body of a stream, as rocket reads it: at most one event at once.
struct StreamReader {
    state: State,
    /// What is left of the last event.
    event: Bytes,
    shutdown: rocket::Shutdown,
    grace: Duration,
}

enum State {
    Open(SseBody),
    /// To be broken off, by rocket when it closes the connection.
    Held(Pin<Box<Sleep>>, Aborted),
    Over,
}

/// How much longer than rocket's grace period a stream is held that is to break.
const AFTER_GRACE: Duration = Duration::from_millis(100);

impl AsyncRead for StreamReader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.event.is_empty() {
            match ready!(self.poll_event(cx)) {
                Some(Ok(event)) => self.event = event,
                Some(Err(aborted)) => return Poll::Ready(Err(io::Error::other(aborted))),
                None => return Poll::Ready(Ok(())),
            }
        }
        let room = buffer.remaining().min(self.event.len());
        buffer.put_slice(&self.event[..room]);
        self.event.advance(room);
        Poll::Ready(Ok(()))
    }
}

impl StreamReader {
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Aborted>>> {
        loop {
            match &mut self.state {
                State::Open(body) => match ready!(Pin::new(body).poll_next(cx)) {
                    Some(Err(aborted)) => {
                        // Rocket ends a failed response as if it were complete.
                        self.state = match Pin::new(&mut self.shutdown).poll(cx) {
                            Poll::Ready(()) => {
                                State::Held(Box::pin(sleep(self.grace + AFTER_GRACE)), aborted)
                            }
                            Poll::Pending => {
                                self.state = State::Over;
                                return Poll::Ready(Some(Err(aborted)));
                            }
                        };
                    }
                    next => return Poll::Ready(next),
                },
                State::Held(until, aborted) => {
                    ready!(until.as_mut().poll(cx));
                    let aborted = *aborted;
                    self.state = State::Over;
                    return Poll::Ready(Some(Err(aborted)));
                }
                State::Over => return Poll::Ready(None),
            }
        }
    }
}

macro_rules! event {
    ($($event:ty),*) => {$(
        /// An event stream of this one event.
        impl<'r> Responder<'r, 'static> for $event {
            fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
                Connect::new().reply(self).respond_to(request)
            }
        }
    )*};
}

event!(PatchElements, PatchSignals, ExecuteScript);

macro_rules! plain {
    ($($reply:ty),*) => {$(
        impl<'r> Responder<'r, 'static> for $reply {
            fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
                Ok(whole(self.into()))
            }
        }
    )*};
}

plain!(HtmlReply, SignalsReply, SignalsRejection, TabIdError);

macro_rules! server_error {
    ($($error:ty),*) => {$(
        /// A 500 with the error's text: an event that a handler could not build.
        impl<'r> Responder<'r, 'static> for $error {
            fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
                Ok(whole(plain_text(StatusCode::INTERNAL_SERVER_ERROR, self.to_string())))
            }
        }
    )*};
}

server_error!(AttributeNameError, ScriptError, SelectorError, SignalsError);

/// A response whose body is at hand.
pub(super) fn whole(reply: http::Response<Bytes>) -> Response<'static> {
    let (head, body) = reply.into_parts();
    let mut response = response(&head);
    response.set_sized_body(body.len(), Cursor::new(body));
    response
}
