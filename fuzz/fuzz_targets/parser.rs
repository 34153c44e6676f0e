//! The parser of `sidereal::testing`: any bytes, in any chunks, give the same items, and no reader
//! of events panics on them.

#![no_main]

use libfuzzer_sys::{
    arbitrary::{self, Arbitrary},
    fuzz_target,
};
use serde_json::json;
use sidereal::testing::{Event, ExecutedScript, Item, Parser, events, signals_after};
use sidereal_fuzz::Text;

#[derive(Arbitrary, Debug)]
struct Input {
    text: Text,
    bytes: Vec<u8>,
    /// Lengths of chunks, again and again.
    chunks: Vec<u8>,
}

fuzz_target!(|input: Input| {
    let stream = [input.text.0.as_bytes(), &input.bytes].concat();
    let mut whole = Parser::new();
    let items = whole.push(&stream);

    let mut pieces = Parser::new();
    let mut found = Vec::new();
    let mut rest = stream.as_slice();
    for length in input
        .chunks
        .iter()
        .cycle()
        .take(stream.len() + input.chunks.len())
    {
        let (chunk, after) = rest.split_at(usize::from(*length).min(rest.len()));
        found.extend(pieces.push(chunk));
        rest = after;
    }
    found.extend(pieces.push(rest));
    assert_eq!(items, found);
    assert_eq!(whole.is_unfinished(), pieces.is_unfinished());
    assert_eq!(whole.last_event_id(), pieces.last_event_id());

    // Each kind of line end means the same.
    assert_eq!(items, Parser::new().push(&with_line_feeds(&stream)));
    check(&items, &stream);

    let read: Vec<Event> = items
        .into_iter()
        .filter_map(|item| match item {
            Item::Event(raw) => Event::try_from(raw).ok(),
            _ => None,
        })
        .collect();
    let signals = signals_after(&read, json!({ "a": [1], "b": { "c": 2 } }));
    assert!(signals.is_object());
    for event in &read {
        let _ = event.script();
        let _ = event.as_elements().map(|patch| patch.read_script());
        // Whatever was read of the stream as an event has lines of it.
        assert!(!event.elements().is_some_and(|html| html.contains('\r')));
    }
    let _ = events(&stream);
    let _ = input.text.0.parse::<ExecutedScript>();
});

/// The stream with LF for each CRLF and CR.
fn with_line_feeds(stream: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(stream.len());
    for (position, &byte) in stream.iter().enumerate() {
        let after_return = position > 0 && stream[position - 1] == b'\r';
        match byte {
            b'\n' if after_return => {}
            b'\r' => result.push(b'\n'),
            _ => result.push(byte),
        }
    }
    result
}

/// What the WHATWG text says of every stream.
fn check(items: &[Item], stream: &[u8]) {
    let line_ends = stream.iter().filter(|byte| b"\r\n".contains(byte)).count();
    assert!(items.len() <= line_ends);
    for item in items {
        match item {
            Item::Event(event) => {
                assert!(!event.event().is_empty() && !event.event().contains(['\r', '\n']));
                assert!(!event.data().contains('\r'));
                if let Some(id) = event.id() {
                    assert!(!id.contains(['\r', '\n', '\0']));
                    assert_eq!(id, event.last_event_id());
                }
            }
            Item::Comment(text) | Item::Ignored(text) => assert!(!text.contains(['\r', '\n'])),
            Item::Retry(_) => {}
            other => panic!("{other:?}"),
        }
    }
}
