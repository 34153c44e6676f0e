//! The seam: what a hub wants of an engine that carries messages between machines.

use std::{error::Error, fmt, pin::Pin, sync::Arc};

use bytes::Bytes;

use super::Deliver;

/// What a broker is going to answer.
pub type BrokerFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, BrokerError>> + Send + 'a>>;

/// An engine that carries messages between the nodes of a hub, and keeps logs for them: NATS, Redis,
/// or one of your own.
///
/// A hub calls it on a thread of its own, which has a tokio runtime. It makes one connection at a
/// time; when that is lost it drops the [`Link`] and asks for another, later and later, with jitter.
pub trait Broker: Send + Sync + 'static {
    /// Connects: one attempt. From then on what comes in is given to `deliver`, in the order in
    /// which it comes in.
    ///
    /// When the connection is lost, or it is not sure any more that every message comes in, the
    /// broker must say so by [`Deliver::lost`], and must not mend it by itself: what was missed
    /// meanwhile would be missed without anybody knowing.
    ///
    /// Errors are logged: no credentials in their text.
    fn connect(&self, deliver: Deliver) -> BrokerFuture<'_, Arc<dyn Link>>;
}

/// One connection to a broker. Dropped, it is closed.
pub trait Link: Send + Sync + 'static {
    /// The longest message that the broker takes, in bytes.
    fn max_message(&self) -> usize;

    /// From when this is ready, messages of these channels come in: every one, each once or more
    /// often, those of one sender in the order in which it sent them, and those that are in the log in
    /// the order of their numbers, whatever their channel. A channel may be subscribed to already.
    fn subscribe(&self, channels: Vec<Channel>) -> BrokerFuture<'_, ()>;

    /// Messages of these channels need not come in any more.
    fn unsubscribe(&self, channels: Vec<Channel>) -> BrokerFuture<'_, ()>;

    /// Sends messages to all who have subscribed, this node too where it has. Ready when the broker
    /// has all of them.
    ///
    /// After an error some of them may have been sent; the hub sends all of them again.
    fn send(&self, messages: Vec<Message>) -> BrokerFuture<'_, ()>;

    /// Puts messages into the logs of their channels, and sends them to all who have subscribed.
    /// One answer for each, in their order, or for the first of them only, where it takes long: the hub
    /// appends the others again. Those of one channel come into the log in the order in which they are
    /// here.
    ///
    /// One that is in the log already, as its origin and sequence say, is not put in again, and
    /// answered with any number. After an error some may be in the log; the hub appends all of them
    /// again.
    fn append(&self, entries: Vec<Append>) -> BrokerFuture<'_, Vec<Result<(), BrokerError>>>;

    /// Reads the last messages of a channel's log: all after the given number, but not more than
    /// `most`. The number is one of the log that this node has read before; of another one
    /// ([`History::log`]) the hub reads again, after 0.
    ///
    /// Ready when everything with lower numbers than the last of them has come in that this node
    /// has subscribed to.
    fn read(&self, channel: Channel, after: u64, most: usize) -> BrokerFuture<'_, History>;
}

/// The name of what messages are sent on. Any text; a broker escapes it as it has to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Channel {
    name: Arc<str>,
    is_log: bool,
}

impl Channel {
    pub(crate) fn plain(name: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            is_log: false,
        }
    }

    pub(crate) fn log(name: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            is_log: true,
        }
    }

    /// The name. A channel with a log may have the same as one without.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it has a log.
    pub fn is_log(&self) -> bool {
        self.is_log
    }
}

/// A message on its way to the broker.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Message {
    /// Where to.
    pub channel: Channel,
    /// What it says.
    pub payload: Bytes,
}

/// A message on its way into a log.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Append {
    /// Where to.
    pub channel: Channel,
    /// What it says.
    pub payload: Bytes,
    /// Who appends it: a random number.
    pub origin: u64,
    /// Numbers what this origin appends: each is larger than the one before it, on any channel.
    pub sequence: u64,
    /// How many messages the log of this channel is to keep at least.
    pub keep: usize,
    /// The highest number in the log that this node has seen. A log that is not there yet has lost
    /// what it had, and must take another identity.
    pub seen: Option<Place>,
}

/// A place in the log.
///
/// All channels of a hub are numbered together: of two messages the one with the higher number
/// came later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The identity of the log, which is another one where the log was lost, or lost anything but
    /// its oldest messages: numbers of different logs cannot be compared.
    pub log: u32,
    /// From 1.
    pub number: u64,
}

/// A message that is in the log.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Where it is.
    pub place: Place,
    /// The number of the message before it on the same channel; zero if it is the first ever.
    pub before: u64,
    /// What it says.
    pub payload: Bytes,
}

/// What was read of the log of a channel.
#[derive(Clone, Debug)]
pub struct History {
    /// The identity of the log.
    pub log: u32,
    /// Of those messages that were asked for, the ones up to this number may be missing: they were
    /// dropped, or were more than asked for. Zero if none can be.
    pub dropped: u64,
    /// The messages and their numbers, in order.
    pub entries: Vec<(u64, Bytes)>,
}

/// Why a broker did not do what it was asked.
#[derive(Clone, Debug)]
pub struct BrokerError {
    kind: ErrorKind,
    source: Arc<dyn Error + Send + Sync>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ErrorKind {
    Lost,
    Refused,
}

impl BrokerError {
    /// The connection is gone, or must be given up: what was asked may work on a new one.
    pub fn lost(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            kind: ErrorKind::Lost,
            source: source.into().into(),
        }
    }

    /// The broker will not do this, however often it is asked: no permission, too large, no room.
    pub fn refused(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            kind: ErrorKind::Refused,
            source: source.into().into(),
        }
    }

    /// Whether it is one of [`refused`](Self::refused).
    pub fn is_refused(&self) -> bool {
        self.kind == ErrorKind::Refused
    }
}

impl fmt::Display for BrokerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

impl Error for BrokerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.source()
    }
}
