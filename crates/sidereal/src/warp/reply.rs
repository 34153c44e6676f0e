//! Events, streams, replies and rejections as warp's replies.

use http::StatusCode;
use warp::{Reply, reply::Response};

use crate::{
    AttributeNameError, Connect, ExecuteScript, HtmlReply, PatchElements, PatchSignals,
    ScriptError, SelectorError, SignalsError, SignalsRejection, SignalsReply, Sse, TabIdError,
    reply::plain_text,
};

impl Reply for Sse {
    fn into_response(self) -> Response {
        let (head, body) = self.into_http_with_length().into_parts();
        let body = warp::reply::stream(body).into_response().into_body();
        Response::from_parts(head, body)
    }
}

macro_rules! event {
    ($($event:ty),*) => {$(
        /// An event stream of this one event.
        impl Reply for $event {
            fn into_response(self) -> Response {
                Reply::into_response(Connect::new().reply(self))
            }
        }
    )*};
}

event!(PatchElements, PatchSignals, ExecuteScript);

macro_rules! plain {
    ($($reply:ty),*) => {$(
        impl Reply for $reply {
            fn into_response(self) -> Response {
                http::Response::from(self).into_response()
            }
        }
    )*};
}

plain!(HtmlReply, SignalsReply, SignalsRejection, TabIdError);

macro_rules! server_error {
    ($($error:ty),*) => {$(
        /// A 500 with the error's text: an event that a handler could not build.
        impl Reply for $error {
            fn into_response(self) -> Response {
                plain_text(StatusCode::INTERNAL_SERVER_ERROR, self.to_string()).into_response()
            }
        }
    )*};
}

server_error!(AttributeNameError, ScriptError, SelectorError, SignalsError);
