//! The event that patches a page's signals.

use std::time::Duration;

use serde::Serialize;
use sidereal_sse::{Content, DataKey, EventId, Frame, IntoFrame, Line};

use crate::{
    Event, EventDefaults, SignalPaths, SignalsError,
    signals_json::{self, Refused},
};

const PATCH_SIGNALS: Line = Line::from_static("datastar-patch-signals");
const ONLY_IF_MISSING: DataKey = DataKey::new("data: onlyIfMissing ");
const SIGNALS_PREFIX: &str = "data: signals ";
const SIGNALS: DataKey = DataKey::new(SIGNALS_PREFIX);

/// Merges values into the page's signals, or removes signals.
///
/// ```
/// use serde_json::json;
/// use sidereal::{IntoFrame, PatchSignals};
///
/// let patch = PatchSignals::new(&json!({ "saving": false, "user": { "draft": null } }))?;
/// assert_eq!(
///     patch.into_frame().as_bytes(),
///     b"event: datastar-patch-signals\n\
///       data: signals {\"saving\":false,\"user\":{\"draft\":null}}\n\n"
/// );
/// # Ok::<(), sidereal::SignalsError>(())
/// ```
///
/// The page applies it as a JSON merge patch ([RFC 7386]):
///
/// - objects merge, key by key; arrays and everything else are replaced whole;
/// - **null removes the signal.** `None` serializes as null, and so do an `f64` or `f32` that is
///   NaN or infinite: such a signal disappears;
/// - JavaScript's numbers are doubles: integers beyond ±2<sup>53</sup> lose their last digits in
///   the browser. Send them as strings.
///
/// # Wire format
///
/// ```text
/// event: datastar-patch-signals
/// id: ID
/// retry: MILLISECONDS
/// data: onlyIfMissing true
/// data: signals LINE
/// ```
///
/// [RFC 7386]: https://www.rfc-editor.org/rfc/rfc7386
#[derive(Clone, Debug, PartialEq)]
#[must_use = "an event does nothing until it is sent"]
pub struct PatchSignals {
    content: Content,
    only_if_missing: Option<bool>,
    id: Option<EventId>,
    retry: Option<Duration>,
}

impl PatchSignals {
    /// Patches what the value serializes to, straight into the event.
    ///
    /// ```
    /// use sidereal::PatchSignals;
    ///
    /// #[derive(serde::Serialize)]
    /// struct Probe { distance_km: f64, target: &'static str }
    ///
    /// let patch = PatchSignals::new(&Probe { distance_km: 1_221.5, target: "Titan" })?;
    /// assert!(PatchSignals::new(&["not", "an", "object"]).is_err());
    /// # let _ = patch;
    /// # Ok::<(), sidereal::SignalsError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Refuses what does not serialize to a JSON object, a key `__proto__` at any depth, which
    /// would stop the page's signals from updating, and what nests deeper than 127 levels, which
    /// the client merges recursively. Hands on the error of the value's `Serialize`.
    pub fn new(signals: &(impl Serialize + ?Sized)) -> Result<Self, SignalsError> {
        let mut writer = Content::writer(SIGNALS);
        serde_json::to_writer(&mut writer, signals)
            .map_err(|error| SignalsError(Refused::Serialize(error)))?;
        let content = writer.finish();
        signals_json::check_framed(content.lines(), SIGNALS_PREFIX)?;
        Ok(Self::with_content(content))
    }

    /// Patches JSON text, which keeps its line breaks.
    ///
    /// The client runs as JavaScript what it cannot read as JSON, so the text is checked.
    ///
    /// ```
    /// use sidereal::PatchSignals;
    ///
    /// let patch = PatchSignals::from_json("{\n  \"query\": \"\"\n}")?;
    /// assert!(PatchSignals::from_json("{query: alert(1)}").is_err());
    /// # let _ = patch;
    /// # Ok::<(), sidereal::SignalsError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Refuses what is not strict JSON, not an object, has a key `__proto__` at any depth and in
    /// any spelling, or nests deeper than 127 levels.
    pub fn from_json(json: impl AsRef<str>) -> Result<Self, SignalsError> {
        let json = json.as_ref();
        signals_json::check_text(json)?;
        Ok(Self::with_content(Content::new(SIGNALS, json)))
    }

    /// Patches signals by their dotted paths, as pages name them: `$user.name`.
    ///
    /// ```
    /// use sidereal::{PatchSignals, SignalPaths};
    ///
    /// let paths = SignalPaths::new().set("user.name", "Ada").remove("user.draft");
    /// let patch = PatchSignals::from_paths(paths)?;
    /// assert_eq!(patch, PatchSignals::from_json(r#"{"user":{"draft":null,"name":"Ada"}}"#)?);
    /// # Ok::<(), sidereal::SignalsError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first that `paths` ran into; see [`SignalPaths`].
    pub fn from_paths(paths: SignalPaths) -> Result<Self, SignalsError> {
        let json = paths.into_json()?;
        // A value inside may have brought a key `__proto__`, or its own depth.
        signals_json::check_serialized(json.as_bytes())?;
        Ok(Self::with_content(Content::new(SIGNALS, &json)))
    }

