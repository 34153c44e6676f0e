//! JavaScript literals that mean the same wherever Datastar puts them.
//!
//! A literal may stand in a script's element, in a double-quoted attribute, or in an attribute
//! that a template escapes once more; and in an attribute the client rewrites the expression with
//! regular expressions before it compiles it (`genRx`, client 1.0.2):
//!
//! 1. it splits statements at `;`, with only an approximate idea of what a string is;
//! 2. it puts `__escapedN` in place of what stands between the marks `🖕JS_` and `_DS🚀`;
//! 3. it rewrites `$name` to `$['name']`, outside of what looks like a string to it;
//! 4. it rewrites `@name(` to a call of an action, inside strings too.
//!
//! So each character that means something to HTML, to JavaScript or to one of these steps is
//! written as an escape. Nothing is left that any of them could take for its own.

use std::fmt::{self, Write as _};

use memchr::memchr;

use crate::json_scan::{may_have_proto_key, split_string};

/// Displays text as a string literal in single quotes.
pub(crate) fn string_literal(text: &str) -> StringLiteral<'_> {
    StringLiteral(text)
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct StringLiteral<'a>(&'a str);

impl fmt::Display for StringLiteral<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('\'')?;
        write_escaped(f, self.0)?;
        f.write_char('\'')
    }
}

fn write_escaped(out: &mut impl fmt::Write, text: &str) -> fmt::Result {
    let mut written = 0;
    let mut previous = None;
    for (position, character) in text.char_indices() {
        let special = match character {
            '\'' | '"' | '`' | '\\' | '$' | '@' | ';' | '<' | '>' | '&' => true,
            // `__escapedN` is the client's own.
            '_' => previous == Some('_'),
            '\u{2028}' | '\u{2029}' | '🖕' => true,
            other => other.is_control(),
        };
        previous = Some(character);
        if !special {
            continue;
        }
        out.write_str(&text[written..position])?;
        written = position + character.len_utf8();
        match u32::from(character) {
            byte @ ..=0xff => write!(out, "\\x{byte:02X}")?,
            unit @ ..=0xffff => write!(out, "\\u{unit:04X}")?,
            beyond => write!(out, "\\u{{{beyond:X}}}")?,
        }
    }
    out.write_str(&text[written..])
}

/// JSON text (which must be valid) as a JavaScript expression of the same value.
pub(crate) fn value_literal(json: &str) -> String {
    // In an object literal a key `__proto__` sets the prototype; to `JSON.parse` it is a key.
    if may_have_proto_key(json.as_bytes()) {
        return format!("JSON.parse({})", string_literal(json));
    }
    let mut literal = String::with_capacity(json.len() + 16);
    let mut rest = json;
    while let Some(start) = memchr(b'"', rest.as_bytes()) {
        push_without_white_space(&mut literal, &rest[..start]);
        let (string, _) = split_string(&rest.as_bytes()[start + 1..]);
        let end = start + 1 + string.len();
        literal.push('\'');
        push_string(&mut literal, &rest[start + 1..end]);
        literal.push('\'');
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    push_without_white_space(&mut literal, rest);
    literal
}

/// Outside of strings JSON has white space, which may be line breaks, and nothing else that is
/// special anywhere.
fn push_without_white_space(literal: &mut String, json: &str) {
    literal.extend(json.split_ascii_whitespace());
}

/// The inside of a JSON string. Its escapes mean the same in JavaScript, so they stay, but for
/// those of a quote and a backslash, which would put that character itself there.
fn push_string(literal: &mut String, json: &str) {
    let mut rest = json;
    while let Some(at) = memchr(b'\\', rest.as_bytes()) {
        let _ = write_escaped(literal, &rest[..at]);
        let escape = &rest[at + 1..];
        match escape.as_bytes().first() {
            Some(byte @ (b'"' | b'\\')) => {
                let _ = write!(literal, "\\x{byte:02X}");
            }
            Some(b'/') => literal.push('/'),
            Some(byte) => {
                literal.push('\\');
                literal.push(char::from(*byte));
            }
            None => {}
        }
        rest = escape.get(1..).unwrap_or_default();
    }
    let _ = write_escaped(literal, rest);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn literal(text: &str) -> String {
        string_literal(text).to_string()
    }

    #[test]
    fn plain_text_stays_readable() {
        for text in [
            "",
            "/x/7?a=1#b",
            "Grüße, 世界 😀",
            "snake_case",
            "{a: [1, 2]}",
        ] {
            assert_eq!(literal(text), format!("'{text}'"));
        }
    }

    #[test]
    fn whatever_is_special_anywhere_is_escaped() {
        assert_eq!(literal("'\"`\\"), r"'\x27\x22\x60\x5C'");
        assert_eq!(literal("$a @post( ;"), r"'\x24a \x40post( \x3B'");
        assert_eq!(literal("</script>&<!--"), r"'\x3C/script\x3E\x26\x3C!--'");
        assert_eq!(
            literal("a\r\nb\tc\0\x7f\u{85}"),
            r"'a\x0D\x0Ab\x09c\x00\x7F\x85'"
        );
        assert_eq!(literal("\u{2028}\u{2029}"), r"'\u2028\u2029'");
        assert_eq!(literal("🖕JS_a_DS🚀"), r"'\u{1F595}JS_a_DS🚀'");
        assert_eq!(literal("__escaped0 ____"), r"'_\x5Fescaped0 _\x5F\x5F\x5F'");
    }

    #[test]
    fn values_are_literals_of_the_same_value() {
        let of = |value: serde_json::Value| value_literal(&value.to_string());
        use serde_json::json;
        assert_eq!(of(json!(null)), "null");
        assert_eq!(of(json!(-1.5e300)), "-1.5e+300");
        assert_eq!(of(json!("it's")), r"'it\x27s'");
        assert_eq!(of(json!({"a": [1, "b\\\"\n"]})), r"{'a':[1,'b\x5C\x22\n']}");
        assert_eq!(of(json!({"</": "$x@y("})), r"{'\x3C/':'\x24x\x40y('}");
        assert_eq!(
            of(json!({"__proto__": 1})),
            r"JSON.parse('{\x22_\x5Fproto_\x5F\x22:1}')"
        );
        assert_eq!(
            value_literal("{ \"a b\" :\r\n[ 1 ,\t2 ] }"),
            "{'a b':[1,2]}"
        );
        assert_eq!(value_literal(r#""\/\\/""#), r"'/\x5C/'");
    }
}
