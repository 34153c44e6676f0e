//! The head of a response: whether it is that of an event stream.

use http::{HeaderMap, StatusCode, Version, header, response::Parts};

use super::HeadError;

/// What must hold before events can be read at all.
pub(super) fn check_readable(parts: &Parts) -> Result<(), HeadError> {
    check_status(parts)?;
    check_header(parts, "content-type", "text/event-stream", |value| {
        media_type(value) == "text/event-stream" && charset_is_utf8(value)
    })?;
    match value(&parts.headers, header::CONTENT_ENCODING.as_str()) {
        Some(encoding) if !encoding.eq_ignore_ascii_case("identity") => {
            Err(HeadError::Encoded { encoding })
        }
        _ => Ok(()),
    }
}

/// What every event stream should have.
pub(super) fn check(parts: &Parts) -> Result<(), HeadError> {
    match check_readable(parts) {
        Err(HeadError::Encoded { .. }) => {
            check_header(parts, "vary", "Accept-Encoding", |value| {
                tokens(value).any(|token| token == "accept-encoding" || token == "*")
            })?;
        }
        other => other?,
    }
    check_header(parts, "cache-control", "no-cache", |value| {
        tokens(value).any(|token| token == "no-cache")
    })?;
    check_header(parts, "x-accel-buffering", "no", |value| value == "no")?;
    if !parts.headers.contains_key(header::CONNECTION) {
        Ok(())
    } else if parts.version > Version::HTTP_11 {
        check_header(
            parts,
            "connection",
            "absent, as HTTP/2 and later demand",
            |_| false,
        )
    } else {
        check_header(parts, "connection", "keep-alive", |value| {
            tokens(value).any(|token| token == "keep-alive")
        })
    }
}

/// Whether a plain reply patches elements (`true`) or signals (`false`).
pub(super) fn check_plain(parts: &Parts) -> Result<bool, HeadError> {
    check_status(parts)?;
    let kind = value(&parts.headers, "content-type").map(|value| media_type(&value));
    let elements = kind.as_deref() == Some("text/html");
    check_header(
        parts,
        "content-type",
        "text/html or application/json",
        |_| elements || kind.as_deref() == Some("application/json"),
    )?;
    Ok(elements)
}

/// A header's value, several joined with a comma; what is not ASCII is shown as Latin-1.
pub(super) fn value(headers: &HeaderMap, name: &str) -> Option<String> {
    let values: Vec<String> = headers
        .get_all(name)
        .iter()
        .map(|value| value.as_bytes().iter().copied().map(char::from).collect())
        .collect();
    (!values.is_empty()).then(|| values.join(", "))
}

fn check_status(parts: &Parts) -> Result<(), HeadError> {
    match parts.status {
        StatusCode::OK => Ok(()),
        status => Err(HeadError::Status(status)),
    }
}

fn check_header(
    parts: &Parts,
    name: &'static str,
    expected: &'static str,
    is_good: impl FnOnce(&str) -> bool,
) -> Result<(), HeadError> {
    let found = value(&parts.headers, name);
    match &found {
        Some(value) if is_good(value) => Ok(()),
        _ => Err(HeadError::Header {
            name,
            expected,
            found,
        }),
    }
}

fn media_type(content_type: &str) -> String {
    content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

fn charset_is_utf8(content_type: &str) -> bool {
    let parameters = content_type
        .split(';')
        .skip(1)
        .map(|text| text.trim().to_ascii_lowercase());
    let mut charsets =
        parameters.filter_map(|text| Some(text.strip_prefix("charset=")?.replace('"', "")));
    charsets.all(|charset| charset == "utf-8")
}

fn tokens(value: &str) -> impl Iterator<Item = String> + '_ {
    value
        .split(',')
        .map(|token| token.trim().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::super::EventStream;
    use super::*;

    const GOOD: [(&str, &str); 4] = [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-cache"),
        ("x-accel-buffering", "no"),
        ("connection", "keep-alive"),
    ];

    fn stream(change: impl FnOnce(&mut http::Response<String>)) -> EventStream<String> {
        let mut response = http::Response::new(String::new());
        for (name, value) in GOOD {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        change(&mut response);
        EventStream::new(response)
    }

    fn with(name: &'static str, value: &'static str) -> Result<(), HeadError> {
        stream(|response| {
            response.headers_mut().insert(name, value.parse().unwrap());
        })
        .check_event_stream_head()
    }

    #[test]
    fn good_heads() {
        stream(|_| {}).assert_event_stream_head();
        stream(|response| {
            response.headers_mut().remove("connection");
            *response.version_mut() = Version::HTTP_2;
        })
        .assert_event_stream_head();
        stream(|response| {
            response
                .headers_mut()
                .insert("content-encoding", "zstd".parse().unwrap());
            response
                .headers_mut()
                .insert("vary", "Origin, Accept-Encoding".parse().unwrap());
        })
        .assert_event_stream_head();
        assert_eq!(
            with("content-type", "Text/Event-Stream; charset=UTF-8"),
            Ok(())
        );
        assert_eq!(with("cache-control", "no-store, no-cache"), Ok(()));
        assert_eq!(with("content-encoding", "identity"), Ok(()));
    }

    #[test]
    fn bad_heads() {
        for (name, value) in [
            ("content-type", "text/plain"),
            ("content-type", "text/event-stream; charset=latin1"),
            ("cache-control", "max-age=1"),
            ("x-accel-buffering", "yes"),
            ("connection", "close"),
        ] {
            let error = with(name, value).unwrap_err();
            assert!(
                error
                    .to_string()
                    .contains(&format!("`{name}` is {value:?}")),
                "{error}"
            );
        }
        let error = with("content-encoding", "gzip").unwrap_err();
        assert_eq!(
            error.to_string(),
            "header `vary` is missing, not Accept-Encoding"
        );
        for (name, _) in &GOOD[..3] {
            let error = stream(|response| {
                response.headers_mut().remove(*name);
            });
            let error = error.check_event_stream_head().unwrap_err();
            assert!(error.to_string().contains("is missing"), "{error}");
        }
        let http2 = stream(|response| *response.version_mut() = Version::HTTP_2);
        assert!(http2.check_event_stream_head().is_err());
        let accepted = stream(|response| *response.status_mut() = StatusCode::ACCEPTED);
        assert_eq!(
            accepted.check_event_stream_head(),
            Err(HeadError::Status(StatusCode::ACCEPTED))
        );
    }

    #[test]
    #[should_panic(expected = "header `cache-control` is missing")]
    fn the_assertion_tells_what_is_wrong() {
        stream(|response| {
            response.headers_mut().remove("cache-control");
        })
        .assert_event_stream_head();
    }
}
