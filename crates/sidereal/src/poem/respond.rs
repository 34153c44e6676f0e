//! Events, streams, replies and rejections as poem's responses.

use bytes::Bytes;
use http::StatusCode;
use poem::{IntoResponse, Response, error::ResponseError};

use crate::{
    AttributeNameError, Connect, ExecuteScript, HtmlReply, PatchElements, PatchSignals,
    ScriptError, SelectorError, SignalsError, SignalsRejection, SignalsReply, Sse, TabIdError,
    reply::plain_text,
};

impl IntoResponse for Sse {
    fn into_response(self) -> Response {
        self.into_http_with_length().into()
    }
}

fn whole(response: http::Response<Bytes>) -> Response {
    let (head, body) = response.into_parts();
    let mut response = Response::from((head.status, body));
    *response.headers_mut() = head.headers;
    response
}

macro_rules! event {
    ($($event:ty),*) => {$(
        /// An event stream of this one event.
        impl IntoResponse for $event {
            fn into_response(self) -> Response {
                IntoResponse::into_response(Connect::new().reply(self))
            }
        }
    )*};
}

event!(PatchElements, PatchSignals, ExecuteScript);

macro_rules! plain {
    ($($reply:ty),*) => {$(
        impl IntoResponse for $reply {
            fn into_response(self) -> Response {
                whole(self.into())
            }
        }
    )*};
}

plain!(HtmlReply, SignalsReply, SignalsRejection, TabIdError);

macro_rules! rejection {
    ($($rejection:ty),*) => {$(
        impl ResponseError for $rejection {
            fn status(&self) -> StatusCode {
                Self::status(self)
            }

            fn as_response(&self) -> Response {
                self.clone().into_response()
            }
        }
    )*};
}

rejection!(SignalsRejection, TabIdError);

macro_rules! server_error {
    ($($error:ty),*) => {$(
        /// A 500 with the error's text: an event that a handler could not build.
        impl ResponseError for $error {
            fn status(&self) -> StatusCode {
                StatusCode::INTERNAL_SERVER_ERROR
            }

            fn as_response(&self) -> Response {
                whole(plain_text(self.status(), self.to_string()))
            }
        }
    )*};
}

server_error!(AttributeNameError, ScriptError, SelectorError, SignalsError);
