//! JSON as JavaScript reads it, where a page may well send what serde_json refuses.
//!
//! Not: nesting beyond 127 levels, and numbers that overflow (`1e999`, Infinity to JavaScript).

use serde_json::Value;

use crate::surrogates::without_lone_surrogates;

/// Parses what `JSON.parse` takes. A lone surrogate escape, which JavaScript allows, becomes U+FFFD.
pub(super) fn parse(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(text).or_else(|error| match without_lone_surrogates(text) {
        Some(text) => serde_json::from_str(&text),
        None => Err(error),
    })
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
