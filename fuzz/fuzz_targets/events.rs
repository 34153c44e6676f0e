//! Every event with arbitrary text in every field: the independent parser finds exactly the events
//! that were sent, in a stream of several.

#![no_main]

use std::time::Duration;

use libfuzzer_sys::{
    arbitrary::{self, Arbitrary},
    fuzz_target,
};
use serde_json::{Value, json, value::RawValue};
use sidereal::{
    AttributeName, CustomEvent, EventId, ExecuteScript, Frame, IntoFrame, Line, Mode, Namespace,
    PatchElements, PatchSignals, Selector, SignalPaths, SignalsError,
    testing::{
        Event, EventError, ExecutedScript, Item, Parser, PatchedElements, PatchedSignals,
        StreamError, events,
    },
};
use sidereal_fuzz::{Text, is_harmless, json_of, lines, string_of};

#[derive(Arbitrary, Debug)]
struct Input {
    events: Vec<(Sent, Head)>,
}

/// What all events have.
#[derive(Arbitrary, Debug)]
struct Head {
    id: Option<Text>,
    retry: Option<u64>,
}

#[derive(Arbitrary, Debug)]
enum Sent {
    Elements {
        elements: Option<Text>,
        /// Written piece by piece.
        pieces: Vec<Text>,
        selector: Option<Text>,
        mode: u8,
        namespace: u8,
        use_view_transition: Option<bool>,
        view_transition_selector: Option<Text>,
    },
    RemoveId(Text),
    Signals {
        key: Text,
        value: Text,
        number: f64,
        only_if_missing: Option<bool>,
    },
    /// JSON text, as it is or in the place of something.
    RawSignals {
        text: Text,
        place: u8,
    },
    /// JSON text within a serialized value, which may have line breaks.
    RawValue {
        key: Text,
        text: Text,
    },
    Paths(Vec<(Text, Text)>),
    Script {
        code: Text,
        attributes: Vec<(Text, Option<Text>)>,
        nonce: Option<Text>,
        auto_remove: Option<bool>,
    },
    Literal {
        which: u8,
        text: Text,
    },
    Custom {
        name: Text,
        key: Text,
        value: Text,
        target: Option<Text>,
    },
    ConsoleValue {
        key: Text,
        value: Text,
    },
    Prefetch(Vec<Text>),
    Comment(Text),
    Plain {
        event: Text,
        data: Text,
    },
}

type Check = Box<dyn FnOnce(&Event)>;

fuzz_target!(|input: Input| {
    let mut stream = Vec::new();
    let mut checks = Vec::new();
    let mut comments = 0;
    for (sent, head) in input.events {
        if let Sent::Comment(text) = &sent {
            let frame = Frame::comment(&text.0);
            comments += lines(&text.0).split('\n').count();
            stream.extend_from_slice(frame.as_bytes());
            continue;
        }
        let id = head.id.and_then(|id| valid_id(&id.0));
        let retry = head.retry.map(Duration::from_millis);
        let Some((frame, check)) = sent.frame(id.clone(), retry) else {
            continue;
        };
        if frame.is_empty() {
            continue;
        }
        stream.extend_from_slice(frame.as_bytes());
        let id = id.map(|id| id.as_str().to_owned());
        let written = retry.map(|retry| retry.min(Duration::from_millis(i32::MAX as u64)));
        let written = written.filter(|retry| *retry != Duration::from_secs(1));
        checks.push(move |event: &Event| {
            assert_eq!(event.id(), id.as_deref());
            assert_eq!(event.retry(), written);
            check(event);
        });
    }

    let items = Parser::new().push(&stream);
    let found = items
        .iter()
        .filter(|item| matches!(item, Item::Comment(_)))
        .count();
    assert_eq!(found, comments);
    let Ok(read) = events(&stream) else {
        panic!(
            "{:?} from {:?}",
            events(&stream),
            String::from_utf8_lossy(&stream)
        )
    };
    assert_eq!(
        read.len(),
        checks.len(),
        "{:?}",
        String::from_utf8_lossy(&stream)
    );
    for (event, check) in read.iter().zip(checks) {
        check(event);
    }
});

