//! Signals as a page sends them.

use std::{
    error::Error,
    fmt::{self, Write as _},
};

use http::{Method, StatusCode};
use percent_encoding::percent_decode_str;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::{
    json_scan::{MAX_DEPTH, may_be_too_deep, may_have_reserved_key, scan},
    surrogates::without_lone_surrogates,
};

/// A limit for bodies that are read for signals: 2 MiB, as axum has it.
///
/// For servers that have none of their own, to be applied while the body is read: [`read_signals`]
/// itself takes what it is given.
///
/// Files of a bound `<input type="file">` are signals too, in base64: a handler for uploads needs
/// a limit of its own.
pub const DEFAULT_SIGNALS_LIMIT: usize = 2 * 1024 * 1024;

/// Reads the signals that a request carries: the one function under every adapter.
///
/// GET, HEAD and DELETE have them in the query, as `datastar`; every other method, QUERY too, in
/// the body. It is `Ok(None)` where there are none, as in a plain page load: no query, no such
/// parameter, or nothing but white space.
///
/// ```
/// use serde::Deserialize;
/// use sidereal::{http::Method, read_signals};
///
/// #[derive(Deserialize)]
/// struct Search { query: String }
///
/// let asked = Some("page=2&datastar=%7B%22query%22%3A%22Titan+moon%22%7D");
/// let search: Option<Search> = read_signals(&Method::GET, asked, b"")?;
/// assert_eq!(search.unwrap().query, "Titan moon");
///
/// let posted = br#"{"query":"Rhea"}"#;
/// let search: Option<Search> = read_signals(&Method::POST, None, posted)?;
/// assert_eq!(search.unwrap().query, "Rhea");
///
/// let none: Option<Search> = read_signals(&Method::GET, None, b"")?;
/// assert!(none.is_none());
/// # Ok::<(), sidereal::ReadSignalsError>(())
/// ```
///
/// A half of a surrogate pair, as an `<input maxlength>` makes it of an emoji, is read as U+FFFD.
///
/// Without a type of one's own, `serde_json::Map<String, serde_json::Value>` takes any signals.
///
/// The query is read as the URL standard reads a form ([5.1]): `+` is a space, a `%` without two
/// hexadecimal digits stands for itself, bytes that are no UTF-8 become U+FFFD, and the first
/// parameter of the name counts.
///
/// It knows no headers. An adapter that calls it for a body checks first that the request has a
/// `Content-Type` of JSON or the header `Datastar-Request: true`, and else answers with
/// [`ReadSignalsError::not_json_content`]: any other site's form can send a body of `text/plain` that
/// is JSON, with the user's cookies. All extractors do it.
///
/// # Errors
///
/// Refuses what is not JSON, what is JSON but not an object, whatever `T` is, and what `T` does not
/// take; JSON that nests deeper than 127 levels, and JSON with a key that begins with
/// `$serde_json::private::`, be it in a field that `T` ignores. No input panics.
///
/// [5.1]: https://url.spec.whatwg.org/#urlencoded-parsing
pub fn read_signals<T: DeserializeOwned>(
    method: &Method,
    query: Option<&str>,
    body: &[u8],
) -> Result<Option<T>, ReadSignalsError> {
    if signals_in_query(method) {
        match query.and_then(|query| query_parameter(query, "datastar")) {
            Some(json) => read_json(json.as_bytes()),
            None => Ok(None),
        }
    } else {
        read_json(body)
    }
}

/// Whether requests of this method carry their signals in the query, so that an adapter need not
/// read the body.
///
/// ```
/// use sidereal::{http::Method, signals_in_query};
///
/// assert!(signals_in_query(&Method::DELETE));
/// assert!(!signals_in_query(&Method::PUT));
/// ```
pub fn signals_in_query(method: &Method) -> bool {
    [Method::GET, Method::HEAD, Method::DELETE].contains(method)
}

