//! Events, streams and replies as salvo's responses.

use bytes::Bytes;
use http::{
    HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_ENCODING, VARY},
};
use http_body::Body;
use salvo_core::{Response, Scribe, http::ResBody};

use crate::{
    AttributeNameError, Connect, ExecuteScript, HtmlReply, PatchElements, PatchSignals,
    ScriptError, SelectorError, SignalsError, SignalsReply, Sse, TabIdError, reply::plain_text,
};

/// Headers that a hoop has set stay, unless these are the same; what the answer varies with is both.
fn render(from: http::Response<ResBody>, response: &mut Response) {
    let (head, body) = from.into_parts();
    response.status_code(head.status);
    let headers = response.headers_mut();
    for (name, value) in &head.headers {
        match *name == VARY {
            true => headers.append(name, value.clone()),
            false => headers.insert(name, value.clone()).is_some(),
        };
    }
    response.replace_body(body);
}

pub(super) fn render_whole(from: http::Response<Bytes>, response: &mut Response) {
    render(from.map(ResBody::Once), response);
}

impl Scribe for Sse {
    fn render(self, response: &mut Response) {
        let mut from = self.into_http_with_length();
        let is_stream = from.body().size_hint().exact().is_none();
        let headers = from.headers_mut();
        if is_stream && !headers.contains_key(CONTENT_ENCODING) {
            // salvo's `Compression` would compress for each viewer what is to be sent as it is.
            let as_it_is = HeaderValue::from_static("no-cache, no-transform");
            headers.insert(CACHE_CONTROL, as_it_is);
        }
        render(from.map(ResBody::stream), response);
    }
}

macro_rules! event {
    ($($event:ty),*) => {$(
        /// An event stream of this one event.
        impl Scribe for $event {
            fn render(self, response: &mut Response) {
                Connect::new().reply(self).render(response);
            }
        }
    )*};
}

event!(PatchElements, PatchSignals, ExecuteScript);

macro_rules! plain {
    ($($reply:ty),*) => {$(
        impl Scribe for $reply {
            fn render(self, response: &mut Response) {
                render_whole(self.into(), response);
            }
        }
    )*};
}

plain!(HtmlReply, SignalsReply, TabIdError);

macro_rules! server_error {
    ($($error:ty),*) => {$(
        /// A 500 with the error's text: an event that a handler could not build.
        impl Scribe for $error {
            fn render(self, response: &mut Response) {
                let error = plain_text(StatusCode::INTERNAL_SERVER_ERROR, self.to_string());
                render_whole(error, response);
            }
        }
    )*};
}

server_error!(AttributeNameError, ScriptError, SelectorError, SignalsError);
