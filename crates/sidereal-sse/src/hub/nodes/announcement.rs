//! What a node says to all others, on a channel of its own.
//!
//! ```text
//! tag  what follows                                           bytes, big-endian
//!  1   process 8, through 8                                   it is there
//!  2                                                          it goes
//!  3                                                          it does not know what it did not send
//!  4   (node 8, after 8)…                                     what have you sent after that?
//!  5   after 8, 0                                             too much to say
//!  5   after 8, 1, (sequence 8, length 2, name)…              this
//! ```

use bytes::{Buf as _, BufMut as _, Bytes};

use super::{
    Channel, Message,
    wire::{Envelope, Kind, Outgoing},
};

/// The name of the channel.
pub(super) const ALL: &str = "nodes";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Announcement {
    /// It is there. The broker has whatever it has sent up to this sequence, on any channel.
    Here {
        process: u64,
        through: u64,
    },
    Gone,
    /// Something was not sent, on channels which it does not know any more.
    Skipped,
    /// It was cut off: it is sure of what these nodes have sent up to these sequences.
    Asks(Vec<(u64, u64)>),
    Sent(Tail),
}

/// What a node has sent after some sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tail {
    pub(super) after: u64,
    /// The channels, and the sequence of the last message on each, encoded; `None` where it does not
    /// know, or they are too many.
    pub(super) list: Option<Bytes>,
}

impl Tail {
    /// A list of no more than so many bytes.
    pub(super) fn new<'a>(
        after: u64,
        last: Option<impl Iterator<Item = (&'a Channel, u64)>>,
        longest: usize,
    ) -> Self {
        let list = last.and_then(|last| {
            let mut list = Vec::new();
            for (channel, sequence) in last {
                let name = channel.name();
                list.put_u64(sequence);
                list.put_u16(u16::try_from(name.len()).ok()?);
                list.put_slice(name.as_bytes());
                if list.len() > longest {
                    return None;
                }
            }
            Some(list.into())
        });
        Self { after, list }
    }

    /// The channels, and the sequence of the last message on each; `None` where that is not known.
    pub(super) fn last(&self) -> Option<Vec<(String, u64)>> {
        let mut list = self.list.clone()?;
        let mut last = Vec::new();
        while list.has_remaining() {
            let sequence = list.try_get_u64().ok()?;
            let length = usize::from(list.try_get_u16().ok()?);
            if length > list.remaining() {
                return None;
            }
            let name = String::from_utf8(list.split_to(length).into()).ok()?;
            last.push((name, sequence));
        }
        Some(last)
    }
}

impl Announcement {
    /// The message of this node that says it.
    pub(super) fn to_all(&self, node: u64) -> Message {
        let message = Outgoing {
            kind: Kind::Data,
            node,
            sequence: 0,
            before: 0,
            body: &[&self.encode()],
        };
        Message {
            channel: Channel::plain(ALL),
            payload: message.encode(),
        }
    }

    /// Whether a message on this channel says that something was not sent.
    pub(super) fn is_skipped(message: &Message) -> bool {
        let envelope = Envelope::decode(&message.payload);
        message.channel.name() == ALL
            && envelope.is_ok_and(|it| Self::decode(&it.body) == Some(Self::Skipped))
    }

    fn encode(&self) -> Bytes {
        let mut bytes = Vec::new();
        match self {
            Self::Here { process, through } => {
                bytes.put_u8(1);
                bytes.put_u64(*process);
                bytes.put_u64(*through);
            }
            Self::Gone => bytes.put_u8(2),
            Self::Skipped => bytes.put_u8(3),
            Self::Asks(nodes) => {
                bytes.put_u8(4);
                for (node, after) in nodes {
                    bytes.put_u64(*node);
                    bytes.put_u64(*after);
                }
            }
            Self::Sent(Tail { after, list }) => {
                bytes.put_u8(5);
                bytes.put_u64(*after);
                bytes.put_u8(u8::from(list.is_some()));
                bytes.put_slice(list.as_deref().unwrap_or_default());
            }
        }
        bytes.into()
    }

    /// What a later version says is nothing to this one.
    pub(super) fn decode(body: &Bytes) -> Option<Self> {
        let mut body = body.clone();
        match body.try_get_u8().ok()? {
            1 => Some(Self::Here {
                process: body.try_get_u64().ok()?,
                through: body.try_get_u64().ok()?,
            }),
            2 => Some(Self::Gone),
            3 => Some(Self::Skipped),
            4 => {
                let mut nodes = Vec::new();
                while body.has_remaining() {
                    nodes.push((body.try_get_u64().ok()?, body.try_get_u64().ok()?));
                }
                Some(Self::Asks(nodes))
            }
            5 => {
                let after = body.try_get_u64().ok()?;
                let list = match body.try_get_u8().ok()? {
                    0 => None,
                    _ => Some(body),
                };
                Some(Self::Sent(Tail { after, list }))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn what_was_said_is_understood(
            process: u64, through: u64, nodes: Vec<(u64, u64)>, list: Option<Vec<u8>>,
        ) {
            let list = list.map(Bytes::from);
            for announcement in [
                Announcement::Here { process, through },
                Announcement::Gone,
                Announcement::Skipped,
                Announcement::Asks(nodes),
                Announcement::Sent(Tail { after: through, list }),
            ] {
                let body = announcement.encode();
                proptest::prop_assert_eq!(Announcement::decode(&body), Some(announcement));
            }
        }

        #[test]
        fn nothing_that_comes_in_panics(bytes: Vec<u8>, tag in 0..7_u8) {
            let mut body = vec![tag];
            body.extend(bytes);
            if let Some(Announcement::Sent(tail)) = Announcement::decode(&body.into()) {
                let _ = tail.last();
            }
        }

        #[test]
        fn a_list_is_read_again(last: Vec<(String, u64)>) {
            let channels: Vec<_> =
                last.iter().map(|(name, last)| (Channel::plain(name.as_str()), *last)).collect();
            let list = || channels.iter().map(|(channel, last)| (channel, *last));
            let tail = Tail::new(7, Some(list()), usize::MAX);
            let length = tail.list.as_ref().map_or(0, Bytes::len);
            proptest::prop_assert_eq!(tail.last(), Some(last));
            proptest::prop_assert_eq!(&Tail::new(7, Some(list()), length), &tail);
            if length > 0 {
                proptest::prop_assert_eq!(Tail::new(7, Some(list()), length - 1).last(), None);
            }
        }
    }
}