/// Why signals could not be read. Adapters answer with [`status`](Self::status) and
/// [`body_text`](Self::body_text).
///
/// The texts name the place in the JSON, and quote at most 160 characters of it.
///
/// ```
/// use serde_json::Value;
/// use sidereal::{http::Method, read_signals};
///
/// let error = read_signals::<Value>(&Method::POST, None, b"{\"a\": }").unwrap_err();
/// assert!(error.is_syntax());
/// assert_eq!(error.status(), 400);
/// assert_eq!(error.body_text(), "signals are not JSON: expected value (line 1, column 7)");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadSignalsError(Problem);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Problem {
    Absent,
    Syntax(Place),
    NotAnObject,
    Mismatch(Place),
    TooDeep,
    ReservedKey,
    NotJsonContent,
    BodyTooLarge,
    UnreadableBody,
}

/// What `serde_json` says, bounded, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    message: String,
    line: usize,
    column: usize,
}

impl ReadSignalsError {
    /// There are no signals, and the handler needs some. This and the next three are for adapters
    /// of your own.
    pub const fn absent() -> Self {
        Self(Problem::Absent)
    }

    /// The body is larger than its limit.
    pub const fn body_too_large() -> Self {
        Self(Problem::BodyTooLarge)
    }

    /// There is a body, but it is not of JSON by its `Content-Type`, and the request has no header
    /// `Datastar-Request: true`: it may be another site's form.
    pub const fn not_json_content() -> Self {
        Self(Problem::NotJsonContent)
    }

    /// The body could not be received.
    pub const fn unreadable_body() -> Self {
        Self(Problem::UnreadableBody)
    }

    /// Whether there were no signals at all.
    pub fn is_absent(&self) -> bool {
        self.0 == Problem::Absent
    }

    /// Whether what came is not JSON.
    pub fn is_syntax(&self) -> bool {
        matches!(self.0, Problem::Syntax(_))
    }

    /// Whether what came is JSON, but not an object.
    pub fn is_not_an_object(&self) -> bool {
        self.0 == Problem::NotAnObject
    }

    /// Whether the signals do not fit the type: one is missing, or of another kind.
    pub fn is_mismatch(&self) -> bool {
        matches!(self.0, Problem::Mismatch(_))
    }

    /// Whether the signals nest deeper than 127 levels.
    pub fn is_too_deep(&self) -> bool {
        self.0 == Problem::TooDeep
    }

    /// Whether a key begins with `$serde_json::private::`, which is `serde_json`'s own: it may take
    /// the value of such a key for JSON.
    pub fn is_reserved_key(&self) -> bool {
        self.0 == Problem::ReservedKey
    }

    /// Whether the body's `Content-Type` is not JSON, in a request that is not Datastar's.
    pub fn is_not_json_content(&self) -> bool {
        self.0 == Problem::NotJsonContent
    }

    /// Whether the body was larger than its limit.
    pub fn is_body_too_large(&self) -> bool {
        self.0 == Problem::BodyTooLarge
    }

    /// Whether the body could not be received.
    pub fn is_unreadable_body(&self) -> bool {
        self.0 == Problem::UnreadableBody
    }

    /// The status to answer with: 413 for a body that is too large, 415 for one that is not JSON by
    /// its `Content-Type`, 400 for everything else.
    pub fn status(&self) -> StatusCode {
        match self.0 {
            Problem::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Problem::NotJsonContent => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// The text to answer with. Plain text: it may quote the request.
    pub fn body_text(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for ReadSignalsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Problem::Absent => f.write_str("the request carries no signals"),
            Problem::Syntax(place) => write!(f, "signals are not JSON: {place}"),
            Problem::NotAnObject => f.write_str("signals must be a JSON object"),
            Problem::Mismatch(place) => write!(f, "signals do not fit: {place}"),
            Problem::TooDeep => write!(f, "signals nest deeper than {MAX_DEPTH} levels"),
            Problem::ReservedKey => {
                f.write_str("signals must not have a key that begins with `$serde_json::private::`")
            }
            Problem::NotJsonContent => f.write_str(
                "signals in a body need `Content-Type: application/json` or `Datastar-Request: true`",
            ),
            Problem::BodyTooLarge => f.write_str("signals are too large"),
            Problem::UnreadableBody => f.write_str("the body of the request could not be received"),
        }
    }
}

impl Error for ReadSignalsError {}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if self.line > 0 {
            write!(f, " (line {}, column {})", self.line, self.column)?;
        }
        Ok(())
    }
}

