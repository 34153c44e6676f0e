//! What a `datastar-patch-signals` event does, and what it leaves of the signals.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{Event, EventError, RawEvent, event::Fields, json};

/// A `datastar-patch-signals` event.
///
/// ```
/// use serde_json::json;
/// use sidereal::testing::events;
///
/// let stream = b"event: datastar-patch-signals\ndata: onlyIfMissing true\ndata: signals {\"count\":1}\n\n";
/// let events = events(stream).unwrap();
/// let patch = events[0].as_signals().unwrap();
/// assert_eq!(patch.signals(), &json!({ "count": 1 }));
/// assert!(patch.only_if_missing());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PatchedSignals {
    signals: Value,
    raw: String,
    only_if_missing: bool,
    id: Option<String>,
    retry: Option<Duration>,
}

impl PatchedSignals {
    pub(super) const EVENT: &'static str = "datastar-patch-signals";

    const KEYS: [&'static str; 2] = ["onlyIfMissing", "signals"];

    pub(super) fn read(raw: &RawEvent) -> Result<Self, EventError> {
        let patch = Self::from_fields(Fields::read(raw, &Self::KEYS)?)?;
        Ok(Self {
            id: raw.id().map(str::to_owned),
            retry: raw.retry(),
            ..patch
        })
    }

    pub(super) fn from_fields(mut fields: Fields) -> Result<Self, EventError> {
        let raw = fields.take("signals").ok_or(EventError::SignalsMissing)?;
        let signals = json::parse(&raw).map_err(|error| EventError::SignalsNotJson {
            raw: raw.clone(),
            reason: error.to_string(),
        })?;
        if !signals.is_object() {
            return Err(EventError::SignalsNotObject { raw });
        }
        if let Some(path) = path_of_proto(&signals) {
            return Err(EventError::ForbiddenSignal { path });
        }
        let only_if_missing = fields.take_switch("onlyIfMissing");
        Ok(Self {
            signals,
            raw,
            only_if_missing,
            id: None,
            retry: None,
        })
    }

    /// The signals: always an object. A `null` in it deletes the signal.
    ///
    /// A lone surrogate, which JavaScript's strings can hold and Rust's cannot, is U+FFFD here.
    #[must_use]
    pub fn signals(&self) -> &Value {
        &self.signals
    }

    /// The JSON text as it was sent, its lines joined with `\n`.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// Whether signals that exist already stay as they are.
    #[must_use]
    pub fn only_if_missing(&self) -> bool {
        self.only_if_missing
    }

    /// The event's own id.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The reconnection time that the event sets.
    #[must_use]
    pub fn retry(&self) -> Option<Duration> {
        self.retry
    }
}

/// The signals that a page has after these events, if it had `initial` before them.
///
/// Each patch is merged in order, as [RFC 7386] says: objects recurse, arrays and all else are replaced whole, null
/// deletes. With `onlyIfMissing`, nothing is deleted and values that exist stay; as in the client, an object still
/// takes the place of a value that is none. Other events change nothing; a script's effect on signals is not known
/// here.
///
/// In one thing the client is not RFC 7386, and this is: where the page has an array and the patch an object, the
/// client keeps the array and sets properties of it. (In all else the two were compared over random patches, with the
/// client 1.0.2 in Chromium.)
///
/// ```
/// use serde_json::json;
/// use sidereal::testing::{events, signals_after};
///
/// let events = events(
///     b"event: datastar-patch-signals\ndata: signals {\"user\":{\"name\":\"Ada\",\"draft\":null}}\n\n\
///       event: datastar-patch-signals\ndata: onlyIfMissing true\ndata: signals {\"user\":{\"name\":\"?\",\"age\":36}}\n\n",
/// )
/// .unwrap();
/// assert_eq!(
///     signals_after(&events, json!({ "user": { "draft": true }, "tab": 1 })),
///     json!({ "user": { "name": "Ada", "age": 36 }, "tab": 1 }),
/// );
/// ```
///
/// [RFC 7386]: https://www.rfc-editor.org/rfc/rfc7386
#[must_use]
pub fn signals_after<'a>(events: impl IntoIterator<Item = &'a Event>, initial: Value) -> Value {
    let mut signals = initial;
    for patch in events.into_iter().filter_map(Event::as_signals) {
        merge(&mut signals, &patch.signals, patch.only_if_missing);
    }
    signals
}

