//! Whatever text is put into whatever field, exactly the events that were sent come out.
//!
//! The text is built of pieces that end lines, tags, strings or objects somewhere on the way to the
//! page. What is written is read back by `sidereal::testing`, which follows the standards' texts
//! and shares no code with what writes.

#![cfg(feature = "testing")]
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};
use sidereal::{
    Action, AttributeName, CustomEvent, EventId, ExecuteScript, HtmlReply, IntoFrame, Namespace,
    PatchElements, PatchSignals, Selector, SignalPaths, SignalsReply,
    http::{HeaderName, HeaderValue},
    testing::{self, ExecutedScript, PatchedElements, events},
};

/// Pieces that mean something to one of the parsers on the way.
const PIECES: &[&str] = &[
    // event streams
    "\r",
    "\n",
    "\r\n",
    "\n\n",
    "\r\r",
    "data: ",
    "data: elements x",
    "event: x\n",
    "\nevent: x\n",
    "id: 1\n",
    "retry: 1\n",
    ": ",
    ":",
    "\u{feff}",
    "elements ",
    "signals {}",
    // HTML
    "</script",
    "</SCRIPT ",
    "</script>",
    "<!--",
    "-->",
    "<script",
    "<script>",
    "</body>",
    "</head>",
    "</html>",
    "</template>",
    "</bo",
    "<svg>",
    "</svg>",
    "</SVG>",
    "dy>",
    "<",
    ">",
    "&",
    "&quot;",
    "&#10;",
    "=",
    "/",
    // JavaScript
    "'",
    "\"",
    "`",
    "\\",
    "\\u0027",
    "${",
    "}",
    "\u{2028}",
    "\u{2029}",
    "//",
    "/*",
    ";",
    // JSON, signals
    "__proto__",
    "\\u005f_proto__",
    "{\"__proto__\":1}",
    "{",
    "[",
    ",",
    "null",
    "\\ud800",
    ".",
    // Datastar's expressions
    "$x",
    "@post(",
    "🖕JS_",
    "_DS🚀",
    "__escaped0",
    // text
    "\0",
    "\u{1}",
    "\t",
    "\u{7f}",
    "\u{85}",
    " ",
    "a",
    "Zz",
    "0",
    "-",
    "_",
    "é",
    "😀",
    "\u{fffd}",
];

fn hostile() -> impl Strategy<Value = String> {
    let text = vec(select(PIECES), 0..10).prop_map(|pieces| pieces.concat());
    let long = (text.clone(), 0..200_usize).prop_map(|(text, times)| text.repeat(times));
    prop_oneof![8 => text, 1 => long, 1 => any::<String>()]
}

/// Text as it is after its lines were ended by LF, which is all that a client can tell.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// The one event that was sent.
fn sent(event: impl IntoFrame) -> testing::Event {
    let frame = event.into_frame();
    let read = events(frame.as_bytes());
    match read.as_deref() {
        Ok([event]) => event.clone(),
        other => panic!(
            "{other:?} from {:?}",
            String::from_utf8_lossy(frame.as_bytes())
        ),
    }
}

fn sent_elements(event: impl IntoFrame) -> PatchedElements {
    sent(event).as_elements().unwrap().clone()
}

fn sent_script(event: impl IntoFrame) -> ExecutedScript {
    sent_elements(event).read_script().unwrap()
}

/// Reads a literal in single quotes as JavaScript does.
fn unquoted(literal: &str) -> String {
    let inside = literal
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''))
        .unwrap();
    let mut text = String::new();
    let mut rest = inside;
    while let Some(at) = rest.find('\\') {
        text += &rest[..at];
        rest = &rest[at + 1..];
        let (digits, length) = match rest.as_bytes()[0] {
            b'x' => (&rest[1..3], 3),
            b'u' if rest.as_bytes()[1] == b'{' => {
                let end = rest.find('}').unwrap();
                (&rest[2..end], end + 1)
            }
            b'u' => (&rest[1..5], 5),
            other => panic!("{other}"),
        };
        text.push(char::from_u32(u32::from_str_radix(digits, 16).unwrap()).unwrap());
        rest = &rest[length..];
    }
    text + rest
}

