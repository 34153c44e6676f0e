//! The event that patches a page's elements.

use std::{fmt, time::Duration};

use sidereal_sse::{Content, DataKey, EventId, Frame, IntoFrame, Line};

use crate::{
    Event, EventDefaults, Mode, Namespace, Selector,
    target::{Target, target_methods},
};

pub(crate) const PATCH_ELEMENTS: Line = Line::from_static("datastar-patch-elements");
pub(crate) const SELECTOR: DataKey = DataKey::new("data: selector ");
pub(crate) const MODE: DataKey = DataKey::new("data: mode ");
const USE_VIEW_TRANSITION: DataKey = DataKey::new("data: useViewTransition ");
const VIEW_TRANSITION_SELECTOR: DataKey = DataKey::new("data: viewTransitionSelector ");
const NAMESPACE: DataKey = DataKey::new("data: namespace ");
pub(crate) const ELEMENTS: DataKey = DataKey::new("data: elements ");

/// Patches elements into the page: morphs, inserts, replaces or removes them.
///
/// Without options, every top-level element is morphed into the element of the page that has its
/// id. A mode that needs a selector is set together with it, so a patch that the client would
/// refuse cannot be built.
///
/// ```
/// use sidereal::{IntoFrame, PatchElements, selector};
///
/// let patch = PatchElements::new("<li>one</li>\n<li>two</li>").append(selector!("#feed"));
/// assert_eq!(
///     patch.into_frame().as_bytes(),
///     b"event: datastar-patch-elements\n\
///       data: selector #feed\n\
///       data: mode append\n\
///       data: elements <li>one</li>\n\
///       data: elements <li>two</li>\n\n"
/// );
/// ```
///
/// The elements are HTML and go to the page as they are: escape what came from people with your
/// templates. Line breaks of any kind are safe. `</body>`, `</head>` and `</html>` anywhere outside
/// an `<svg>` make the client parse the whole text as a document.
///
/// # Wire format
///
/// Options that have their default are left out:
///
/// ```text
/// event: datastar-patch-elements
/// id: ID
/// retry: MILLISECONDS
/// data: selector SELECTOR
/// data: mode MODE
/// data: useViewTransition true
/// data: viewTransitionSelector SELECTOR
/// data: namespace svg
/// data: elements LINE
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "an event does nothing until it is sent"]
pub struct PatchElements {
    content: Content,
    target: Target,
    view_transition_selector: Option<Selector>,
    id: Option<EventId>,
    retry: Option<Duration>,
}

impl PatchElements {
    /// Patches this HTML: a string, or what becomes one, as maud's `Markup` does.
    ///
    /// An empty string is content: it empties the target of [`inner`](Self::inner), and with a
    /// selector alone it deletes what matches.
    ///
    /// ```
    /// use sidereal::PatchElements;
    ///
    /// let from_text = PatchElements::new("<p id=\"greeting\">Hello</p>");
    /// let from_maud = PatchElements::new(maud::html! { p #greeting { "Hello" } });
    /// assert_eq!(from_text, from_maud);
    /// ```
    pub fn new(elements: impl Into<String>) -> Self {
        Self::with_content(Content::new(ELEMENTS, &elements.into()))
    }

    /// Patches what is displayed, without a string in between: an askama template,
    /// `format_args!`.
    ///
    /// Where the value's own `Display` fails, the elements end there;
    /// [`from_writer`](Self::from_writer) hands such an error on.
    ///
    /// ```
    /// use sidereal::PatchElements;
    ///
    /// let count = 3;
    /// let patch = PatchElements::from_display(format_args!("<b id=\"count\">{count}</b>"));
    /// assert_eq!(patch, PatchElements::new("<b id=\"count\">3</b>"));
    /// ```
    pub fn from_display(elements: impl fmt::Display) -> Self {
        let mut writer = Content::writer(ELEMENTS);
        let _ = fmt::Write::write_fmt(&mut writer, format_args!("{elements}"));
        Self::with_content(writer.finish())
    }