fn read_json<T: DeserializeOwned>(json: &[u8]) -> Result<Option<T>, ReadSignalsError> {
    match json.iter().find(|byte| !b" \t\r\n".contains(byte)) {
        None => Ok(None),
        Some(b'{') => {
            check_object(json)?;
            parse(json).map(Some).map_err(|error| {
                let problem = if error.is_data() {
                    Problem::Mismatch
                } else {
                    Problem::Syntax
                };
                ReadSignalsError(problem(place(&error)))
            })
        }
        Some(_) => Err(ReadSignalsError(
            match serde_json::from_slice::<IgnoredAny>(json) {
                Ok(_) => Problem::NotAnObject,
                Err(error) => Problem::Syntax(place(&error)),
            },
        )),
    }
}

/// Checks what a parser does not check everywhere: it counts no levels in what `T` ignores or takes
/// as raw JSON, and begins to count anew behind a key that is its own.
fn check_object(json: &[u8]) -> Result<(), ReadSignalsError> {
    if may_be_too_deep(json) || may_have_reserved_key(json) {
        let found = scan(json);
        if found.depth > MAX_DEPTH {
            return Err(ReadSignalsError(Problem::TooDeep));
        }
        if found.reserved_key {
            return Err(ReadSignalsError(Problem::ReservedKey));
        }
    }
    Ok(())
}

/// Parses JSON; where that fails, once more without the halves of surrogate pairs.
fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(json).or_else(|error| {
        let text = str::from_utf8(json).ok();
        match text
            .filter(|_| error.is_syntax())
            .and_then(without_lone_surrogates)
        {
            Some(mended) => serde_json::from_str(&mended),
            None => Err(error),
        }
    })
}

fn place(error: &serde_json::Error) -> Place {
    let (line, column) = (error.line(), error.column());
    let mut message = bounded(error);
    // The position that `serde_json` puts at the end is written apart: the cut might hit it.
    let suffix = format!(" at line {line} column {column}");
    if let Some(without) = message.strip_suffix(&suffix) {
        message.truncate(without.len());
    }
    Place {
        message,
        line,
        column,
    }
}

/// The text of an error that may quote the request: at most 160 characters, on one line.
fn bounded(error: impl fmt::Display) -> String {
    struct Bounded {
        text: String,
        room: usize,
    }

    impl fmt::Write for Bounded {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            for character in text.chars() {
                if self.room == 0 {
                    self.text.push('…');
                    return Err(fmt::Error);
                }
                self.room -= 1;
                self.text.push(if character.is_control() {
                    ' '
                } else {
                    character
                });
            }
            Ok(())
        }
    }

    let mut bounded = Bounded {
        text: String::new(),
        room: 160,
    };
    // It fails where the room ends, which is how the rest is kept from being written.
    let _ = write!(bounded, "{error}");
    bounded.text
}

/// The first parameter of this name, decoded.
fn query_parameter(query: &str, name: &str) -> Option<String> {
    query.split('&').find_map(|parameter| {
        let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let same = key == name || (key.contains('%') && decoded(key) == name);
        same.then(|| decoded(value))
    })
}

