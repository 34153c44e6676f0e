//! What JSON text must be before a page may take it for signals.
//!
//! Three things are checked besides the syntax. It must be an object, since a patch merges into the
//! signals. It must not nest too deep, since the client merges recursively. And no object in it may
//! have a key `__proto__`, however it is spelled: the client would merge into the prototype of its
//! store, after which no signal of the page updates any more.

use std::{error::Error, fmt};

use memchr::memchr;

use crate::json_scan::{MAX_DEPTH, may_be_too_deep, may_have_proto_key, scan};

/// Why signals, or paths of signals, were refused.
///
/// ```
/// use sidereal::PatchSignals;
///
/// let error = PatchSignals::from_json("[1]").unwrap_err();
/// assert!(error.is_not_an_object());
/// assert_eq!(error.to_string(), "signals must be a JSON object");
/// ```
#[derive(Debug)]
pub struct SignalsError(pub(crate) Refused);

#[derive(Debug)]
pub(crate) enum Refused {
    Serialize(serde_json::Error),
    Syntax(serde_json::Error),
    NotAnObject,
    ProtoKey,
    TooDeep,
    EmptySegment(String),
    DuplicatePath(String),
    Conflict(String),
}

impl SignalsError {
    /// Whether the value's `Serialize` failed, or cannot be JSON: a map with keys that are no
    /// strings.
    pub fn is_serialize(&self) -> bool {
        matches!(self.0, Refused::Serialize(_))
    }

    /// Whether raw text is not strict JSON.
    pub fn is_syntax(&self) -> bool {
        matches!(self.0, Refused::Syntax(_))
    }

    /// Whether the signals are JSON, but not an object.
    pub fn is_not_an_object(&self) -> bool {
        matches!(self.0, Refused::NotAnObject)
    }

    /// Whether a key, or a segment of a path, is `__proto__`.
    pub fn is_proto_key(&self) -> bool {
        matches!(self.0, Refused::ProtoKey)
    }

    /// Whether the signals, or a path, nest deeper than 127 levels.
    pub fn is_too_deep(&self) -> bool {
        matches!(self.0, Refused::TooDeep)
    }

    /// Whether a path is empty, or has an empty segment: `user..name`.
    pub fn is_empty_segment(&self) -> bool {
        matches!(self.0, Refused::EmptySegment(_))
    }

    /// Whether one path was given twice.
    pub fn is_duplicate_path(&self) -> bool {
        matches!(self.0, Refused::DuplicatePath(_))
    }

    /// Whether one path leads through another: `user` beside `user.name`.
    pub fn is_conflict(&self) -> bool {
        matches!(self.0, Refused::Conflict(_))
    }
}

impl fmt::Display for SignalsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Refused::Serialize(error) => write!(f, "signals could not be serialized: {error}"),
            Refused::Syntax(error) => write!(f, "signals are not JSON: {error}"),
            Refused::NotAnObject => f.write_str("signals must be a JSON object"),
            Refused::ProtoKey => f.write_str("signals must not have a key `__proto__`"),
            Refused::TooDeep => write!(f, "signals nest deeper than {MAX_DEPTH} levels"),
            Refused::EmptySegment(path) => {
                write!(f, "the path {} has an empty segment", Short(path))
            }
            Refused::DuplicatePath(path) => write!(f, "the path {} is given twice", Short(path)),
            Refused::Conflict(path) => {
                write!(f, "the path {} leads through another path", Short(path))
            }
        }
    }
}

impl Error for SignalsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            Refused::Serialize(error) | Refused::Syntax(error) => Some(error),
            _ => None,
        }
    }
}

/// A path in an error's text: quoted, escaped, and cut where it is long.
struct Short<'a>(&'a str);

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(64) {
            None => write!(f, "{:?}", self.0),
            Some((end, _)) => write!(f, "{:?}…", &self.0[..end]),
        }
    }
}

/// Checks what a serializer wrote: valid JSON, but of any shape.
pub(crate) fn check_serialized(json: &[u8]) -> Result<(), SignalsError> {
    if json.trim_ascii_start().first() != Some(&b'{') {
        return Err(SignalsError(Refused::NotAnObject));
    }
    if may_be_refused(json) {
        let found = scan(json);
        if found.proto_key {
            return Err(SignalsError(Refused::ProtoKey));
        }
        if found.depth > MAX_DEPTH {
            return Err(SignalsError(Refused::TooDeep));
        }
    }
    Ok(())
}

