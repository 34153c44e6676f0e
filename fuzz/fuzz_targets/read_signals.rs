//! `read_signals`: no method, query or body panics, and what is read is what serde_json and the
//! URL standard's own reader of queries find there.

#![no_main]

use std::borrow::Cow;

use libfuzzer_sys::{
    arbitrary::{self, Arbitrary},
    fuzz_target,
};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Map, Value, value::RawValue};
use sidereal::{ReadSignalsError, TabId, http::Method, read_signals, signals_in_query};
use sidereal_fuzz::Text;

#[derive(Arbitrary, Debug)]
struct Input {
    method: Verb,
    query: Option<Text>,
    body: Content,
}

#[derive(Arbitrary, Debug)]
enum Verb {
    Get,
    Head,
    Delete,
    Post,
    Query,
    Other(Text),
}

#[derive(Arbitrary, Debug)]
enum Content {
    Bytes(Vec<u8>),
    Text(Text),
    /// An object with this text somewhere in it.
    Inside(Text),
    /// Brackets, as many as this.
    Deep {
        depth: u16,
        object: bool,
        closed: bool,
    },
    /// JSON in strings behind the key that serde_json's feature `raw_value` keeps for itself, in
    /// brackets at each of these depths. It once got round the limit of depth.
    InStrings {
        depths: Vec<u8>,
        /// Spelled with an escape.
        escaped: bool,
        inside: Text,
    },
}

/// A handler's own type.
#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct Form {
    a: u8,
    #[serde(default)]
    b: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

fuzz_target!(|input: Input| {
    let method = match &input.method {
        Verb::Get => Method::GET,
        Verb::Head => Method::HEAD,
        Verb::Delete => Method::DELETE,
        Verb::Post => Method::POST,
        Verb::Query | Verb::Other(_) => match &input.method {
            Verb::Other(name) => Method::from_bytes(name.0.as_bytes()).unwrap_or_default(),
            _ => Method::from_bytes(b"QUERY").unwrap_or_default(),
        },
    };
    let query = input.query.as_ref().map(|text| text.0.as_str());
    let body = bytes(&input.body);

    let json: Cow<'_, [u8]> = if signals_in_query(&method) {
        let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        let value = pairs.find(|(name, _)| name == "datastar");
        value.map_or(Cow::default(), |(_, value)| {
            value.into_owned().into_bytes().into()
        })
    } else {
        body.as_slice().into()
    };

    let map = read_signals::<Map<String, Value>>(&method, query, &body);
    check(&json, &map);
    let value = read_signals::<Value>(&method, query, &body);
    assert_eq!(
        value.clone().map(|value| value.is_some()),
        map.map(|map| map.is_some())
    );
    // What is refused as no object, or as no JSON, is so whatever the type.
    let refused = |error: ReadSignalsError| {
        let kinds = (error.is_not_an_object(), error.is_syntax());
        (kinds, error.is_too_deep(), error.is_reserved_key())
    };
    let raw = read_signals::<Box<RawValue>>(&method, query, &body);
    if let (Err(value), Err(raw)) = (value, raw) {
        assert_eq!(refused(value), refused(raw));
    }
    let _ = read_signals::<IgnoredAny>(&method, query, &body);
    let _ = read_signals::<Option<Value>>(&method, query, &body);
    let _ = read_signals::<Vec<u8>>(&method, query, &body).map_err(told);
    let _ = read_signals::<Form>(&method, query, &body).map_err(told);
    let _ = TabId::from_query(query);
});

fn bytes(content: &Content) -> Vec<u8> {
    match content {
        Content::Bytes(bytes) => bytes.clone(),
        Content::Text(text) => text.0.clone().into_bytes(),
        Content::Inside(text) => format!("{{\"a\":7,{}}}", text.0).into_bytes(),
        Content::Deep {
            depth,
            object,
            closed,
        } => {
            let depth = usize::from(*depth % 2048);
            let (open, close) = if *object {
                ("{\"a\":", "}")
            } else {
                ("[", "]")
            };
            let close = close.repeat(if *closed { depth } else { 0 });
            format!("{}1{close}", open.repeat(depth)).into_bytes()
        }
        Content::InStrings {
            depths,
            escaped,
            inside,
        } => {
            let dollar = if *escaped { "\\u0024" } else { "$" };
            let mut json = inside.0.clone();
            // Each string doubles the backslashes of those in it.
            for &depth in depths.iter().take(10) {
                let string = Value::from(json).to_string();
                let (open, close) = ("[".repeat(depth.into()), "]".repeat(depth.into()));
                let key = format!("{dollar}serde_json::private::RawValue");
                json = format!("{open}{{\"{key}\":{string}}}{close}");
            }
            format!("{{\"a\":{json}}}").into_bytes()
        }
    }
}

/// The answer is the one that serde_json has for the text.
fn check(json: &[u8], read: &Result<Option<Map<String, Value>>, ReadSignalsError>) {
    let white = json.iter().all(|byte| b" \t\r\n".contains(byte));
    if let Err(error) = read {
        let _ = told(error.clone());
        // Before serde_json looks: it would go astray, or go on for ever.
        if error.is_reserved_key() || error.is_too_deep() {
            let text = String::from_utf8_lossy(json);
            let brackets = text.matches(['[', '{']).count();
            let spelled = text.contains("$serde_json") || text.contains("\\u");
            assert!(!error.is_too_deep() || brackets > 127);
            assert!(!error.is_reserved_key() || spelled);
            return;
        }
    }
    match (serde_json::from_slice::<Value>(json), read) {
        (_, Ok(None)) => assert!(white),
        (_, read) if white => panic!("{read:?}"),
        (Ok(Value::Object(expected)), Ok(Some(map))) => {
            assert!(depth(&Value::Object(map.clone())) <= 127);
            assert_eq!(&expected, map);
        }
        (Ok(_), Err(error)) => assert!(error.is_not_an_object(), "{error}"),
        (Err(_), Err(error)) => {
            // Arrays that nest too deep for a value are no object either.
            let too_deep = serde_json::from_slice::<IgnoredAny>(json).is_ok();
            assert!(
                error.is_syntax() || (too_deep && error.is_not_an_object()),
                "{error}"
            );
        }
        // A half of a surrogate pair is U+FFFD here, and an error there.
        (Err(_), Ok(Some(_))) => {
            let text = String::from_utf8_lossy(json).to_ascii_lowercase();
            assert!(text.contains("\\ud"), "{text}");
        }
        (parsed, read) => panic!("{parsed:?} {read:?}"),
    }
}

/// How deep a value nests, by recursion: it is one that was read.
fn depth(value: &Value) -> usize {
    let inside = match value {
        Value::Array(values) => values.iter().map(depth).max(),
        Value::Object(map) => map.values().map(depth).max(),
        _ => return 0,
    };
    1 + inside.unwrap_or(0)
}

/// The text of an error is short, on one line, and of a 400.
fn told(error: ReadSignalsError) -> ReadSignalsError {
    let text = error.body_text();
    assert!(text.chars().count() < 260, "{text}");
    assert!(!text.contains(char::is_control), "{text:?}");
    assert_eq!(error.status(), 400);
    error
}
