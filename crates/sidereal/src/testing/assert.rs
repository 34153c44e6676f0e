//! Assertions that say what came instead.

use serde_json::Value;

use super::{Event, Mode};

/// Asserts that the event patches these elements, wherever it patches them.
///
/// ```
/// use sidereal::testing::{assert_elements, events};
///
/// let events = events(b"event: datastar-patch-elements\ndata: elements <p id=a>hi</p>\n\n").unwrap();
/// assert_elements(&events[0], "<p id=a>hi</p>");
/// ```
///
/// # Panics
///
/// If it does not.
#[track_caller]
pub fn assert_elements(event: &Event, expected: &str) {
    let Some(patch) = event.as_elements() else {
        panic!("expected a patch of elements, {}", instead(event));
    };
    match patch.elements() {
        Some(elements) if elements == expected => {}
        Some(elements) => panic!(
            "the elements differ, {}",
            text_difference(expected, elements)
        ),
        None => panic!("expected elements {expected:?}, but the patch has none: {patch:#?}"),
    }
}

/// Asserts that the event patches these elements with this selector and mode.
///
/// ```
/// use sidereal::testing::{Mode, assert_elements_at, events};
///
/// let stream = b"event: datastar-patch-elements\ndata: selector #log\ndata: mode append\ndata: elements <li>\n\n";
/// assert_elements_at(&events(stream).unwrap()[0], "#log", Mode::Append, "<li>");
/// ```
///
/// # Panics
///
/// If it does not.
#[track_caller]
pub fn assert_elements_at(event: &Event, selector: &str, mode: Mode, expected: &str) {
    assert_elements(event, expected);
    assert_target(event, selector, mode);
}

/// Asserts that the event removes what this selector finds: in mode `remove`, or in mode `outer` without elements.
///
/// ```
/// use sidereal::testing::{assert_removes, events};
///
/// let stream = b"event: datastar-patch-elements\ndata: selector #old\ndata: mode remove\n\n";
/// assert_removes(&events(stream).unwrap()[0], "#old");
/// ```
///
/// # Panics
///
/// If it does not.
#[track_caller]
pub fn assert_removes(event: &Event, selector: &str) {
    match event.as_elements() {
        Some(patch) if patch.mode() == Mode::Outer && patch.elements().is_none() => {
            assert_target(event, selector, Mode::Outer);
        }
        Some(_) => assert_target(event, selector, Mode::Remove),
        None => panic!("expected a removal of `{selector}`, {}", instead(event)),
    }
}

/// Asserts that the event patches exactly these signals.
///
/// Order within an object does not matter, and a `null` is a deletion. On failure every path that differs is listed.
///
/// ```
/// use serde_json::json;
/// use sidereal::testing::{assert_signals, events};
///
/// let events = events(b"event: datastar-patch-signals\ndata: signals {\"a\":1,\"b\":null}\n\n").unwrap();
/// assert_signals(&events[0], &json!({ "b": null, "a": 1 }));
/// ```
///
/// # Panics
///
/// If it does not.
#[track_caller]
pub fn assert_signals(event: &Event, expected: &Value) {
    let Some(signals) = event.signals() else {
        panic!("expected a patch of signals, {}", instead(event));
    };
    let mut differences = Vec::new();
    compare(&mut differences, "", Some(expected), Some(signals));
    if !differences.is_empty() {
        panic!("the signals differ:\n{}", differences.join("\n"));
    }
}

/// Asserts that the event executes this code, whatever the attributes of the script.
///
/// ```
/// use sidereal::testing::{assert_script, events};
///
/// let stream = b"event: datastar-patch-elements\ndata: selector body\ndata: mode append\n\
///     data: elements <script data-effect=\"el.remove()\">alert(1)</script>\n\n";
/// assert_script(&events(stream).unwrap()[0], "alert(1)");
/// ```
///
/// # Panics
///
/// If it does not.
#[track_caller]
pub fn assert_script(event: &Event, expected: &str) {
    let Some(patch) = event.as_elements() else {
        panic!("expected a script, {}", instead(event));
    };
    match patch.read_script() {
        Ok(script) if script.code() == expected => {}
        Ok(script) => panic!(
            "the scripts differ, {}",
            text_difference(expected, script.code())
        ),
        Err(error) => panic!("expected a script, but: {error}\n{patch:#?}"),
    }
}

#[track_caller]
fn assert_target(event: &Event, selector: &str, mode: Mode) {
    let Some(patch) = event.as_elements() else {
        panic!("expected a patch of elements, {}", instead(event));
    };
    if patch.selector() != Some(selector) {
        panic!(
            "expected selector {selector:?}, found {:?} in {patch:#?}",
            patch.selector()
        );
    }
    if patch.mode() != mode {
        panic!(
            "expected mode `{mode}`, found `{}` in {patch:#?}",
            patch.mode()
        );
    }
}

fn instead(event: &Event) -> String {
    match event {
        Event::PatchElements(patch) => format!("found a patch of elements: {patch:#?}"),
        Event::PatchSignals(patch) => format!("found a patch of signals: {}", patch.raw()),
        Event::Other(raw) => format!("found an event that the client ignores: {raw:#?}"),
    }
}

