//! What an event says.

use sidereal_sse::Frame;

/// The first line of its data, and its id.
pub(crate) fn text_and_id(frame: &Frame) -> (String, Option<String>) {
    let text = std::str::from_utf8(frame.as_bytes()).unwrap();
    let line = |field: &str| {
        let mut lines = text.lines();
        lines.find_map(|line| line.strip_prefix(field).map(str::to_owned))
    };
    (line("data: ").unwrap_or_default(), line("id: "))
}
