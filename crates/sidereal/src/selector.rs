//! CSS selectors as checked values.

use std::{borrow::Cow, error::Error, fmt};

use sidereal_sse::{Line, LineError};

/// A CSS selector that may stand in an event: one line, and not blank.
///
/// Whether it is a selector that the browser understands is the browser's to say. What is checked
/// here is that it cannot forge a line of the event, and that it is there at all: the client
/// throws for a blank one.
///
/// ```
/// use sidereal::{Selector, selector};
///
/// let feed = selector!("#feed > li"); // checked when this is compiled
/// let row = Selector::id("row:7");    // any id, escaped
/// assert_eq!(row.as_str(), r"#row\:7");
///
/// let typed = Selector::new(String::from("main"))?; // checked when it runs
/// assert!(Selector::new("#feed\ndata: elements <script>").is_err());
/// assert!(Selector::new(" ").is_err());
/// # let _ = (feed, typed);
/// # Ok::<(), sidereal::SelectorError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Selector(Line);

impl std::str::FromStr for Selector {
    type Err = SelectorError;

    /// As [`Selector::new`], for text that is borrowed.
    fn from_str(selector: &str) -> Result<Self, SelectorError> {
        Self::new(selector.to_owned())
    }
}

impl Selector {
    /// Checks a selector that is known only when the program runs.
    ///
    /// # Errors
    ///
    /// Refuses a selector that is empty or only white space, or has CR, LF or NUL in it.
    pub fn new(selector: impl Into<Cow<'static, str>>) -> Result<Self, SelectorError> {
        let line = Line::new(selector).map_err(|error| SelectorError(Refused::Line(error)))?;
        if is_blank(line.as_str()) {
            return Err(SelectorError(Refused::Blank));
        }
        Ok(Self(line))
    }

    /// Checks a literal. [`selector!`](crate::selector!) does it when the program is compiled.
    ///
    /// # Panics
    ///
    /// Where [`Selector::new`] would refuse the literal. In a `const` that is a compile error.
    pub const fn from_static(selector: &'static str) -> Self {
        assert!(!is_blank(selector), "a selector must not be blank");
        Self(Line::from_static(selector))
    }

    /// Selects the element with this id, whatever characters the id has.
    ///
    /// The id is escaped as `CSS.escape` does it ([CSSOM, 2.1]), so nothing in it can select
    /// anything else. NUL, which no parsed document contains, becomes U+FFFD; the empty id gives
    /// `[id=""]`.
    ///
    /// ```
    /// # use sidereal::Selector;
    /// assert_eq!(Selector::id("feed").as_str(), "#feed");
    /// assert_eq!(Selector::id("7, body").as_str(), r"#\37 \,\ body");
    /// ```
    ///
    /// [CSSOM, 2.1]: https://drafts.csswg.org/cssom/#serialize-an-identifier
    pub fn id(id: &str) -> Self {
        let selector = if id.is_empty() {
            String::from("[id=\"\"]")
        } else {
            escaped_id(id)
        };
        // The escaped text has no CR, LF or NUL left, so it is always a line.
        Self(Line::new(selector).unwrap_or(const { Line::from_static("[id]:not([id])") }))
    }

    /// The selector's text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub(crate) fn line(&self) -> &Line {
        &self.0
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A [`Selector`] from a literal, checked when the program is compiled.
///
/// ```
/// use sidereal::selector;
///
/// assert_eq!(selector!("#feed").as_str(), "#feed");
/// ```
///
/// ```compile_fail
/// let blank = sidereal::selector!(" ");
/// ```
///
/// ```compile_fail
/// let two_lines = sidereal::selector!("#a\n#b");
/// ```
#[macro_export]
macro_rules! selector {
    ($selector:literal) => {
        const { $crate::Selector::from_static($selector) }
    };
}

/// Why text was refused as a [`Selector`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectorError(Refused);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Refused {
    Blank,
    Line(LineError),
}

