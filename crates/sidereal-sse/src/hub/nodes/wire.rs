//! What goes between nodes, in bytes.
//!
//! ```text
//! version  kind  node  sequence  before  body
//!    1       1     8       8        8     …      bytes, big-endian
//! ```

use bytes::{BufMut as _, Bytes};

use crate::Frame;

/// The version, which is marked: no text begins with such a byte, in any language.
const VERSION: u8 = MARK | 1;
const MARK: u8 = 0xF8;
const HEAD: usize = 26;

/// A message of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Envelope {
    pub(super) kind: Kind,
    /// Who sent it.
    pub(super) node: u64,
    /// Numbers what this node sends, on all channels together.
    pub(super) sequence: u64,
    /// The sequence of what this node sent before it on the same channel; zero where it does not
    /// know of any.
    pub(super) before: u64,
    pub(super) body: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Data = 0,
    /// What this node was to send was not sent.
    Skipped = 1,
}

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// Of another version of this crate.
    Version(u8),
    /// Of something else.
    Foreign,
    Head,
    Event,
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Version(version) => write!(
                f,
                "it is of version {version} of the protocol, and this node speaks {}",
                VERSION & !MARK
            ),
            Self::Foreign => f.write_str("no hub has sent it"),
            Self::Head => f.write_str("it has no head"),
            Self::Event => f.write_str("it holds no event"),
        }
    }
}

/// A message on its way: an [`Envelope`] whose body is in parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outgoing<'a> {
    pub(super) kind: Kind,
    pub(super) node: u64,
    pub(super) sequence: u64,
    pub(super) before: u64,
    pub(super) body: &'a [&'a [u8]],
}

impl Outgoing<'_> {
    pub(super) fn encode(&self) -> Bytes {
        let mut bytes = Vec::with_capacity(length(self.body));
        bytes.put_u8(VERSION);
        bytes.put_u8(self.kind as u8);
        bytes.put_u64(self.node);
        bytes.put_u64(self.sequence);
        bytes.put_u64(self.before);
        for part in self.body {
            bytes.put_slice(part);
        }
        bytes.into()
    }
}

/// The length of a message with this body.
pub(super) fn length(body: &[&[u8]]) -> usize {
    HEAD + body.iter().map(|part| part.len()).sum::<usize>()
}

impl Envelope {
    pub(super) fn decode(bytes: &Bytes) -> Result<Self, Malformed> {
        match bytes.first() {
            Some(&VERSION) => {}
            Some(&version) if version & MARK == MARK => {
                return Err(Malformed::Version(version & !MARK));
            }
            Some(_) | None => return Err(Malformed::Foreign),
        }
        let kind = match bytes.get(1) {
            Some(0) => Kind::Data,
            Some(1) => Kind::Skipped,
            _ => return Err(Malformed::Head),
        };
        let number = |at: usize| {
            let digits = bytes.get(at..at + 8)?.try_into().ok()?;
            Some(u64::from_be_bytes(digits))
        };
        let (Some(node), Some(sequence), Some(before)) = (number(2), number(10), number(18)) else {
            return Err(Malformed::Head);
        };
        Ok(Self {
            kind,
            node,
            sequence,
            before,
            body: bytes.slice(HEAD..),
        })
    }
}

/// The sequence of an encoded message.
pub(super) fn sequence(bytes: &[u8]) -> Option<u64> {
    let digits = bytes.get(10..18)?.try_into().ok()?;
    Some(u64::from_be_bytes(digits))
}

/// An event as the body of a message: what is to be known of it, and the frame.
pub(crate) fn event(frame: &Frame) -> [&[u8]; 2] {
    let is_sensitive = if frame.is_sensitive() { &[1] } else { &[0] };
    [is_sensitive, frame.as_bytes()]
}

/// Reads an event again. Other nodes are trusted to send what their application published, but
/// not to be of one mind with this one about what an event is.
pub(crate) fn read_event(body: &Bytes) -> Result<Frame, Malformed> {
    let is_sensitive = match body.first() {
        Some(0) => false,
        Some(1) => true,
        _ => return Err(Malformed::Event),
    };
    let bytes = body.slice(1..);
    if !bytes.ends_with(b"\n\n") || std::str::from_utf8(&bytes).is_err() {
        return Err(Malformed::Event);
    }
    let frame = Frame::from_encoded(bytes);
    Ok(match is_sensitive {
        true => frame.sensitive(),
        false => frame,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{Event, IntoFrame as _};

    proptest::proptest! {
        #[test]
        fn what_was_encoded_is_read_again(
            skipped: bool, node: u64, sequence: u64, before: u64, body: Vec<u8>,
        ) {
            let kind = match skipped {
                true => Kind::Skipped,
                false => Kind::Data,
            };
            let parts: Vec<&[u8]> = body.chunks(3).collect();
            let bytes = Outgoing { kind, node, sequence, before, body: &parts }.encode();
            proptest::prop_assert_eq!(bytes.len(), length(&parts));
            let envelope = Envelope { kind, node, sequence, before, body: body.into() };
            proptest::prop_assert_eq!(super::sequence(&bytes), Some(sequence));
            proptest::prop_assert_eq!(Envelope::decode(&bytes), Ok(envelope));
        }

        #[test]
        fn nothing_that_comes_in_panics(bytes: Vec<u8>) {
            let bytes = Bytes::from(bytes);
            let _ = read_event(&bytes);
            if let Ok(Envelope { kind, node, sequence, before, body }) = Envelope::decode(&bytes) {
                let again = Outgoing { kind, node, sequence, before, body: &[&body] };
                proptest::prop_assert_eq!(again.encode(), bytes);
            }
        }
    }

    #[test]
    fn events_and_what_is_none() {
        let again = |frame: &Frame| read_event(&event(frame).concat().into()).unwrap();
        let frame = Event::new("x").into_frame();
        assert_eq!(again(&frame), frame);
        assert!(!again(&frame).is_sensitive());
        assert!(again(&frame.sensitive()).is_sensitive());
        for body in ["", "\0", "\0data: x\n", "\u{2}data: x\n\n"] {
            assert_eq!(read_event(&Bytes::from(body)), Err(Malformed::Event));
        }
        let invalid = Bytes::from_static(b"\0data: \xff\n\n");
        assert_eq!(read_event(&invalid), Err(Malformed::Event));
    }
}
