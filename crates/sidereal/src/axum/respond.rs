//! Events, streams, replies and rejections as axum's responses.

use axum_core::{
    body::Body,
    response::{IntoResponse, Response},
};

use crate::{
    Connect, ExecuteScript, HtmlReply, PatchElements, PatchSignals, SignalsRejection, SignalsReply,
    Sse, TabIdError,
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