impl Sent {
    /// The event as bytes, and what must be found of it; `None` for what is rightly refused.
    fn frame(self, id: Option<EventId>, retry: Option<Duration>) -> Option<(Frame, Check)> {
        /// Sets what all events have.
        macro_rules! encoded {
            ($event:expr) => {{
                let mut event = $event;
                if let Some(id) = id {
                    event = event.id(id);
                }
                if let Some(retry) = retry {
                    event = event.retry(retry);
                }
                event.into_frame()
            }};
        }
        Some(match self {
            Self::Elements {
                elements,
                pieces,
                selector,
                mode,
                namespace,
                use_view_transition,
                view_transition_selector,
            } => {
                let text = elements.as_ref().map(|text| text.0.clone());
                let (mut event, text) = match text {
                    Some(text) if pieces.is_empty() => {
                        (PatchElements::new(text.clone()), Some(text))
                    }
                    Some(text) => {
                        let event = PatchElements::from_writer(|html| {
                            html.write_str(&text)?;
                            pieces.iter().try_for_each(|piece| html.write_str(&piece.0))
                        });
                        let all: String = pieces.iter().map(|piece| piece.0.as_str()).collect();
                        (event.ok()?, Some(text + &all))
                    }
                    None => (PatchElements::without_elements(), None),
                };
                let selector = selector.and_then(|text| valid_selector(&text.0));
                let mode = MODES[usize::from(mode) % MODES.len()];
                let mode = match &selector {
                    Some(selector) => {
                        event = event.target(selector.clone(), mode);
                        mode
                    }
                    None if mode == Mode::Replace => {
                        event = event.replace();
                        mode
                    }
                    None => Mode::Outer,
                };
                let namespaces = [Namespace::Html, Namespace::Svg, Namespace::MathMl];
                let namespace = namespaces[usize::from(namespace) % 3];
                event = event.namespace(namespace);
                let transition = view_transition_selector.and_then(|text| valid_selector(&text.0));
                let mut animated = false;
                if let Some(selector) = &transition {
                    event = event.view_transition_selector(selector.clone());
                    animated = true;
                }
                if let Some(on) = use_view_transition {
                    event = event.use_view_transition(on);
                    animated = on;
                }
                if text.is_none() && event == PatchElements::without_elements() && id.is_none() {
                    // Nothing to write but perhaps a retry, or options that are the defaults.
                    return None;
                }
                let frame = encoded!(event);
                // Options alone that all are defaults, an id, a retry: no data line, no event.
                let has_data = text.is_some()
                    || selector.is_some()
                    || mode != Mode::Outer
                    || namespace != Namespace::Html
                    || animated;
                if !has_data {
                    return None;
                }
                let check = move |event: &Event| {
                    let patch = elements_of(event);
                    assert_eq!(patch.elements(), text.as_deref().map(lines).as_deref());
                    assert_eq!(patch.selector(), selector.as_ref().map(Selector::as_str));
                    assert_eq!(patch.mode().as_str(), mode.as_str());
                    assert_eq!(patch.namespace().as_str(), namespace.as_str());
                    assert_eq!(patch.use_view_transition(), animated);
                    let transition = transition.as_ref().filter(|_| animated);
                    let transition = transition.map(Selector::as_str);
                    assert_eq!(patch.view_transition_selector(), transition);
                };
                (frame, Box::new(check))
            }
            Self::RemoveId(text) => {
                let selector = Selector::id(&text.0);
                let frame = encoded!(PatchElements::remove(selector.clone()));
                let check = move |event: &Event| {
                    let patch = elements_of(event);
                    assert_eq!(patch.mode().as_str(), "remove");
                    assert_eq!(patch.selector(), Some(selector.as_str()));
                    assert_eq!(patch.elements(), None);
                    assert_eq!(
                        unescaped_id(selector.as_str()),
                        text.0.replace('\0', "\u{fffd}")
                    );
                };
                (frame, Box::new(check))
            }
            Self::Signals {
                key,
                value,
                number,
                only_if_missing,
            } => {
                let signals = json!({
                    "a": { key.0.clone(): [value.0, number] }, "b": null, value.0.clone(): true,
                });
                // The last of two equal keys counts: `a` may be something else.
                let has_key = value.0 != "a";
                let is_proto = (has_key && key.0 == "__proto__") || value.0 == "__proto__";
                let mut event = accepted(PatchSignals::new(&signals), !is_proto)?;
                if let Some(on) = only_if_missing {
                    event = event.only_if_missing(on);
                }
                let frame = encoded!(event);
                let check = move |event: &Event| {
                    let patch = signals_of(event);
                    assert_eq!(patch.signals(), &signals);
                    assert_eq!(patch.only_if_missing(), only_if_missing == Some(true));
                };
                (frame, Box::new(check))
            }
            Self::RawSignals { text, place } => {
                let text = match place % 5 {
                    0 => text.0,
                    1 => format!("{{{}}}", text.0),
                    2 => format!("{{\"a\":\"{}\"}}", text.0),
                    3 => format!("{{\"{}\":1}}", text.0),
                    _ => format!("{{\"a\":[{}]}}", text.0),
                };
                let event = accepted(PatchSignals::from_json(&text), is_clean_object(&text)?)?;
                let frame = encoded!(event);
                let check = move |event: &Event| assert_eq!(signals_of(event).raw(), lines(&text));
                (frame, Box::new(check))
            }
            Self::RawValue { key, text } => {
                let raw = RawValue::from_string(text.0).ok()?;
                let signals = [(key.0, raw)];
                let signals: std::collections::BTreeMap<_, _> = signals.into_iter().collect();
                let json = serde_json::to_string(&signals).ok()?;
                let event = accepted(PatchSignals::new(&signals), is_clean_object(&json)?)?;
                let frame = encoded!(event);
                let check = move |event: &Event| assert_eq!(signals_of(event).raw(), lines(&json));
                (frame, Box::new(check))
            }
            Self::Paths(paths) => {
                let all = paths.iter().fold(SignalPaths::new(), |all, (path, value)| {
                    all.set(path.0.clone(), &value.0)
                });
                let event = accepted(all.build(), are_good_paths(&paths))?;
                let frame = encoded!(event);
                let check = move |event: &Event| {
                    let signals = signals_of(event).signals();
                    for (path, value) in &paths {
                        let found = path.0.split('.').fold(signals, |found, key| &found[key]);
                        assert_eq!(found, &Value::from(value.0.as_str()), "{path:?}");
                    }
                };
                (frame, Box::new(check))
            }
            Self::Script {
                code,
                attributes,
                nonce,
                auto_remove,
            } => {
                let mut event = ExecuteScript::new(&code.0);
                let mut expected: Vec<(String, Option<String>)> = Vec::new();
                let mut set = |name: &str, value: Option<&str>| {
                    // An HTML parser lowers ASCII, and replaces NUL.
                    let name = name.to_ascii_lowercase();
                    let value = value.map(|value| value.replace('\0', "\u{fffd}"));
                    match expected.iter_mut().find(|(known, _)| *known == name) {
                        Some(known) => known.1 = value,
                        None => expected.push((name, value)),
                    }
                };
                for (name, value) in &attributes {
                    let Ok(name) = AttributeName::new(name.0.clone()) else {
                        continue;
                    };
                    set(name.as_str(), value.as_ref().map(|value| value.0.as_str()));
                    event = match value {
                        Some(value) => event.attribute(name, value.0.clone()),
                        None => event.boolean_attribute(name),
                    };
                }
                if let Some(nonce) = &nonce {
                    event = event.nonce(nonce.0.clone());
                    set("nonce", Some(&nonce.0));
                }
                if let Some(on) = auto_remove {
                    event = event.auto_remove(on);
                }
                // The mark of removal is an attribute like those, and does not stand beside another.
                let taken = expected.iter().any(|(name, _)| name == "data-effect");
                let frame = encoded!(event);
                let check = move |event: &Event| {
                    let script = script_of(event);
                    if !taken {
                        assert_eq!(script.auto_remove(), auto_remove != Some(false));
                        assert_eq!(script.attributes(), expected);
                    }
                    // The client searches for the ends of a document without what looks like an
                    // `<svg>`, so there is none.
                    assert!(!script.code().to_ascii_lowercase().contains("</svg"));
                    let code = lines(&code.0).replace('\0', "\u{fffd}");
                    let same = |code: &str| code.replace("\\x3C", "<");
                    assert_eq!(same(script.code()), same(&code));
                    let html = event.elements().unwrap_or_default();
                    for end in ["</body>", "</head>", "</html>"] {
                        assert!(!html.contains(end));
                    }
                };
                (frame, Box::new(check))
            }
            Self::Literal { which, text } => {
                let (event, before, after) = match which % 4 {
                    0 => (Ok(ExecuteScript::console_log(&text.0)), "console.log(", ")"),
                    1 => (
                        Ok(ExecuteScript::console_error(&text.0)),
                        "console.error(",
                        ")",
                    ),
                    2 => (
                        Ok(ExecuteScript::replace_url(&text.0)),
                        "window.history.replaceState(window.history.state, '', ",
                        ")",
                    ),
                    _ => (
                        ExecuteScript::redirect(&text.0),
                        "setTimeout(() => window.location.href = ",
                        ")",
                    ),
                };
                if let Err(error) = &event {
                    assert!(error.is_url() && text.0.contains(':'));
                }
                let frame = encoded!(event.ok()?);
                let check = move |event: &Event| {
                    let script = script_of(event);
                    let literal = between(script.code(), before, after);
                    assert!(is_harmless(literal), "{literal}");
                    assert_eq!(string_of(literal), Some((text.0, "")));
                };
                (frame, Box::new(check))
            }
            Self::Custom {
                name,
                key,
                value,
                target,
            } => {
                let detail = json!({ key.0.clone(): [value.0, null] });
                let mut custom = CustomEvent::new(name.0.clone(), &detail).ok()?;
                let target = target.and_then(|text| valid_selector(&text.0));
                if let Some(selector) = &target {
                    custom = custom.target(selector.clone());
                }
                let frame = encoded!(custom.dispatch());
                let check = move |event: &Event| {
                    let script = script_of(event);
                    let code = match &target {
                        None => between(script.code(), "document.dispatchEvent(", ")"),
                        Some(selector) => {
                            let before = "for (const target of document.querySelectorAll(";
                            let rest = between(script.code(), before, ")");
                            let read = string_of(rest);
                            let Some((found, rest)) = read else {
                                panic!("{rest}")
                            };
                            assert_eq!(found, selector.as_str());
                            rest.strip_prefix(")) target.dispatchEvent(")
                                .unwrap_or_default()
                        }
                    };
                    let literals = between(code, "new CustomEvent(", "})");
                    assert!(is_harmless(literals), "{literals}");
                    let Some((found, rest)) = string_of(literals) else {
                        panic!("{literals}")
                    };
                    assert_eq!(found, name.0);
                    let options = ", {bubbles: true, cancelable: true, composed: true, detail: ";
                    let literal = rest.strip_prefix(options).unwrap_or_default();
                    assert_eq!(value_of(literal), detail);
                };
                (frame, Box::new(check))
            }
            Self::ConsoleValue { key, value } => {
                let value = json!({ key.0.clone(): [value.0.clone(), value.0], "n": -1.5e-7 });
                let frame = encoded!(ExecuteScript::console_log_value(&value).ok()?);
                let check = move |event: &Event| {
                    let script = script_of(event);
                    let literal = between(script.code(), "console.log(", ")");
                    assert!(is_harmless(literal), "{literal}");
                    assert_eq!(value_of(literal), value);
                };
                (frame, Box::new(check))
            }
            Self::Prefetch(urls) => {
                let urls: Vec<String> = urls.into_iter().map(|url| url.0).collect();
                let frame = encoded!(ExecuteScript::prefetch(&urls));
                let check = move |event: &Event| {
                    let script = script_of(event);
                    assert!(!script.auto_remove());
                    assert_eq!(script.attribute("type"), Some("speculationrules"));
                    let rules = serde_json::from_str::<Value>(script.code()).unwrap_or_default();
                    assert_eq!(rules["prefetch"][0]["urls"], json!(urls));
                };
                (frame, Box::new(check))
            }
            Self::Plain { event, data } => {
                let name = Line::new(format!("x-{}", event.0));
                assert_eq!(name.is_ok(), !event.0.contains(['\r', '\n', '\0']));
                let name = name.ok()?;
                let frame = encoded!(sidereal_sse::Event::new(&data.0).event(name.clone()));
                let check = move |event: &Event| match event {
                    Event::Other(raw) => {
                        assert_eq!((raw.event(), raw.data()), (name.as_str(), &*lines(&data.0)));
                    }
                    other => panic!("{other:?}"),
                };
                (frame, Box::new(check))
            }
            Self::Comment(_) => return None,
        })
    }
}