impl SelectorError {
    /// Whether the selector was empty or only white space.
    pub fn is_blank(&self) -> bool {
        self.0 == Refused::Blank
    }
}

impl fmt::Display for SelectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Refused::Blank => f.write_str("a selector must not be blank"),
            Refused::Line(error) => write!(f, "not a selector: {error}"),
        }
    }
}

impl Error for SelectorError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            Refused::Blank => None,
            Refused::Line(error) => Some(error),
        }
    }
}

/// Whether there is nothing but CSS's white space, which is ASCII. A loop, for `const`.
const fn is_blank(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut position = 0;
    while position < bytes.len() {
        if !bytes[position].is_ascii_whitespace() {
            return false;
        }
        position += 1;
    }
    true
}

/// `#` and the id as a CSS identifier.
fn escaped_id(id: &str) -> String {
    let mut escaped = String::with_capacity(id.len() + 4);
    escaped.push('#');
    for (position, character) in id.char_indices() {
        // An identifier cannot begin with a digit, nor with a hyphen and a digit.
        let leading = position == 0 || (position == 1 && id.starts_with('-'));
        match character {
            '\0' => escaped.push('\u{fffd}'),
            '\x01'..='\x1f' | '\x7f' => push_code_point(&mut escaped, character),
            '0'..='9' if leading => push_code_point(&mut escaped, character),
            '-' if id.len() == 1 => escaped.push_str("\\-"),
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '\u{80}'.. => escaped.push(character),
            _ => {
                escaped.push('\\');
                escaped.push(character);
            }
        }
    }
    escaped
}

/// Writes a character as CSS's hexadecimal escape, with the space that ends it.
fn push_code_point(css: &mut String, character: char) {
    use fmt::Write as _;
    // Writing to a string does not fail.
    let _ = write!(css, "\\{:x} ", u32::from(character));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_is_one_line_and_not_blank() {
        for blank in ["", " ", "\t \x0c"] {
            assert!(
                Selector::new(blank).is_err_and(|e| e.is_blank()),
                "{blank:?}"
            );
        }
        for bad in ["#a\n", "#a\r#b", "\n", "#\0"] {
            assert!(Selector::new(bad).is_err_and(|e| !e.is_blank()), "{bad:?}");
        }
        for good in ["#a", " #a ", "é", "\u{a0}", "a\t>\tb"] {
            assert_eq!(Selector::new(good).map(|s| s.to_string()), Ok(good.into()));
        }
    }

    /// The cases of web-platform-tests' css/cssom/escape.html.
    #[test]
    fn ids_are_escaped_as_css_escape_does_it() {
        for (id, escaped) in [
            ("", "[id=\"\"]"),
            ("a\0b", "#a\u{fffd}b"),
            ("0a", "#\\30 a"),
            ("9", "#\\39 "),
            ("a0b", "#a0b"),
            ("-0a", "#-\\30 a"),
            ("-", "#\\-"),
            ("--a", "#--a"),
            ("-a", "#-a"),
            ("\x01\x1f\n\r\x7f", "#\\1 \\1f \\a \\d \\7f "),
            ("\u{80}-_\u{a9}", "#\u{80}-_\u{a9}"),
            (" !xy", "#\\ \\!xy"),
            ("😀", "#😀"),
            ("a.b:c[d]", "#a\\.b\\:c\\[d\\]"),
            ("x\\\"'", "#x\\\\\\\"\\'"),
        ] {
            assert_eq!(Selector::id(id).as_str(), escaped);
        }
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let text = |selector: &'static str| Selector::new(selector).map_err(|e| e.to_string());
        assert_eq!(text(" "), Err("a selector must not be blank".into()));
        assert_eq!(
            text("#a\r"),
            Err(
                "not a selector: a one-line field must not contain a carriage return (at byte 2)"
                    .into()
            )
        );
    }
}