/// Whether text may stand in a double-quoted attribute as it is, and nothing of it is rewritten by
/// the client's expressions.
fn is_harmless(literal: &str) -> bool {
    let forbidden = |c: char| c.is_control() || "\"`$@;<>&\u{2028}\u{2029}🖕".contains(c);
    !literal.contains(forbidden) && !literal.contains("__")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn elements(text in hostile()) {
        let patch = sent_elements(PatchElements::new(text.clone()));
        prop_assert_eq!(patch.elements().map(str::to_owned), Some(lines(&text)));
        prop_assert_eq!((patch.selector(), patch.id(), patch.retry()), (None, None, None));
        prop_assert_eq!(patch.mode(), testing::Mode::Outer);
    }

    #[test]
    fn elements_in_pieces(pieces in vec(hostile(), 0..4)) {
        let patch = PatchElements::from_writer(|html| {
            pieces.iter().try_for_each(|piece| html.write_str(piece))
        });
        prop_assert_eq!(patch.unwrap(), PatchElements::new(pieces.concat()));
    }

    #[test]
    fn one_line_fields_of_elements(text in hostile(), other in hostile()) {
        let mut patch = PatchElements::new(other.clone()).namespace(Namespace::Svg);
        let selector = Selector::new(text.clone());
        let is_line = !text.contains(['\r', '\n', '\0']);
        prop_assert_eq!(selector.is_ok(), is_line && !text.trim_ascii().is_empty());
        if let Ok(selector) = &selector {
            patch = patch.append(selector.clone()).view_transition_selector(selector.clone());
        }
        let id = EventId::new(text.clone());
        if let Ok(id) = &id {
            patch = patch.id(id.clone());
        }
        let patch = sent_elements(patch.retry(Duration::from_millis(7)));
        let selector = selector.as_ref().ok().map(Selector::as_str);
        prop_assert_eq!(patch.selector(), selector);
        prop_assert_eq!(patch.view_transition_selector(), selector);
        prop_assert_eq!(patch.id(), id.as_ref().ok().map(EventId::as_str));
        prop_assert_eq!(patch.retry(), Some(Duration::from_millis(7)));
        prop_assert_eq!(patch.namespace(), testing::Namespace::Svg);
        prop_assert_eq!(patch.elements().map(str::to_owned), Some(lines(&other)));
    }

    #[test]
    fn ids_of_elements_as_selectors(id in hostile()) {
        let patch = sent_elements(PatchElements::remove(Selector::id(&id)));
        let selector = patch.selector().unwrap();
        prop_assert_eq!(patch.mode(), testing::Mode::Remove);
        // Nothing but the escaped id: each special character has its backslash.
        let mut rest = selector.strip_prefix('#').unwrap_or("").chars();
        while let Some(character) = rest.next() {
            if character == '\\' {
                prop_assert!(rest.next().is_some());
            } else {
                let plain = character.is_ascii_alphanumeric() || "-_ ".contains(character);
                prop_assert!(plain || character >= '\u{80}', "{selector:?}");
            }
        }
    }

    #[test]
    fn signals_by_value(text in hostile(), key in hostile()) {
        let signals = json!({ "a": { key.clone(): [text.clone()] }, "b": text });
        match PatchSignals::new(&signals) {
            Ok(patch) => {
                let event = sent(patch);
                prop_assert_eq!(event.signals(), Some(&signals));
            }
            Err(error) => prop_assert!(error.is_proto_key() && key == "__proto__"),
        }
        prop_assert_eq!(SignalsReply::new(&signals).is_ok(), key != "__proto__");
    }

    #[test]
    fn signals_as_raw_text(text in hostile(), key in hostile()) {
        // As it comes, in an object's place, and in a string's place.
        let key = key.replace("\\ud800", "");
        for json in [text.clone(), format!("{{{text}}}"), format!("{{\"{key}\":\"{text}\"}}")] {
            let Ok(patch) = PatchSignals::from_json(&json) else { continue };
            let event = sent(patch);
            let signals = event.as_signals().unwrap();
            let expected = lines(&json);
            prop_assert_eq!(signals.raw(), expected.as_str());
            prop_assert!(SignalsReply::from_json(json).is_ok());
        }
    }

    #[test]
    fn signals_by_path(path in hostile(), text in hostile()) {
        let patch = SignalPaths::new().set(path.clone(), &text).build();
        let segments: Vec<&str> = path.split('.').collect();
        let good = segments.iter().all(|segment| !["", "__proto__"].contains(segment));
        prop_assert_eq!(patch.is_ok(), good && segments.len() <= 127);
        if let Ok(patch) = patch {
            let event = sent(patch);
            let mut found = event.signals().unwrap();
            for segment in segments {
                found = &found[segment];
            }
            prop_assert_eq!(found, &Value::from(text));
        }
    }

    #[test]
    fn code_of_scripts(code in hostile()) {
        let event = sent_elements(ExecuteScript::new(&code));
        let script = event.read_script().unwrap();
        prop_assert!(script.auto_remove() && script.attributes().is_empty());
        // What came is what was sent, but for the `<` that were dangerous.
        let sent = lines(&code).replace('\0', "\u{fffd}");
        prop_assert_eq!(script.code().replace("\\x3C", "<"), sent.replace("\\x3C", "<"));
        // The client must not take the event for a document.
        let html = without_svgs(event.elements().unwrap());
        for end in ["</body>", "</head>", "</html>"] {
            prop_assert!(!html.contains(end));
        }
    }

    #[test]
    fn attributes_of_scripts(name in hostile(), value in hostile()) {
        let mut script = ExecuteScript::new("f()").nonce(value.clone());
        let name = AttributeName::new(name);
        if let Ok(name) = &name {
            script = script.attribute(name.clone(), value.clone()).module();
        }
        let read = sent_script(script);
        let expected = value.replace('\0', "\u{fffd}");
        prop_assert_eq!(read.attribute("nonce"), Some(expected.as_str()));
        if let Ok(name) = name {
            let name = name.as_str().to_ascii_lowercase();
            prop_assert_eq!(read.attribute(&name), Some(expected.as_str()));
        }
        prop_assert_eq!(read.code(), "f()");
        prop_assert!(read.auto_remove());
    }

    #[test]
    fn literals_in_scripts(text in hostile()) {
        let of = |script: ExecuteScript, before: &str, after: &str| {
            let script = sent_script(script);
            let code = script.code();
            let literal = code.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            let literal = literal.unwrap_or_else(|| panic!("{code}"));
            assert!(is_harmless(literal), "{literal}");
            unquoted(literal)
        };
        prop_assert_eq!(&of(ExecuteScript::console_log(&text), "console.log(", ")"), &text);
        prop_assert_eq!(&of(ExecuteScript::console_error(&text), "console.error(", ")"), &text);
        let replace = "window.history.replaceState(window.history.state, '', ";
        prop_assert_eq!(&of(ExecuteScript::replace_url(&text), replace, ")"), &text);
        if let Ok(redirect) = ExecuteScript::redirect(&text) {
            let before = "setTimeout(() => window.location.href = ";
            prop_assert_eq!(&of(redirect, before, ")"), &text);
        }
        let event = CustomEvent::new(text.clone(), &()).unwrap().dispatch();
        let after = ", {bubbles: true, cancelable: true, composed: true, detail: null}))";
        prop_assert_eq!(&of(event, "document.dispatchEvent(new CustomEvent(", after), &text);
    }

    #[test]
    fn values_in_scripts(text in hostile()) {
        let value = json!({ text.clone(): [text.clone(), 1.5, null] });
        let script = sent_script(ExecuteScript::console_log_value(&value).unwrap());
        let code = script.code();
        let literal = code.strip_prefix("console.log(").and_then(|rest| rest.strip_suffix(')'));
        prop_assert!(is_harmless(literal.unwrap()), "{code}");
    }

    #[test]
    fn addresses_to_prefetch(urls in vec(hostile(), 0..4)) {
        let script = sent_script(ExecuteScript::prefetch(&urls));
        prop_assert!(!script.auto_remove());
        let rules: Value = serde_json::from_str(script.code()).unwrap();
        prop_assert_eq!(&rules["prefetch"][0]["urls"], &Value::from(urls));
    }

    #[test]
    fn actions(text in hostile(), header in vec(0x20..=0x7e_u8, 0..20)) {
        let url = Action::get(text.clone()).to_string();
        let literal = url.strip_prefix("@get(").and_then(|rest| rest.strip_suffix(')')).unwrap();
        prop_assert!(is_harmless(literal), "{url}");
        prop_assert_eq!(unquoted(literal), text.clone());

        let action = Action::post("/a")
            .include_signals(text.clone())
            .exclude_signals(text.clone())
            .selector(Selector::id(&text))
            .header(HeaderName::from_static("x-a"), HeaderValue::from_bytes(&header).unwrap())
            .payload(&json!({ text.clone(): text })).unwrap()
            .to_string();
        prop_assert!(is_harmless(action.strip_prefix('@').unwrap()), "{action}");
    }

    #[test]
    fn plain_replies(text in hostile()) {
        let mut reply = HtmlReply::new(text.clone());
        let selector = Selector::new(text.clone());
        if let Ok(selector) = &selector {
            reply = reply.append(selector.clone());
        }
        let response = reply.into_http();
        prop_assert_eq!(&response.body()[..], text.as_bytes());
        let header = response.headers().get("datastar-selector");
        prop_assert_eq!(header.is_some(), selector.is_ok());
        if let Some(header) = header {
            prop_assert!(header.as_bytes().iter().all(|byte| (b' '..=b'~').contains(byte)));
            let header = header.to_str().unwrap();
            prop_assert_eq!(header, header.trim());
        }
        prop_assert_eq!(response.headers().contains_key("datastar-mode"), selector.is_ok());
    }

    #[test]
    fn ids_in_plain_replies(id in hostile().prop_filter("has an own form", |id| !id.is_empty())) {
        let response = HtmlReply::new("").inner(Selector::id(&id)).into_http();
        let header = response.headers()["datastar-selector"].to_str().unwrap();
        prop_assert_eq!(header, header.trim());
        prop_assert_eq!(selected_id(header), id.replace('\0', "\u{fffd}"));
        // Nor does white space around it, or a class after it, change what it is.
        let around = Selector::new(format!(" \t{}.a \x0c", Selector::id(&id))).unwrap();
        let response = HtmlReply::new("").inner(around).into_http();
        let header = response.headers()["datastar-selector"].to_str().unwrap();
        let id = id.replace('\0', "\u{fffd}");
        prop_assert_eq!(selected_id(header.strip_suffix(".a").unwrap()), id);
    }
}

