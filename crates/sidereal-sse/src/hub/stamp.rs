//! Ids in events that are encoded already.

use std::ops::Range;

use bytes::Bytes;
use memchr::memmem;

use super::order::{self, ID_LENGTH};
use crate::{EventId, Frame};

const FIELD: &[u8] = b"id: ";

/// An event with room for its id, which is known only when it is published.
pub(super) struct Stamped {
    bytes: Vec<u8>,
    id: Range<usize>,
    is_sensitive: bool,
}

/// A copy of the event with an `id` line at its end, and without any that it has. Of several events in
/// one frame it is the last one that gets the id: a client has it when it has all of them. `None` for
/// a comment, which has no id.
///
/// At its end, since Datastar's client takes an id for seen when it has read that line: of an event
/// that breaks off in the middle, a page would have the id and not the content.
pub(super) fn room_for_id(frame: &Frame) -> Option<Stamped> {
    let whole = frame.as_bytes();
    let (last, end) = last_event(whole)?;
    let event = &whole[last..end];
    let mut bytes = Vec::with_capacity(whole.len() + FIELD.len() + ID_LENGTH + 1);
    bytes.extend_from_slice(&whole[..last]);
    // The head comes before the data, and only it can have an id.
    let head = match event.starts_with(b"data:") {
        true => 0,
        false => memmem::find(event, b"\ndata:").map_or(event.len(), |end| end + 1),
    };
    for line in event[..head].split_inclusive(|byte| *byte == b'\n') {
        if !line.starts_with(b"id:") {
            bytes.extend_from_slice(line);
        }
    }
    bytes.extend_from_slice(&event[head..]);
    bytes.extend_from_slice(FIELD);
    let id = bytes.len()..bytes.len() + ID_LENGTH;
    bytes.resize(id.end, b'0');
    bytes.push(b'\n');
    bytes.extend_from_slice(&whole[end..]);
    Some(Stamped {
        bytes,
        id,
        is_sensitive: frame.is_sensitive(),
    })
}

/// The same event with another number in its id; `None` where it was not stamped.
pub(super) fn renumbered(frame: &Frame, number: u64) -> Option<Frame> {
    let whole = frame.as_bytes();
    let (begin, end) = last_event(whole)?;
    let line = whole[begin..end].rsplit(|byte| *byte == b'\n').nth(1)?;
    let id = std::str::from_utf8(line.strip_prefix(FIELD)?).ok()?;
    let (epoch, _) = order::read(&EventId::new(id.to_owned()).ok()?)?;
    let stamped = Stamped {
        bytes: whole.to_vec(),
        id: end - 1 - ID_LENGTH..end - 1,
        is_sensitive: frame.is_sensitive(),
    };
    Some(stamped.with(epoch, number))
}

/// Where the last event begins, comments not counted, and where the blank line at its end.
fn last_event(whole: &[u8]) -> Option<(usize, usize)> {
    let mut after = whole.len();
    while after >= 2 {
        let end = after - 1;
        // No event has a blank line in it.
        let begin = memmem::rfind(&whole[..after - 2], b"\n\n").map_or(0, |end| end + 2);
        if !whole[begin..end].starts_with(b":") {
            return Some((begin, end));
        }
        after = begin;
    }
    None
}

impl Stamped {
    pub(super) fn with(mut self, epoch: u32, number: u64) -> Frame {
        let id = order::id(epoch, number);
        self.bytes[self.id].copy_from_slice(id.as_bytes());
        let frame = Frame::from_encoded(Bytes::from(self.bytes));
        if self.is_sensitive {
            frame.sensitive()
        } else {
            frame
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn stamped(text: &'static str) -> Option<String> {
        let frame = Frame::from_encoded(Bytes::from_static(text.as_bytes()));
        let stamped = room_for_id(&frame)?.with(3, 7);
        Some(String::from_utf8(stamped.into_bytes().into()).unwrap())
    }

    #[test]
    fn only_what_was_stamped_is_renumbered() {
        let frame = |text: &str| Frame::from_encoded(Bytes::from(text.to_owned()));
        for text in ["data: x\n\n", "data: x\n\ndata: y\n\n: c\n\n"] {
            let room = || room_for_id(&frame(text)).unwrap();
            assert_eq!(renumbered(&room().with(3, 7), 9), Some(room().with(3, 9)));
        }
        for text in ["data: id: 3\n\n", "id: 3\ndata: x\n\n", ": c\n\n", "\n\n"] {
            assert_eq!(renumbered(&frame(text), 9), None);
        }
    }

    #[test]
    fn an_id_is_the_last_line_and_the_only_one() {
        let id = order::id(3, 7);
        for (before, after) in [
            ("data: x\n\n", format!("data: x\nid: {id}\n\n")),
            (
                "event: a\ndata: x\n\n",
                format!("event: a\ndata: x\nid: {id}\n\n"),
            ),
            (
                "event: a\nid: 3\nretry: 5\ndata: x\ndata: y\n\n",
                format!("event: a\nretry: 5\ndata: x\ndata: y\nid: {id}\n\n"),
            ),
            (
                "event: a\nid: 3\ndata: x\n\nevent: b\n\n",
                format!("event: a\nid: 3\ndata: x\n\nevent: b\nid: {id}\n\n"),
            ),
            ("id: 3\n\n", format!("id: {id}\n\n")),
            (
                "data: x\n\n: c\n\n:\n\n",
                format!("data: x\nid: {id}\n\n: c\n\n:\n\n"),
            ),
            (
                ": c\n\ndata: id: 3\n\n",
                format!(": c\n\ndata: id: 3\nid: {id}\n\n"),
            ),
        ] {
            assert_eq!(stamped(before), Some(after));
        }
        assert_eq!(stamped(": only a comment\n\n"), None);
        assert_eq!(stamped(":\n\n"), None);
    }
}
