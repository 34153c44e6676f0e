//! Events as the Datastar client understands them.

use std::time::Duration;

use serde_json::Value;

use super::{EventError, ExecutedScript, PatchedElements, PatchedSignals, RawEvent};

/// One event, as the official client 1.0.x understands it.
///
/// The client looks only at events whose type begins with `datastar`. It splits each data line at its first space into
/// a key and a value, and joins the lines of one key with `\n`.
///
/// ```
/// use sidereal::testing::{Event, Mode, events};
///
/// let stream = b"event: datastar-patch-elements\ndata: elements <p id=\"a\">\ndata: elements </p>\n\n";
/// let events = events(stream).unwrap();
/// let [Event::PatchElements(patch)] = events.as_slice() else { panic!("one patch") };
/// assert_eq!(patch.elements(), Some("<p id=\"a\">\n</p>"));
/// assert_eq!(patch.mode(), Mode::Outer);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// `datastar-patch-elements`
    PatchElements(PatchedElements),
    /// `datastar-patch-signals`
    PatchSignals(PatchedSignals),
    /// An event of another type, which the client ignores unless a plugin of the page listens to it.
    Other(RawEvent),
}

impl Event {
    /// The elements patch, if this is one.
    #[must_use]
    pub fn as_elements(&self) -> Option<&PatchedElements> {
        match self {
            Self::PatchElements(patch) => Some(patch),
            _ => None,
        }
    }

    /// The signals patch, if this is one.
    #[must_use]
    pub fn as_signals(&self) -> Option<&PatchedSignals> {
        match self {
            Self::PatchSignals(patch) => Some(patch),
            _ => None,
        }
    }

    /// The HTML of an elements patch, if this is one and it has any.
    #[must_use]
    pub fn elements(&self) -> Option<&str> {
        self.as_elements()?.elements()
    }

    /// The signals of a signals patch, if this is one.
    #[must_use]
    pub fn signals(&self) -> Option<&Value> {
        self.as_signals().map(PatchedSignals::signals)
    }

    /// The script that this event executes, if that is what it does: see [`PatchedElements::script`].
    #[must_use]
    pub fn script(&self) -> Option<ExecutedScript> {
        self.as_elements()?.script()
    }

    /// The event's own id.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::PatchElements(patch) => patch.id(),
            Self::PatchSignals(patch) => patch.id(),
            Self::Other(raw) => raw.id(),
        }
    }

    /// The reconnection time that the event sets.
    #[must_use]
    pub fn retry(&self) -> Option<Duration> {
        match self {
            Self::PatchElements(patch) => patch.retry(),
            Self::PatchSignals(patch) => patch.retry(),
            Self::Other(raw) => raw.retry(),
        }
    }
}

impl TryFrom<RawEvent> for Event {
    type Error = EventError;

    fn try_from(raw: RawEvent) -> Result<Self, EventError> {
        match raw.event() {
            PatchedElements::EVENT => PatchedElements::read(&raw).map(Self::PatchElements),
            PatchedSignals::EVENT => PatchedSignals::read(&raw).map(Self::PatchSignals),
            "datastar-merge-fragments"
            | "datastar-remove-fragments"
            | "datastar-merge-signals"
            | "datastar-remove-signals"
            | "datastar-execute-script" => Err(EventError::OutdatedEvent {
                event: raw.event().to_owned(),
            }),
            _ => Ok(Self::Other(raw)),
        }
    }
}

/// The data of an event, by key: what the client hands to the code of the event.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads the data lines of an event that may have these keys and no others.
    pub(super) fn read(raw: &RawEvent, known: &[&str]) -> Result<Self, EventError> {
        let mut fields = Self::default();
        for line in raw.data().split('\n') {
            let (key, value) =
                line.split_once(' ')
                    .ok_or_else(|| EventError::LineWithoutSpace {
                        line: line.to_owned(),
                    })?;
            if !known.contains(&key) {
                return Err(EventError::UnknownKey {
                    event: raw.event().to_owned(),
                    key: key.to_owned(),
                });
            }
            fields.push(key, value);
        }
        Ok(fields)
    }

    pub(super) fn push(&mut self, key: &str, value: &str) {
        match self.0.iter_mut().find(|(known, _)| known == key) {
            Some((_, before)) => {
                before.push('\n');
                before.push_str(value);
            }
            None => self.0.push((key.to_owned(), value.to_owned())),
        }
    }

    pub(super) fn take(&mut self, key: &str) -> Option<String> {
        let index = self.0.iter().position(|(known, _)| known == key)?;
        Some(self.0.swap_remove(index).1)
    }

    /// A switch as the client reads it: on for `true` with any white space around it, off for all else.
    pub(super) fn take_switch(&mut self, key: &str) -> bool {
        self.take(key).is_some_and(|value| value.trim() == "true")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::super::{StreamError, events};
    use super::*;

    fn error(stream: &str) -> EventError {
        match events(stream.as_bytes()) {
            Err(StreamError::Event(error)) => error,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn other_types_are_left_alone() {
        let found = events(b"event: datastar-custom\nid: 9\nretry: 3\ndata: whatever\n\n").unwrap();
        let [event @ Event::Other(raw)] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!((raw.event(), raw.data()), ("datastar-custom", "whatever"));
        assert_eq!(
            (event.id(), event.retry()),
            (Some("9"), Some(Duration::from_millis(3)))
        );
        assert_eq!(
            (event.elements(), event.signals(), event.script()),
            (None, None, None)
        );
    }

    #[test]
    fn outdated_types_are_named() {
        for event in [
            "datastar-merge-fragments",
            "datastar-merge-signals",
            "datastar-execute-script",
        ] {
            assert_eq!(
                error(&format!("event: {event}\ndata: a b\n\n")),
                EventError::OutdatedEvent {
                    event: event.into()
                }
            );
        }
    }

    #[test]
    fn a_line_without_space_is_an_error() {
        assert_eq!(
            error("event: datastar-patch-elements\ndata: elements <p>\ndata: elements\n\n"),
            EventError::LineWithoutSpace {
                line: "elements".into()
            }
        );
        assert_eq!(
            error("event: datastar-patch-signals\ndata: signals {}\ndata:\n\n"),
            EventError::LineWithoutSpace {
                line: String::new()
            }
        );
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        assert_eq!(
            error("event: datastar-patch-signals\ndata: elements <p>\n\n"),
            EventError::UnknownKey {
                event: PatchedSignals::EVENT.into(),
                key: "elements".into()
            }
        );
    }
}
