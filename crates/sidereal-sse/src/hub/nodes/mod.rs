//! Many machines: the hub's side of a broker.
//!
//! ```text
//! publish ─▶ Carrier of the topic ─▶ Outbox ─▶ Link ═▶ broker ═▶ Link ─▶ Carrier ─▶ Ring ─▶ …
//!            numbers, in order                                   numbers checked
//! ```
//!
//! A topic without history goes its own way on the node where it is published, and through the
//! broker to the others. One with history goes through the broker's log, for all nodes alike, and has
//! the log's numbers as its ids. Either way a node knows when it has missed something.

mod announcement;
mod broker;
mod carrier;
mod catch_up;
mod deliver;
mod link;
mod options;
mod outbox;
mod peers;
mod sent;
pub(super) mod wire;

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, Weak,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{runtime::Handle, sync::Notify, time::Instant};

use self::{
    announcement::Announcement,
    outbox::{Outbox, Payload},
    peers::Peers,
    sent::Sent,
    wire::{Kind, Outgoing},
};
pub use self::{
    broker::{
        Append, Broker, BrokerError, BrokerFuture, Channel, History, Link, Message, Place, Stored,
    },
    deliver::Deliver,
    options::{BrokerOptions, WhenAway},
};
pub(crate) use self::{
    carrier::{Carrier, NotSent, Receiver},
    outbox::Confirm,
};
use super::lock;

/// The `tracing` target of what happens between a hub and its broker: connected and lost (INFO and
/// WARN), what could not be read or sent (WARN).
pub const NODES_TARGET: &str = "sidereal::nodes";

/// How many channels are remembered on which something was not sent.
const SKIPPED: usize = 10_000;

/// This node, and how it reaches the others.
pub(crate) struct Nodes {
    id: u64,
    /// Where the application lives: what comes from other nodes is dealt with there, if it runs code of
    /// the application's.
    home: Option<Handle>,
    broker: Box<dyn Broker>,
    options: BrokerOptions,
    state: Mutex<State>,
    /// The longest message that the broker takes, as far as is known.
    longest: AtomicUsize,
    /// There is something to send, to append, to subscribe to; the link is lost.
    has_messages: Notify,
    has_entries: Notify,
    has_wishes: Notify,
    is_over: Notify,
    /// Something has gone to the broker.
    has_gone: Notify,
}

struct State {
    /// The number of what was sent last.
    sequence: u64,
    standing: Standing,
    /// Which connection counts.
    generation: u64,
    channels: HashMap<Channel, Weak<Carrier>>,
    /// Those that are to be subscribed to, or whose log is to be read.
    wishes: Vec<Weak<Carrier>>,
    messages: Outbox<Message>,
    entries: Outbox<Append>,
    /// What was sent, or was to be, on channels without a log.
    sent: Sent,
    /// Others ask what was sent after these sequences.
    asked: Vec<u64>,
    /// What was not sent, without the others knowing: of each channel the sequence of the last.
    skipped: HashMap<Channel, u64>,
    /// They were so many that they are not listed.
    has_skipped_many: bool,
    /// From when on the others may be told that, after the broker has refused it.
    may_tell: Option<Instant>,
    /// The last place in the log that was heard of.
    seen: Option<Place>,
    peers: Peers,
    why_lost: Option<BrokerError>,
    is_closing: bool,
}

/// How it stands with the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It was not asked yet.
    Unknown,
    Here,
    Away,
}

impl State {
    /// The message with this sequence was not sent: the others are to be told.
    fn skip(&mut self, channel: Channel, sequence: u64) {
        if self.skipped.len() < SKIPPED || self.skipped.contains_key(&channel) {
            let last = self.skipped.entry(channel).or_default();
            *last = sequence.max(*last);
        } else {
            self.has_skipped_many = true;
        }
    }

    fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    /// Up to which sequence there is nothing that the others do not have, and were not told of.
    fn sent_through(&self) -> u64 {
        if self.has_skipped_many {
            return 0;
        }
        let skipped = self.skipped.values().min().copied();
        let waiting = self.messages.iter().find_map(|message| {
            match wire::sequence(&message.payload)? {
                // Announcements have none, and one of them concerns all that was sent.
                0 => Announcement::is_skipped(message).then_some(0),
                sequence => Some(sequence),
            }
        });
        let open = skipped.into_iter().chain(waiting).min();
        open.map_or(self.sequence, |open| open.saturating_sub(1))
    }

    /// A place in the log was heard of.
    fn sees(&mut self, place: Place) {
        match &mut self.seen {
            Some(seen) if seen.log == place.log => seen.number = seen.number.max(place.number),
            seen => *seen = Some(place),
        }
    }
}

impl Nodes {
    pub(super) fn start(
        broker: Box<dyn Broker>,
        options: BrokerOptions,
        home: Option<Handle>,
    ) -> Arc<Self> {
        let nodes = Arc::new(Self {
            id: random(),
            home,
            broker,
            options,
            state: Mutex::new(State {
                sequence: 0,
                standing: Standing::Unknown,
                generation: 0,
                channels: HashMap::new(),
                wishes: Vec::new(),
                messages: Outbox::new(),
                entries: Outbox::new(),
                sent: Sent::default(),
                asked: Vec::new(),
                skipped: HashMap::new(),
                has_skipped_many: false,
                may_tell: None,
                seen: None,
                peers: Peers::default(),
                why_lost: None,
                is_closing: false,
            }),
            longest: AtomicUsize::new(usize::MAX),
            has_messages: Notify::new(),
            has_entries: Notify::new(),
            has_wishes: Notify::new(),
            is_over: Notify::new(),
            has_gone: Notify::new(),
        });
        link::start(nodes.clone());
        nodes
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Whether the broker is there, as far as is known.
    pub(super) fn is_connected(&self) -> bool {
        self.state().standing == Standing::Here
    }

    /// How many nodes there are, with this one.
    pub(super) fn count(&self) -> usize {
        self.state().peers.count() + 1
    }

    /// The longest event that the broker takes.
    pub(super) fn longest_event(&self) -> usize {
        let longest = self.longest.load(Ordering::Relaxed);
        longest.saturating_sub(wire::length(&wire::event(&crate::Frame::empty())))
    }

    /// This node's end of a channel, which there is once.
    pub(super) fn carrier(self: &Arc<Self>, channel: Channel, keep: usize) -> Arc<Carrier> {
        let mut state = self.state();
        let known = state.channels.get(&channel).and_then(Weak::upgrade);
        // One that is still being looked after, for a topic that is gone, tells nobody.
        let known = known.filter(|known| !known.is_orphaned());
        known.unwrap_or_else(|| {
            let carrier = Arc::new(Carrier::new(channel.clone(), keep, self.clone()));
            state.channels.insert(channel, Arc::downgrade(&carrier));
            carrier
        })
    }

    /// Whether this node is there.
    pub(crate) fn has_node(&self, node: u64) -> bool {
        self.state().peers.has_node(node)
    }

    /// Up to which sequence everything has come in that a node has sent.
    fn is_sure_of(&self, node: u64) -> u64 {
        self.state().peers.is_sure_of(node)
    }

    /// Whether a node of this process is there; see [`ClientId`](crate::ClientId).
    pub(super) fn has_process(&self, process: u64) -> bool {
        self.state().peers.has_process(process)
    }

    /// Sends a message on a channel without a log which nobody here may follow.
    pub(super) fn tell(&self, channel: &Channel, body: &[&[u8]]) -> Result<(), NotSent> {
        self.send(channel, 0, body, None).1
    }

    /// Runs a job of the application's.
    pub(crate) fn spawn<M, F>(&self, make: M)
    where
        M: Fn() -> F + Send + Sync + Unpin + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        super::driver::spawn_at(self.home.as_ref(), make);
    }