const MODES: [Mode; 8] = [
    Mode::Outer,
    Mode::Inner,
    Mode::Replace,
    Mode::Prepend,
    Mode::Append,
    Mode::Before,
    Mode::After,
    Mode::Remove,
];

/// The id, if it is one: exactly what its documentation says is refused.
fn valid_id(text: &str) -> Option<EventId> {
    let id = EventId::new(text.to_owned());
    let printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let good = printable && text.trim() == text && text.len() <= EventId::MAX_LEN;
    assert_eq!(id.is_ok(), good, "{text:?}");
    id.ok()
}

fn valid_selector(text: &str) -> Option<Selector> {
    let selector = Selector::new(text.to_owned());
    let good = !text.contains(['\r', '\n', '\0']) && !text.trim_ascii().is_empty();
    assert_eq!(selector.is_ok(), good, "{text:?}");
    selector.ok()
}

/// What was accepted rightly; what was refused wrongly is a finding too.
fn accepted(event: Result<PatchSignals, SignalsError>, good: bool) -> Option<PatchSignals> {
    assert_eq!(event.is_ok(), good, "{event:?}");
    event.ok()
}

/// Whether text is JSON for signals, as the independent reader sees it; `None` where it cannot
/// tell. A number beyond a double's range is JSON, and infinity to JavaScript, but nothing to
/// serde_json.
fn is_clean_object(text: &str) -> Option<bool> {
    let data = lines(text).replace('\n', "\ndata: signals ");
    let framed = format!("event: datastar-patch-signals\ndata: signals {data}\n\n");
    match events(framed.as_bytes()) {
        Ok(events) => Some(events.len() == 1),
        Err(StreamError::Event(EventError::SignalsNotJson { reason, .. }))
            if reason.contains("number out of range") =>
        {
            None
        }
        Err(_) => Some(false),
    }
}

