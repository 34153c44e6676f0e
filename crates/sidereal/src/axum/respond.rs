//! Events, streams, replies and rejections as axum's responses.

use axum_core::{
    body::Body,
    response::{IntoResponse, Response},
};

use http::StatusCode;

use crate::{
    AttributeNameError, Connect, ExecuteScript, HtmlReply, PatchElements, PatchSignals,
    ScriptError, SelectorError, SignalsError, SignalsRejection, SignalsReply, Sse, TabIdError,
    reply::plain_text,
};

impl IntoResponse for Sse {
    fn into_response(self) -> Response {
        self.into_http().map(Body::new)
    }
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
                http::Response::from(self).map(Body::from)
            }
        }
    )*};
}

plain!(HtmlReply, SignalsReply, SignalsRejection, TabIdError);

macro_rules! server_error {
    ($($error:ty),*) => {$(
        /// A 500 with the error's text: an event that a handler could not build.
        impl IntoResponse for $error {
            fn into_response(self) -> Response {
                plain_text(StatusCode::INTERNAL_SERVER_ERROR, self.to_string()).map(Body::from)
            }
        }
    )*};
}

server_error!(AttributeNameError, ScriptError, SelectorError, SignalsError);
