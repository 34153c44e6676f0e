//! What the official SDK suite sends to `/test`: events as JSON, and what they are as events.

use std::{error::Error, fmt, time::Duration};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};
use sidereal::{
    AttributeName, EventId, ExecuteScript, Frame, IntoFrame, Mode, Namespace, PatchElements,
    PatchSignals, Selector,
};

/// Why a test case cannot be sent.
pub(crate) type Refused = Box<dyn Error + Send + Sync>;

/// The events of a test case, encoded in order; all of them, or the reason why one cannot be sent.
///
/// # Errors
///
/// JSON that is no test case, an unknown type, mode or namespace, and whatever the events' own
/// builders refuse.
pub(crate) fn frames(json: &str) -> Result<Vec<Frame>, Refused> {
    let case: TestCase = serde_json::from_str(json)?;
    case.events.into_iter().map(TestEvent::into_frame).collect()
}

#[derive(Deserialize)]
struct TestCase {
    events: Vec<TestEvent>,
}

/// All fields of all types: a tagged enum would buffer the signals, and lose their order.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TestEvent {
    r#type: String,
    event_id: Option<String>,
    retry_duration: Option<u64>,

    elements: Option<String>,
    selector: Option<String>,
    mode: Option<String>,
    use_view_transition: Option<bool>,
    view_transition_selector: Option<String>,
    namespace: Option<String>,

    signals: Option<Box<RawValue>>,
    #[serde(rename = "signals-raw")]
    signals_raw: Option<String>,
    only_if_missing: Option<bool>,

    script: Option<String>,
    attributes: Option<Ordered>,
    auto_remove: Option<bool>,
}

/// Sets what the three events have in common.
macro_rules! common {
    ($event:expr, $id:expr, $retry:expr) => {{
        let mut event = $event;
        if let Some(id) = $id {
            event = event.id(EventId::new(id).map_err(|error| format!("not an id: {error}"))?);
        }
        if let Some(milliseconds) = $retry {
            event = event.retry(Duration::from_millis(milliseconds));
        }
        event.into_frame()
    }};
}

impl TestEvent {
    fn into_frame(self) -> Result<Frame, Refused> {
        match self.r#type.as_str() {
            "patchElements" => self.patch_elements(),
            "patchSignals" => self.patch_signals(),
            "executeScript" => self.execute_script(),
            other => Err(format!("unknown type of event: {other:?}").into()),
        }
    }

    fn patch_elements(self) -> Result<Frame, Refused> {
        let mode: Mode = self.mode.as_deref().unwrap_or("outer").parse()?;
        let namespace: Namespace = self.namespace.as_deref().unwrap_or("html").parse()?;
        let selector = self.selector.map(Selector::new).transpose()?;
        let mut event = match self.elements {
            Some(elements) => PatchElements::new(elements),
            None => PatchElements::without_elements(),
        }
        .namespace(namespace);
        event = match (selector, mode) {
            (Some(selector), mode) => event.target(selector, mode),
            (None, Mode::Outer) => event,
            (None, Mode::Replace) => event.replace(),
            (None, mode) => return Err(format!("the mode {mode} needs a selector").into()),
        };
        if let Some(on) = self.use_view_transition {
            event = event.use_view_transition(on);
        }
        if let Some(selector) = self.view_transition_selector {
            let selector = Selector::new(selector)?;
            // Read by the client only together with useViewTransition.
            if self.use_view_transition == Some(true) {
                event = event.view_transition_selector(selector);
            }
        }
        Ok(common!(event, self.event_id, self.retry_duration))
    }

    fn patch_signals(self) -> Result<Frame, Refused> {
        let json = match (self.signals_raw, self.signals) {
            (Some(raw), _) => raw,
            (None, Some(signals)) => compact(signals.get()),
            (None, None) => return Err("patchSignals without signals".into()),
        };
        let mut event = PatchSignals::from_json(json)?;
        if let Some(on) = self.only_if_missing {
            event = event.only_if_missing(on);
        }
        Ok(common!(event, self.event_id, self.retry_duration))
    }

    fn execute_script(self) -> Result<Frame, Refused> {
        let script = self.script.ok_or("executeScript without script")?;
        let mut event = ExecuteScript::new(script);
        for (name, value) in self.attributes.map_or_else(Vec::new, |Ordered(all)| all) {
            let name = AttributeName::new(name)?;
            event = match value {
                Value::Null => event.boolean_attribute(name),
                Value::String(text) => event.attribute(name, text),
                other => event.attribute(name, other.to_string()),
            };
        }
        if let Some(on) = self.auto_remove {
            event = event.auto_remove(on);
        }
        Ok(common!(event, self.event_id, self.retry_duration))
    }
}

/// A JSON object's members in the order of the text.
struct Ordered(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Ordered;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Ordered, M::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Ordered(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// JSON that is known to be valid, without the white space between its tokens; order and numbers
/// as they were written.
fn compact(json: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    json.chars()
        .filter(|character| {
            if in_string {
                in_string = escaped || *character != '"';
                escaped = !escaped && *character == '\\';
                return true;
            }
            in_string = *character == '"';
            !character.is_ascii_whitespace()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_json_keeps_strings_order_and_numbers() {
        let json = " { \"b\" : \" a \\\" \\\\\" , \"a\" : [ 1.0 , { } ] } ";
        assert_eq!(compact(json), r#"{"b":" a \" \\","a":[1.0,{}]}"#);
    }
}