/// The id that `#` and an identifier select, read as CSS reads it: an escape is up to six digits
/// and then one white space, or any other character.
fn selected_id(selector: &str) -> String {
    let mut id = String::new();
    let mut rest = selector.strip_prefix('#').unwrap();
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        if character != '\\' {
            assert!(
                character.is_ascii_alphanumeric() || "-_".contains(character),
                "{selector}"
            );
            id.push(character);
            continue;
        }
        let digits = rest
            .chars()
            .take(6)
            .take_while(char::is_ascii_hexdigit)
            .count();
        if digits == 0 {
            let escaped = rest.chars().next().unwrap();
            id.push(escaped);
            rest = &rest[escaped.len_utf8()..];
        } else {
            let code_point = u32::from_str_radix(&rest[..digits], 16).unwrap();
            id.push(char::from_u32(code_point).unwrap());
            rest = &rest[digits..];
            rest = rest.strip_prefix(' ').unwrap_or(rest);
        }
    }
    id
}

/// HTML as the client searches it for the ends of a document: without what
/// `/<svg(\s[^>]*>|>)([\s\S]*?)<\/svg>/gim` finds.
fn without_svgs(html: &str) -> String {
    let lower = html.to_ascii_lowercase();
    let (mut kept, mut from, mut start) = (String::new(), 0, 0);
    while let Some(at) = lower[start..].find("<svg").map(|at| start + at) {
        let open = &lower[at + 4..];
        let has_white = open.starts_with(char::is_whitespace);
        let content = open.find('>').filter(|end| *end == 0 || has_white);
        let end = content.and_then(|end| open[end..].find("</svg>").map(|close| end + close + 6));
        start = at + 4;
        if let Some(end) = end {
            kept += &html[from..at];
            start += end;
            from = start;
        }
    }
    kept + &html[from..]
}

#[test]
fn paths_that_meet_are_refused_not_lost() {
    for (one, other) in [("a", "a.b"), ("a.b", "a"), ("a", "a")] {
        assert!(
            SignalPaths::new()
                .set(one, &1)
                .set(other, &2)
                .build()
                .is_err()
        );
    }
}
