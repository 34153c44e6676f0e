//! What a `datastar-patch-elements` event does.

use std::{fmt, str::FromStr, time::Duration};

use super::{EventError, ExecutedScript, RawEvent, ScriptError, event::Fields};

/// How an elements patch meets its targets.
///
/// A type of its own, apart from the one that builds patches: a mode that is lost or garbled between the two shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// Morphs the whole element.
    #[default]
    Outer,
    /// Morphs what is in the element.
    Inner,
    /// Replaces the element without morphing.
    Replace,
    /// Adds before the element's first child.
    Prepend,
    /// Adds after the element's last child.
    Append,
    /// Adds before the element.
    Before,
    /// Adds after the element.
    After,
    /// Removes the element.
    Remove,
}

impl Mode {
    const ALL: [Self; 8] = [
        Self::Outer,
        Self::Inner,
        Self::Replace,
        Self::Prepend,
        Self::Append,
        Self::Before,
        Self::After,
        Self::Remove,
    ];

    /// The mode's name on the wire.
    ///
    /// ```
    /// use sidereal::testing::Mode;
    ///
    /// assert_eq!(Mode::Prepend.as_str(), "prepend");
    /// assert_eq!("prepend".parse(), Ok(Mode::Prepend));
    /// ```
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Outer => "outer",
            Self::Inner => "inner",
            Self::Replace => "replace",
            Self::Prepend => "prepend",
            Self::Append => "append",
            Self::Before => "before",
            Self::After => "after",
            Self::Remove => "remove",
        }
    }

    fn needs_selector(self) -> bool {
        !matches!(self, Self::Outer | Self::Replace)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Mode {
    type Err = EventError;

    fn from_str(mode: &str) -> Result<Self, EventError> {
        Self::ALL
            .into_iter()
            .find(|known| known.as_str() == mode)
            .ok_or_else(|| EventError::UnknownMode {
                mode: mode.to_owned(),
            })
    }
}

/// The language of patched elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Namespace {
    /// HTML elements.
    #[default]
    Html,
    /// SVG elements, without their `<svg>`.
    Svg,
    /// MathML elements, without their `<math>`.
    MathMl,
}

impl Namespace {
    const ALL: [Self; 3] = [Self::Html, Self::Svg, Self::MathMl];

    /// The namespace's name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Svg => "svg",
            Self::MathMl => "mathml",
        }
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Namespace {
    type Err = EventError;

    fn from_str(namespace: &str) -> Result<Self, EventError> {
        Self::ALL
            .into_iter()
            .find(|known| known.as_str() == namespace)
            .ok_or_else(|| EventError::UnknownNamespace {
                namespace: namespace.to_owned(),
            })
    }
}

/// A `datastar-patch-elements` event, with the client's defaults filled in.
///
/// ```
/// use sidereal::testing::{Mode, events};
///
/// let stream = b"event: datastar-patch-elements\ndata: selector #log\ndata: mode append\ndata: elements <li>hi\n\n";
/// let events = events(stream).unwrap();
/// let patch = events[0].as_elements().unwrap();
/// assert_eq!(patch.selector(), Some("#log"));
/// assert_eq!(patch.mode(), Mode::Append);
/// assert_eq!(patch.elements(), Some("<li>hi"));
/// assert!(!patch.use_view_transition());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchedElements {
    selector: Option<String>,
    mode: Mode,
    namespace: Namespace,
    use_view_transition: bool,
    view_transition_selector: Option<String>,
    elements: Option<String>,
    id: Option<String>,
    retry: Option<Duration>,
}

impl PatchedElements {
    pub(super) const EVENT: &'static str = "datastar-patch-elements";

    const KEYS: [&'static str; 6] = [
        "selector",
        "mode",
        "namespace",
        "useViewTransition",
        "viewTransitionSelector",
        "elements",
    ];

    pub(super) fn read(raw: &RawEvent) -> Result<Self, EventError> {
        let patch = Self::from_fields(Fields::read(raw, &Self::KEYS)?)?;
        Ok(Self {
            id: raw.id().map(str::to_owned),
            retry: raw.retry(),
            ..patch
        })
    }

    pub(super) fn from_fields(mut fields: Fields) -> Result<Self, EventError> {
        let mut take = |key| fields.take(key);
        let patch = Self {
            // To the client an empty selector is none.
            selector: take("selector").filter(|selector| !selector.is_empty()),
            mode: take("mode").map_or(Ok(Mode::default()), |mode| mode.parse())?,
            namespace: take("namespace").map_or(Ok(Namespace::default()), |name| name.parse())?,
            view_transition_selector: take("viewTransitionSelector")
                .filter(|selector| !selector.is_empty()),
            elements: take("elements"),
            use_view_transition: fields.take_switch("useViewTransition"),
            id: None,
            retry: None,
        };
        if patch.mode.needs_selector() && patch.selector.is_none() {
            return Err(EventError::SelectorRequired { mode: patch.mode });
        }
        Ok(patch)
    }

    /// The selector of the targets; `None` where each element finds its target by its own id.
    #[must_use]
    pub fn selector(&self) -> Option<&str> {
        self.selector.as_deref()
    }

    /// The mode; [`Mode::Outer`] where the event names none.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The namespace; [`Namespace::Html`] where the event names none.
    #[must_use]
    pub fn namespace(&self) -> Namespace {
        self.namespace
    }

    /// Whether the patch happens in a view transition.
    #[must_use]
    pub fn use_view_transition(&self) -> bool {
        self.use_view_transition
    }

    /// The element whose view transition it is. The client reads it only with
    /// [`use_view_transition`](Self::use_view_transition).
    #[must_use]
    pub fn view_transition_selector(&self) -> Option<&str> {
        self.view_transition_selector.as_deref()
    }

