//! An event-stream parser, written to the WHATWG HTML text alone.

use std::{mem, time::Duration};

/// One event as the stream carried it, before anything knows of Datastar.
///
/// The fields are those of [section 9.2.6 of the HTML standard][spec]: the buffers at the moment the blank line
/// dispatched the event.
///
/// ```
/// use sidereal::testing::{Item, Parser};
///
/// let items = Parser::new().push(b"event: add\nid: 7\ndata: 1\ndata: 2\n\n");
/// let [Item::Event(event)] = items.as_slice() else { panic!("one event") };
/// assert_eq!(event.event(), "add");
/// assert_eq!(event.data(), "1\n2");
/// assert_eq!(event.id(), Some("7"));
/// ```
///
/// [spec]: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawEvent {
    event: String,
    data: String,
    id: Option<String>,
    last_event_id: String,
    retry: Option<Duration>,
}

impl RawEvent {
    /// The event's type; `message` where the stream named none.
    #[must_use]
    pub fn event(&self) -> &str {
        &self.event
    }

    /// The data lines, joined with `\n`.
    #[must_use]
    pub fn data(&self) -> &str {
        &self.data
    }

    /// The id that this event's own lines set, if they set one.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The last event ID buffer: this event's id, or else that of the events before it.
    ///
    /// The Datastar client looks only at [`id`](Self::id).
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    /// The reconnection time that this event's own lines set.
    #[must_use]
    pub fn retry(&self) -> Option<Duration> {
        self.retry
    }
}

/// What a [`Parser`] finds, in the order of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Item {
    /// A blank line dispatched an event.
    Event(RawEvent),
    /// A comment, without its colon and with any space after it: the heartbeat of an idle stream.
    Comment(String),
    /// A `retry` line changed the reconnection time. The event it stands in, if any, follows and repeats it.
    Retry(Duration),
    /// A line that every client ignores: an unknown field, an id with NUL in it, a retry that is not all digits.
    ///
    /// No server has a reason to send one, so a test that sees one has most likely found an injection.
    Ignored(String),
}

/// An incremental parser of `text/event-stream`, for bytes that arrive in any chunks.
///
/// It follows section 9.2.6 of the HTML standard, "Interpreting an event stream", and shares no code with the
/// encoder, so that one checks the other:
///
/// 1. One byte order mark at the start is skipped. Bytes that are not UTF-8 become U+FFFD.
/// 2. Lines end with LF, CR or CRLF. A CR ends its line at once, also where the LF comes in the next chunk.
/// 3. A line that begins with a colon is a comment. In others, the name ends at the first colon, and one space after
///    the colon is dropped.
/// 4. `event`, `data`, `id` and `retry` are known. An id with NUL in it is ignored, as is a retry that is not made of
///    ASCII digits. `id` outlives its event.
/// 5. A blank line dispatches the event, unless it has no data line. The last line feed of the data is dropped.
/// 6. What comes after the last blank line is never dispatched.
///
/// ```
/// use sidereal::testing::{Item, Parser};
///
/// let mut parser = Parser::new();
/// assert!(parser.push(b"data: hel").is_empty());
/// assert!(parser.push(b"lo\r").is_empty());
/// assert_eq!(parser.push(b"\n\r\n").len(), 1);
/// assert_eq!(parser.push(b": beat\n"), [Item::Comment(" beat".into())]);
/// assert!(!parser.is_unfinished());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Parser {
    line: Vec<u8>,
    past_first_line: bool,
    after_carriage_return: bool,
    event: String,
    data: String,
    id: Option<String>,
    last_event_id: String,
    retry: Option<Duration>,
}

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

impl Parser {
    /// A parser at the start of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes of the stream and returns what they completed.
    pub fn push(&mut self, chunk: &[u8]) -> Vec<Item> {
        let mut items = Vec::new();
        for &byte in chunk {
            let second_half = mem::take(&mut self.after_carriage_return) && byte == b'\n';
            if second_half {
                continue;
            }
            match byte {
                b'\n' | b'\r' => {
                    self.after_carriage_return = byte == b'\r';
                    self.end_of_line(&mut items);
                }
                _ => self.line.push(byte),
            }
        }
        items
    }