    /// Removes signals by their dotted paths, with a null for each.
    ///
    /// ```
    /// use sidereal::PatchSignals;
    ///
    /// let removal = PatchSignals::remove(["draft", "user.name"])?;
    /// assert_eq!(removal, PatchSignals::from_json(r#"{"draft":null,"user":{"name":null}}"#)?);
    /// # Ok::<(), sidereal::SignalsError>(())
    /// ```
    ///
    /// What shows a removed signal (`data-text`, `data-show`) keeps its old value, and does not hear
    /// of it when it is set again (seen in client 1.0.2): set what is shown to `""` or `false`.
    ///
    /// # Errors
    ///
    /// Refuses paths as [`SignalPaths`] does.
    pub fn remove(
        paths: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, SignalsError> {
        Self::from_paths(
            paths
                .into_iter()
                .fold(SignalPaths::new(), SignalPaths::remove),
        )
    }

    fn with_content(content: Content) -> Self {
        Self {
            content,
            only_if_missing: None,
            id: None,
            retry: None,
        }
    }

    /// Whether the page takes only the signals that it does not have yet. Off by default. Nulls
    /// then do nothing.
    pub fn only_if_missing(mut self, on: bool) -> Self {
        self.only_if_missing = Some(on);
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

impl Event for PatchSignals {
    fn with_defaults(mut self, defaults: &EventDefaults) -> Self {
        self.retry = self.retry.or(defaults.retry);
        self.only_if_missing = self.only_if_missing.or(defaults.only_if_missing);
        self
    }
}

impl IntoFrame for PatchSignals {
    fn into_frame(self) -> Frame {
        let Self {
            content,
            only_if_missing,
            id,
            retry,
        } = self;
        content.into_frame(|head| {
            head.begin(Some(&PATCH_SIGNALS), id.as_ref(), retry);
            if only_if_missing == Some(true) {
                head.data(ONLY_IF_MISSING, &Line::from_static("true"));
            }
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;

    use serde_json::{json, value::RawValue};

    use super::*;
    use crate::SignalsReply;

    #[test]
    fn only_objects_are_signals() {
        for value in [json!(null), json!([]), json!("{}"), json!(1)] {
            assert!(PatchSignals::new(&value).unwrap_err().is_not_an_object());
        }
        assert!(PatchSignals::new("{}").unwrap_err().is_not_an_object());
        assert!(PatchSignals::new(&json!({})).is_ok());
        let keys_are_no_strings = BTreeMap::from([(vec![1], 2)]);
        let error = PatchSignals::new(&keys_are_no_strings).unwrap_err();
        assert!(error.is_serialize(), "{error}");
    }

    #[test]
    fn a_proto_key_is_refused_wherever_it_comes_from() {
        assert!(
            PatchSignals::new(&json!({"a": [{"__proto__": 1}]}))
                .unwrap_err()
                .is_proto_key()
        );
        for raw in [
            r#"{"__proto__":1}"#,
            "\n{\r\n\"a\":\n{\"\\u005f_proto__\"\n\r\n:1}}",
        ] {
            let raw = RawValue::from_string(raw.into()).unwrap();
            assert!(PatchSignals::new(&raw).unwrap_err().is_proto_key(), "{raw}");
            let inside = BTreeMap::from([("a", raw)]);
            assert!(PatchSignals::new(&inside).unwrap_err().is_proto_key());
        }
        assert!(PatchSignals::new(&json!({"a": "__proto__", "b": "\0\u{1}"})).is_ok());
    }

    /// What one user's page sent may be broadcast to the others.
    #[test]
    fn depth_is_limited_wherever_it_comes_from() {
        let deep = |levels: usize| {
            let json = format!("{}\n{}", "[".repeat(levels), "]".repeat(levels));
            RawValue::from_string(json).unwrap()
        };
        let by_value = |levels| PatchSignals::new(&BTreeMap::from([("a", deep(levels))]));
        let by_path = |levels| SignalPaths::new().set("a.b", &deep(levels)).build();
        let reply = |levels| SignalsReply::new(&BTreeMap::from([("a", deep(levels))]));
        assert!(by_value(126).is_ok() && by_path(125).is_ok() && reply(126).is_ok());
        for more in [0, 1, 500_000] {
            assert!(by_value(127 + more).unwrap_err().is_too_deep());
            assert!(by_path(126 + more).unwrap_err().is_too_deep());
            assert!(reply(127 + more).unwrap_err().is_too_deep());
        }
        let mut value = json!(1);
        for _ in 0..127 {
            value = json!({ "a": value });
        }
        assert!(PatchSignals::new(&value).is_ok());
        let error = PatchSignals::new(&json!({ "a": value })).unwrap_err();
        assert!(error.is_too_deep(), "{error}");
    }

    #[test]
    fn raw_json_inside_a_value_keeps_its_lines() {
        let raw = RawValue::from_string("\r\n{\"a\":\r1}\n".into()).unwrap();
        let frame = PatchSignals::new(&raw).unwrap().into_frame();
        assert_eq!(
            String::from_utf8_lossy(frame.as_bytes()),
            // RawValue drops the white space around it.
            "event: datastar-patch-signals\ndata: signals {\"a\":\ndata: signals 1}\n\n"
        );
        // A line of the wire between a string and what follows it does not make it a key.
        let raw = RawValue::from_string("{\"a\":[\"__proto__\"\n,1]}".into()).unwrap();
        assert!(PatchSignals::new(&raw).is_ok());
    }

    #[test]
    fn numbers_that_json_does_not_have_are_null() {
        let patch = PatchSignals::new(&BTreeMap::from([("a", f64::NAN)])).unwrap();
        assert_eq!(patch, PatchSignals::remove(["a"]).unwrap());
    }
}
