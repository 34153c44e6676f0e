//! The event that runs a script on the page.

use std::time::Duration;

use sidereal_sse::{Content, EventId, Frame, IntoFrame, Line};

use crate::{
    AttributeName, Event, EventDefaults, Mode,
    attributes::Attributes,
    patch_elements::{ELEMENTS, MODE, PATCH_ELEMENTS, SELECTOR},
};

const DATA_EFFECT: AttributeName = AttributeName::from_static("data-effect");
const NONCE: AttributeName = AttributeName::from_static("nonce");
pub(crate) const TYPE: AttributeName = AttributeName::from_static("type");

/// Runs JavaScript on the page, by appending a `<script>` to its body.
///
/// ```
/// use sidereal::{ExecuteScript, IntoFrame};
///
/// let script = ExecuteScript::new("document.title = 'Saved'");
/// assert_eq!(
///     script.into_frame().as_bytes(),
///     b"event: datastar-patch-elements\n\
///       data: selector body\n\
///       data: mode append\n\
///       data: elements <script data-effect=\"el.remove()\">document.title = 'Saved'</script>\n\n"
/// );
/// ```
///
/// Code is written by the developer; what came from people goes in as a value, and for that there
/// are [`redirect`](Self::redirect), [`console_log`](Self::console_log),
/// [`dispatch_event`](Self::dispatch_event) and the others, or a signal.
///
/// # What happens to the code
///
/// It means the same on the page, but cannot end its element. `</script` and `<!--`, whatever
/// their case, become `\x3C/script` and `\x3C!--`, as the HTML standard advises ([4.12.1.3]): the
/// same in strings, templates and regular expressions, which is where they occur. So do `</body>`,
/// `</head>` and `</html>`, for which the client would take the whole event for a document; and so
/// does `</svg`, since it looks for those three after it took out what looks like an `<svg>`. Code
/// that has them elsewhere, such as `a </script/.exec(b)`, needs a space after its `<`; in
/// `String.raw` they change.
///
/// Line breaks of any kind reach the page as LF. NUL reaches it as U+FFFD.
///
/// [4.12.1.3]: https://html.spec.whatwg.org/multipage/scripting.html#restrictions-for-contents-of-script-elements
#[derive(Clone, Debug, PartialEq)]
#[must_use = "an event does nothing until it is sent"]
pub struct ExecuteScript {
    /// Without anything that could end the element.
    code: String,
    attributes: Attributes,
    auto_remove: Option<bool>,
    id: Option<EventId>,
    retry: Option<Duration>,
}

impl ExecuteScript {
    /// Runs this code.
    pub fn new(code: impl AsRef<str>) -> Self {
        Self {
            code: neutralised(code.as_ref()),
            attributes: Attributes::default(),
            auto_remove: None,
            id: None,
            retry: None,
        }
    }

    /// Sets an attribute of the `<script>`, with its value escaped. Attributes stand on the tag in
    /// the order in which they were first set.
    ///
    /// ```
    /// use sidereal::{AttributeName, ExecuteScript};
    ///
    /// const LANG: AttributeName = AttributeName::from_static("lang");
    /// let script = ExecuteScript::new("…").attribute(LANG, "de");
    /// # let _ = script;
    /// ```
    ///
    /// A `data-effect` of your own takes the place of the one that removes the `<script>`, which so
    /// stays in the page, whatever [`auto_remove`](Self::auto_remove) says: end its expression with
    /// `el.remove()` where it is to go.
    pub fn attribute(mut self, name: AttributeName, value: impl Into<String>) -> Self {
        self.attributes.set(name, Some(value.into()));
        self
    }

    /// Sets an attribute that has no value: `async`.
    pub fn boolean_attribute(mut self, name: AttributeName) -> Self {
        self.attributes.set(name, None);
        self
    }

    /// Runs the code as a module: `type="module"`.
    pub fn module(self) -> Self {
        self.attribute(TYPE, "module")
    }

    /// The nonce that the page's Content-Security-Policy asks of scripts: `nonce="…"`. It is that
    /// of the response with which the page was loaded.
    pub fn nonce(self, nonce: impl Into<String>) -> Self {
        self.attribute(NONCE, nonce)
    }

    /// Whether the `<script>` takes itself out of the page after it ran. On by default. It does so by
    /// the attribute `data-effect`, and not where that is [set](Self::attribute) to something else.
    pub fn auto_remove(mut self, on: bool) -> Self {
        self.auto_remove = Some(on);
        self
    }

