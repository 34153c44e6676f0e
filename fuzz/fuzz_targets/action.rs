//! `Action`: whatever its strings hold, nothing of them is special to HTML or to Datastar, and
//! JavaScript reads back what was put in.

#![no_main]

use std::time::Duration;

use libfuzzer_sys::{
    arbitrary::{self, Arbitrary},
    fuzz_target,
};
use serde_json::{Value, json};
use sidereal::{
    Action, ActionRetry, RequestCancellation, Selector,
    http::{HeaderName, HeaderValue},
};
use sidereal_fuzz::{Text, is_harmless, json_of, lines, string_of};

#[derive(Arbitrary, Debug)]
struct Input {
    verb: u8,
    url: Text,
    include: Option<Text>,
    exclude: Option<Text>,
    selector: Option<Text>,
    form_id: Option<Text>,
    headers: Vec<(Text, Vec<u8>)>,
    payload: Option<(Text, Text, f64, i64)>,
    scaler: Option<f64>,
    waits: Option<(u64, u64)>,
    count: Option<u32>,
    hidden: Option<bool>,
}

fuzz_target!(|input: Input| {
    let verbs = [
        ("get", Action::get as fn(String) -> Action),
        ("post", Action::post),
        ("put", Action::put),
        ("patch", Action::patch),
        ("delete", Action::delete),
        ("query", Action::query),
    ];
    let (verb, make) = verbs[usize::from(input.verb) % verbs.len()];
    let mut action = make(input.url.0.clone());
    // What the options must be when JavaScript has read them.
    let mut options = json!({});
    if let Some(text) = &input.include {
        action = action.include_signals(text.0.clone());
        options["filterSignals"]["include"] = format!("/{}/", text.0).into();
    }
    if let Some(text) = &input.exclude {
        action = action.exclude_signals(text.0.clone());
        options["filterSignals"]["exclude"] = format!("/{}/", text.0).into();
    }
    let id = input.form_id.as_ref().map(|id| Selector::id(&id.0));
    let selector = input
        .selector
        .as_ref()
        .and_then(|text| Selector::new(text.0.clone()).ok());
    if let Some(selector) = id.or(selector) {
        options["selector"] = selector.as_str().into();
        options["contentType"] = "form".into();
        action = action.selector(selector);
    }
    let mut headers = 0;
    for (name, value) in &input.headers {
        let name = HeaderName::from_bytes(name.0.as_bytes());
        let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) else {
            continue;
        };
        action = action.header(name, value);
        headers += 1;
    }
    if let Some((key, text, float, integer)) = &input.payload {
        let payload = json!({ key.0.clone(): [text.0, float, null, { "a": integer }], "b": true });
        let Ok(with) = action.clone().payload(&payload) else {
            panic!("{payload}")
        };
        action = with;
        options["payload"] = payload;
    }
    if let Some(factor) = input.scaler {
        action = action.retry_scaler(factor);
    }
    if let Some((interval, longest)) = input.waits {
        action = action
            .retry_interval(Duration::from_millis(interval))
            .retry_max_wait(Duration::from_millis(longest))
            .retry(ActionRetry::Always)
            .request_cancellation(RequestCancellation::Cleanup);
        options["retryInterval"] = interval.min(i32::MAX as u64).into();
        options["retryMaxWait"] = longest.min(i32::MAX as u64).into();
        options["retry"] = "always".into();
        options["requestCancellation"] = "cleanup".into();
    }
    if let Some(tries) = input.count {
        action = action.retry_max_count(tries);
        options["retryMaxCount"] = tries.into();
    }
    if let Some(on) = input.hidden {
        action = action.open_when_hidden(on);
        options["openWhenHidden"] = on.into();
    }

    let text = action.to_string();
    let Some(inside) = text
        .strip_prefix(&format!("@{verb}("))
        .and_then(|rest| rest.strip_suffix(')'))
    else {
        panic!("{text}")
    };
    assert!(is_harmless(inside), "{text}");
    // In an attribute's value a line break would be no other, but there is none at all.
    assert_eq!(lines(&text), text);

    let Some((url, rest)) = string_of(inside) else {
        panic!("{text}")
    };
    assert_eq!(url, input.url.0);
    let read = match rest.strip_prefix(", ") {
        Some(literal) => read(literal).unwrap_or_else(|| panic!("{text}")),
        None => json!({}),
    };
    check(read, options, headers, input.scaler);
});

/// An object literal whose own keys are plain names, as JSON.
fn read(literal: &str) -> Option<Value> {
    let mut json = json_of(literal)?;
    // Strings are JSON's by now, so these are keys, or text in strings with quotes escaped.
    for key in [
        "contentType",
        "selector",
        "headers",
        "filterSignals",
        "openWhenHidden",
        "payload",
        "requestCancellation",
        "retry",
        "retryInterval",
        "retryScaler",
        "retryMaxWait",
        "retryMaxCount",
        "include",
        "exclude",
    ] {
        json = quoted(&json, key);
    }
    serde_json::from_str(&json).ok()
}

/// Puts quotes around a key that has none, outside of strings.
fn quoted(json: &str, key: &str) -> String {
    let (mut result, mut in_string, mut rest) = (String::new(), false, json);
    while let Some(character) = rest.chars().next() {
        let bare = format!("{key}: ");
        let begins = !result.ends_with(|c: char| c.is_ascii_alphabetic());
        if !in_string && begins && rest.starts_with(&bare) {
            result += &format!("\"{key}\": ");
            rest = &rest[bare.len()..];
            continue;
        }
        let mut length = character.len_utf8();
        match character {
            '\\' => length += rest[1..].chars().next().map_or(0, char::len_utf8),
            '"' => in_string = !in_string,
            _ => {}
        }
        result += &rest[..length];
        rest = &rest[length..];
    }
    result
}

fn check(mut read: Value, expected: Value, headers: usize, scaler: Option<f64>) {
    let found = read
        .as_object_mut()
        .map(|all| (all.remove("headers"), all.remove("retryScaler")));
    let Some((sent, factor)) = found else {
        panic!("{read}")
    };
    assert_eq!(sent.is_some(), headers > 0);
    let expected_factor = scaler
        .filter(|factor| factor.is_finite())
        .map(|factor| factor.max(1.0));
    assert_eq!(factor.as_ref().and_then(Value::as_f64), expected_factor);
    assert_eq!(read, expected);
}