    /// Whether the stream so far stops in the middle of a line or of an event, which a client throws away if the
    /// stream ends here.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        let line = if self.past_first_line {
            &self.line
        } else {
            without_mark(&self.line)
        };
        !line.is_empty()
            || !self.event.is_empty()
            || !self.data.is_empty()
            || self.id.is_some()
            || self.retry.is_some()
    }

    /// The last event ID buffer: what a client sends as `Last-Event-ID` when it reconnects.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    fn end_of_line(&mut self, items: &mut Vec<Item>) {
        let bytes = mem::take(&mut self.line);
        let first = !mem::replace(&mut self.past_first_line, true);
        // Line by line is the same as the stream at once: no malformed sequence reaches past an ASCII byte.
        let line = String::from_utf8_lossy(if first { without_mark(&bytes) } else { &bytes });
        if line.is_empty() {
            items.extend(self.dispatch().map(Item::Event));
        } else if let Some(comment) = line.strip_prefix(':') {
            items.push(Item::Comment(comment.to_owned()));
        } else {
            items.extend(self.field(&line));
        }
    }

    fn field(&mut self, line: &str) -> Option<Item> {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "event" => value.clone_into(&mut self.event),
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            "id" if !value.contains('\0') => {
                value.clone_into(&mut self.last_event_id);
                self.id = Some(value.to_owned());
            }
            "retry" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                let retry = Duration::from_millis(value.parse().unwrap_or(u64::MAX));
                self.retry = Some(retry);
                return Some(Item::Retry(retry));
            }
            _ => return Some(Item::Ignored(line.to_owned())),
        }
        None
    }

    fn dispatch(&mut self) -> Option<RawEvent> {
        let mut event = mem::take(&mut self.event);
        let mut data = mem::take(&mut self.data);
        let id = self.id.take();
        let retry = self.retry.take();
        data.pop()?; // the last line feed; there is none only where there is no data line
        if event.is_empty() {
            event.push_str("message");
        }
        Some(RawEvent {
            event,
            data,
            id,
            last_event_id: self.last_event_id.clone(),
            retry,
        })
    }
}