fn are_good_paths(paths: &[(Text, Text)]) -> bool {
    let good = |path: &str| {
        path.split('.')
            .all(|key| !key.is_empty() && key != "__proto__")
            && path.split('.').count() <= 127
    };
    let apart = |one: &str, other: &str| {
        one != other
            && !one.starts_with(&format!("{other}."))
            && !other.starts_with(&format!("{one}."))
    };
    paths.iter().enumerate().all(|(at, (path, _))| {
        good(&path.0)
            && paths[..at]
                .iter()
                .all(|(before, _)| apart(&before.0, &path.0))
    })
}

fn elements_of(event: &Event) -> &PatchedElements {
    event.as_elements().unwrap_or_else(|| panic!("{event:?}"))
}

fn signals_of(event: &Event) -> &PatchedSignals {
    event.as_signals().unwrap_or_else(|| panic!("{event:?}"))
}

fn script_of(event: &Event) -> ExecutedScript {
    let script = elements_of(event).read_script();
    script.unwrap_or_else(|error| panic!("{error} in {event:?}"))
}

fn between<'a>(code: &'a str, before: &str, after: &str) -> &'a str {
    let inside = code
        .strip_prefix(before)
        .and_then(|rest| rest.strip_suffix(after));
    inside.unwrap_or_else(|| panic!("{code}"))
}

