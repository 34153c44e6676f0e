//! Selectors as values of headers: printable ASCII, with no white space at an end.
//!
//! Headers are Latin-1 to the browser, and what stands at the end of a value gets lost: HTTP/1.1
//! strips white space there, HTTP/2 refuses the whole response.

/// CSS's white space, as far as a selector can have it.
const WHITE_SPACE: [char; 3] = [' ', '\t', '\x0c'];

/// The same selector as a header's value.
///
/// CSS reads an escape in an identifier and in a string as the character it stands for ([CSS Syntax,
/// 4.3.7]), and other characters beyond ASCII occur nowhere else but in comments, whose text goes.
/// An escape takes up to six digits, and one white space after them; so with six of them it needs
/// none, and can stand at the end.
///
/// [CSS Syntax, 4.3.7]: https://drafts.csswg.org/css-syntax/#consume-escaped-code-point
pub(crate) fn header_selector(selector: &str) -> String {
    let mut header = String::with_capacity(selector.len());
    let mut rest = selector.trim_start_matches(WHITE_SPACE);
    // The quote with which a string has begun.
    let mut quote = None;
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        let code_point = match character {
            '\\' => match escaped(rest) {
                Escaped::CodePoint(code_point, after) => {
                    rest = after;
                    code_point
                }
                Escaped::Plain(length) => {
                    header.push('\\');
                    header.push_str(&rest[..length]);
                    rest = &rest[length..];
                    continue;
                }
            },
            ' ' | '\t' | '\x0c' if quote.is_none() => {
                let after = rest.trim_start_matches(WHITE_SPACE);
                if after.is_empty() {
                    break;
                }
                let spaces = 1 + rest.len() - after.len();
                header.extend(std::iter::repeat_n(' ', spaces));
                rest = after;
                continue;
            }
            '/' if quote.is_none() && rest.starts_with('*') => {
                header.push_str("/**/");
                rest = rest[1..].split_once("*/").map_or("", |(_, after)| after);
                continue;
            }
            '"' | '\'' => {
                header.push(character);
                match quote {
                    None => quote = Some(character),
                    Some(open) if open == character => quote = None,
                    Some(_) => {}
                }
                continue;
            }
            // In a string that is not closed it is the string's.
            ' ' if rest.is_empty() => u32::from(' '),
            ' '..='~' => {
                header.push(character);
                continue;
            }
            _ => u32::from(character),
        };
        let is_last =
            rest.is_empty() || (quote.is_none() && rest.trim_start_matches(WHITE_SPACE).is_empty());
        push_escape(&mut header, code_point, is_last);
    }
    header
}

enum Escaped<'a> {
    /// A character, and what comes after its escape.
    CodePoint(u32, &'a str),
    /// Printable ASCII that may stand behind the backslash as it is, this many bytes.
    Plain(usize),
}

/// Reads what follows a backslash.
fn escaped(rest: &str) -> Escaped<'_> {
    let digits = rest.bytes().take(6);
    let digits = digits.take_while(u8::is_ascii_hexdigit).count();
    if let Ok(code_point) = u32::from_str_radix(&rest[..digits], 16) {
        let after = &rest[digits..];
        return Escaped::CodePoint(code_point, after.strip_prefix(WHITE_SPACE).unwrap_or(after));
    }
    match rest.chars().next() {
        None => Escaped::Plain(0),
        Some('!'..='~') => Escaped::Plain(1),
        Some(other) => Escaped::CodePoint(u32::from(other), &rest[other.len_utf8()..]),
    }
}

fn push_escape(header: &mut String, code_point: u32, is_last: bool) {
    use std::fmt::Write as _;
    // Writing to a string does not fail.
    let _ = match code_point {
        _ if is_last => write!(header, "\\{code_point:06x}"),
        0x20 => write!(header, "\\ "),
        _ => write!(header, "\\{code_point:x} "),
    };
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_selector_is_ascii_and_means_the_same() {
        for (selector, header) in [
            ("#a > b", "#a > b"),
            ("  #a  >\tb \t", "#a  > b"),
            ("#größe", r"#gr\f6 \df e"),
            ("[a='é é']", r"[a='\e9  \e9 ']"),
            ("#😀", r"#\01f600"),
            ("#😀 ", r"#\01f600"),
            ("#😀 a", r"#\1f600  a"),
            (r"#\é.a", r"#\e9 .a"),
            (r"#\\é.a", r"#\\\e9 .a"),
            (r"#\\\é.a", r"#\\\e9 .a"),
            (r"#\e9é", r"#\e9 \0000e9"),
            ("a\tb\x0cc\x7f\x01", r"a b c\7f \000001"),
            (r"#\37 ", r"#\000037"),
            (r"#\37", r"#\000037"),
            (r"#\37  .a", r"#\37  .a"),
            (r"#\37a", r"#\00037a"),
            (r"#\000037a", r"#\37 a"),
            (r"#\31 2", r"#\31 2"),
            (r"#a\ ", r"#a\000020"),
            (r"#a\  ", r"#a\000020"),
            (r"#a\ b", r"#a\ b"),
            (r"#a\\ ", r"#a\\"),
            (r"#a\", r"#a\"),
            // A tab or space in a string is the string's.
            ("[a=\"x\ty\"]", r#"[a="x\9 y"]"#),
            ("[a='\t']", r"[a='\9 ']"),
            ("[a='\"\t']\t", r#"[a='"\9 ']"#),
            (r"[a='\'  ']", r"[a='\'  ']"),
            ("[a=' ", r"[a='\000020"),
            ("[a='\t", r"[a='\000009"),
            // Quotes in a comment open nothing.
            ("a/*'é*/ b ", "a/**/ b"),
            ("a/*/ '*/\tb/* ", "a/**/ b/**/"),
        ] {
            assert_eq!(header_selector(selector), header, "{selector}");
            assert!(HeaderValue::try_from(header_selector(selector)).is_ok());
        }
    }
}