    /// The channel is to be subscribed to, and its log to be read. Says whether that may take long.
    fn wish(&self, carrier: &Arc<Carrier>) -> bool {
        let mut state = self.state();
        state.wishes.push(Arc::downgrade(carrier));
        let is_away = state.standing == Standing::Away;
        drop(state);
        self.has_wishes.notify_one();
        is_away
    }

    /// Puts a message on its way. It gets a sequence, which this says, even if it is refused: by that the
    /// others see that it is missing. The one before it on this channel had the sequence `before`, as
    /// far as is known.
    fn send(
        &self,
        channel: &Channel,
        before: u64,
        body: &[&[u8]],
        confirm: Option<Confirm>,
    ) -> (u64, Result<(), NotSent>) {
        let mut state = self.state();
        // That one before it is missing is said first: to whom this one comes, that is old news.
        let skipped = state.skipped.get(channel).copied();
        let notice = skipped.map(|before| state.notice(self.id, channel, before));
        let before = before.max(state.sent.last(channel));
        let sequence = state.next_sequence();
        state.sent.note(channel, sequence);
        if let Some(refused) = self.refusal(&state, &state.messages, body) {
            state.skip(channel.clone(), sequence);
            return (sequence, Err(refused));
        }
        let message = Outgoing {
            kind: Kind::Data,
            node: self.id,
            sequence,
            before,
            body,
        };
        let payload = message.encode();
        if let Some(notice) = notice {
            state.skipped.remove(channel);
            state.messages.push(notice, None);
        }
        let message = Message {
            channel: channel.clone(),
            payload,
        };
        state.messages.push(message, confirm);
        drop(state);
        self.has_messages.notify_one();
        (sequence, Ok(()))
    }

    /// Puts a message on its way into the log of its channel.
    fn append(
        &self,
        channel: &Channel,
        keep: usize,
        body: &[&[u8]],
        confirm: Option<Confirm>,
    ) -> Result<(), NotSent> {
        let mut state = self.state();
        if let Some(refused) = self.refusal(&state, &state.entries, body) {
            return Err(refused);
        }
        let sequence = state.next_sequence();
        let message = Outgoing {
            kind: Kind::Data,
            node: self.id,
            sequence,
            // The log has numbers of its own.
            before: 0,
            body,
        };
        let entry = Append {
            channel: channel.clone(),
            payload: message.encode(),
            origin: self.id,
            sequence,
            keep,
            seen: None,
        };
        state.entries.push(entry, confirm);
        drop(state);
        self.has_entries.notify_one();
        Ok(())
    }

    /// Why a message with this body is not taken, if it is not.
    fn refusal<M: Payload + Clone>(
        &self,
        state: &State,
        outbox: &Outbox<M>,
        body: &[&[u8]],
    ) -> Option<NotSent> {
        let options = &self.options;
        if state.standing == Standing::Away && options.when_away == WhenAway::Refuse {
            return Some(NotSent::Away);
        }
        match outbox.has_room(wire::length(body), options.outbox, options.outbox_bytes) {
            true => None,
            false => Some(NotSent::Full),
        }
    }

    /// Waits until everything has gone to the broker that waits for it now, and the others were told
    /// what was not sent.
    pub(super) async fn flush(&self) {
        let entries = self.state().entries.end();
        let mut messages = None;
        self.has_messages.notify_one();
        loop {
            let gone = self.has_gone.notified();
            tokio::pin!(gone);
            gone.as_mut().enable();
            {
                let state = self.state();
                if state.skipped.is_empty() && !state.has_skipped_many {
                    messages.get_or_insert(state.messages.end());
                }
                if messages.is_some_and(|messages| state.messages.is_past(messages))
                    && state.entries.is_past(entries)
                {
                    return;
                }
            }
            gone.await;
        }
    }

    /// The hub is gone.
    pub(super) fn close(&self) {
        self.state().is_closing = true;
        self.is_over.notify_one();
    }
}

/// A number that nobody else has.
fn random() -> u64 {
    RandomState::new().hash_one(std::process::id())
}