fn text_difference(expected: &str, found: &str) -> String {
    let mut expected_lines = expected.split('\n');
    let mut found_lines = found.split('\n');
    let mut number = 0;
    // Texts that differ have a first line that does, or one of them ends there.
    let (expected_line, found_line) = loop {
        number += 1;
        match (expected_lines.next(), found_lines.next()) {
            (None, None) => break (None, None),
            (expected, found) if expected != found => break (expected, found),
            _ => {}
        }
    };
    let line = |line: Option<&str>| line.map_or("(the end)".to_owned(), |line| format!("{line:?}"));
    format!(
        "first in line {number}\n  expected: {}\n     found: {}\nexpected all:\n{expected}\nfound all:\n{found}",
        line(expected_line),
        line(found_line),
    )
}

fn compare(
    differences: &mut Vec<String>,
    path: &str,
    expected: Option<&Value>,
    found: Option<&Value>,
) {
    match (expected, found) {
        (Some(Value::Object(expected)), Some(Value::Object(found))) => {
            let added = found.keys().filter(|key| !expected.contains_key(*key));
            for key in expected.keys().chain(added) {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                compare(differences, &path, expected.get(key), found.get(key));
            }
        }
        (expected, found) if expected == found => {}
        (expected, found) => {
            let text = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
            let path = if path.is_empty() { "the signals" } else { path };
            differences.push(format!(
                "  {path}: expected {}, found {}",
                text(expected),
                text(found)
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::super::events;
    use super::*;
    use serde_json::json;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    fn event(name: &str, lines: &[&str]) -> Event {
        let lines: String = lines.iter().map(|line| format!("data: {line}\n")).collect();
        events(format!("event: {name}\n{lines}\n").as_bytes())
            .unwrap()
            .remove(0)
    }

    fn elements(lines: &[&str]) -> Event {
        event("datastar-patch-elements", lines)
    }

    fn signals(json: &str) -> Event {
        event("datastar-patch-signals", &[&format!("signals {json}")])
    }

    /// The text of a failure.
    fn failure(assertion: impl FnOnce()) -> String {
        let panic = catch_unwind(AssertUnwindSafe(assertion)).expect_err("a failure");
        *panic.downcast::<String>().unwrap()
    }

    #[test]
    fn elements_that_differ() {
        let event = elements(&["elements <p>", "elements b", "elements </p>"]);
        assert_elements(&event, "<p>\nb\n</p>");
        let text = failure(|| assert_elements(&event, "<p>\na\n</p>"));
        assert!(
            text.contains("first in line 2\n  expected: \"a\"\n     found: \"b\"\n"),
            "{text}"
        );
        let text = failure(|| assert_elements(&event, "<p>\nb"));
        assert!(
            text.contains("first in line 3\n  expected: (the end)\n     found: \"</p>\"\n"),
            "{text}"
        );
        let text = failure(|| assert_elements(&signals("{}"), "<p>"));
        assert_eq!(
            text,
            "expected a patch of elements, found a patch of signals: {}"
        );
        let text = failure(|| assert_elements(&elements(&["selector #a"]), ""));
        assert!(
            text.starts_with("expected elements \"\", but the patch has none"),
            "{text}"
        );
    }

    #[test]
    fn targets_that_differ() {
        let event = elements(&["selector #a", "mode inner", "elements x"]);
        assert_elements_at(&event, "#a", Mode::Inner, "x");
        let text = failure(|| assert_elements_at(&event, "#b", Mode::Inner, "x"));
        assert!(
            text.starts_with("expected selector \"#b\", found Some(\"#a\")"),
            "{text}"
        );
        let text = failure(|| assert_elements_at(&event, "#a", Mode::Outer, "x"));
        assert!(
            text.starts_with("expected mode `outer`, found `inner`"),
            "{text}"
        );
    }

    #[test]
    fn removals() {
        assert_removes(&elements(&["selector #a", "mode remove"]), "#a");
        assert_removes(&elements(&["selector #a"]), "#a");
        let text = failure(|| assert_removes(&elements(&["selector #a", "elements "]), "#a"));
        assert!(
            text.starts_with("expected mode `remove`, found `outer`"),
            "{text}"
        );
    }

    #[test]
    fn signals_that_differ() {
        let event = signals(r#"{"a":{"b":1,"c":[1]},"d":null}"#);
        assert_signals(&event, &json!({ "d": null, "a": { "c": [1], "b": 1 } }));
        let text =
            failure(|| assert_signals(&event, &json!({ "a": { "b": 2, "c": [1] }, "e": "x" })));
        assert_eq!(
            text,
            "the signals differ:\n  a.b: expected 2, found 1\n  e: expected \"x\", found nothing\n  d: expected nothing, found null"
        );
        let text = failure(|| assert_signals(&event, &json!(1)));
        assert!(
            text.contains("  the signals: expected 1, found {"),
            "{text}"
        );
    }

    #[test]
    fn scripts_that_differ() {
        let event = elements(&[
            "selector body",
            "mode append",
            "elements <script>a()</script>",
        ]);
        assert_script(&event, "a()");
        let text = failure(|| assert_script(&event, "b()"));
        assert!(
            text.starts_with("the scripts differ, first in line 1"),
            "{text}"
        );
        let text = failure(|| assert_script(&elements(&["elements x"]), "a()"));
        assert!(
            text.starts_with("expected a script, but: not an element appended to `body`"),
            "{text}"
        );
    }
}