    /// The HTML; `None` where the event has no `elements` line at all, which removes or empties the targets.
    #[must_use]
    pub fn elements(&self) -> Option<&str> {
        self.elements.as_deref()
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

    /// The script that this patch executes, if that is what it does: one whole `<script>` element, appended to `body`.
    ///
    /// ```
    /// use sidereal::testing::events;
    ///
    /// let stream = b"event: datastar-patch-elements\ndata: selector body\ndata: mode append\n\
    ///     data: elements <script type=\"module\" data-effect=\"el.remove()\">hello()</script>\n\n";
    /// let script = events(stream).unwrap()[0].script().unwrap();
    /// assert_eq!(script.code(), "hello()");
    /// assert_eq!(script.attribute("type"), Some("module"));
    /// assert!(script.auto_remove());
    /// ```
    #[must_use]
    pub fn script(&self) -> Option<ExecutedScript> {
        self.read_script().ok()
    }

    /// As [`script`](Self::script), with the reason where the patch executes no script.
    ///
    /// # Errors
    ///
    /// [`ScriptError`] says what the patch is instead. HTML after the script's end is such a reason: it is how a
    /// script looks that `</script` inside of it has cut short.
    pub fn read_script(&self) -> Result<ExecutedScript, ScriptError> {
        let appended_to_body = self.mode == Mode::Append
            && self.selector() == Some("body")
            && self.namespace == Namespace::Html;
        match self.elements() {
            Some(elements) if appended_to_body => elements.parse(),
            _ => Err(ScriptError::NotAppendedToBody),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::super::{Event, StreamError, events};
    use super::*;

    fn patch(lines: &[&str]) -> Result<PatchedElements, EventError> {
        let mut stream = "event: datastar-patch-elements\n".to_owned();
        for line in lines {
            stream += &format!("data: {line}\n");
        }
        match events((stream + "\n").as_bytes()) {
            Ok(mut events) => match events.remove(0) {
                Event::PatchElements(patch) => Ok(patch),
                other => panic!("{other:?}"),
            },
            Err(StreamError::Event(error)) => Err(error),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn everything_set() {
        let patch = patch(&[
            "selector #a > b",
            "mode inner",
            "useViewTransition true",
            "viewTransitionSelector #main",
            "namespace svg",
            "elements <g>",
            "elements ",
            "elements   <circle/></g>",
        ])
        .unwrap();
        assert_eq!(patch.selector(), Some("#a > b"));
        assert_eq!(
            (patch.mode(), patch.namespace()),
            (Mode::Inner, Namespace::Svg)
        );
        assert!(patch.use_view_transition());
        assert_eq!(patch.view_transition_selector(), Some("#main"));
        assert_eq!(patch.elements(), Some("<g>\n\n  <circle/></g>"));
    }

    #[test]
    fn modes_and_namespaces() {
        for mode in Mode::ALL {
            let line = format!("mode {mode}");
            assert_eq!(
                patch(&["selector #a", &line, "elements x"]).unwrap().mode(),
                mode
            );
            let without = patch(&[&line, "elements x"]);
            match mode {
                Mode::Outer | Mode::Replace => assert_eq!(without.unwrap().mode(), mode),
                _ => assert_eq!(without, Err(EventError::SelectorRequired { mode })),
            }
        }
        for namespace in Namespace::ALL {
            let line = format!("namespace {namespace}");
            assert_eq!(
                patch(&[&line, "elements x"]).unwrap().namespace(),
                namespace
            );
        }
        assert_eq!(
            patch(&["mode Outer"]),
            Err(EventError::UnknownMode {
                mode: "Outer".into()
            })
        );
        assert_eq!(
            patch(&["mode outer", "mode outer"]),
            Err(EventError::UnknownMode {
                mode: "outer\nouter".into()
            })
        );
        assert_eq!(
            patch(&["namespace xml"]),
            Err(EventError::UnknownNamespace {
                namespace: "xml".into()
            })
        );
    }

    #[test]
    fn no_elements_and_empty_elements_differ() {
        assert_eq!(patch(&["selector #a"]).unwrap().elements(), None);
        assert_eq!(
            patch(&["selector #a", "elements "]).unwrap().elements(),
            Some("")
        );
    }

    #[test]
    fn an_empty_selector_is_none() {
        assert_eq!(
            patch(&["selector ", "elements x"]).unwrap().selector(),
            None
        );
        assert_eq!(
            patch(&["selector ", "mode after", "elements x"]),
            Err(EventError::SelectorRequired { mode: Mode::After })
        );
    }

    #[test]
    fn switches() {
        for (value, on) in [
            ("true", true),
            (" true ", true),
            ("false", false),
            ("True", false),
        ] {
            let line = format!("useViewTransition {value}");
            assert_eq!(
                patch(&[&line, "elements x"]).unwrap().use_view_transition(),
                on
            );
        }
    }

    #[test]
    fn a_script_is_appended_to_body() {
        let script = "elements <script>a</script>";
        assert!(
            patch(&["selector body", "mode append", script])
                .unwrap()
                .script()
                .is_some()
        );
        for lines in [
            &["selector #a", "mode append", script][..],
            &["selector body", "mode prepend", script],
            &["selector body", "mode append", "namespace svg", script],
            &["selector body", "mode append"],
        ] {
            assert_eq!(
                patch(lines).unwrap().read_script(),
                Err(ScriptError::NotAppendedToBody)
            );
        }
        let text = patch(&["selector body", "mode append", "elements <p>"]).unwrap();
        assert_eq!(text.read_script(), Err(ScriptError::NotAScript));
    }
}
