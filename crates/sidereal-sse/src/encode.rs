//! The one encoder: content split into `data:` lines, and the head of the event before them.
//!
//! Content is framed the moment it is known, straight into the buffer that goes out; the head
//! (event, id, retry and one-line fields) is known only when the event is complete, although it
//! stands first. So the buffer keeps [`HEADROOM`] bytes free at its front, and the head is moved
//! up against the content at the end: one allocation for an event whose content is at hand.
//!
//! ```text
//! ┌───────── HEADROOM ─────────┬────────────────────────────┬────┐
//! │ unused │ event:… id:… data: │ data: elements <div>…      │ \n │
//! └────────┴────────────────────┴────────────────────────────┴────┘
//!          └─────────────── the frame's bytes ────────────────────┘
//! ```

use std::{fmt, io, time::Duration};

use bytes::{Buf, Bytes};
use memchr::{memchr_iter, memchr2, memmem};

use crate::{EventId, Frame, Line};

/// Room for a head with a selector and a mode. A longer head costs one more allocation.
const HEADROOM: usize = 128;

/// The reconnection time that clients start with, and which is therefore never written: 1,000 ms
/// (Datastar's ADR).
const DEFAULT_RETRY: u64 = 1000;

/// Timers of browsers hold 31 bits of milliseconds, and fire at once beyond that.
const MAX_RETRY: u64 = i32::MAX as u64;

/// What every line of some data begins with: `data: `, or `data: KEY ` where the protocol on top
/// has keys, as Datastar's does.
///
/// ```
/// use sidereal_sse::DataKey;
///
/// const ELEMENTS: DataKey = DataKey::new("data: elements ");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataKey(&'static str);

impl DataKey {
    /// Data without a key.
    pub const PLAIN: Self = Self("data: ");

    /// The whole beginning of a line, `data: ` included, with a space at its end.
    ///
    /// # Panics
    ///
    /// Where it does not begin with `data: `, does not end with a space, or has a line break in
    /// it. In a `const` that is a compile error.
    pub const fn new(prefix: &'static str) -> Self {
        let bytes = prefix.as_bytes();
        let data = b"data: ";
        let mut position = 0;
        while position < data.len() {
            assert!(
                position < bytes.len() && bytes[position] == data[position],
                "a data key begins with `data: `"
            );
            position += 1;
        }
        while position < bytes.len() {
            assert!(
                !matches!(bytes[position], b'\r' | b'\n' | 0),
                "a data key is one line"
            );
            position += 1;
        }
        assert!(
            bytes[bytes.len() - 1] == b' ',
            "a data key ends with a space"
        );
        Self(prefix)
    }

    fn as_bytes(self) -> &'static [u8] {
        self.0.as_bytes()
    }
}

/// The content of an event, framed as `data:` lines, with room in front for the head.
///
/// CR, LF and CRLF all end a line, as they do for the client; the client puts LF between the lines
/// again. Empty text is content too: one empty line.
///
/// For protocols on top of server-sent events; an application uses [`Event`](crate::Event), or the
/// events of the crate `sidereal`.
///
/// ```
/// use sidereal_sse::{Content, DataKey, Line};
///
/// let content = Content::new(DataKey::PLAIN, "one\r\ntwo");
/// let frame = content.into_frame(|head| {
///     head.begin(Some(&Line::from_static("greeting")), None, None);
/// });
/// assert_eq!(frame.as_bytes(), b"event: greeting\ndata: one\ndata: two\n\n");
/// ```
pub struct Content {
    /// [`HEADROOM`] zeros, then the framed lines, each with its LF.
    buffer: Vec<u8>,
}

impl Content {
    /// No content at all: an event that consists of its head.
    pub fn none() -> Self {
        Self::with_capacity(0)
    }

    /// Frames text that is at hand: one allocation, of exactly the size of the event.
    pub fn new(key: DataKey, text: &str) -> Self {
        let bytes = text.as_bytes();
        let prefix = key.as_bytes();
        // Most small events are one line, and counting costs more than finding nothing.
        let (line_feeds, returns) = match memchr2(b'\r', b'\n', bytes) {
            None => (0, 0),
            Some(first) => (
                memchr_iter(b'\n', &bytes[first..]).count(),
                memchr_iter(b'\r', &bytes[first..]).count(),
            ),
        };
        let pairs = match returns {
            0 => 0,
            _ => memmem::find_iter(bytes, b"\r\n").count(),
        };
        let lines = line_feeds + returns - pairs + 1;
        let mut content = Self::with_capacity(bytes.len() - pairs + lines * prefix.len() + 1);
        if returns > 0 {
            let mut writer = ContentWriter::over(content, key);
            writer.push(bytes);
            return writer.finish();
        }
        let buffer = &mut content.buffer;
        buffer.extend_from_slice(prefix);
        let mut rest = bytes;
        if line_feeds > 0 {
            let mut start = 0;
            for end in memchr_iter(b'\n', bytes) {
                // The line with its LF, and the beginning of the next.
                buffer.extend_from_slice(&bytes[start..=end]);
                buffer.extend_from_slice(prefix);
                start = end + 1;
            }
            rest = &bytes[start..];
        }
        buffer.extend_from_slice(rest);
        buffer.push(b'\n');
        content
    }

