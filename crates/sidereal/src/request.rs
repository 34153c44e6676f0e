//! What the headers of a request say about the page it came from.

use http::{HeaderMap, HeaderName};
use sidereal_sse::EventId;

const DATASTAR_REQUEST: HeaderName = HeaderName::from_static("datastar-request");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Whether a request was made by Datastar, rather than by loading a page: it then has the header
/// `Datastar-Request: true`.
///
/// ```
/// use sidereal::{http::{HeaderMap, HeaderValue}, is_datastar_request};
///
/// let mut headers = HeaderMap::new();
/// assert!(!is_datastar_request(&headers));
/// headers.insert("datastar-request", HeaderValue::from_static("true"));
/// assert!(is_datastar_request(&headers));
/// ```
pub fn is_datastar_request(headers: &HeaderMap) -> bool {
    headers
        .get(DATASTAR_REQUEST)
        .is_some_and(|value| value == "true")
}

/// Whether a request was made by Datastar: one handler can so answer a page load with the page,
/// and an action with events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IsDatastar(pub bool);

impl IsDatastar {
    /// Reads it; see [`is_datastar_request`].
    pub fn from_headers(headers: &HeaderMap) -> Self {
        Self(is_datastar_request(headers))
    }
}

/// The id of the last event that the page got, where it comes back after its stream broke.
///
/// The client sends it on the retries of one action call only, so a page that is loaded anew has
/// none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastEventId(pub Option<EventId>);

impl LastEventId {
    /// Reads `Last-Event-ID`. What no [`EventId`] could have been sent as, or is empty, counts as
    /// none.
    ///
    /// ```
    /// use sidereal::{LastEventId, http::{HeaderMap, HeaderValue}};
    ///
    /// let mut headers = HeaderMap::new();
    /// headers.insert("last-event-id", HeaderValue::from_static("42-7"));
    /// let LastEventId(id) = LastEventId::from_headers(&headers);
    /// assert_eq!(id.unwrap().as_str(), "42-7");
    /// ```
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let id = headers
            .get(LAST_EVENT_ID)
            .and_then(|value| value.to_str().ok())
            .filter(|id| !id.is_empty());
        Self(id.and_then(|id| EventId::new(id.to_owned()).ok()))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn an_id_that_was_never_sent_is_none() {
        let long = "x".repeat(EventId::MAX_LEN + 1);
        for value in [
            "".as_bytes(),
            b"\xe9",
            "é".as_bytes(),
            b"a\tb",
            long.as_bytes(),
        ] {
            let value = HeaderValue::from_bytes(value).ok();
            let headers = value
                .map(|value| (LAST_EVENT_ID, value))
                .into_iter()
                .collect();
            assert_eq!(LastEventId::from_headers(&headers), LastEventId(None));
        }
    }

    #[test]
    fn only_true_is_datastar() {
        for (value, expected) in [("true", true), ("True", false), ("1", false), ("", false)] {
            let headers = [(DATASTAR_REQUEST, HeaderValue::from_static(value))];
            let headers = headers.into_iter().collect();
            assert_eq!(IsDatastar::from_headers(&headers), IsDatastar(expected));
        }
    }
}