fn value_of(literal: &str) -> Value {
    let json = json_of(literal).unwrap_or_else(|| panic!("{literal}"));
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {literal}"))
}

/// Reads `#id` as CSS does: the id that it selects.
fn unescaped_id(selector: &str) -> String {
    if selector == "[id=\"\"]" {
        return String::new();
    }
    let mut id = String::new();
    let mut rest = selector
        .strip_prefix('#')
        .unwrap_or_else(|| panic!("{selector}"));
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        if character != '\\' {
            let plain = character.is_ascii_alphanumeric() || "-_".contains(character);
            assert!(plain || character >= '\u{80}', "{selector:?}");
            id.push(character);
            continue;
        }
        let digits = rest.len()
            - rest
                .trim_start_matches(|c: char| c.is_ascii_hexdigit())
                .len();
        if digits == 0 {
            let escaped = rest
                .chars()
                .next()
                .unwrap_or_else(|| panic!("{selector:?}"));
            id.push(escaped);
            rest = &rest[escaped.len_utf8()..];
        } else {
            let code = u32::from_str_radix(&rest[..digits.min(6)], 16).unwrap_or_default();
            id.push(char::from_u32(code).unwrap_or('\u{fffd}'));
            rest = &rest[digits.min(6)..];
            rest = rest.strip_prefix(' ').unwrap_or(rest);
        }
    }
    id
}