    /// Frames what is still to be written, piece by piece: a template, a serializer.
    pub fn writer(key: DataKey) -> ContentWriter {
        ContentWriter::over(Self::with_capacity(256), key)
    }

    fn with_capacity(lines: usize) -> Self {
        // One byte more for the blank line that ends the event.
        let mut buffer = Vec::with_capacity(HEADROOM + lines + 1);
        buffer.resize(HEADROOM, 0);
        Self { buffer }
    }

    /// Whether there are no lines. Empty text is one line.
    pub fn is_none(&self) -> bool {
        self.buffer.len() == HEADROOM
    }

    /// The framed lines.
    pub fn lines(&self) -> &[u8] {
        &self.buffer[HEADROOM..]
    }

    /// Completes the event: `head` writes what stands before the lines.
    ///
    /// The closure writes [`begin`](HeadWriter::begin) first, then one-line data.
    /// Where it writes nothing, and there is no content either, the frame is empty.
    pub fn into_frame(self, head: impl FnOnce(&mut HeadWriter)) -> Frame {
        let mut writer = HeadWriter {
            buffer: self.buffer,
            room: HEADROOM,
            len: 0,
        };
        head(&mut writer);
        let HeadWriter {
            mut buffer,
            room,
            len,
        } = writer;
        if len == 0 && buffer.len() == room {
            return Frame::empty();
        }
        buffer.copy_within(..len, room - len);
        buffer.push(b'\n');
        let mut bytes = Bytes::from(buffer);
        bytes.advance(room - len);
        Frame::from_encoded(bytes)
    }
}

impl Clone for Content {
    fn clone(&self) -> Self {
        // With room for the blank line, as in an original.
        let mut buffer = Vec::with_capacity(self.buffer.len() + 1);
        buffer.extend_from_slice(&self.buffer);
        Self { buffer }
    }
}

impl Eq for Content {}

impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        self.lines() == other.lines()
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Content")
            .field(&String::from_utf8_lossy(self.lines()))
            .finish()
    }
}

/// Frames text as it is written; made by [`Content::writer`].
///
/// Implements [`fmt::Write`] for templates and [`io::Write`] for serializers; neither fails.
pub struct ContentWriter {
    content: Content,
    key: DataKey,
    /// The last byte written was a CR, so that an LF now belongs to it.
    after_cr: bool,
}

impl ContentWriter {
    fn over(mut content: Content, key: DataKey) -> Self {
        content.buffer.extend_from_slice(key.as_bytes());
        Self {
            content,
            key,
            after_cr: false,
        }
    }

    fn push(&mut self, mut bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if self.after_cr && bytes[0] == b'\n' {
            bytes = &bytes[1..];
        }
        self.after_cr = bytes.last() == Some(&b'\r');
        let buffer = &mut self.content.buffer;
        while let Some(end) = memchr2(b'\r', b'\n', bytes) {
            buffer.extend_from_slice(&bytes[..end]);
            buffer.push(b'\n');
            buffer.extend_from_slice(self.key.as_bytes());
            let crlf = bytes[end..].starts_with(b"\r\n");
            bytes = &bytes[end + 1 + usize::from(crlf)..];
        }
        buffer.extend_from_slice(bytes);
    }

    /// Ends the last line.
    pub fn finish(mut self) -> Content {
        let buffer = &mut self.content.buffer;
        buffer.push(b'\n');
        // What grew while it was written may have doubled for its last byte.
        if buffer.capacity() - buffer.len() > buffer.len() / 4 {
            buffer.shrink_to(buffer.len() + 1);
        }
        self.content
    }
}

impl fmt::Write for ContentWriter {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text.as_bytes());
        Ok(())
    }
}

impl io::Write for ContentWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for ContentWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ContentWriter").field(&self.content).finish()
    }
}

/// Writes what stands before an event's content; see [`Content::into_frame`].
#[derive(Debug)]
pub struct HeadWriter {
    buffer: Vec<u8>,
    /// How many bytes at the front of the buffer are the head's.
    room: usize,
    /// How many of them are written, from the very front.
    len: usize,
}

impl HeadWriter {
    /// What an event begins with, in the protocol's order:
    ///
    /// ```text
    /// event: NAME
    /// id: ID
    /// retry: MILLISECONDS
    /// ```
    ///
    /// The default retry of 1,000 ms is not written; the longest is 2,147,483,647 ms (24.8 days),
    /// since browsers' timers fire at once beyond that.
    pub fn begin(&mut self, name: Option<&Line>, id: Option<&EventId>, retry: Option<Duration>) {
        if let Some(name) = name {
            self.field(b"event: ", name.as_str().as_bytes());
        }
        if let Some(id) = id {
            self.field(b"id: ", id.as_str().as_bytes());
        }
        if let Some(delay) = retry {
            let milliseconds = u64::try_from(delay.as_millis()).unwrap_or(MAX_RETRY);
            let milliseconds = milliseconds.min(MAX_RETRY);
            if milliseconds != DEFAULT_RETRY {
                self.field(b"retry: ", milliseconds.to_string().as_bytes());
            }
        }
    }

