//! Plain replies: one patch as an ordinary response, its options in headers.
//!
//! The client takes a response of status 200 for a patch by its `Content-Type`: `text/html` for
//! elements, `application/json` for signals. It costs less than an event stream of one event, and
//! any cache or test client reads it; an id or a retry cannot be said in it.
//!
//! There is no reply of `text/javascript`, which the client would run: it then never ends the
//! action (seen in client 1.0.2), so a `data-indicator` stays on for ever. Send
//! [`ExecuteScript`](crate::ExecuteScript) instead.

use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use serde::Serialize;

use crate::{
    Mode, Namespace, SignalsError,
    header_selector::header_selector,
    signals_json::{self, Refused},
    target::{Target, target_methods},
};

const SELECTOR: HeaderName = HeaderName::from_static("datastar-selector");
const MODE: HeaderName = HeaderName::from_static("datastar-mode");
const NAMESPACE: HeaderName = HeaderName::from_static("datastar-namespace");
const USE_VIEW_TRANSITION: HeaderName = HeaderName::from_static("datastar-use-view-transition");
const ONLY_IF_MISSING: HeaderName = HeaderName::from_static("datastar-only-if-missing");
const TRUE: HeaderValue = HeaderValue::from_static("true");

/// Patches elements by an ordinary HTML response.
///
/// It has the options of [`PatchElements`](crate::PatchElements), but for those that only an event
/// can have.
///
/// ```
/// use sidereal::{HtmlReply, selector};
///
/// let response = HtmlReply::new("<li>new</li>").append(selector!("#feed")).into_http();
/// assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
/// assert_eq!(response.headers()["datastar-selector"], "#feed");
/// assert_eq!(response.headers()["datastar-mode"], "append");
/// assert_eq!(&response.body()[..], b"<li>new</li>");
/// ```
///
/// Headers are Latin-1 to the browser, so characters of a selector beyond ASCII go as CSS escapes,
/// which mean the same in it. White space around it goes.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a reply does nothing until it is returned"]
pub struct HtmlReply {
    elements: String,
    target: Target,
}

impl HtmlReply {
    /// Patches this HTML: a string, or what becomes one, as maud's `Markup` does.
    pub fn new(elements: impl Into<String>) -> Self {
        Self {
            elements: elements.into(),
            target: Target::default(),
        }
    }

    target_methods!();

    /// The response, of status 200, `Cache-Control: no-cache`.
    pub fn into_http(self) -> Response<Bytes> {
        let Target {
            selector,
            mode,
            namespace,
            use_view_transition,
        } = self.target;
        let mut response = Response::new(Bytes::from(self.elements));
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        );
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if let Some(selector) = selector
            // Only printable ASCII is left, so this is always a value.
            && let Ok(value) = HeaderValue::try_from(header_selector(selector.as_str()))
        {
            headers.insert(SELECTOR, value);
        }
        if mode != Mode::default() {
            headers.insert(MODE, HeaderValue::from_static(mode.as_str()));
        }
        if namespace != Namespace::default() {
            headers.insert(NAMESPACE, HeaderValue::from_static(namespace.as_str()));
        }
        if use_view_transition == Some(true) {
            headers.insert(USE_VIEW_TRANSITION, TRUE);
        }
        response
    }
}

impl From<HtmlReply> for Response<Bytes> {
    fn from(reply: HtmlReply) -> Self {
        reply.into_http()
    }
}

/// Patches signals by an ordinary JSON response.
///
/// The rules of [`PatchSignals`](crate::PatchSignals) hold: an object, merged into the page's
/// signals, null removes.
///
/// ```
/// use sidereal::SignalsReply;
///
/// let response = SignalsReply::new(&serde_json::json!({ "saving": false }))?.into_http();
/// assert_eq!(response.headers()["content-type"], "application/json");
/// assert_eq!(&response.body()[..], br#"{"saving":false}"#);
/// # Ok::<(), sidereal::SignalsError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a reply does nothing until it is returned"]
pub struct SignalsReply {
    json: Bytes,
    only_if_missing: bool,
}

