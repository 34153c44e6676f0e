//! Signals by their dotted paths.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{SignalsError, json_scan::MAX_DEPTH, signals_json::Refused};

/// Values for signals by dotted path, as pages name them; becomes a
/// [`PatchSignals`](crate::PatchSignals).
///
/// ```
/// use sidereal::{PatchSignals, SignalPaths};
///
/// let patch = SignalPaths::new()
///     .set("user.name", "Ada")
///     .set("user.age", &36)
///     .remove("draft")
///     .build()?;
/// assert_eq!(
///     patch,
///     PatchSignals::from_json(r#"{"draft":null,"user":{"age":36,"name":"Ada"}}"#)?
/// );
///
/// let twofold = SignalPaths::new().set("user", "Ada").set("user.age", &36);
/// assert!(twofold.build().unwrap_err().is_conflict());
/// # Ok::<(), sidereal::SignalsError>(())
/// ```
///
/// # Errors
///
/// Nothing fails before [`build`](Self::build), which then tells the first error:
///
/// - a path that is empty or has an empty segment (`a..b`),
/// - one that is given twice, or leads through another (`a` beside `a.b`, in any order),
/// - one with a segment `__proto__`, or with more than 127 segments,
/// - a value that does not serialize, or has a key `__proto__`,
/// - a value that nests so deep that the whole has more than 127 levels.
///
/// Otherwise a segment may have any characters. The keys come out sorted.
#[derive(Debug, Default)]
#[must_use = "paths do nothing until they are built into an event"]
pub struct SignalPaths {
    root: BTreeMap<String, Node>,
    error: Option<SignalsError>,
}

#[derive(Debug)]
enum Node {
    /// The value, serialized.
    Value(String),
    Object(BTreeMap<String, Node>),
}

impl SignalPaths {
    /// No paths yet: built like this, a patch that changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the signal at this path. A value that serializes to null removes it.
    pub fn set(self, path: impl Into<String>, value: &(impl Serialize + ?Sized)) -> Self {
        let json =
            serde_json::to_string(value).map_err(|error| SignalsError(Refused::Serialize(error)));
        self.insert(path.into(), json)
    }

    /// Removes the signal at this path, and what is below it.
    pub fn remove(self, path: impl Into<String>) -> Self {
        self.insert(path.into(), Ok(String::from("null")))
    }

    /// The patch.
    ///
    /// # Errors
    ///
    /// The first that was run into; see the list above.
    pub fn build(self) -> Result<crate::PatchSignals, SignalsError> {
        crate::PatchSignals::from_paths(self)
    }

    fn insert(mut self, path: String, json: Result<String, SignalsError>) -> Self {
        if self.error.is_none() {
            self.error = json
                .and_then(|json| insert(&mut self.root, path, json))
                .err();
        }
        self
    }

    pub(crate) fn into_json(self) -> Result<String, SignalsError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let mut json = String::new();
        write_object(&mut json, &self.root)?;
        Ok(json)
    }
}

fn insert(
    root: &mut BTreeMap<String, Node>,
    path: String,
    json: String,
) -> Result<(), SignalsError> {
    if path.split('.').any(str::is_empty) {
        return Err(SignalsError(Refused::EmptySegment(path)));
    }
    if path.split('.').any(|segment| segment == "__proto__") {
        return Err(SignalsError(Refused::ProtoKey));
    }
    // What is written and dropped by recursion must not be deep.
    if path.split('.').count() > MAX_DEPTH {
        return Err(SignalsError(Refused::TooDeep));
    }
    let (parents, last) = path.rsplit_once('.').unwrap_or(("", &path));
    let mut object = root;
    for segment in parents.split('.').filter(|segment| !segment.is_empty()) {
        let node = object
            .entry(segment.to_owned())
            .or_insert_with(|| Node::Object(BTreeMap::new()));
        object = match node {
            Node::Object(object) => object,
            Node::Value(_) => return Err(SignalsError(Refused::Conflict(path))),
        };
    }
    match object.get(last) {
        Some(Node::Value(_)) => Err(SignalsError(Refused::DuplicatePath(path))),
        Some(Node::Object(_)) => Err(SignalsError(Refused::Conflict(path))),
        None => {
            object.insert(last.to_owned(), Node::Value(json));
            Ok(())
        }
    }
}

