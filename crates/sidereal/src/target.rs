//! Where elements go, and how: the options that a patch as an event and as a plain reply share.

use std::{error::Error, fmt, str::FromStr};

use crate::Selector;

/// What a patch does with the elements it carries.
///
/// The builders of [`PatchElements`](crate::PatchElements) and [`HtmlReply`](crate::HtmlReply)
/// have a method for each mode; this type is for a mode that is known only when the program runs.
///
/// ```
/// use sidereal::{Mode, PatchElements, selector};
///
/// let mode: Mode = "append".parse()?;
/// let patch = PatchElements::new("<li>new</li>").target(selector!("#feed"), mode);
/// # let _ = patch;
/// # Ok::<(), sidereal::UnknownOption>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// Morphs the target itself into the elements: what did not change keeps its state. The
    /// default; without a selector, each element finds its target by its own id.
    #[default]
    Outer,
    /// Morphs the target's children.
    Inner,
    /// Replaces the target, without morphing. Without a selector, by each element's own id.
    Replace,
    /// Puts the elements before the target's first child.
    Prepend,
    /// Puts the elements after the target's last child.
    Append,
    /// Puts the elements before the target.
    Before,
    /// Puts the elements after the target.
    After,
    /// Removes the target.
    Remove,
}

impl Mode {
    /// The word for it on the wire.
    pub const fn as_str(self) -> &'static str {
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

    /// Whether the client throws when there is no selector: for all but outer and replace.
    pub const fn needs_selector(self) -> bool {
        !matches!(self, Self::Outer | Self::Replace)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Mode {
    type Err = UnknownOption;

    fn from_str(word: &str) -> Result<Self, UnknownOption> {
        Ok(match word {
            "outer" => Self::Outer,
            "inner" => Self::Inner,
            "replace" => Self::Replace,
            "prepend" => Self::Prepend,
            "append" => Self::Append,
            "before" => Self::Before,
            "after" => Self::After,
            "remove" => Self::Remove,
            _ => {
                return Err(UnknownOption {
                    option: "mode",
                    words: "outer, inner, replace, prepend, append, before, after or remove",
                });
            }
        })
    }
}

/// The namespace in which the client creates the elements.
///
/// Without it, children of an `<svg>` or `<math>` that stand alone in a patch become HTML elements
/// that do not render. Put one root element on each line: the 1.0.2 client drops every second one
/// where roots touch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Namespace {
    /// HTML, the default.
    #[default]
    Html,
    /// SVG.
    Svg,
    /// MathML.
    MathMl,
}

impl Namespace {
    /// The word for it on the wire.
    pub const fn as_str(self) -> &'static str {
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
    type Err = UnknownOption;

    fn from_str(word: &str) -> Result<Self, UnknownOption> {
        Ok(match word {
            "html" => Self::Html,
            "svg" => Self::Svg,
            "mathml" => Self::MathMl,
            _ => {
                return Err(UnknownOption {
                    option: "namespace",
                    words: "html, svg or mathml",
                });
            }
        })
    }
}

/// A word that is no [`Mode`], or no [`Namespace`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownOption {
    option: &'static str,
    words: &'static str,
}

impl fmt::Display for UnknownOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown {}: it is one of {}", self.option, self.words)
    }
}

impl Error for UnknownOption {}

/// The options that events and plain replies share.
///
/// A mode that needs a selector is only ever set together with one, and a selector is never taken
/// away: that is what keeps a patch without its selector from being built.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Target {
    pub(crate) selector: Option<Selector>,
    pub(crate) mode: Mode,
    pub(crate) namespace: Namespace,
    /// `None` is what the app's defaults may fill in.
    pub(crate) use_view_transition: Option<bool>,
}

impl Target {
    pub(crate) fn at(selector: Selector, mode: Mode) -> Self {
        Self {
            selector: Some(selector),
            mode,
            ..Self::default()
        }
    }
}

/// The methods that set a [`Target`], for a builder with a field `target`.
macro_rules! target_methods {
    () => {
        /// Patches every element that matches, where the mode is outer (the default) or replace.
        /// Without a selector, each element of the patch goes to the element with its own id.
        pub fn selector(mut self, selector: $crate::Selector) -> Self {
            self.target.selector = Some(selector);
            self
        }

        /// Replaces the target without morphing it: state such as focus and scroll position is
        /// lost, event listeners too.
        pub fn replace(mut self) -> Self {
            self.target.mode = $crate::Mode::Replace;
            self
        }

        /// Morphs the children of every element that matches.
        pub fn inner(self, selector: $crate::Selector) -> Self {
            self.target(selector, $crate::Mode::Inner)
        }

        /// Puts the elements before the first child of every element that matches.
        pub fn prepend(self, selector: $crate::Selector) -> Self {
            self.target(selector, $crate::Mode::Prepend)
        }

        /// Puts the elements after the last child of every element that matches.
        pub fn append(self, selector: $crate::Selector) -> Self {
            self.target(selector, $crate::Mode::Append)
        }

        /// Puts the elements before every element that matches.
        pub fn before(self, selector: $crate::Selector) -> Self {
            self.target(selector, $crate::Mode::Before)
        }

        /// Puts the elements after every element that matches.
        pub fn after(self, selector: $crate::Selector) -> Self {
            self.target(selector, $crate::Mode::After)
        }

        /// Patches every element that matches, in a mode that is known when the program runs.
        pub fn target(mut self, selector: $crate::Selector, mode: $crate::Mode) -> Self {
            self.target.selector = Some(selector);
            self.target.mode = mode;
            self
        }

        /// The namespace of the elements; HTML by default.
        pub fn namespace(mut self, namespace: $crate::Namespace) -> Self {
            self.target.namespace = namespace;
            self
        }

        /// Whether the browser animates the change with the View Transition API, where it has it.
        /// Off by default.
        ///
        /// The change is then applied a moment later, after plain patches that come behind it: do
        /// not mix the two on one target.
        pub fn use_view_transition(mut self, on: bool) -> Self {
            self.target.use_view_transition = Some(on);
            self
        }
    };
}

pub(crate) use target_methods;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        let modes = [
            Mode::Outer,
            Mode::Inner,
            Mode::Replace,
            Mode::Prepend,
            Mode::Append,
            Mode::Before,
            Mode::After,
            Mode::Remove,
        ];
        for mode in modes {
            assert_eq!(mode.to_string().parse(), Ok(mode));
        }
        for namespace in [Namespace::Html, Namespace::Svg, Namespace::MathMl] {
            assert_eq!(namespace.to_string().parse(), Ok(namespace));
        }
        assert!("Outer".parse::<Mode>().is_err());
        assert_eq!(
            "xml".parse::<Namespace>().map_err(|e| e.to_string()),
            Err("unknown namespace: it is one of html, svg or mathml".into())
        );
    }
}