impl SignalsReply {
    /// Patches what the value serializes to.
    ///
    /// # Errors
    ///
    /// As [`PatchSignals::new`](crate::PatchSignals::new).
    pub fn new(signals: &(impl Serialize + ?Sized)) -> Result<Self, SignalsError> {
        let json =
            serde_json::to_vec(signals).map_err(|error| SignalsError(Refused::Serialize(error)))?;
        signals_json::check_serialized(&json)?;
        Ok(Self::with_json(json))
    }

    /// Patches JSON text.
    ///
    /// # Errors
    ///
    /// As [`PatchSignals::from_json`](crate::PatchSignals::from_json).
    pub fn from_json(json: impl Into<String>) -> Result<Self, SignalsError> {
        let json = json.into();
        signals_json::check_text(&json)?;
        Ok(Self::with_json(json.into_bytes()))
    }

    fn with_json(json: Vec<u8>) -> Self {
        Self {
            json: Bytes::from(json),
            only_if_missing: false,
        }
    }

    /// Whether the page takes only the signals that it does not have yet. Off by default.
    pub fn only_if_missing(mut self, on: bool) -> Self {
        self.only_if_missing = on;
        self
    }

    /// The response, of status 200, `Cache-Control: no-cache`.
    pub fn into_http(self) -> Response<Bytes> {
        let mut response = Response::new(self.json);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if self.only_if_missing {
            headers.insert(ONLY_IF_MISSING, TRUE);
        }
        response
    }
}

impl From<SignalsReply> for Response<Bytes> {
    fn from(reply: SignalsReply) -> Self {
        reply.into_http()
    }
}

/// A response of plain text, as rejections are.
pub(crate) fn plain_text(status: StatusCode, text: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(text));
    *response.status_mut() = status;
    let plain_text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain_text);
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Selector, selector};

    fn headers(response: Response<Bytes>) -> Vec<String> {
        assert_eq!(response.status(), 200);
        response
            .headers()
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect()
    }

    #[test]
    fn defaults_are_left_out() {
        assert_eq!(
            headers(HtmlReply::new("").into_http()),
            [
                "content-type: text/html; charset=utf-8",
                "cache-control: no-cache"
            ]
        );
        assert_eq!(
            headers(SignalsReply::from_json("{}").unwrap().into_http()),
            ["content-type: application/json", "cache-control: no-cache"]
        );
    }

    #[test]
    fn every_option_has_its_header() {
        let reply = HtmlReply::new("x")
            .before(selector!("#a"))
            .namespace(Namespace::Svg)
            .use_view_transition(true);
        assert_eq!(
            headers(reply.into_http())[2..],
            [
                "datastar-selector: #a",
                "datastar-mode: before",
                "datastar-namespace: svg",
                "datastar-use-view-transition: true"
            ]
        );
        let reply = SignalsReply::new(&serde_json::json!({}))
            .unwrap()
            .only_if_missing(true);
        assert_eq!(
            headers(reply.into_http())[2..],
            ["datastar-only-if-missing: true"]
        );
    }

    #[test]
    fn signals_are_checked_as_in_an_event() {
        assert!(SignalsReply::new(&[1]).unwrap_err().is_not_an_object());
        assert!(SignalsReply::from_json("{a:1}").unwrap_err().is_syntax());
        assert!(
            SignalsReply::from_json("{\"\\u005f_proto__\":1}")
                .unwrap_err()
                .is_proto_key()
        );
    }

    /// White space at the end of a header's value is none of it: HTTP/1.1 strips it, and HTTP/2
    /// refuses the response.
    #[test]
    fn a_selector_does_not_end_in_white_space() {
        for (id, header) in [
            ("ünïcode 1", r"datastar-selector: #\fc n\ef code\ 1"),
            ("7", r"datastar-selector: #\000037"),
            ("row ", r"datastar-selector: #row\000020"),
            ("é", r"datastar-selector: #\0000e9"),
        ] {
            let reply = HtmlReply::new("").inner(Selector::id(id));
            assert_eq!(headers(reply.into_http())[2], header);
        }
        let reply = HtmlReply::new("").inner(selector!("\t#a "));
        assert_eq!(headers(reply.into_http())[2], "datastar-selector: #a");
    }
}
