//! Scripts for what pages are often told to do.
//!
//! Everything that is passed in here is data: it goes into the code as a literal, and into
//! nothing else.

use std::{error::Error, fmt};

use serde::Serialize;

use crate::{ExecuteScript, Selector, execute_script::TYPE, js};

impl ExecuteScript {
    /// Sends the browser to another page, relative to the present one or absolute.
    ///
    /// The page leaves only after what it already has of the stream was applied, so later events
    /// that are sent along still run.
    ///
    /// ```
    /// use sidereal::ExecuteScript;
    ///
    /// let login = ExecuteScript::redirect("/login?next=%2Fhome")?;
    /// let refused = ExecuteScript::redirect(" java\nscript:alert(1)").unwrap_err();
    /// assert!(refused.to_string().ends_with("not to `javascript:`"));
    /// # let _ = login;
    /// # Ok::<(), sidereal::ScriptError>(())
    /// ```
    ///
    /// Relative addresses, `http:`, `https:`, `mailto:` and `tel:` are taken. Other sites are so
    /// allowed: compare with a list of your own where the address comes from the request.
    ///
    /// # Errors
    ///
    /// Refuses every other scheme (`javascript:`, `data:`, `blob:`, …), in whatever way it is
    /// spelled that a browser reads as such; the error names it.
    pub fn redirect(url: impl AsRef<str>) -> Result<Self, ScriptError> {
        let url = url.as_ref();
        if let Some(scheme) = scheme(url)
            && !SCHEMES.contains(&scheme.as_str())
        {
            return Err(ScriptError(Refused::Scheme(scheme)));
        }
        let url = js::string_literal(url);
        Ok(Self::new(format!(
            "setTimeout(() => window.location.href = {url})"
        )))
    }

    /// Changes the address that the browser shows, without loading anything and without a new
    /// entry in its history. It must be of the page's own origin, or the browser refuses it.
    ///
    /// ```
    /// use sidereal::ExecuteScript;
    ///
    /// let script = ExecuteScript::replace_url("/orders?page=2");
    /// # let _ = script;
    /// ```
    pub fn replace_url(url: impl AsRef<str>) -> Self {
        let url = js::string_literal(url.as_ref());
        Self::new(format!(
            "window.history.replaceState(window.history.state, '', {url})"
        ))
    }

    /// Writes a line to the browser's console. Whatever can be displayed; for a value of several
    /// fields, see [`console_log_value`](Self::console_log_value).
    ///
    /// ```
    /// use sidereal::ExecuteScript;
    ///
    /// let script = ExecuteScript::console_log(format_args!("{} rows", 3));
    /// # let _ = script;
    /// ```
    pub fn console_log(message: impl fmt::Display) -> Self {
        Self::console("log", message)
    }

    /// Writes an error to the browser's console: text, or any error.
    ///
    /// ```
    /// use sidereal::ExecuteScript;
    ///
    /// if let Err(error) = "x".parse::<u8>() {
    ///     let script = ExecuteScript::console_error(error);
    ///     # let _ = script;
    /// }
    /// ```
    pub fn console_error(message: impl fmt::Display) -> Self {
        Self::console("error", message)
    }

    fn console(method: &str, message: impl fmt::Display) -> Self {
        use fmt::Write as _;
        let mut text = String::new();
        // `to_string` would panic where the message's own `Display` fails.
        let _ = write!(text, "{message}");
        Self::new(format!("console.{method}({})", js::string_literal(&text)))
    }

    /// Writes a value to the browser's console, where it can be unfolded.
    ///
    /// ```
    /// use sidereal::ExecuteScript;
    ///
    /// let script = ExecuteScript::console_log_value(&serde_json::json!({ "rows": [1, 2] }))?;
    /// # let _ = script;
    /// # Ok::<(), sidereal::ScriptError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The error of the value's `Serialize`.
    pub fn console_log_value(value: &(impl Serialize + ?Sized)) -> Result<Self, ScriptError> {
        Ok(Self::new(format!("console.log({})", value_literal(value)?)))
    }

    /// Dispatches a custom event on the document: [`CustomEvent`] has the options.
    ///
    /// ```
    /// use sidereal::ExecuteScript;
    ///
    /// let saved = ExecuteScript::dispatch_event("saved", &serde_json::json!({ "row": 7 }))?;
    /// # let _ = saved;
    /// # Ok::<(), sidereal::ScriptError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The error of the detail's `Serialize`.
    pub fn dispatch_event(
        name: impl Into<String>,
        detail: &(impl Serialize + ?Sized),
    ) -> Result<Self, ScriptError> {
        CustomEvent::new(name, detail).map(CustomEvent::dispatch)
    }

