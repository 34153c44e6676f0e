//! What the fuzz targets share: hostile text, and readers of what was made of it.
//!
//! Nothing here calls what it checks: text is compared with what came out at the other end, and
//! literals are read as JavaScript reads them.

#![forbid(unsafe_code)]

use libfuzzer_sys::arbitrary::{self, Arbitrary, Unstructured};

/// Pieces that end a line, a tag, a string or an object for one of the parsers on the way to the
/// page. Bytes from 0x80 on stand for them, so that a fuzzer finds them without a dictionary.
const PIECES: &[&str] = &[
    // event streams
    "\r\n",
    "\n\n",
    "\r\r",
    "\r\n\r\n",
    "data: ",
    "\ndata: elements x",
    "\rdata: signals {}",
    "event: datastar-patch-signals\n",
    "\nid: 1\n",
    "\nretry: 1\n",
    "\n: ",
    "\u{feff}",
    "elements ",
    "selector ",
    // HTML
    "</script",
    "</SCRIPT ",
    "</script>",
    "</script/>",
    "<!--",
    "-->",
    "--!>",
    "<script",
    "<script>",
    "</body>",
    "</head>",
    "</html>",
    "</template>",
    "<svg>",
    "</svg>",
    "</bo",
    "dy>",
    "&quot;",
    "&#10;",
    "<![CDATA[",
    // JavaScript
    "\\u0027",
    "\\x3C",
    "${",
    "//",
    "/*",
    "*/",
    "\u{2028}",
    "\u{2029}",
    "javascript:",
    "blob:",
    // JSON and signals
    "__proto__",
    "\\u005f_proto__",
    "\\u005F\\u005f\\u0070\\u0072\\u006f\\u0074\\u006F\\u005f\\u005f",
    "{\"__proto__\":1}",
    "\"__proto__\" \n:",
    "constructor",
    "prototype",
    "null",
    "true",
    "1e999",
    "\\ud800",
    "\\udc00",
    "\\ud83e\\ude90",
    "\"a\":",
    "{}",
    "[]",
    // Datastar's expressions
    "$x",
    "@post(",
    "🖕JS_",
    "_DS🚀",
    "__escaped0",
    // queries
    "datastar=",
    "%64atastar=",
    "&datastar=",
    "%22",
    "%7B",
    "%",
    "%FF",
    "%0D%0A",
    "+",
    // text
    "\u{85}",
    "\u{a0}",
    "é",
    "😀",
    "\u{fffd}",
    "\u{fffe}",
    "\u{10ffff}",
];

/// Text of any characters, and often of hostile ones.
#[derive(Clone, PartialEq, Eq)]
pub struct Text(pub String);

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl<'a> Arbitrary<'a> for Text {
    fn arbitrary(input: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        // One in sixteen is any text at all, of characters that are in no list.
        if input.ratio(1, 16)? {
            return Ok(Self(input.arbitrary()?));
        }
        let bytes: &[u8] = input.arbitrary()?;
        let mut text = String::with_capacity(bytes.len() * 4);
        for &byte in bytes {
            match usize::from(byte).checked_sub(0x80) {
                None => text.push(char::from(byte)),
                Some(piece) => text.push_str(PIECES[piece % PIECES.len()]),
            }
        }
        Ok(Self(text))
    }
}

/// Text as it is after a client read its lines: each kind of line break is LF.
pub fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// Whether a literal may stand in a double-quoted attribute and in a script as it is, and neither
/// HTML nor the client's rewriting of expressions takes anything of it for its own.
pub fn is_harmless(literal: &str) -> bool {
    let forbidden = |c: char| c.is_control() || "\"`$@;<>&\u{2028}\u{2029}🖕".contains(c);
    !literal.contains(forbidden) && !literal.contains("__")
}

/// Reads a JavaScript literal of JSON's kinds of values, with strings in single quotes, and gives
/// the same value as JSON text; `None` for what is no such literal.
pub fn json_of(literal: &str) -> Option<String> {
    const PARSE: &str = "JSON.parse(";
    let mut json = String::new();
    let mut rest = literal;
    while let Some(at) = rest.find('\'') {
        json.push_str(&rest[..at]);
        let (string, after) = string_of(&rest[at..])?;
        if json.ends_with(PARSE) {
            json.truncate(json.len() - PARSE.len());
            json.push_str(&string);
            rest = after.strip_prefix(')')?;
        } else {
            json.push_str(&serde_json::to_string(&string).ok()?);
            rest = after;
        }
    }
    json.push_str(rest);
    Some(json)
}

/// Splits off a string literal in single quotes, its escapes read.
pub fn string_of(literal: &str) -> Option<(String, &str)> {
    let mut string = String::new();
    let mut rest = literal.strip_prefix('\'')?;
    loop {
        let at = rest.find(['\'', '\\', '\n', '\r'])?;
        string.push_str(&rest[..at]);
        let (special, after) = rest[at..].split_at(1);
        match special {
            "'" => return Some((string, after)),
            "\\" => {
                let (character, after) = escape_of(after)?;
                string.push(character);
                rest = after;
            }
            // A line break ends a JavaScript string, and is a syntax error.
            _ => return None,
        }
    }
}

/// The character that an escape means, from after its backslash.
fn escape_of(text: &str) -> Option<(char, &str)> {
    let hexadecimal = |digits: &str| char::from_u32(u32::from_str_radix(digits, 16).ok()?);
    let (kind, rest) = (text.chars().next()?, text.get(1..)?);
    match kind {
        'b' => Some(('\u{8}', rest)),
        'f' => Some(('\u{c}', rest)),
        'n' => Some(('\n', rest)),
        'r' => Some(('\r', rest)),
        't' => Some(('\t', rest)),
        'x' => Some((hexadecimal(rest.get(..2)?)?, rest.get(2..)?)),
        'u' => match rest.strip_prefix('{') {
            Some(rest) => {
                let (digits, rest) = rest.split_once('}')?;
                Some((hexadecimal(digits)?, rest))
            }
            None => Some((hexadecimal(rest.get(..4)?)?, rest.get(4..)?)),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_read_as_javascript_reads_them() {
        assert_eq!(
            json_of(r"{'a':['\x27\u2028\u{1F595}\n',1.5e+3,null]}").as_deref(),
            Some("{\"a\":[\"'\u{2028}🖕\\n\",1.5e+3,null]}")
        );
        assert_eq!(
            json_of(r"JSON.parse('{\x22a\x22:1}')").as_deref(),
            Some("{\"a\":1}")
        );
        assert_eq!(
            json_of(r"{'JSON.parse(':JSON.parse('7')}").as_deref(),
            Some("{\"JSON.parse(\":7}")
        );
        for broken in [
            "'",
            "'\n'",
            r"'\q'",
            r"'\x2'",
            r"'\ud800'",
            "JSON.parse('1'",
        ] {
            assert_eq!(json_of(broken), None, "{broken:?}");
        }
    }
}