fn write_object(json: &mut String, object: &BTreeMap<String, Node>) -> Result<(), SignalsError> {
    json.push('{');
    for (position, (key, node)) in object.iter().enumerate() {
        if position > 0 {
            json.push(',');
        }
        let key =
            serde_json::to_string(key).map_err(|error| SignalsError(Refused::Serialize(error)))?;
        json.push_str(&key);
        json.push(':');
        match node {
            Node::Value(value) => json.push_str(value),
            Node::Object(object) => write_object(json, object)?,
        }
    }
    json.push('}');
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn json(paths: SignalPaths) -> String {
        paths.into_json().unwrap()
    }

    #[test]
    fn paths_become_nested_objects() {
        assert_eq!(json(SignalPaths::new()), "{}");
        let paths = SignalPaths::new()
            .set("a.b.c", &1)
            .set("a.d", &[1, 2])
            .set("é\"", &json!({"x": null}))
            .remove("a.b.e");
        assert_eq!(
            json(paths),
            r#"{"a":{"b":{"c":1,"e":null},"d":[1,2]},"é\"":{"x":null}}"#
        );
    }

    #[test]
    fn paths_that_cannot_both_be_are_refused_in_any_order() {
        let both = |a: &str, b: &str| {
            SignalPaths::new()
                .set(a, &1)
                .set(b, &2)
                .build()
                .unwrap_err()
        };
        for (a, b) in [
            ("a", "a.b"),
            ("a.b", "a"),
            ("a.b.c", "a.b"),
            ("a.b", "a.b.c.d"),
        ] {
            assert!(both(a, b).is_conflict(), "{a} {b}");
        }
        assert!(both("a.b", "a.b").is_duplicate_path());
        assert!(
            SignalPaths::new()
                .remove("a")
                .set("a.b", &1)
                .build()
                .unwrap_err()
                .is_conflict()
        );
    }

    #[test]
    fn bad_segments_are_refused() {
        for path in ["", ".", "a.", ".a", "a..b"] {
            let error = SignalPaths::new().set(path, &1).build().unwrap_err();
            assert!(error.is_empty_segment(), "{path:?}");
        }
        for path in ["__proto__", "a.__proto__", "__proto__.a"] {
            assert!(
                SignalPaths::new()
                    .remove(path)
                    .build()
                    .unwrap_err()
                    .is_proto_key()
            );
        }
        let inside = SignalPaths::new()
            .set("a", &json!({"__proto__": 1}))
            .build();
        assert!(inside.unwrap_err().is_proto_key());
        let deep = SignalPaths::new()
            .set("a.".repeat(100_000) + "a", &1)
            .build();
        assert!(deep.unwrap_err().is_too_deep());
        let long = SignalPaths::new()
            .set("é".repeat(1000) + ".", &1)
            .build()
            .unwrap_err();
        assert!(long.to_string().len() < 200, "{long}");
    }

    #[test]
    fn the_deepest_path_can_be_read_back() {
        let path = |segments: usize| vec!["a"; segments].join(".");
        let json = json(SignalPaths::new().set(path(MAX_DEPTH), &1));
        assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
        let deeper = SignalPaths::new().set(path(MAX_DEPTH + 1), &1).build();
        assert!(deeper.unwrap_err().is_too_deep());
    }

    #[test]
    fn the_first_error_is_told() {
        let error = SignalPaths::new().set("", &1).remove("__proto__").build();
        assert!(error.unwrap_err().is_empty_segment());
    }
}
