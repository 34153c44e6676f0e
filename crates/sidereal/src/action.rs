//! Actions: the expressions by which a page asks the server for something.

use std::{fmt, time::Duration};

use http::{HeaderName, HeaderValue};
use serde::Serialize;

use crate::{ScriptError, Selector, js::string_literal, script_sugar::value_literal};

/// An action for an attribute of a page: `@post('/cart/7')`.
///
/// ```
/// use sidereal::{Action, ActionRetry};
///
/// assert_eq!(Action::post("/cart/7").to_string(), "@post('/cart/7')");
///
/// let stream = Action::get("/stream").open_when_hidden(true).retry(ActionRetry::Always);
/// assert_eq!(
///     format!(r#"<main data-init="{stream}">"#),
///     r#"<main data-init="@get('/stream', {openWhenHidden: true, retry: 'always'})">"#
/// );
/// ```
///
/// Whatever the address and the options hold, the page gets exactly that: characters that mean
/// something to HTML, to JavaScript, or to the client's rewriting of expressions are written as
/// JavaScript's escapes. So the text is safe in a double-quoted attribute, both as it is and where a
/// template escapes it once more.
///
/// ```
/// use sidereal::Action;
///
/// assert_eq!(
///     Action::get("/find?q=O'Hara&x=\"><script>").to_string(),
///     r"@get('/find?q=O\x27Hara\x26x=\x22\x3E\x3Cscript\x3E')"
/// );
/// ```
///
/// The address is a path or URL as `fetch` takes it; what goes into its segments or its query must
/// be percent-encoded before, as in any link. The client throws for an empty one.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "an action does nothing until it is written into a page"]
pub struct Action {
    name: &'static str,
    url: String,
    content_type_form: bool,
    selector: Option<Selector>,
    headers: Vec<(HeaderName, HeaderValue)>,
    include_signals: Option<String>,
    exclude_signals: Option<String>,
    open_when_hidden: Option<bool>,
    /// As a literal.
    payload: Option<String>,
    request_cancellation: Option<RequestCancellation>,
    retry: Option<ActionRetry>,
    retry_interval: Option<Duration>,
    retry_scaler: Option<f64>,
    retry_max_wait: Option<Duration>,
    retry_max_count: Option<u32>,
}

