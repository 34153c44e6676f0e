//! What an appended `<script>` element executes, read as an HTML tokenizer would.

use std::{error::Error, fmt, str::FromStr};

use super::html::{Tag, end_of_script_data};

/// A script that a patch executes on the page.
///
/// The reader follows the tokenizer of the [HTML standard][spec] (section 13.2.5): the attributes are unescaped, and
/// the code ends where a browser would end it, the states that `<!--` and `<script` bring about included. So code that
/// comes back equal was safe to send.
///
/// ```
/// use sidereal::testing::{ExecutedScript, ScriptError};
///
/// let script: ExecutedScript = "<script nonce='a&amp;b' async>f('<p>')</script>".parse()?;
/// assert_eq!(script.code(), "f('<p>')");
/// assert_eq!(script.attribute("nonce"), Some("a&b"));
/// assert_eq!(script.attributes()[1], ("async".into(), None));
/// assert!(!script.auto_remove());
///
/// let cut_short = "<script>f('</SCRIPT >')</script>".parse::<ExecutedScript>();
/// assert!(matches!(cut_short, Err(ScriptError::Trailing { .. })));
/// # Ok::<_, ScriptError>(())
/// ```
///
/// [spec]: https://html.spec.whatwg.org/multipage/parsing.html#tokenization
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutedScript {
    attributes: Vec<(String, Option<String>)>,
    code: String,
    auto_remove: bool,
}

impl ExecutedScript {
    /// The attributes in their order, names in lower case, values unescaped; `None` for one without `=`.
    ///
    /// The `data-effect="el.remove()"` of [`auto_remove`](Self::auto_remove) is not among them. Of two with the same
    /// name the first counts, as in a browser.
    #[must_use]
    pub fn attributes(&self) -> &[(String, Option<String>)] {
        &self.attributes
    }

    /// The value of one attribute: empty for one without `=`, `None` where there is no such attribute.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_deref().unwrap_or_default())
    }

    /// The code that runs. NUL, which a browser replaces, is U+FFFD.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Whether the element removes itself once it has run.
    #[must_use]
    pub fn auto_remove(&self) -> bool {
        self.auto_remove
    }
}

impl FromStr for ExecutedScript {
    type Err = ScriptError;

    fn from_str(html: &str) -> Result<Self, ScriptError> {
        let html = html.replace("\r\n", "\n").replace('\r', "\n");
        let html = html.trim_matches(|c: char| c.is_ascii_whitespace());

        let Some(start) = Tag::read(html) else {
            return Err(ScriptError::NotAScript);
        };
        let start = start?;
        if start.name != "script" {
            return Err(ScriptError::NotAScript);
        }
        let content = &html[start.length..];
        let end = end_of_script_data(content).ok_or(ScriptError::Unclosed)?;
        let end_tag = &content[end + "</".len()..];
        // An end tag reads like a start tag without its slash; a browser drops its attributes.
        let end_tag_length = match Tag::read_name_on(end_tag) {
            Ok(tag) => tag.length,
            Err(_) => return Err(ScriptError::Unclosed),
        };
        let rest = &end_tag[end_tag_length..];
        if !rest.is_empty() {
            return Err(ScriptError::Trailing {
                html: rest.to_owned(),
            });
        }

        let mut attributes = start.attributes;
        let remover = attributes.iter().position(|(name, value)| {
            name == "data-effect" && value.as_deref().map(str::trim) == Some("el.remove()")
        });
        if let Some(index) = remover {
            attributes.remove(index);
        }
        Ok(Self {
            attributes,
            code: content[..end].replace('\0', "\u{FFFD}"),
            auto_remove: remover.is_some(),
        })
    }
}