    /// `data: KEY VALUE`, one line.
    pub fn data(&mut self, key: DataKey, value: &Line) {
        self.field(key.as_bytes(), value.as_str().as_bytes());
    }

    fn field(&mut self, name: &[u8], value: &[u8]) {
        let end = self.len + name.len() + value.len() + 1;
        if end > self.room {
            let more = (end - self.room).max(HEADROOM);
            self.buffer.reserve_exact(more + 1);
            self.buffer
                .splice(self.room..self.room, std::iter::repeat_n(0, more));
            self.room += more;
        }
        for part in [name, value, b"\n"] {
            self.buffer[self.len..][..part.len()].copy_from_slice(part);
            self.len += part.len();
        }
    }
}

/// A comment block: `: LINE` for each line, then a blank line.
pub(crate) fn comment(text: &str) -> Frame {
    let mut writer = ContentWriter::over(Content::with_capacity(text.len() + 4), DataKey(": "));
    writer.push(text.as_bytes());
    writer.finish().into_frame(|_| {})
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    const KEY: DataKey = DataKey::new("data: elements ");

    fn framed(text: &str) -> String {
        String::from_utf8_lossy(Content::new(KEY, text).lines()).into_owned()
    }

    #[test]
    fn every_kind_of_line_break_ends_a_line() {
        let expected = "data: elements a\ndata: elements b\ndata: elements \ndata: elements c\n";
        for text in ["a\nb\n\nc", "a\rb\r\rc", "a\r\nb\r\n\r\nc", "a\rb\n\rc"] {
            assert_eq!(framed(text), expected, "{text:?}");
        }
    }

    #[test]
    fn empty_text_is_content_and_no_content_is_none() {
        assert_eq!(framed(""), "data: elements \n");
        assert!(!Content::new(KEY, "").is_none());
        assert!(Content::none().is_none());
    }

    #[test]
    fn a_break_at_the_end_is_kept() {
        assert_eq!(framed("a\n"), "data: elements a\ndata: elements \n");
    }

    #[test]
    fn known_content_is_one_exact_allocation() {
        for text in [
            "",
            "x",
            "one\ntwo\nthree",
            "a\r\nb\rc\n",
            &"<p>row</p>\n".repeat(500),
        ] {
            let content = Content::new(KEY, text);
            assert_eq!(content.buffer.capacity(), content.buffer.len() + 1);
        }
    }

    #[test]
    fn a_head_longer_than_its_room_is_written_whole() {
        let id = EventId::new("i".repeat(300)).unwrap_or_else(|_| EventId::from(0));
        let selector = Line::new("s".repeat(700)).unwrap_or(Line::from_static(""));
        let frame = Content::new(KEY, "x").into_frame(|head| {
            let name = Line::from_static("e");
            head.begin(Some(&name), Some(&id), Some(Duration::from_millis(5)));
            head.data(DataKey::new("data: selector "), &selector);
        });
        let expected = format!(
            "event: e\nid: {}\nretry: 5\ndata: selector {}\ndata: elements x\n\n",
            "i".repeat(300),
            "s".repeat(700)
        );
        assert_eq!(String::from_utf8_lossy(frame.as_bytes()), expected);
    }

    #[test]
    fn the_default_retry_is_not_written_and_the_largest_fits_a_timer() {
        let encoded = |delay| {
            let frame = Content::none().into_frame(|head| head.begin(None, None, Some(delay)));
            String::from_utf8_lossy(frame.as_bytes()).into_owned()
        };
        assert_eq!(encoded(Duration::from_secs(1)), "");
        assert_eq!(encoded(Duration::ZERO), "retry: 0\n\n");
        assert_eq!(encoded(Duration::MAX), "retry: 2147483647\n\n");
    }

    #[test]
    fn comments_cannot_become_events() {
        assert_eq!(
            Frame::comment("x\r\n\ndata: y").as_bytes(),
            b": x\n: \n: data: y\n\n"
        );
    }

    proptest::proptest! {
        /// Text framed at once and text framed in pieces, split anywhere, are the same lines.
        #[test]
        fn pieces_frame_like_the_whole(pieces in proptest::collection::vec("[a\r\n]{0,5}", 0..6)) {
            let mut writer = Content::writer(KEY);
            for piece in &pieces {
                let _ = writer.write_str(piece);
            }
            proptest::prop_assert_eq!(writer.finish(), Content::new(KEY, &pieces.concat()));
        }
    }
}
