//! Cutting what goes over a connection into whole messages, whatever pieces it comes in.

use std::mem;

use super::{nats, resp};

/// Which way something goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the broker to its client.
    ToClient,
    /// From the client to the broker.
    ToServer,
}

/// What is understood of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Nats,
    Resp,
    /// Nothing: any bytes are a frame.
    Bytes,
}

/// What a frame is, as far as faults are concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A message of this subject or channel, for a subscriber.
    Message(String),
    /// Something is published, to this subject, channel or key.
    Publish(String),
    /// The beginning of what Redis does as one.
    Multi,
    /// Its end.
    Exec,
    /// Another command with an answer of its own.
    Command,
    /// The answer of Redis to a command.
    Reply,
    /// Something else, which answers nothing and is not answered.
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) what: What,
    pub(crate) bytes: Vec<u8>,
}

/// It is not of the protocol, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable(pub(crate) String);

/// What is at the beginning of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A frame of this length.
    Whole(usize, What),
    /// A frame that is longer than this.
    MoreThan(usize),
}

/// The longest line, which is the INFO of NATS or what a client says of itself.
const LINE: usize = 1 << 20;

/// The line at the beginning without its end, and its length with it.
pub(crate) fn line(bytes: &[u8]) -> Result<Option<(&[u8], usize)>, Unreadable> {
    match bytes.iter().take(LINE).position(|byte| *byte == b'\n') {
        Some(end) => {
            let line = &bytes[..end];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            Ok(Some((line, end + 1)))
        }
        None if bytes.len() < LINE => Ok(None),
        None => Err(unreadable("a line without end", bytes)),
    }
}

/// The error with the beginning of what is wrong.
pub(crate) fn unreadable(why: &str, bytes: &[u8]) -> Unreadable {
    let beginning = bytes[..bytes.len().min(80)].escape_ascii();
    Unreadable(format!("{why}: {beginning}"))
}

/// One direction of a connection.
#[derive(Debug)]
pub(crate) struct Splitter {
    protocol: Protocol,
    way: Way,
    /// What has come of a frame that is not whole.
    rest: Vec<u8>,
    /// It is longer than this: a long one is not read again for each of its pieces.
    more_than: usize,
}

impl Splitter {
    pub(crate) fn new(protocol: Protocol, way: Way) -> Self {
        Self {
            protocol,
            way,
            rest: Vec::new(),
            more_than: 0,
        }
    }

    /// Takes the next bytes; gives the frames that they complete.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<Vec<Frame>, Unreadable> {
        self.rest.extend_from_slice(bytes);
        let (mut frames, mut start) = (Vec::new(), 0);
        while self.rest.len() > start + self.more_than {
            let bytes = &self.rest[start..];
            let found = match self.protocol {
                Protocol::Nats => nats::first(bytes, self.way)?,
                Protocol::Resp => resp::first(bytes, self.way)?,
                Protocol::Bytes => Found::Whole(bytes.len(), What::Other),
            };
            match found {
                Found::Whole(length, what) => {
                    let bytes = bytes[..length].to_vec();
                    frames.push(Frame { what, bytes });
                    start += length;
                    self.more_than = 0;
                }
                Found::MoreThan(length) => self.more_than = length.max(bytes.len()),
            }
        }
        self.rest.drain(..start);
        Ok(frames)
    }

    /// What has come of a frame that is not whole, and will not be.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        mem::take(&mut self.rest)
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// The frames of these bytes, which must be the same in one piece, in any two, and byte by byte.
    pub(in super::super) fn frames(protocol: Protocol, way: Way, bytes: &[u8]) -> Vec<Frame> {
        let whole = Splitter::new(protocol, way).push(bytes).unwrap();
        let joined: Vec<u8> = whole.iter().flat_map(|frame| frame.bytes.clone()).collect();
        assert!(joined == bytes, "bytes are left");
        for at in 0..=bytes.len() {
            let mut splitter = Splitter::new(protocol, way);
            let mut halves = splitter.push(&bytes[..at]).unwrap();
            halves.extend(splitter.push(&bytes[at..]).unwrap());
            assert_eq!(halves, whole, "in two at {at}");
        }
        let mut splitter = Splitter::new(protocol, way);
        let single: Vec<Frame> = bytes
            .chunks(1)
            .flat_map(|byte| splitter.push(byte).unwrap())
            .collect();
        assert_eq!(single, whole, "byte by byte");
        whole
    }

    /// What is said of bytes that are not of the protocol.
    pub(in super::super) fn error(protocol: Protocol, way: Way, bytes: &[u8]) -> String {
        Splitter::new(protocol, way).push(bytes).unwrap_err().0
    }

    #[test]
    fn bytes_pass_as_they_come() {
        let mut splitter = Splitter::new(Protocol::Bytes, Way::ToClient);
        assert!(splitter.push(b"").unwrap().is_empty());
        for piece in [&b"\x16\x03"[..], b"MSG a 1 5\r\n"] {
            let [frame] = &splitter.push(piece).unwrap()[..] else {
                panic!("one")
            };
            assert_eq!((&frame.what, &frame.bytes[..]), (&What::Other, piece));
        }
    }

    #[test]
    fn a_line_without_end_is_not_kept_for_ever() {
        for protocol in [Protocol::Nats, Protocol::Resp] {
            let long = vec![b'+'; LINE];
            let error = error(protocol, Way::ToClient, &long);
            assert!(error.contains("without end"), "{error}");
        }
    }
}
