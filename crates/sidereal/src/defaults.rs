//! What events take from the app where they say nothing themselves.

use std::time::Duration;

use sidereal_sse::{Frame, IntoFrame};

/// Options for all events of an app, or of a stream. An event's own option goes before.
///
/// ```
/// use std::time::Duration;
///
/// use sidereal::{Event, EventDefaults, ExecuteScript};
///
/// let defaults = EventDefaults::new()
///     .retry(Duration::from_secs(2))
///     .auto_remove(false);
///
/// let script = ExecuteScript::new("init()").auto_remove(true).with_defaults(&defaults);
/// assert_eq!(
///     script,
///     ExecuteScript::new("init()").auto_remove(true).retry(Duration::from_secs(2))
/// );
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct EventDefaults {
    pub(crate) retry: Option<Duration>,
    pub(crate) use_view_transition: Option<bool>,
    pub(crate) auto_remove: Option<bool>,
    pub(crate) only_if_missing: Option<bool>,
    pub(crate) script_nonce: Option<String>,
}

impl EventDefaults {
    /// The protocol's own defaults: 1,000 ms, no view transitions, scripts remove themselves,
    /// signals are set whether they are missing or not, no nonce.
    pub fn new() -> Self {
        Self::default()
    }

    /// How long the client waits before it reconnects; 1,000 ms without this.
    pub fn retry(mut self, delay: Duration) -> Self {
        self.retry = Some(delay);
        self
    }

    /// Whether patches of elements are animated; off without this.
    pub fn use_view_transition(mut self, on: bool) -> Self {
        self.use_view_transition = Some(on);
        self
    }

    /// Whether scripts remove themselves from the page; on without this.
    pub fn auto_remove(mut self, on: bool) -> Self {
        self.auto_remove = Some(on);
        self
    }

    /// Whether patches of signals set only what is missing; off without this.
    pub fn only_if_missing(mut self, on: bool) -> Self {
        self.only_if_missing = Some(on);
        self
    }

    /// The nonce of scripts, for pages with a Content-Security-Policy; none without this. A nonce
    /// is of one page load, so this is for the defaults of one stream.
    pub fn script_nonce(mut self, nonce: impl Into<String>) -> Self {
        self.script_nonce = Some(nonce.into());
        self
    }
}

/// What can be sent to a page.
///
/// An event of your own, made of these, implements [`IntoFrame`] and this:
///
/// ```
/// use sidereal::{Event, EventDefaults, Frame, IntoFrame, PatchElements};
///
/// struct Toast(String);
///
/// impl Toast {
///     fn patch(self) -> PatchElements {
///         PatchElements::new(self.0).append(sidereal::selector!("#toasts"))
///     }
/// }
///
/// impl IntoFrame for Toast {
///     fn into_frame(self) -> Frame {
///         self.patch().into_frame()
///     }
/// }
///
/// impl Event for Toast {}
/// ```
pub trait Event: IntoFrame + Sized {
    /// Fills in what the event leaves open. By default nothing is left open.
    #[must_use]
    fn with_defaults(self, defaults: &EventDefaults) -> Self {
        let _ = defaults;
        self
    }
}

/// Encoded already: nothing is left open.
impl Event for Frame {}

/// Encoded already: nothing is left open.
impl Event for &Frame {}

/// An event of another protocol, on a stream that a page of one's own reads.
impl Event for sidereal_sse::Event {}
