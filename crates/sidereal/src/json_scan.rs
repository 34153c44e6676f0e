//! One walk over JSON text, for what a page or a parser must not get to see.
//!
//! It looks for three things: how deep the text nests, since browsers merge signals recursively;
//! keys `__proto__`, by which a page's signals stop; and keys that `serde_json` keeps for itself.
//! Where axum's or anyone's crate turns on serde_json's feature `raw_value`, a `Value` takes an
//! object whose first key is such a one for JSON inside a string, and reads that by a new parser
//! which counts its depth from nothing.
//!
//! Most text is done with a look for single bytes, and is not walked over at all.

use memchr::{memchr2, memchr2_iter};

/// How deep signals may nest, in levels of objects and arrays: what `serde_json` reads.
pub(crate) const MAX_DEPTH: usize = 127;

const PROTO: &[u8] = b"__proto__";
const RESERVED: &[u8] = b"$serde_json::private::";

/// Whether the text has so many brackets that it could nest too deep.
pub(crate) fn may_be_too_deep(json: &[u8]) -> bool {
    memchr2_iter(b'{', b'[', json).nth(MAX_DEPTH).is_some()
}

/// Whether anything in the text could spell `__proto__`: itself, or a `\u` escape.
pub(crate) fn may_have_proto_key(json: &[u8]) -> bool {
    may_spell(PROTO, json)
}

/// Whether anything in the text could spell one of `serde_json`'s own keys.
pub(crate) fn may_have_reserved_key(json: &[u8]) -> bool {
    may_spell(RESERVED, json)
}

fn may_spell(text: &[u8], json: &[u8]) -> bool {
    memchr2_iter(text[0], b'\\', json).any(|at| {
        let rest = &json[at..];
        rest.starts_with(text) || rest.starts_with(b"\\u")
    })
}

/// What was found in a text.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Scan {
    /// The deepest level of objects and arrays, from 1.
    pub(crate) depth: usize,
    /// Whether a key is `__proto__`, in any spelling.
    pub(crate) proto_key: bool,
    /// Whether a key begins with `$serde_json::private::`, in any spelling.
    pub(crate) reserved_key: bool,
}

/// Walks over JSON text, without recursion. In it, a string is a key exactly where a colon
/// follows. Of text that is not JSON it finds at least what a parser finds before it gives up.
pub(crate) fn scan(json: &[u8]) -> Scan {
    let mut found = Scan::default();
    let mut depth: usize = 0;
    let mut rest = json;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'{' | b'[' => {
                depth += 1;
                found.depth = found.depth.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let string;
                (string, rest) = split_string(after);
                if rest.trim_ascii_start().first() == Some(&b':') {
                    found.proto_key |= after_spelling(PROTO, string) == Some(b"");
                    found.reserved_key |= after_spelling(RESERVED, string).is_some();
                }
            }
            _ => {}
        }
    }
    found
}

/// Splits behind a string's opening quote: what is in the string, and what comes after it.
pub(crate) fn split_string(text: &[u8]) -> (&[u8], &[u8]) {
    let mut end = 0;
    while let Some(found) = memchr2(b'"', b'\\', &text[end..]) {
        end += found;
        if text[end] == b'"' {
            return (&text[..end], &text[end + 1..]);
        }
        end = (end + 2).min(text.len());
    }
    (text, &[])
}

/// What comes after this text, which is ASCII without any character of a short escape, in the
/// inside of a JSON string; `None` where the string, its escapes read, does not begin with it.
fn after_spelling<'a>(text: &[u8], mut string: &'a [u8]) -> Option<&'a [u8]> {
    for expected in text {
        string = match string {
            [b'\\', b'u', rest @ ..] => {
                let (digits, rest) = rest.split_at_checked(4)?;
                let digits = std::str::from_utf8(digits).ok()?;
                let unit = u16::from_str_radix(digits, 16).ok()?;
                (unit == u16::from(*expected)).then_some(rest)?
            }
            [byte, rest @ ..] if byte == expected => rest,
            _ => return None,
        };
    }
    Some(string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_looks_overlook_nothing() {
        let brackets = "[".repeat(MAX_DEPTH);
        assert!(!may_be_too_deep(brackets.as_bytes()));
        assert!(may_be_too_deep(format!("{brackets}{{").as_bytes()));
        for json in ["a\\u005f", "x__proto__"] {
            assert!(may_have_proto_key(json.as_bytes()), "{json}");
        }
        for json in ["a\\u0024", "$$serde_json::private::"] {
            assert!(may_have_reserved_key(json.as_bytes()), "{json}");
        }
        assert!(!may_have_proto_key(br#"{"_a__":"\n"}"#));
        assert!(!may_have_reserved_key(br#"{"$serde_json":"\n"}"#));
    }

    #[test]
    fn reserved_keys_are_found_in_every_spelling_and_place() {
        for json in [
            r#"{"$serde_json::private::RawValue":"1"}"#,
            r#"{"a":[{"$serde_json::private::Number" : "1"}]}"#,
            r#"{"\u0024serde_json\u003a:private::":1}"#,
            r#"{"\"":"\\","$serde_json::privat\u0065::x":1}"#,
        ] {
            assert!(scan(json.as_bytes()).reserved_key, "{json}");
        }
        for json in [
            r#"{"a":"$serde_json::private::RawValue"}"#,
            r#"{"x$serde_json::private::RawValue":1}"#,
            r#"{"$serde_json::private":1}"#,
            r#"{"\\u0024serde_json::private::":1}"#,
        ] {
            assert!(!scan(json.as_bytes()).reserved_key, "{json}");
        }
    }

    #[test]
    fn depth_is_that_of_brackets_outside_of_strings() {
        for (json, depth) in [
            ("1", 0),
            ("{}", 1),
            (r#"{"[[[":"]]{{"}"#, 1),
            (r#"{"a":[[1],[]],"b":{}}"#, 3),
            ("]]][[", 2),
            (r#"["\"[","#, 1),
        ] {
            assert_eq!(scan(json.as_bytes()).depth, depth, "{json}");
        }
    }
}