fn merge(target: &mut Value, patch: &Value, only_if_missing: bool) {
    let Value::Object(patch) = patch else {
        patch.clone_into(target);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else {
        return;
    };
    for (key, value) in patch {
        match value {
            Value::Null if only_if_missing => {}
            Value::Null => {
                target.remove(key);
            }
            Value::Object(_) => merge(
                target.entry(key.as_str()).or_insert(Value::Null),
                value,
                only_if_missing,
            ),
            _ if only_if_missing && target.contains_key(key) => {}
            _ => {
                target.insert(key.clone(), value.clone());
            }
        }
    }
}

fn path_of_proto(value: &Value) -> Option<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(object) if object.contains_key("__proto__") => {
            return Some("__proto__".to_owned());
        }
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| (key.clone(), value))
            .collect(),
        Value::Array(array) => array
            .iter()
            .enumerate()
            .map(|(index, value)| (index.to_string(), value))
            .collect(),
        _ => return None,
    };
    children
        .into_iter()
        .find_map(|(key, value)| path_of_proto(value).map(|path| format!("{key}.{path}")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::super::{StreamError, events};
    use super::*;
    use serde_json::json;

    fn patch(lines: &[&str]) -> Result<Event, EventError> {
        let mut stream = "event: datastar-patch-signals\n".to_owned();
        for line in lines {
            stream += &format!("data: {line}\n");
        }
        match events((stream + "\n").as_bytes()) {
            Ok(mut events) => Ok(events.remove(0)),
            Err(StreamError::Event(error)) => Err(error),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn lines_are_joined() {
        let event = patch(&["signals {", "signals   \"a\": [1,", "signals 2]}"]).unwrap();
        assert_eq!(event.signals(), Some(&json!({ "a": [1, 2] })));
        assert_eq!(event.as_signals().unwrap().raw(), "{\n  \"a\": [1,\n2]}");
        assert!(!event.as_signals().unwrap().only_if_missing());
    }

    #[test]
    fn what_a_client_throws_on() {
        assert_eq!(
            patch(&["onlyIfMissing true"]),
            Err(EventError::SignalsMissing)
        );
        for raw in [
            "",
            "{a: 1}",
            "{'a': 1}",
            "alert(1)",
            "{} {}",
            "{\"a\":undefined}",
        ] {
            let error = patch(&[&format!("signals {raw}")]).unwrap_err();
            assert!(
                matches!(error, EventError::SignalsNotJson { .. }),
                "{raw}: {error}"
            );
        }
        for raw in ["null", "[]", "1", "\"a\"", "true"] {
            assert_eq!(
                patch(&[&format!("signals {raw}")]),
                Err(EventError::SignalsNotObject { raw: raw.into() })
            );
        }
    }

    #[test]
    fn proto_is_found_at_any_depth_and_however_written() {
        for (raw, path) in [
            (r#"{"__proto__":1}"#, "__proto__"),
            (r#"{"a":{"\u005f_proto__":{}}}"#, "a.__proto__"),
            (r#"{"a":[0,{"b":{"__proto__":null}}]}"#, "a.1.b.__proto__"),
        ] {
            assert_eq!(
                patch(&[&format!("signals {raw}")]),
                Err(EventError::ForbiddenSignal { path: path.into() })
            );
        }
        assert!(patch(&[r#"signals {"proto":"__proto__"}"#]).is_ok());
    }

    fn after(initial: Value, patch: Value, only_if_missing: bool) -> Value {
        let line = format!("signals {patch}");
        let switch = format!("onlyIfMissing {only_if_missing}");
        signals_after(&[self::patch(&[&switch, &line]).unwrap()], initial)
    }

    #[test]
    fn the_table_of_rfc_7386() {
        for (original, patch, result) in [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (
                json!({"a":"b","b":"c"}),
                json!({"a":null}),
                json!({"b":"c"}),
            ),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (
                json!({"a":{"b":"c"}}),
                json!({"a":{"b":"d","c":null}}),
                json!({"a":{"b":"d"}}),
            ),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!([1, 2]), json!({"a":"b","c":null}), json!({"a":"b"})),
            (
                json!({}),
                json!({"a":{"bb":{"ccc":null}}}),
                json!({"a":{"bb":{}}}),
            ),
        ] {
            assert_eq!(
                after(original.clone(), patch.clone(), false),
                result,
                "{original} {patch}"
            );
        }
    }

    #[test]
    fn only_if_missing() {
        for (original, patch, result) in [
            (json!({"a":1}), json!({"a":2,"b":3}), json!({"a":1,"b":3})),
            (json!({"a":1}), json!({"a":null}), json!({"a":1})),
            (
                json!({"a":{"b":1}}),
                json!({"a":{"b":2,"c":3}}),
                json!({"a":{"b":1,"c":3}}),
            ),
            (json!({"a":{"b":1}}), json!({"a":2}), json!({"a":{"b":1}})),
            (json!({"a":[1]}), json!({"a":[2]}), json!({"a":[1]})),
            // As the client does, whose test for "missing" is only made at the leaves.
            (json!({"a":1}), json!({"a":{"b":2}}), json!({"a":{"b":2}})),
        ] {
            assert_eq!(
                after(original.clone(), patch.clone(), true),
                result,
                "{original} {patch}"
            );
        }
    }
}
