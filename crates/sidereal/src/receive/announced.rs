//! The length of a body that does not know it.

use http::{HeaderMap, header::CONTENT_LENGTH};
use http_body::SizeHint;

/// What the head of a request says of its body's length, in bytes.
pub(crate) fn announced(headers: &HeaderMap) -> SizeHint {
    let length = headers.get(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    let mut hint = SizeHint::new();
    hint.set_lower(length.unwrap_or_default());
    hint
}