fn decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    percent_decode_str(&text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde::Deserialize;
    use serde_json::{Map, Value, json, value::RawValue};

    use super::*;

    fn post<T: DeserializeOwned>(body: impl AsRef<[u8]>) -> Result<Option<T>, ReadSignalsError> {
        read_signals(&Method::POST, None, body.as_ref())
    }

    fn get(query: &str) -> Result<Option<Value>, ReadSignalsError> {
        read_signals(&Method::GET, Some(query), b"")
    }

    #[test]
    fn the_method_says_where_signals_are() {
        let (query, body) = (Some("datastar={\"q\":1}"), br#"{"b":1}"#);
        for (method, key) in [
            ("GET", "q"),
            ("HEAD", "q"),
            ("DELETE", "q"),
            ("POST", "b"),
            ("PUT", "b"),
            ("PATCH", "b"),
            ("QUERY", "b"),
            ("get", "b"),
        ] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let signals: Map<_, _> = read_signals(&method, query, body).unwrap().unwrap();
            assert!(signals.contains_key(key), "{method}");
        }
    }

    #[test]
    fn absent_and_empty_are_no_signals() {
        for query in [
            "",
            "&&",
            "datastar",
            "datastar=",
            "datastar=%20+%0A",
            "Datastar={}",
            "x=1",
        ] {
            assert_eq!(get(query), Ok(None), "{query}");
        }
        for body in ["", " ", "\r\n\t "] {
            assert_eq!(post::<Value>(body), Ok(None));
        }
        assert_eq!(post::<Value>("{}"), Ok(Some(json!({}))));
    }

    #[test]
    fn the_query_is_read_as_a_form() {
        for (query, value) in [
            ("datastar=%7B%22a%22:%22+%2B%22}", " +"),
            (
                "%64ata%73tar={\"a\":\"first\"}&datastar={\"a\":\"second\"}",
                "first",
            ),
            ("x&datastar={\"a\":\"%ZZ%4\"}&y", "%ZZ%4"),
            ("datastar={\"a\":\"%FF%C3%A9\"}", "\u{fffd}é"),
            ("datastar={\"a\":\"b=c\"}", "b=c"),
            (
                "datastar={\"a\":\"%00\\u0000\"}"
                    .replace("%00", "")
                    .as_str(),
                "\0",
            ),
        ] {
            assert_eq!(get(query), Ok(Some(json!({ "a": value }))), "{query}");
        }
    }

    #[test]
    fn only_objects_are_signals_whatever_the_type() {
        for json in ["[]", "null", "1", "\"{}\"", " true", "-1.5e3"] {
            assert!(
                post::<Value>(json).unwrap_err().is_not_an_object(),
                "{json}"
            );
            assert!(
                post::<Option<Value>>(json).unwrap_err().is_not_an_object(),
                "{json}"
            );
            assert!(
                post::<IgnoredAny>(json).unwrap_err().is_not_an_object(),
                "{json}"
            );
        }
        for json in ["{", "x", "{} {}", "[1", "nul", "{'a':1}", "\u{feff}{}"] {
            assert!(post::<Value>(json).unwrap_err().is_syntax(), "{json}");
        }
        assert!(post::<Value>(b"{\"a\":\"\xff\"}").unwrap_err().is_syntax());
    }

    /// An emoji that `<input maxlength>` has cut in half is not the end of a page's requests.
    #[test]
    fn a_half_of_a_surrogate_pair_is_a_replacement_character() {
        let halves = r#"{"a":"\ud83e","b":"\ude90x","c":"\ud83e\ude90"}"#;
        let read = json!({ "a": "\u{fffd}", "b": "\u{fffd}x", "c": "🪐" });
        assert_eq!(post::<Value>(halves), Ok(Some(read)));
        assert!(post::<Value>(r#"{"a":"\ud83e"#).unwrap_err().is_syntax());
    }

    #[test]
    fn doubles_come_in_as_they_were_sent() {
        let exact = json!({ "a": 0.907_303_832_202_868_9_f64 });
        assert_eq!(post::<Value>(exact.to_string()), Ok(Some(exact)));
    }

    #[test]
    fn deep_input_is_an_error_and_no_overflow() {
        let deep = |open: &str, n: usize| format!("{{\"a\":{}", open.repeat(n));
        for n in [127, 128, 1000, 1_000_000] {
            for open in ["[", "{\"a\":"] {
                assert!(post::<Value>(deep(open, n)).unwrap_err().is_too_deep());
            }
        }
        let brackets = "[".repeat(1_000_000);
        assert!(post::<Value>(&brackets).unwrap_err().is_syntax());
        let closed = brackets.clone() + &"]".repeat(1_000_000);
        assert!(post::<Value>(closed).unwrap_err().is_not_an_object());
    }

    #[test]
    fn depth_is_limited_in_what_is_ignored_or_raw_too() {
        #[derive(Debug, Deserialize)]
        struct Form {
            a: Option<Box<RawValue>>,
        }
        for key in ["a", "ignored"] {
            let nested = |levels: usize| {
                let (open, close) = ("[".repeat(levels), "]".repeat(levels));
                post::<Form>(format!("{{\"{key}\":{open}{close}}}"))
            };
            let form = nested(126).unwrap().unwrap();
            assert_eq!(form.a.is_some(), key == "a");
            for levels in [127, 500_000] {
                assert!(nested(levels).unwrap_err().is_too_deep(), "{key} {levels}");
            }
        }
        // The wide is not the deep.
        let wide = format!("{{\"a\":[{}0]}}", "[[]],".repeat(1000));
        assert!(post::<Value>(wide).unwrap().is_some());
    }

    /// With serde_json's feature `raw_value`, which axum turns on, a `Value` would parse the string
    /// behind such a key, by a new parser with levels of its own: 19,663 bytes overflowed the stack.
    #[test]
    fn json_in_a_string_is_never_parsed() {
        let mut nested = format!("{}{}", "[".repeat(100), "]".repeat(100));
        while nested.len() < 19_663 {
            let string = serde_json::to_string(&nested).unwrap();
            let (open, close) = ("[".repeat(120), "]".repeat(120));
            nested = format!("{open}{{\"$serde_json::private::RawValue\":{string}}}{close}");
        }
        for json in [
            format!("{{\"a\":{nested}}}"),
            r#"{"$serde_json::private::RawValue":"[1]"}"#.into(),
            r#"{"\u0024serde_json::private::RawValue":"[1]"}"#.into(),
            r#"{"a":[{"$serde_json::private::Numbe\u0072":"1"}],"b":"\ud800"}"#.into(),
        ] {
            assert!(post::<Value>(&json).unwrap_err().is_reserved_key());
            assert!(post::<Map<_, Value>>(&json).unwrap_err().is_reserved_key());
            assert!(post::<IgnoredAny>(&json).unwrap_err().is_reserved_key());
        }
        let value = json!({ "a": "$serde_json::private::RawValue" });
        assert_eq!(post::<Value>(value.to_string()), Ok(Some(value)));
    }

    #[test]
    fn errors_say_where_and_quote_little() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Form {
            age: u8,
        }
        let long = format!(
            "{{\n\"age\": \"{}\"}}",
            "\u{1}x\n".escape_default().to_string().repeat(1000)
        );
        let long = long.replace("\\u{1}", "\\u0001");
        let error = post::<Form>(long).unwrap_err();
        assert!(error.is_mismatch(), "{error}");
        let text = error.body_text();
        assert!(
            text.len() < 250 && text.contains("… (line 2, column "),
            "{text}"
        );

        assert_eq!(
            post::<Form>("{}").unwrap_err().body_text(),
            "signals do not fit: missing field `age` (line 1, column 2)"
        );
        assert_eq!(post::<Form>(r#"{"age":7}"#), Ok(Some(Form { age: 7 })));
    }

    #[test]
    fn the_status_is_400_413_or_415() {
        assert_eq!(ReadSignalsError::absent().status(), 400);
        assert_eq!(ReadSignalsError::unreadable_body().status(), 400);
        let error = ReadSignalsError::body_too_large();
        assert_eq!(error.status(), 413);
        assert_eq!(error.body_text(), "signals are too large");
        let error = ReadSignalsError::not_json_content();
        assert!(error.is_not_json_content());
        assert_eq!(error.status(), 415);
    }

    proptest::proptest! {
        #[test]
        fn no_input_panics(body: Vec<u8>, query in "(datastar=)?[{}\"a%+&=\\\\0-9\u{fffd}]*") {
            let _ = post::<Value>(&body);
            let _ = get(&query);
        }
    }
}
