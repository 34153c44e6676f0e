//! Where a request has its signals.

use http::{HeaderMap, Method};

use super::content_type::{is_form, is_json};
use crate::{is_datastar_request, signals_in_query};

/// Where the signals of a request are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Query,
    Body,
    /// In the body, if there is nothing in it: what is there is not JSON, by its type.
    EmptyBody,
    /// Nowhere: a form of the page posts its fields.
    Nowhere,
}

impl Place {
    pub(super) fn of(method: &Method, headers: &HeaderMap) -> Self {
        if signals_in_query(method) {
            Self::Query
        } else if is_form(headers) {
            Self::Nowhere
        } else if is_json(headers) || is_datastar_request(headers) {
            Self::Body
        } else {
            // Other sites can have a browser send any other body, without asking first.
            Self::EmptyBody
        }
    }
}

/// Whether the signals of a request are looked for in its body.
#[cfg(any(feature = "actix", feature = "warp"))]
pub(crate) fn are_in_body(method: &Method, headers: &HeaderMap) -> bool {
    matches!(Place::of(method, headers), Place::Body | Place::EmptyBody)
}
