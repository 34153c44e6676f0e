//! JSON texts with halves of surrogate pairs.
//!
//! A JavaScript string may hold one, such as an emoji that `maxlength` has cut in half, and
//! `JSON.stringify` writes it as an escape. No Rust string can hold it, so serde_json refuses it.
//! It is read as U+FFFD, which is what browsers make of it wherever a string becomes bytes
//! (`USVString` of Web IDL).

/// The text with each lone surrogate escape replaced; `None` where there is none.
pub(crate) fn without_lone_surrogates(text: &str) -> Option<String> {
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