    /// The id that the client sends back as `Last-Event-ID` when it reconnects.
    pub fn id(mut self, id: EventId) -> Self {
        self.id = Some(id);
        self
    }

    /// How long the client waits before it reconnects, in whole milliseconds; 1,000 ms by
    /// default, and then not written.
    pub fn retry(mut self, delay: Duration) -> Self {
        self.retry = Some(delay);
        self
    }
}

impl From<&str> for ExecuteScript {
    fn from(code: &str) -> Self {
        Self::new(code)
    }
}

impl From<String> for ExecuteScript {
    fn from(code: String) -> Self {
        Self::new(code)
    }
}

impl Event for ExecuteScript {
    fn with_defaults(mut self, defaults: &EventDefaults) -> Self {
        self.retry = self.retry.or(defaults.retry);
        self.auto_remove = self.auto_remove.or(defaults.auto_remove);
        if let Some(nonce) = &defaults.script_nonce
            && !self.attributes.has(&NONCE)
        {
            self.attributes.set(NONCE, Some(nonce.clone()));
        }
        self
    }
}

impl IntoFrame for ExecuteScript {
    fn into_frame(self) -> Frame {
        let Self {
            code,
            attributes,
            auto_remove,
            id,
            retry,
        } = self;
        let removal = match auto_remove {
            Some(false) => "",
            // Of two attributes of one name, a parser takes the first.
            _ if attributes.has(&DATA_EFFECT) => "",
            _ => " data-effect=\"el.remove()\"",
        };
        let element = format!("<script{attributes}{removal}>{code}</script>");
        Content::new(ELEMENTS, &element).into_frame(|head| {
            head.begin(Some(&PATCH_ELEMENTS), id.as_ref(), retry);
            head.data(SELECTOR, &Line::from_static("body"));
            head.data(MODE, &Line::from_static(Mode::Append.as_str()));
        })
    }
}

/// The code without any text that ends the element, opens a comment in it, or makes the client
/// take the event for a document.
///
/// `<script` itself may stay: it means something only behind `<!--`, and occurs in code:
/// `i<scripts.length`.
fn neutralised(code: &str) -> String {
    let mut safe = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = memchr::memchr(b'<', rest.as_bytes()) {
        let (before, tag) = rest.split_at(at);
        safe.push_str(before);
        safe.push_str(if is_dangerous(tag.as_bytes()) {
            "\\x3C"
        } else {
            "<"
        });
        rest = &tag[1..];
    }
    safe.push_str(rest);
    safe
}

fn is_dangerous(tag: &[u8]) -> bool {
    // The client's search for these three minds the case.
    let document = [&b"</body>"[..], b"</head>", b"</html>"];
    // For these it does not; and it searches what is left without `<svg>…</svg>`.
    let in_any_case = [&b"</script"[..], b"</svg"];
    let begins_with = |text: &[u8]| {
        let start = tag.get(..text.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(text))
    };
    tag.starts_with(b"<!--")
        || in_any_case.into_iter().any(begins_with)
        || document.iter().any(|end| tag.starts_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_cannot_end_its_element() {
        for (code, safe) in [
            ("'</script>'", r"'\x3C/script>'"),
            ("'</ScRiPt >'", r"'\x3C/ScRiPt >'"),
            ("</script", r"\x3C/script"),
            ("`<!--`", r"`\x3C!--`"),
            ("<!--<script>", r"\x3C!--<script>"),
            ("<</script", r"<\x3C/script"),
            (
                "'</body></head></html>'",
                r"'\x3C/body>\x3C/head>\x3C/html>'",
            ),
            ("'</bo<svg></svg>dy>'", r"'</bo<svg>\x3C/svg>dy>'"),
            ("`<svg></SVG >`", r"`<svg>\x3C/SVG >`"),
            ("a<b && c</d/.e", "a<b && c</d/.e"),
            ("i<scripts.length", "i<scripts.length"),
            ("é</scrip", "é</scrip"),
            ("</scripté", "\\x3C/scripté"),
        ] {
            assert_eq!(neutralised(code), safe);
        }
    }

    #[test]
    fn an_effect_of_ones_own_stands_alone() {
        let name = AttributeName::from_static("DATA-Effect");
        let frame = ExecuteScript::new("1").attribute(name, "f()").into_frame();
        let wire = String::from_utf8_lossy(frame.as_bytes()).into_owned();
        assert!(
            wire.contains("<script DATA-Effect=\"f()\">1</script>"),
            "{wire}"
        );
    }
}