impl Action {
    /// `@get`: the signals go in the query.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("get", url.into())
    }

    /// `@post`: the signals go in the body.
    pub fn post(url: impl Into<String>) -> Self {
        Self::new("post", url.into())
    }

    /// `@put`: the signals go in the body.
    pub fn put(url: impl Into<String>) -> Self {
        Self::new("put", url.into())
    }

    /// `@patch`: the signals go in the body.
    pub fn patch(url: impl Into<String>) -> Self {
        Self::new("patch", url.into())
    }

    /// `@delete`: the signals go in the query.
    pub fn delete(url: impl Into<String>) -> Self {
        Self::new("delete", url.into())
    }

    /// `@query`: the signals go in the body. Clients know it from 1.0.4 on.
    pub fn query(url: impl Into<String>) -> Self {
        Self::new("query", url.into())
    }

    fn new(name: &'static str, url: String) -> Self {
        Self {
            name,
            url,
            content_type_form: false,
            selector: None,
            headers: Vec::new(),
            include_signals: None,
            exclude_signals: None,
            open_when_hidden: None,
            payload: None,
            request_cancellation: None,
            retry: None,
            retry_interval: None,
            retry_scaler: None,
            retry_max_wait: None,
            retry_max_count: None,
        }
    }

    /// Sends the fields of the closest form instead of the signals: `contentType: 'form'`.
    pub fn content_type_form(mut self) -> Self {
        self.content_type_form = true;
        self
    }

    /// Sends the fields of this form, instead of the closest one. Turns
    /// [`content_type_form`](Self::content_type_form) on, without which the client does not read
    /// it.
    pub fn selector(mut self, form: Selector) -> Self {
        self.selector = Some(form);
        self.content_type_form()
    }

    /// Adds a header to the request. It goes before the client's own of the same name.
    ///
    /// ```
    /// use sidereal::{Action, http::{HeaderName, HeaderValue}};
    ///
    /// let action = Action::delete("/row/7").header(
    ///     HeaderName::from_static("x-csrf-token"),
    ///     HeaderValue::from_static("dG9rZW4"),
    /// );
    /// assert_eq!(
    ///     action.to_string(),
    ///     "@delete('/row/7', {headers: {'X-Csrf-Token': 'dG9rZW4'}})"
    /// );
    /// ```
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Sends only the signals whose dotted path matches this regular expression of JavaScript's;
    /// all by default.
    ///
    /// ```
    /// use sidereal::Action;
    ///
    /// assert_eq!(
    ///     Action::post("/save").include_signals("^user").to_string(),
    ///     "@post('/save', {filterSignals: {include: '/^user/'}})"
    /// );
    /// ```
    pub fn include_signals(mut self, pattern: impl Into<String>) -> Self {
        self.include_signals = Some(pattern.into());
        self
    }

    /// Does not send the signals whose dotted path matches this regular expression of
    /// JavaScript's. By default `(^|\.)_`: those that have a segment which begins with `_`.
    pub fn exclude_signals(mut self, pattern: impl Into<String>) -> Self {
        self.exclude_signals = Some(pattern.into());
        self
    }

    /// Whether the stream stays open while the tab is hidden. Without this, that of a `@get` is
    /// ended and asked for again when the tab shows, and those of other verbs stay open.
    pub fn open_when_hidden(mut self, on: bool) -> Self {
        self.open_when_hidden = Some(on);
        self
    }

    /// Sends this value instead of the signals.
    ///
    /// # Errors
    ///
    /// The error of the value's `Serialize`.
    pub fn payload(mut self, value: &(impl Serialize + ?Sized)) -> Result<Self, ScriptError> {
        self.payload = Some(value_literal(value)?);
        Ok(self)
    }

    /// What becomes of an earlier request of the same verb and address;
    /// [`RequestCancellation::Auto`] by default.
    pub fn request_cancellation(mut self, which: RequestCancellation) -> Self {
        self.request_cancellation = Some(which);
        self
    }

    /// After which ends the client asks again; [`ActionRetry::Auto`] by default.
    pub fn retry(mut self, when: ActionRetry) -> Self {
        self.retry = Some(when);
        self
    }

    /// How long the client waits before it asks again for the first time, in whole milliseconds;
    /// 1,000 ms by default.
    pub fn retry_interval(mut self, delay: Duration) -> Self {
        self.retry_interval = Some(delay);
        self
    }

    /// By how much the waiting time grows with every try; 2 by default. What is below 1 counts
    /// as 1, and what is not finite as the default.
    pub fn retry_scaler(mut self, factor: f64) -> Self {
        self.retry_scaler = factor.is_finite().then_some(factor.max(1.0));
        self
    }

    /// The longest waiting time, in whole milliseconds; 30,000 ms by default.
    pub fn retry_max_wait(mut self, delay: Duration) -> Self {
        self.retry_max_wait = Some(delay);
        self
    }

    /// After how many tries in a row the client gives up; 10 by default.
    pub fn retry_max_count(mut self, tries: u32) -> Self {
        self.retry_max_count = Some(tries);
        self
    }

    fn write_options(&self, options: &mut Options<'_, '_>) -> fmt::Result {
        if self.content_type_form {
            options.write("contentType", "'form'")?;
        }
        if let Some(selector) = &self.selector {
            options.write("selector", string_literal(selector.as_str()))?;
        }
        if !self.headers.is_empty() {
            options.write("headers", Headers(&self.headers))?;
        }
        if self.include_signals.is_some() || self.exclude_signals.is_some() {
            options.write("filterSignals", Filter(self))?;
        }
        if let Some(on) = self.open_when_hidden {
            options.write("openWhenHidden", on)?;
        }
        if let Some(payload) = &self.payload {
            options.write("payload", payload)?;
        }
        if let Some(which) = self.request_cancellation {
            options.write("requestCancellation", string_literal(which.as_str()))?;
        }
        if let Some(when) = self.retry {
            options.write("retry", string_literal(when.as_str()))?;
        }
        if let Some(delay) = self.retry_interval {
            options.write("retryInterval", milliseconds(delay))?;
        }
        if let Some(factor) = self.retry_scaler {
            options.write("retryScaler", factor)?;
        }
        if let Some(delay) = self.retry_max_wait {
            options.write("retryMaxWait", milliseconds(delay))?;
        }
        if let Some(tries) = self.retry_max_count {
            options.write("retryMaxCount", tries)?;
        }
        Ok(())
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}({}", self.name, string_literal(&self.url))?;
        let mut options = Options { f, any: false };
        self.write_options(&mut options)?;
        let end = if options.any { "})" } else { ")" };
        f.write_str(end)
    }
}

/// After which ends of a request the client makes it again.
///
/// A connection that breaks is always tried again, whatever is set here, and so are requests that
/// get no answer (seen in client 1.0.2). An answer 204 or a redirection never is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ActionRetry {
    /// After a connection that broke. The default.
    Auto,
    /// Also after an answer of 4xx or 5xx.
    Error,
    /// Also after an answer of another kind, and after a stream that ended well: for streams that
    /// are to be open all the time.
    Always,
    /// Not after any answer; in client 1.0.2 the same as auto.
    Never,
}

impl ActionRetry {
    /// The client's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Error => "error",
            Self::Always => "always",
            Self::Never => "never",
        }
    }
}

/// What the client does with a request that is still open when its element makes it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RequestCancellation {
    /// The earlier one of the same element, verb and address is aborted. The default.
    Auto,
    /// The same, and it is aborted when its element or attribute goes.
    Cleanup,
    /// Both go on.
    Disabled,
}

impl RequestCancellation {
    /// The client's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Cleanup => "cleanup",
            Self::Disabled => "disabled",
        }
    }
}