fn without_mark(line: &[u8]) -> &[u8] {
    line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use proptest::prelude::*;

    fn events(stream: impl AsRef<[u8]>) -> Vec<(String, String, String)> {
        let items = Parser::new().push(stream.as_ref());
        items
            .into_iter()
            .filter_map(|item| match item {
                Item::Event(raw) => Some((raw.event, raw.data, raw.last_event_id)),
                _ => None,
            })
            .collect()
    }

    fn message(data: &str, id: &str) -> (String, String, String) {
        ("message".into(), data.into(), id.into())
    }

    // The examples of section 9.2.6, in its order.

    #[test]
    fn whatwg_three_lines_of_data() {
        assert_eq!(
            events("data: YHOO\ndata: +2\ndata: 10\n\n"),
            [message("YHOO\n+2\n10", "")]
        );
    }

    #[test]
    fn whatwg_four_blocks() {
        let stream = ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n";
        let items = Parser::new().push(stream.as_bytes());
        assert_eq!(items[0], Item::Comment(" test stream".into()));
        assert_eq!(
            events(stream),
            [message("first event", "1"), message("second event", "")]
        );
        // The third lacks its blank line, and a client discards it.
        let mut parser = Parser::new();
        parser.push(stream.as_bytes());
        assert!(parser.is_unfinished());
        assert_eq!(
            events(format!("{stream}\n"))[2],
            message(" third event", "")
        );
    }

    #[test]
    fn whatwg_empty_data() {
        // "The first block fires events with the data set to the empty string, as would the last block if it was
        // followed by a blank line. The middle block fires an event with the data set to a single newline."
        assert_eq!(
            events("data\n\ndata\ndata\n\ndata:"),
            [message("", ""), message("\n", "")]
        );
    }

    #[test]
    fn whatwg_one_leading_space() {
        assert_eq!(
            events("data:test\n\ndata: test\n\n"),
            [message("test", ""), message("test", "")]
        );
    }

    #[test]
    fn whatwg_event_types() {
        let stream = "event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\n";
        let types: Vec<_> = events(stream).into_iter().map(|event| event.0).collect();
        assert_eq!(types, ["add", "remove"]);
    }

    // What its rules say, one by one.

    #[test]
    fn every_kind_of_line_end() {
        for end in ["\n", "\r", "\r\n"] {
            let stream = format!("data: a{end}data: b{end}{end}data: c{end}{end}");
            assert_eq!(
                events(stream),
                [message("a\nb", ""), message("c", "")],
                "{end:?}"
            );
        }
        assert_eq!(
            events("data: a\r\r\n\ndata: b\n\r"),
            [message("a", ""), message("b", "")]
        );
    }

    #[test]
    fn a_carriage_return_ends_the_line_at_once() {
        let mut parser = Parser::new();
        assert_eq!(parser.push(b"data: a\r\n\r").len(), 1);
        assert!(parser.push(b"\n").is_empty());
        assert!(parser.push(b"data: b\r").is_empty());
        assert_eq!(parser.push(b"\r").len(), 1);
    }

    #[test]
    fn one_byte_order_mark_is_skipped() {
        assert_eq!(
            events("\u{FEFF}data: a\n\n\u{FEFF}data: b\n\n"),
            [message("a", "")]
        );
        assert!(events("\u{FEFF}\u{FEFF}data: a\n\n").is_empty());
        let mut parser = Parser::new();
        parser.push("\u{FEFF}".as_bytes());
        assert!(!parser.is_unfinished());
    }

    #[test]
    fn malformed_utf8_is_replaced() {
        assert_eq!(
            events(b"data: a\xFFb\xE2\x82\n\n"),
            [message("a\u{FFFD}b\u{FFFD}", "")]
        );
    }

    #[test]
    fn no_event_without_data() {
        assert!(events("event: a\nid: 1\n\n").is_empty());
        // Its type does not reach the next event; its id does, but is not that event's own.
        let items = Parser::new().push(b"event: a\nid: 1\n\ndata: b\n\n");
        let [Item::Event(event)] = items.as_slice() else {
            panic!("{items:?}")
        };
        assert_eq!(
            (event.event(), event.last_event_id(), event.id()),
            ("message", "1", None)
        );
    }

    #[test]
    fn ids() {
        assert_eq!(
            events("id: 1\ndata\n\ndata\n\nid: 2\0\ndata\n\nid\ndata\n\n")
                .into_iter()
                .map(|event| event.2)
                .collect::<Vec<_>>(),
            ["1", "1", "1", ""]
        );
    }

    #[test]
    fn retry_takes_digits_only() {
        let retry = |line: &str| Parser::new().push(format!("{line}\n").as_bytes());
        assert_eq!(
            retry("retry: 250"),
            [Item::Retry(Duration::from_millis(250))]
        );
        assert_eq!(retry("retry:0"), [Item::Retry(Duration::ZERO)]);
        for bad in [
            "retry: -1",
            "retry: 1.5",
            "retry: 1e3",
            "retry:  1",
            "retry",
            "retry: ١",
        ] {
            assert_eq!(retry(bad), [Item::Ignored(bad.into())]);
        }
        let items = Parser::new().push(b"retry: 5\ndata: a\n\ndata: b\n\n");
        let retries: Vec<_> = items
            .iter()
            .filter_map(|item| match item {
                Item::Event(event) => Some(event.retry()),
                _ => None,
            })
            .collect();
        assert_eq!(retries, [Some(Duration::from_millis(5)), None]);
    }

    #[test]
    fn field_names_are_exact() {
        for line in ["Data: a", " data: a", "data : a", "datax", "foo: bar"] {
            assert_eq!(
                Parser::new().push(format!("{line}\n\n").as_bytes()),
                [Item::Ignored(line.into())]
            );
        }
        assert_eq!(events("data: a: b :c\n\n"), [message("a: b :c", "")]);
    }

    /// Text that is mostly made of what the grammar cares for.
    fn stream_bytes() -> impl Strategy<Value = Vec<u8>> {
        let part = prop_oneof![
            4 => prop::sample::select(vec![
                "\n", "\r", "\r\n", ":", " ", "data", "data: ", "event: ", "id: ", "retry: 12", "\0", "\u{FEFF}", "é", "🪐",
            ])
            .prop_map(|text| text.as_bytes().to_vec()),
            1 => prop::collection::vec(any::<u8>(), 0..4),
        ];
        prop::collection::vec(part, 0..40).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_items(
            bytes in stream_bytes(),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let mut whole = Parser::new();
            let expected = whole.push(&bytes);

            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let mut parts = Parser::new();
            let found: Vec<_> = cuts.windows(2).flat_map(|cut| parts.push(&bytes[cut[0]..cut[1]])).collect();
            prop_assert_eq!(&found, &expected);
            prop_assert_eq!(parts.is_unfinished(), whole.is_unfinished());

            let mut single = Parser::new();
            let found: Vec<_> = bytes.iter().flat_map(|byte| single.push(&[*byte])).collect();
            prop_assert_eq!(found, expected);
        }

        /// The decoding of lines is the decoding of the stream: the second way of rule 1.
        #[test]
        fn decoding_first_gives_the_same_items(bytes in stream_bytes()) {
            let decoded = String::from_utf8_lossy(&bytes);
            prop_assert_eq!(Parser::new().push(decoded.as_bytes()), Parser::new().push(&bytes));
        }
    }
}