    /// Patches what the closure writes, straight into the event.
    ///
    /// ```
    /// use sidereal::{PatchElements, selector};
    ///
    /// let names = ["Titan", "Rhea"];
    /// let patch = PatchElements::from_writer(|html| {
    ///     names.iter().try_for_each(|name| write!(html, "<li>{name}</li>"))
    /// })?
    /// .inner(selector!("#moons"));
    /// # let _ = patch;
    /// # Ok::<(), std::fmt::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The closure's error.
    pub fn from_writer(
        write: impl FnOnce(&mut dyn fmt::Write) -> fmt::Result,
    ) -> Result<Self, fmt::Error> {
        let mut writer = Content::writer(ELEMENTS);
        write(&mut writer)?;
        Ok(Self::with_content(writer.finish()))
    }

    /// A patch that consists of its options. Without any, it writes nothing at all.
    ///
    /// ```
    /// use sidereal::{IntoFrame, PatchElements, selector};
    ///
    /// let nothing = PatchElements::without_elements();
    /// assert!(nothing.into_frame().is_empty());
    ///
    /// let emptied = PatchElements::without_elements().inner(selector!("#feed"));
    /// assert!(!emptied.into_frame().is_empty());
    /// ```
    pub fn without_elements() -> Self {
        Self::with_content(Content::none())
    }

    /// Removes every element that matches.
    ///
    /// ```
    /// use sidereal::{IntoFrame, PatchElements, Selector};
    ///
    /// let removal = PatchElements::remove(Selector::id("row-7"));
    /// assert_eq!(
    ///     removal.into_frame().as_bytes(),
    ///     b"event: datastar-patch-elements\ndata: selector #row-7\ndata: mode remove\n\n"
    /// );
    /// ```
    pub fn remove(selector: Selector) -> Self {
        Self {
            target: Target::at(selector, Mode::Remove),
            ..Self::without_elements()
        }
    }

    fn with_content(content: Content) -> Self {
        Self {
            content,
            target: Target::default(),
            view_transition_selector: None,
            id: None,
            retry: None,
        }
    }

    /// Whether there is neither content nor any option.
    fn is_nothing(&self) -> bool {
        self.content.is_none() && *self == Self::without_elements()
    }

    target_methods!();

    /// Animates the change with a view transition of the first element that matches, instead of
    /// the document's. Turns [`use_view_transition`](Self::use_view_transition) on.
    pub fn view_transition_selector(mut self, selector: Selector) -> Self {
        self.view_transition_selector = Some(selector);
        self.use_view_transition(true)
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

/// HTML alone is a patch too, so that a sender takes it as it is.
impl<T: Into<String>> From<T> for PatchElements {
    fn from(elements: T) -> Self {
        Self::new(elements)
    }
}

impl Event for PatchElements {
    fn with_defaults(mut self, defaults: &EventDefaults) -> Self {
        // Defaults are no content: what writes nothing goes on writing nothing.
        if self.is_nothing() {
            return self;
        }
        self.retry = self.retry.or(defaults.retry);
        let view_transition = &mut self.target.use_view_transition;
        *view_transition = view_transition.or(defaults.use_view_transition);
        self
    }
}

impl IntoFrame for PatchElements {
    fn into_frame(self) -> Frame {
        if self.is_nothing() {
            return Frame::empty();
        }
        let Self {
            content,
            target,
            view_transition_selector,
            id,
            retry,
        } = self;
        content.into_frame(|head| {
            head.begin(Some(&PATCH_ELEMENTS), id.as_ref(), retry);
            if let Some(selector) = &target.selector {
                head.data(SELECTOR, selector.line());
            }
            if target.mode != Mode::default() {
                head.data(MODE, &Line::from_static(target.mode.as_str()));
            }
            if target.use_view_transition == Some(true) {
                head.data(USE_VIEW_TRANSITION, &Line::from_static("true"));
                if let Some(selector) = &view_transition_selector {
                    head.data(VIEW_TRANSITION_SELECTOR, selector.line());
                }
            }
            if target.namespace != Namespace::default() {
                head.data(NAMESPACE, &Line::from_static(target.namespace.as_str()));
            }
        })
    }
}