/// `, {key: value, key: value`, begun with the first option.
struct Options<'a, 'f> {
    f: &'a mut fmt::Formatter<'f>,
    any: bool,
}

impl Options<'_, '_> {
    fn write(&mut self, key: &str, value: impl fmt::Display) -> fmt::Result {
        let before = if self.any { ", " } else { ", {" };
        self.any = true;
        write!(self.f, "{before}{key}: {value}")
    }
}

struct Headers<'a>(&'a [(HeaderName, HeaderValue)]);

impl fmt::Display for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (name, value)) in self.0.iter().enumerate() {
            f.write_str(if position == 0 { "{" } else { ", " })?;
            // `fetch` takes each character for a byte.
            let value: String = value.as_bytes().iter().copied().map(char::from).collect();
            let name = capitalised(name.as_str());
            write!(f, "{}: {}", string_literal(&name), string_literal(&value))?;
        }
        f.write_str("}")
    }
}

/// `content-type` as `Content-Type`: the client overwrites its own headers by their exact
/// spelling, and would send both otherwise.
fn capitalised(name: &str) -> String {
    let mut first = true;
    name.chars()
        .map(|character| {
            let begins = std::mem::replace(&mut first, character == '-');
            if begins {
                character.to_ascii_uppercase()
            } else {
                character
            }
        })
        .collect()
}

/// The patterns go as strings between slashes, of which the client strips one at each end.
struct Filter<'a>(&'a Action);

impl fmt::Display for Filter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let patterns = [
            ("include", &self.0.include_signals),
            ("exclude", &self.0.exclude_signals),
        ];
        let mut before = "{";
        for (key, pattern) in patterns {
            if let Some(pattern) = pattern {
                let pattern = format!("/{pattern}/");
                write!(f, "{before}{key}: {}", string_literal(&pattern))?;
                before = ", ";
            }
        }
        f.write_str("}")
    }
}

/// Timers of browsers hold 31 bits, and fire at once beyond that.
fn milliseconds(delay: Duration) -> i32 {
    i32::try_from(delay.as_millis()).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::selector;

    #[test]
    fn every_verb() {
        for (action, text) in [
            (Action::get("/a"), "@get('/a')"),
            (Action::post("/a"), "@post('/a')"),
            (Action::put("/a"), "@put('/a')"),
            (Action::patch("/a"), "@patch('/a')"),
            (Action::delete("/a"), "@delete('/a')"),
            (Action::query("/a"), "@query('/a')"),
        ] {
            assert_eq!(action.to_string(), text);
        }
    }

    #[test]
    fn every_option() {
        let of = |action: Action| action.to_string().replacen("@get('/a', ", "", 1);
        let get = || Action::get("/a");
        assert_eq!(of(get().content_type_form()), "{contentType: 'form'})");
        assert_eq!(
            of(get().selector(selector!("#f[name='x']"))),
            r"{contentType: 'form', selector: '#f[name=\x27x\x27]'})"
        );
        let header = |action: Action, name, value: &[u8]| {
            action.header(
                HeaderName::from_static(name),
                HeaderValue::from_bytes(value).unwrap(),
            )
        };
        assert_eq!(
            of(header(
                header(get(), "content-type", b"a;b"),
                "x-1y",
                b"\xe9\x85\t'"
            )),
            "{headers: {'Content-Type': 'a\\x3Bb', 'X-1y': 'é\\x85\\x09\\x27'}})"
        );
        assert_eq!(
            of(get().exclude_signals(r"^a\.b$")),
            r"{filterSignals: {exclude: '/^a\x5C.b\x24/'}})"
        );
        assert_eq!(
            of(get().exclude_signals("b").include_signals("a")),
            "{filterSignals: {include: '/a/', exclude: '/b/'}})"
        );
        assert_eq!(
            of(get().open_when_hidden(false)),
            "{openWhenHidden: false})"
        );
        assert_eq!(
            of(get().payload(&json!({"a": "b"})).unwrap()),
            "{payload: {'a':'b'}})"
        );
        assert_eq!(
            of(get().request_cancellation(RequestCancellation::Cleanup)),
            "{requestCancellation: 'cleanup'})"
        );
        for (when, word) in [
            (ActionRetry::Auto, "auto"),
            (ActionRetry::Error, "error"),
            (ActionRetry::Always, "always"),
            (ActionRetry::Never, "never"),
        ] {
            assert_eq!(of(get().retry(when)), format!("{{retry: '{word}'}})"));
        }
        assert_eq!(
            of(get()
                .retry_max_count(3)
                .retry_max_wait(Duration::MAX)
                .retry_scaler(1.5)
                .retry_interval(Duration::from_secs(2))),
            "{retryInterval: 2000, retryScaler: 1.5, retryMaxWait: 2147483647, retryMaxCount: 3})"
        );
        assert_eq!(get().retry_scaler(f64::NAN), get());
        assert_eq!(get().retry_scaler(-1.0), get().retry_scaler(1.0));
    }
}