/// Checks raw text, of which nothing is known.
pub(crate) fn check_text(json: &str) -> Result<(), SignalsError> {
    // Skips over every value by a loop, so depth is no danger here.
    serde_json::from_str::<serde::de::IgnoredAny>(json)
        .map_err(|error| SignalsError(Refused::Syntax(error)))?;
    check_serialized(json.as_bytes())
}

/// A quick look at an object's text, which is enough for the usual one.
fn may_be_refused(json: &[u8]) -> bool {
    may_have_proto_key(json) || may_be_too_deep(json)
}

/// Checks an object that stands serialized in framed lines, each with this key.
pub(crate) fn check_framed(lines: &[u8], key: &str) -> Result<(), SignalsError> {
    let json = lines.get(key.len()..).unwrap_or_default();
    // Only raw JSON inside of a value has line breaks.
    if memchr(b'\n', json).is_none_or(|end| end + 1 == json.len()) {
        return check_serialized(json);
    }
    check_serialized(&unframed(lines, key.as_bytes()))
}

/// Puts framed lines together again, between which the wire has its key.
fn unframed(lines: &[u8], key: &[u8]) -> Vec<u8> {
    let mut json = Vec::with_capacity(lines.len());
    let mut rest = lines;
    while let Some(end) = memchr(b'\n', rest) {
        let line = &rest[..=end];
        json.extend_from_slice(line.strip_prefix(key).unwrap_or(line));
        rest = &rest[end + 1..];
    }
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(json: &str) -> Option<String> {
        check_text(json).err().map(|error| error.to_string())
    }

    #[test]
    fn proto_keys_are_found_in_every_spelling_and_place() {
        for json in [
            r#"{"__proto__":1}"#,
            r#"{"\u005f_proto__":1}"#,
            r#"{"\u005F\u005f\u0070\u0072\u006f\u0074\u006F\u005f\u005f":1}"#,
            "{\"__proto__\" \r\n\t : 1}",
            r#"{"a":[{"b":{"__proto__":null}}]}"#,
            r#"{"a\"":"\\","__proto__":{}}"#,
        ] {
            assert_eq!(
                refused(json).as_deref(),
                Some("signals must not have a key `__proto__`"),
                "{json}"
            );
        }
    }

    #[test]
    fn only_keys_are_refused() {
        for json in [
            "{}",
            " \n{} ",
            r#"{"a":"__proto__"}"#,
            r#"{"a":["\u005f_proto__"]}"#,
            r#"{"__proto":1,"__proto__x":2,"x__proto__":3,"":4}"#,
            r#"{"a":"\"__proto__\":1"}"#,
            r#"{"\\u005f_proto__":1}"#,
            r#"{"a":"\ud800"}"#,
            "{\"a\":\"\u{2028}\"}",
        ] {
            assert_eq!(refused(json), None, "{json}");
        }
    }

    #[test]
    fn only_strict_json_objects_are_signals() {
        for json in ["[]", "1", "null", "\"{}\"", "true"] {
            assert!(
                check_text(json).is_err_and(|e| e.is_not_an_object()),
                "{json}"
            );
        }
        for json in [
            "",
            " ",
            "{",
            "{}x",
            "{a:1}",
            "{'a':1}",
            "{\"a\":1,}",
            "{\"a\":NaN}",
            "{\"a\":01}",
            "\u{feff}{}",
            "{}//",
            "{\"a\":\"\n\"}",
            "alert(1)",
            "{}\0",
            "{\"a\":\"\\x41\"}",
        ] {
            assert!(check_text(json).is_err_and(|e| e.is_syntax()), "{json:?}");
        }
    }

    #[test]
    fn depth_is_limited_and_costs_no_stack() {
        let nested = |depth: usize| {
            let inner = depth - 1;
            format!("{{\"a\":{}{}}}", "[".repeat(inner), "]".repeat(inner))
        };
        let deepest = nested(MAX_DEPTH);
        assert!(check_text(&deepest).is_ok());
        assert!(serde_json::from_str::<serde_json::Value>(&deepest).is_ok());
        assert!(check_text(&nested(MAX_DEPTH + 1)).is_err_and(|e| e.is_too_deep()));
        assert!(check_text(&nested(1_000_000)).is_err_and(|e| e.is_too_deep()));
        // What is many and not deep is no concern.
        let wide = format!("{{\"a\":[{}0]}}", "[],{},".repeat(1000));
        assert!(check_text(&wide).is_ok());
    }
}
