//! What a request's body is, by its `Content-Type`.

use http::{HeaderMap, header::CONTENT_TYPE};

/// Whether it is JSON: `application/json`, or `application/` anything `+json`.
///
/// A browser asks before it sends either to another site (a preflight request of CORS). Without
/// asking it sends `text/plain`, the two types of forms, and bodies without a type.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).map_or(&b""[..], |v| v.as_bytes());
    let essence = value.split(|byte| *byte == b';').next();
    let essence = essence.unwrap_or_default().to_ascii_lowercase();
    let Some(subtype) = essence.trim_ascii().strip_prefix(b"application/") else {
        return false;
    };
    // A list of types is none.
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-._!#$&^".contains(byte);
    subtype.iter().all(plain) && (subtype == b"json" || subtype.ends_with(b"+json"))
}

/// Whether the request is a form's.
pub(super) fn is_form(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE);
    content_type.is_some_and(|value| {
        let is = |form: &[u8]| {
            let start = value.as_bytes().get(..form.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(form))
        };
        is(b"application/x-www-form-urlencoded") || is(b"multipart/form-data")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn json_is_what_a_browser_asks_about_before_it_sends_it() {
        let is = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, value.parse().unwrap());
            is_json(&headers)
        };
        for json in [
            "application/json",
            "Application/JSON ; charset=utf-8",
            "application/merge-patch+json",
            "application/vnd.api+json;x",
        ] {
            assert!(is(json), "{json}");
        }
        for other in [
            "",
            "text/plain",
            "text/plain; application/json",
            "text/plain;charset=application/json",
            "text/plain, application/json",
            "application/x-www-form-urlencoded, application/x+json",
            "application/x-www-form-urlencoded;+json",
            "multipart/form-data; boundary=application/json",
            "application/jsonp",
            "text/json",
            "json",
        ] {
            assert!(!is(other), "{other}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