    /// Asks the browser to fetch pages in advance, by [speculation rules]. Browsers that do not
    /// know them do nothing.
    ///
    /// The rules hold as long as their element is in the page, so it is not removed.
    ///
    /// ```
    /// use sidereal::ExecuteScript;
    ///
    /// let script = ExecuteScript::prefetch(["/orders", "/orders?page=2"]);
    /// # let _ = script;
    /// ```
    ///
    /// [speculation rules]: https://developer.mozilla.org/docs/Web/API/Speculation_Rules_API
    pub fn prefetch(urls: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let urls: Vec<_> = urls
            .into_iter()
            .map(|url| json_string(url.as_ref()))
            .collect();
        let rules = format!(
            "{{\"prefetch\":[{{\"source\":\"list\",\"urls\":[{}]}}]}}",
            urls.join(",")
        );
        Self::new(rules)
            .attribute(TYPE, "speculationrules")
            .auto_remove(false)
    }
}

/// A custom event for scripts and elements of the page, and for `data-on:NAME`.
///
/// ```
/// use sidereal::{CustomEvent, selector};
///
/// let script = CustomEvent::new("cart-changed", &serde_json::json!({ "count": 3 }))?
///     .target(selector!("#cart"))
///     .bubbles(false)
///     .dispatch();
/// # let _ = script;
/// # Ok::<(), sidereal::ScriptError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "it becomes an event by `dispatch`"]
pub struct CustomEvent {
    name: String,
    /// As a literal.
    detail: String,
    target: Option<Selector>,
    bubbles: bool,
    cancelable: bool,
    composed: bool,
}

impl CustomEvent {
    /// An event of this name, for the document, that bubbles, can be cancelled, and crosses the
    /// borders of shadow trees. Its `detail` is the value; `&()` is null.
    ///
    /// # Errors
    ///
    /// The error of the detail's `Serialize`.
    pub fn new(
        name: impl Into<String>,
        detail: &(impl Serialize + ?Sized),
    ) -> Result<Self, ScriptError> {
        Ok(Self {
            name: name.into(),
            detail: value_literal(detail)?,
            target: None,
            bubbles: true,
            cancelable: true,
            composed: true,
        })
    }

    /// Dispatches it on every element that matches, instead of the document: an event for each.
    pub fn target(mut self, selector: Selector) -> Self {
        self.target = Some(selector);
        self
    }

    /// Whether ancestors of the target see it too. On by default.
    pub fn bubbles(mut self, on: bool) -> Self {
        self.bubbles = on;
        self
    }

    /// Whether listeners can prevent the default. On by default.
    pub fn cancelable(mut self, on: bool) -> Self {
        self.cancelable = on;
        self
    }

    /// Whether it leaves a shadow tree. On by default.
    pub fn composed(mut self, on: bool) -> Self {
        self.composed = on;
        self
    }

    /// The script that dispatches it.
    pub fn dispatch(self) -> ExecuteScript {
        let Self {
            name,
            detail,
            target,
            bubbles,
            cancelable,
            composed,
        } = self;
        let event = format!(
            "new CustomEvent({}, {{bubbles: {bubbles}, cancelable: {cancelable}, \
             composed: {composed}, detail: {detail}}})",
            js::string_literal(&name)
        );
        ExecuteScript::new(match target {
            None => format!("document.dispatchEvent({event})"),
            Some(selector) => format!(
                "for (const target of document.querySelectorAll({})) target.dispatchEvent({event})",
                js::string_literal(selector.as_str())
            ),
        })
    }
}

impl From<CustomEvent> for ExecuteScript {
    fn from(event: CustomEvent) -> Self {
        event.dispatch()
    }
}

/// Why a script, or an action, was not made.
#[derive(Debug)]
pub struct ScriptError(Refused);

#[derive(Debug)]
enum Refused {
    Scheme(String),
    Serialize(serde_json::Error),
}

impl ScriptError {
    /// Whether an address was refused for its scheme.
    pub fn is_url(&self) -> bool {
        matches!(self.0, Refused::Scheme(_))
    }

    /// Whether a value did not serialize.
    pub fn is_serialize(&self) -> bool {
        matches!(self.0, Refused::Serialize(_))
    }
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Refused::Scheme(scheme) => write!(
                f,
                "a page is redirected to relative addresses, http:, https:, mailto: and tel: only, \
                 not to `{scheme:.32}:`"
            ),
            Refused::Serialize(error) => write!(f, "a value could not be serialized: {error}"),
        }
    }
}

