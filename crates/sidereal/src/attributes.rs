//! Attributes of an HTML tag: checked names, escaped values, in order.

use std::{borrow::Cow, error::Error, fmt};

/// The name of an HTML attribute.
///
/// ```
/// use sidereal::AttributeName;
///
/// const TYPE: AttributeName = AttributeName::from_static("type"); // checked when compiled
/// assert_eq!(AttributeName::new("data-on:click")?.as_str(), "data-on:click");
/// assert!(AttributeName::new("x onload=alert(1)").is_err());
/// # let _ = TYPE;
/// # Ok::<(), sidereal::AttributeNameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AttributeName(Cow<'static, str>);

impl std::str::FromStr for AttributeName {
    type Err = AttributeNameError;

    /// As [`AttributeName::new`], for text that is borrowed.
    fn from_str(name: &str) -> Result<Self, AttributeNameError> {
        Self::new(name.to_owned())
    }
}

impl AttributeName {
    /// Checks a name that is known only when the program runs.
    ///
    /// # Errors
    ///
    /// Refuses what the HTML standard does not allow in a name ([13.1.2.3]): the empty name,
    /// controls, noncharacters, white space, `"`, `'`, `>`, `/` and `=`; and `<`, which is a parse
    /// error.
    ///
    /// [13.1.2.3]: https://html.spec.whatwg.org/multipage/syntax.html#attributes-2
    pub fn new(name: impl Into<Cow<'static, str>>) -> Result<Self, AttributeNameError> {
        let name = name.into();
        if is_name(name.as_bytes()) {
            Ok(Self(name))
        } else {
            Err(AttributeNameError(()))
        }
    }

    /// Checks a literal: in a `const` this happens when the program is compiled.
    ///
    /// # Panics
    ///
    /// Where [`AttributeName::new`] would refuse the literal. In a `const` that is a compile
    /// error.
    pub const fn from_static(name: &'static str) -> Self {
        assert!(is_name(name.as_bytes()), "not a name of an HTML attribute");
        Self(Cow::Borrowed(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AttributeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Text was refused as an [`AttributeName`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeNameError(());

impl fmt::Display for AttributeNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "not a name of an HTML attribute: it must not be empty, and must not have white space, \
             controls, noncharacters, or any of \" ' < > / =",
        )
    }
}

impl Error for AttributeNameError {}

/// On the bytes of UTF-8, for `const`.
const fn is_name(name: &[u8]) -> bool {
    let mut position = 0;
    while position < name.len() {
        let next = if position + 1 < name.len() {
            name[position + 1]
        } else {
            0
        };
        let after_next = if position + 2 < name.len() {
            name[position + 2]
        } else {
            0
        };
        let refused = match name[position] {
            ..=b' ' | 0x7f | b'"' | b'\'' | b'<' | b'>' | b'/' | b'=' => true,
            // U+0080 to U+009F.
            0xc2 => next < 0xa0,
            // U+FDD0 to U+FDEF, U+FFFE and U+FFFF.
            0xef => {
                (next == 0xb7 && after_next >= 0x90 && after_next <= 0xaf)
                    || (next == 0xbf && after_next >= 0xbe)
            }
            // The last two of each further plane: xF BF BE and xF BF BF.
            0xf0..=0xf4 => {
                next & 0x0f == 0x0f
                    && after_next == 0xbf
                    && position + 3 < name.len()
                    && name[position + 3] >= 0xbe
            }
            _ => false,
        };
        if refused {
            return false;
        }
        position += 1;
    }
    !name.is_empty()
}

/// Attributes in the order in which they were first set.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Attributes(Vec<(AttributeName, Option<String>)>);

impl Attributes {
    /// Sets an attribute, in its old place where it is there already: of two with one name, the
    /// parser would drop the second.
    pub(crate) fn set(&mut self, name: AttributeName, value: Option<String>) {
        let same = self.0.iter_mut().find(|(known, _)| same_name(known, &name));
        match same {
            Some(known) => known.1 = value,
            None => self.0.push((name, value)),
        }
    }

    pub(crate) fn has(&self, name: &AttributeName) -> bool {
        self.0.iter().any(|(known, _)| same_name(known, name))
    }
}

fn same_name(one: &AttributeName, other: &AttributeName) -> bool {
    one.as_str().eq_ignore_ascii_case(other.as_str())
}

/// ` name="value"` for each, with the space in front.
impl fmt::Display for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.0 {
            write!(f, " {name}")?;
            if let Some(value) = value {
                write!(f, "=\"{}\"", Escaped(value))?;
            }
        }
        Ok(())
    }
}

/// Text as it stands in a double-quoted attribute. A parser takes NUL for U+FFFD, and so it is
/// written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\r', '\n', '\0']) {
            f.write_str(&rest[..at])?;
            f.write_str(match rest.as_bytes()[at] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                b'\r' => "&#13;",
                b'\n' => "&#10;",
                _ => "\u{fffd}",
            })?;
            rest = &rest[at + 1..];
        }
        f.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_html_allows() {
        for good in [
            "type",
            "x",
            "data-on:click__once",
            "@click",
            "é",
            "größe",
            "\u{fdcf}",
            "😀",
        ] {
            assert!(AttributeName::new(good).is_ok(), "{good:?}");
        }
        for bad in [
            "",
            " ",
            "a b",
            "a\n",
            "a\r",
            "a\t",
            "a\x0c",
            "a\0",
            "a\x7f",
            "a\u{80}",
            "a\u{9f}",
            "\"",
            "'",
            "<",
            ">",
            "a>",
            "/",
            "a=b",
            "\u{fdd0}",
            "\u{fdef}",
            "\u{fffe}",
            "\u{1ffff}",
            "\u{10fffe}",
        ] {
            assert!(AttributeName::new(bad).is_err(), "{bad:?}");
        }
    }

    /// The check on bytes agrees with the standard's words for characters.
    #[test]
    fn every_character_is_decided_as_the_standard_has_it() {
        for character in '\0'..=char::MAX {
            let code = u32::from(character);
            let noncharacter = (0xfdd0..=0xfdef).contains(&code) || code & 0xfffe == 0xfffe;
            let allowed =
                !character.is_control() && !noncharacter && !" \"'<>/=".contains(character);
            let mut buffer = [0; 4];
            let name = character.encode_utf8(&mut buffer);
            assert_eq!(is_name(name.as_bytes()), allowed, "{character:?}");
        }
    }

    #[test]
    fn attributes_keep_their_order_and_escape_their_values() {
        let mut attributes = Attributes::default();
        let name = |name| AttributeName::from_static(name);
        attributes.set(name("b"), Some("\"&<>\r\n\0'é".into()));
        attributes.set(name("a"), None);
        attributes.set(name("c"), Some(String::new()));
        attributes.set(name("A"), Some("2".into()));
        assert_eq!(
            attributes.to_string(),
            " b=\"&quot;&amp;&lt;&gt;&#13;&#10;\u{fffd}'é\" a=\"2\" c=\"\""
        );
        assert!(attributes.has(&name("C")) && !attributes.has(&name("d")));
    }
}