/// Why HTML is not one whole `<script>` element.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScriptError {
    /// The patch is not one that appends HTML to `body`.
    NotAppendedToBody,
    /// The HTML does not begin with a `<script>` tag.
    NotAScript,
    /// The tag, or the script, has no end.
    Unclosed,
    /// There is more after the script's end: the code had an end tag in it, or the HTML more than a script.
    Trailing {
        /// The HTML after the end tag.
        html: String,
    },
    /// An attribute value has a named character reference other than those of Latin-1, which this reader does not
    /// know.
    UnknownReference {
        /// The reference, as in the HTML.
        reference: String,
    },
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAppendedToBody => f.write_str("not an element appended to `body`"),
            Self::NotAScript => f.write_str("not a `<script>` element"),
            Self::Unclosed => f.write_str("the `<script>` element has no end"),
            Self::Trailing { html } => {
                write!(
                    f,
                    "the script ends early or is not alone, {html:?} follows it as HTML"
                )
            }
            Self::UnknownReference { reference } => {
                write!(
                    f,
                    "this reader does not know the character reference {reference:?}"
                )
            }
        }
    }
}

impl Error for ScriptError {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn read(html: &str) -> Result<ExecutedScript, ScriptError> {
        html.parse()
    }

    fn trailing(html: &str) -> Result<ExecutedScript, ScriptError> {
        Err(ScriptError::Trailing { html: html.into() })
    }

    #[test]
    fn attributes_and_auto_remove() {
        let script =
            read("<SCRIPT type=module Nonce=\"a b\" defer data-effect='el.remove()'>x</script>")
                .unwrap();
        assert_eq!(
            script.attributes(),
            [
                ("type".into(), Some("module".into())),
                ("nonce".into(), Some("a b".into())),
                ("defer".into(), None),
            ]
        );
        assert!(script.auto_remove());
        assert_eq!(
            (script.attribute("defer"), script.attribute("async")),
            (Some(""), None)
        );
    }

    #[test]
    fn an_effect_of_its_own_is_no_auto_remove() {
        // The second is dropped as a duplicate.
        let script = read("<script data-effect='f()' data-effect='el.remove()'></script>").unwrap();
        assert!(!script.auto_remove());
        assert_eq!(script.attribute("data-effect"), Some("f()"));
    }

    #[test]
    fn the_code_is_not_unescaped() {
        assert_eq!(
            read("<script>a &amp;&lt; b</script>").unwrap().code(),
            "a &amp;&lt; b"
        );
        assert_eq!(
            read("<script>\na\0\r\nb</script>").unwrap().code(),
            "\na\u{FFFD}\nb"
        );
    }

    #[test]
    fn an_end_tag_in_the_code_ends_it() {
        assert_eq!(read("<script>a</script>b</script>"), trailing("b</script>"));
        assert_eq!(
            read("<script>'</ScRiPt\n x='>'>'</script>"),
            trailing("'</script>")
        );
        assert_eq!(
            read("<script>'</script/>'</script>"),
            trailing("'</script>")
        );
        assert_eq!(
            read("<script>'</scripts>'</script>").unwrap().code(),
            "'</scripts>'"
        );
        assert_eq!(
            read("<script>'<\\/script>'</script>").unwrap().code(),
            "'<\\/script>'"
        );
    }

    #[test]
    fn a_script_without_end() {
        for html in [
            "<script",
            "<script ",
            "<script a='b>x</script>",
            "<script>x",
            "<script>x</script",
            "<script>x</script ",
        ] {
            assert_eq!(read(html), Err(ScriptError::Unclosed), "{html}");
        }
        // Double escaped: the one end tag belongs to the inner script.
        assert_eq!(
            read("<script>'<!--<script>'</script>"),
            Err(ScriptError::Unclosed)
        );
        assert_eq!(
            read("<script>'<!--<script '</script>-->'</script>")
                .unwrap()
                .code(),
            "'<!--<script '</script>-->'"
        );
    }

    #[test]
    fn not_a_script() {
        for html in [
            "",
            "script",
            "<p>",
            "<scripts>",
            "<!-- --><script></script>",
            "</script>",
            "< script>",
        ] {
            assert_eq!(read(html), Err(ScriptError::NotAScript), "{html}");
        }
    }

    #[test]
    fn white_space_around_is_harmless() {
        assert_eq!(read("\n <script >a</script >\n").unwrap().code(), "a");
    }
}
