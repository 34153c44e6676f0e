//! Signals as they are written into a page.

use std::fmt;

use serde::Serialize;

use crate::{
    SignalsError,
    js::value_literal,
    signals_json::{Refused, check_serialized},
};

/// The signals that a page begins with, for an attribute `data-signals`: text that a page's user
/// typed can be among them.
///
/// JSON will not do there, however it is escaped for HTML: the client runs the attribute as
/// JavaScript, and rewrites `$name` and `@name(…)` in it, within strings too. This is an expression
/// of the same value in which nothing is left to rewrite, and no character that HTML would have to
/// escape in an attribute.
///
/// ```
/// use maud::html;
/// use serde_json::json;
/// use sidereal::SignalsLiteral;
///
/// let signals = SignalsLiteral::new(&json!({ "name": "O'Neil", "email": "ada@get('/x')" }))?;
/// let page = html! { body data-signals=(signals) {} };
/// assert_eq!(
///     page.into_string(),
///     r#"<body data-signals="{'email':'ada\x40get(\x27/x\x27)','name':'O\x27Neil'}"></body>"#
/// );
/// # Ok::<(), sidereal::SignalsError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignalsLiteral(String);

impl SignalsLiteral {
    /// Serializes the signals.
    ///
    /// # Errors
    ///
    /// As [`PatchSignals::new`](crate::PatchSignals::new): a value that does not serialize, or not to
    /// an object.
    pub fn new(signals: &(impl Serialize + ?Sized)) -> Result<Self, SignalsError> {
        let json = serde_json::to_string(signals)
            .map_err(|error| SignalsError(Refused::Serialize(error)))?;
        check_serialized(json.as_bytes())?;
        Ok(Self(value_literal(&json)))
    }

    /// The expression.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SignalsLiteral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
