//! JSON as JavaScript reads it, in the one place where serde_json is stricter.

use serde_json::Value;

/// Parses what `JSON.parse` takes. A lone surrogate escape, which JavaScript allows, becomes U+FFFD.
pub(super) fn parse(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(text).or_else(|error| match without_lone_surrogates(text) {
        Some(text) => serde_json::from_str(&text),
        None => Err(error),
    })
}

/// The text with each lone surrogate escape replaced; `None` where there is none.
fn without_lone_surrogates(text: &str) -> Option<String> {
    const ESCAPE: usize = r"\uXXXX".len();

    let mut result = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        result.push_str(before);
        let (length, lone) = match code_unit(escape) {
            Some(0xD800..=0xDBFF) => match code_unit(&escape[ESCAPE..]) {
                Some(0xDC00..=0xDFFF) => (2 * ESCAPE, false),
                _ => (ESCAPE, true),
            },
            Some(unit) => (ESCAPE, (0xDC00..=0xDFFF).contains(&unit)),
            // The character after a backslash is part of the escape: it may be a backslash itself.
            None => (1 + escape.chars().nth(1).map_or(0, char::len_utf8), false),
        };
        let (escape, after) = escape.split_at(length);
        result.push_str(if lone { r"\ufffd" } else { escape });
        rest = after;
    }
    result.push_str(rest);
    (result != text).then_some(result)
}

/// The UTF-16 code unit of the `\uXXXX` with which the text begins.
fn code_unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix(r"\u")?.get(..4)?;
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    all_digits.then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use serde_json::json;

    #[test]
    fn lone_surrogates_are_replaced() {
        for (text, value) in [
            (r#""\ud800""#, "\u{FFFD}"),
            (r#""a\uDFFFb""#, "a\u{FFFD}b"),
            (r#""\ud800\ud83e\ude90""#, "\u{FFFD}🪐"),
            (r#""\ude90\ud83e""#, "\u{FFFD}\u{FFFD}"),
            (r#""\\ud800\ud800""#, "\\ud800\u{FFFD}"),
            (r#""\ud83e\ude90\n\ud800x""#, "🪐\n\u{FFFD}x"),
        ] {
            assert_eq!(parse(text).unwrap(), json!(value), "{text}");
        }
    }

    #[test]
    fn what_is_not_json_stays_so() {
        for text in [
            "",
            "{",
            r#""\ud8""#,
            r#""\u+123""#,
            r#""\ud800"#,
            "\"\\",
            "\"\\é\"",
            "'\\ud800'",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