impl Error for ScriptError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            Refused::Scheme(_) => None,
            Refused::Serialize(error) => Some(error),
        }
    }
}

pub(crate) fn value_literal(value: &(impl Serialize + ?Sized)) -> Result<String, ScriptError> {
    match serde_json::to_string(value) {
        Ok(json) => Ok(js::value_literal(&json)),
        Err(error) => Err(ScriptError(Refused::Serialize(error))),
    }
}

/// The schemes of addresses that a page may be sent to.
const SCHEMES: [&str; 4] = ["http", "https", "mailto", "tel"];

/// The scheme of an address, in lower case; `None` for one that is relative.
///
/// Read as the URL standard does it ([4.4], "basic URL parser"): controls and spaces go at the
/// front, tabs and line breaks go everywhere, and the scheme is a letter and then letters, digits,
/// `+`, `-` and `.` before the first colon.
///
/// [4.4]: https://url.spec.whatwg.org/#concept-basic-url-parser
fn scheme(url: &str) -> Option<String> {
    let mut scheme = String::new();
    let characters = url.trim_start_matches(|c| c <= ' ').chars();
    for character in characters.filter(|c| !matches!(c, '\t' | '\n' | '\r')) {
        match character {
            'a'..='z' | 'A'..='Z' => scheme.push(character.to_ascii_lowercase()),
            '0'..='9' | '+' | '-' | '.' if !scheme.is_empty() => scheme.push(character),
            ':' if !scheme.is_empty() => return Some(scheme),
            _ => return None,
        }
    }
    None
}

/// JSON for a `<script>`: no `<` that could begin a tag, and none of JavaScript's `\x` escapes,
/// which JSON does not have.
fn json_string(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                push_unit(&mut json, character);
            }
            control if control.is_control() => push_unit(&mut json, control),
            other => json.push(other),
        }
    }
    json.push('"');
    json
}

fn push_unit(json: &mut String, character: char) {
    use fmt::Write as _;
    let _ = write!(json, "\\u{:04x}", u32::from(character));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_other_schemes_are_refused_in_every_spelling() {
        for (url, scheme) in [
            ("javascript:alert(1)", "javascript"),
            ("JavaScript:alert(1)", "javascript"),
            (" \t\n\0\x1f javascript:alert(1)", "javascript"),
            ("java\nscript:alert(1)", "javascript"),
            ("j\ta\rv\nascript\t:alert(1)", "javascript"),
            ("javascript\n:", "javascript"),
            ("javascript:", "javascript"),
            ("data:text/html,<script>", "data"),
            ("vbscript:x", "vbscript"),
            ("blob:https://example.com/1", "blob"),
            ("filesystem:https://example.com/a", "filesystem"),
            ("view-source:https://example.com", "view-source"),
            ("feed:javascript:x", "feed"),
            ("ms-word:ofe|u|x", "ms-word"),
            ("h2+x.y-z:", "h2+x.y-z"),
            ("httpss://example.com", "httpss"),
        ] {
            let refused = ExecuteScript::redirect(url).err();
            let text = refused.filter(ScriptError::is_url).map(|e| e.to_string());
            let end = format!("not to `{scheme}:`");
            assert!(text.is_some_and(|text| text.ends_with(&end)), "{url:?}");
        }
        let long = ExecuteScript::redirect("x".repeat(10_000) + ":").err();
        assert!(long.is_some_and(|error| error.to_string().len() < 200));
    }

    #[test]
    fn addresses_of_pages_are_taken() {
        for url in [
            "",
            "/",
            "/javascript:alert(1)",
            "?javascript:",
            "#javascript:",
            "./a:b",
            ":",
            "1a:b",
            "https://example.com",
            "hTT\tp://example.com",
            "mailto:a@b.c",
            "tel:+1",
            "java script:alert(1)",
            "%6aavascript:x",
            "//data:80/",
            "\u{a0}javascript:alert(1)",
            "javascript",
            "ｊavascript:",
        ] {
            assert!(ExecuteScript::redirect(url).is_ok(), "{url:?}");
        }
    }

    #[test]
    fn rules_are_json_that_cannot_end_their_element() {
        let text = "/a?b=\"\\</script><!--\u{2028}\r\n&é";
        let json = json_string(text);
        assert_eq!(
            serde_json::from_str::<String>(&json).ok().as_deref(),
            Some(text)
        );
        assert!(!json.contains(['<', '>', '&', '\r', '\n', '\u{2028}']));
    }
}
