//! One channel as this node has it: what it has heard of the others, and what it has sent.

use std::sync::{
    Arc, Mutex, OnceLock, Weak,
    atomic::{AtomicU8, Ordering},
};

use bytes::Bytes;

use super::{
    BrokerError, Channel, History, NODES_TARGET, Nodes, Place, Stored,
    outbox::Confirm,
    wire::{Envelope, Kind, Malformed},
};
use crate::hub::lock;

/// Who is told what comes in on a channel. Called under the channel's lock, in order.
pub(crate) trait Receiver: Send + Sync + 'static {
    /// Another node has sent this; or any node, where it is in the log.
    fn take(&self, node: u64, body: &Bytes, place: Option<Place>);

    /// The log is known from this place on; with `is_gap`, those who follow have missed something.
    fn begin(&self, from: Place, is_gap: bool);

    /// Something was missed that can not be had any more.
    fn missed(&self);

    /// A connection was lost, and there is another one. Whether something was missed meanwhile is going
    /// to be said by [`missed`](Self::missed); who need not know that exactly can do now what is to be
    /// done. Not under the channel's lock.
    fn may_have_missed(&self) {}

    /// Whoever waits for the channel need not wait any more.
    fn settled(&self);

    /// Whether somebody here has a use for what comes in.
    fn is_wanted(&self) -> bool;

    /// A node is there, for the first time or again.
    fn node_came(&self, node: u64) {
        let _ = node;
    }

    /// A node is not there any more. Not under the channel's lock.
    fn node_went(&self, node: u64) {
        let _ = node;
    }
}

/// How far this node is with following a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Stage {
    /// Nobody here follows it.
    Idle,
    /// The broker was asked, or is going to be, and those who begin to follow wait for it.
    Pending,
    /// The same, but nobody waits any more: the broker is away.
    GivenUp,
    /// What is sent comes in.
    Ready,
}

pub(crate) struct Carrier {
    channel: Channel,
    /// How many messages its log keeps.
    keep: usize,
    nodes: Arc<Nodes>,
    receiver: OnceLock<Weak<dyn Receiver>>,
    stage: AtomicU8,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The sequence of what this node has sent last, or was to send.
    sent: u64,
    /// The last sequence of each other node.
    heard: Vec<(u64, u64)>,
    /// How far the log was read.
    read: Option<Place>,
    /// The log is being read; what comes in meanwhile waits.
    early: Option<Vec<Stored>>,
    /// What came before what comes in next was perhaps missed.
    is_unsure: bool,
    /// A connection was lost while it was followed. What came meanwhile was perhaps missed, which
    /// those know who sent it.
    is_in_doubt: bool,
    /// Nobody has wanted it since it was looked at last.
    is_unwanted: bool,
}

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotSent {
    /// The broker is away.
    Away,
    /// Too many messages wait already.
    Full,
}

impl Carrier {
    pub(super) fn new(channel: Channel, keep: usize, nodes: Arc<Nodes>) -> Self {
        Self {
            channel,
            keep,
            nodes,
            receiver: OnceLock::new(),
            stage: AtomicU8::new(Stage::Idle as u8),
            state: Mutex::default(),
        }
    }

    /// Who is told what comes in: once, before anything else.
    pub(crate) fn set_receiver(&self, receiver: Weak<dyn Receiver>) {
        let _ = self.receiver.set(receiver);
    }

    /// Whether there is nobody any more who is told.
    pub(super) fn is_orphaned(&self) -> bool {
        let receiver = self.receiver.get();
        receiver.is_some_and(|receiver| receiver.strong_count() == 0)
    }

    pub(super) fn channel(&self) -> &Channel {
        &self.channel
    }

    pub(crate) fn is_log(&self) -> bool {
        self.channel.is_log()
    }

    pub(crate) fn nodes(&self) -> &Nodes {
        &self.nodes
    }

    /// The longest event that the broker takes.
    pub(crate) fn longest_event(&self) -> usize {
        self.nodes.longest_event()
    }

    pub(super) fn keep(&self) -> usize {
        self.keep
    }

    pub(super) fn receiver(&self) -> Option<Arc<dyn Receiver>> {
        self.receiver.get()?.upgrade()
    }

    fn stage(&self) -> Stage {
        match self.stage.load(Ordering::Acquire) {
            0 => Stage::Idle,
            1 => Stage::Pending,
            2 => Stage::GivenUp,
            _ => Stage::Ready,
        }
    }

    fn set_stage(&self, stage: Stage) {
        self.stage.store(stage as u8, Ordering::Release);
    }

    /// Whether those who begin to follow need not wait.
    pub(crate) fn is_settled(&self) -> bool {
        matches!(self.stage(), Stage::GivenUp | Stage::Ready)
    }

    pub(super) fn is_followed(&self) -> bool {
        self.stage() != Stage::Idle
    }

    /// Somebody here follows from now on.
    pub(crate) fn follow(self: &Arc<Self>) {
        if self.is_followed() {
            return;
        }
        let mut state = lock(&self.state);
        if self.is_followed() {
            return;
        }
        state.is_unwanted = false;
        // In this order: a connection that begins just now takes all that are followed, and no wishes.
        self.set_stage(Stage::Pending);
        if self.nodes.wish(self) {
            self.set_stage(Stage::GivenUp);
        }
    }

    /// Nobody waits for the broker any more.
    pub(super) fn give_up(&self) {
        let state = lock(&self.state);
        let waits = self.stage() == Stage::Pending;
        if waits {
            self.set_stage(Stage::GivenUp);
        }
        drop(state);
        if waits && let Some(receiver) = self.receiver() {
            receiver.settled();
        }
    }

    /// The broker will not let this node hear the channel: those who follow it here go on without the
    /// other nodes.
    pub(super) fn refused(&self, error: &BrokerError) {
        tracing::error!(target: NODES_TARGET, channel = self.channel.name(), %error, "a channel stays on its node");
        let Some(receiver) = self.receiver() else {
            return;
        };
        let mut state = lock(&self.state);
        state.early = None;
        state.is_unsure = false;
        if self.stage() == Stage::Ready && !self.is_log() {
            receiver.missed();
        }
        self.set_stage(Stage::GivenUp);
        drop(state);
        receiver.settled();
    }

    /// Whether nobody here has wanted it, now and when it was asked before: then it is not followed
    /// any more.
    pub(super) fn is_left(&self) -> bool {
        let mut state = lock(&self.state);
        let is_wanted = self.receiver().is_some_and(|receiver| receiver.is_wanted());
        let was_unwanted = std::mem::replace(&mut state.is_unwanted, !is_wanted);
        let is_pending = self.stage() == Stage::Pending;
        let is_left = !is_wanted && was_unwanted && !is_pending && self.is_followed();
        if is_left {
            self.set_stage(Stage::Idle);
            state.is_unsure = false;
            state.is_in_doubt = false;
            state.heard = Vec::new();
            state.early = None;
        }
        is_left
    }

    /// Sends something to the other nodes, after `first` was done: nothing else is sent on the channel
    /// in between.
    pub(crate) fn send(
        &self,
        body: &[&[u8]],
        confirm: Option<Confirm>,
        first: impl FnOnce(),
    ) -> Result<(), NotSent> {
        let mut state = lock(&self.state);
        first();
        self.send_next(&mut state, body, confirm)
    }

    /// Sends several things that tell how it stands when they are made: nothing else is sent on the
    /// channel in between. Those that are not taken are told later to be missing.
    pub(crate) fn send_all(&self, make: impl FnOnce() -> Vec<Bytes>) {
        let mut state = lock(&self.state);
        for body in make() {
            let _ = self.send_next(&mut state, &[&body], None);
        }
    }

    fn send_next(
        &self,
        state: &mut State,
        body: &[&[u8]],
        confirm: Option<Confirm>,
    ) -> Result<(), NotSent> {
        let (nodes, channel) = (&self.nodes, &self.channel);
        if self.is_log() {
            return nodes.append(channel, self.keep, body, confirm);
        }
        let (sequence, sent) = nodes.send(channel, state.sent, body, confirm);
        state.sent = sequence;
        sent
    }

    /// A message has come in.
    pub(super) fn hear(&self, envelope: &Envelope) {
        if envelope.node == self.nodes.id() {
            return;
        }
        let Some(receiver) = self.receiver() else {
            return;
        };
        let mut state = lock(&self.state);
        if !self.is_followed() {
            return;
        }
        if std::mem::take(&mut state.is_unsure) {
            receiver.missed();
        }
        let known = state
            .heard
            .iter_mut()
            .find(|(node, _)| *node == envelope.node);
        match known {
            Some((_, last)) if envelope.sequence <= *last => return,
            Some((_, last)) => {
                let before = std::mem::replace(last, envelope.sequence);
                // One that says what was not sent may come after later ones that were.
                if envelope.before > before || envelope.kind == Kind::Skipped {
                    receiver.missed();
                }
            }
            None => {
                state.heard.push((envelope.node, envelope.sequence));
                let is_in_doubt =
                    state.is_in_doubt && envelope.before > self.nodes.is_sure_of(envelope.node);
                if is_in_doubt || envelope.kind == Kind::Skipped {
                    receiver.missed();
                }
            }
        }
        if envelope.kind == Kind::Data {
            receiver.take(envelope.node, &envelope.body, None);
        }
    }

    /// A node is gone: nothing more will be heard of it.
    pub(super) fn forget(&self, gone: u64) {
        lock(&self.state).heard.retain(|(node, _)| *node != gone);
    }

    /// What is sent on a channel without a log comes in soon. With `is_new_link`, what was sent before has
    /// perhaps not.
    pub(super) fn begin_hearing(&self, is_new_link: bool) {
        let mut state = lock(&self.state);
        // Who did not wait has perhaps missed something.
        state.is_unsure = self.stage() == Stage::GivenUp;
        state.is_in_doubt = is_new_link && self.stage() == Stage::Ready;
        let is_in_doubt = state.is_in_doubt;
        drop(state);
        if is_in_doubt && let Some(receiver) = self.receiver() {
            receiver.may_have_missed();
        }
    }

    /// Another node says what it has sent last, where a connection was lost.
    pub(super) fn was_sent(&self, node: u64, sequence: u64) {
        let Some(receiver) = self.receiver() else {
            return;
        };
        let mut state = lock(&self.state);
        if !state.is_in_doubt {
            return;
        }
        let known = state.heard.iter_mut().find(|(other, _)| *other == node);
        match known {
            Some((_, last)) if *last >= sequence => return,
            Some((_, last)) => *last = sequence,
            None => state.heard.push((node, sequence)),
        }
        receiver.missed();
    }

    /// Nobody will say what was sent where a connection was lost.
    pub(super) fn stays_in_doubt(&self) {
        if lock(&self.state).is_in_doubt {
            self.has_missed();
        }
    }

    /// What is sent on a channel without a log comes in from now on.
    pub(super) fn is_subscribed(&self) {
        let Some(receiver) = self.receiver() else {
            return;
        };
        let mut state = lock(&self.state);
        if std::mem::take(&mut state.is_unsure) {
            receiver.missed();
        }
        self.set_stage(Stage::Ready);
        drop(state);
        receiver.settled();
    }

    /// What comes into the log from now on waits until the log was read. Says how far it was read
    /// before.
    pub(super) fn begin_reading(&self) -> Option<Place> {
        let mut state = lock(&self.state);
        state.early.get_or_insert_default();
        state.read
    }

    /// The log was read.
    pub(super) fn was_read(self: &Arc<Self>, history: History) {
        let Some(receiver) = self.receiver() else {
            return;
        };
        let mut state = lock(&self.state);
        let Some(early) = state.early.take() else {
            return;
        };
        let known = state.read.filter(|place| place.log == history.log);
        let last = known.map_or(0, |place| place.number);
        let dropped = Place {
            log: history.log,
            number: history.dropped,
        };
        // Who did not wait has perhaps missed something, and so have all where the log is another.
        let is_gap = self.stage() == Stage::GivenUp || state.read.is_some() && known.is_none();
        if known.is_none() || is_gap || history.dropped > last {
            receiver.begin(dropped, is_gap || known.is_some());
        }
        let mut place = Place {
            log: history.log,
            number: last.max(history.dropped),
        };
        for (number, payload) in history.entries {
            if number > last {
                place.number = number;
                give(&*receiver, place, &payload);
            }
        }
        state.read = Some(place);
        self.set_stage(Stage::Ready);
        for stored in early {
            self.next(&mut state, &*receiver, stored);
        }
        drop(state);
        receiver.settled();
    }

    /// A message of the log has come in.
    pub(super) fn hear_stored(self: &Arc<Self>, stored: Stored) {
        let Some(receiver) = self.receiver() else {
            return;
        };
        let mut state = lock(&self.state);
        if !self.is_followed() {
            return;
        }
        self.next(&mut state, &*receiver, stored);
    }

    fn next(self: &Arc<Self>, state: &mut State, receiver: &dyn Receiver, stored: Stored) {
        if let Some(early) = &mut state.early {
            early.push(stored);
            return;
        }
        let place = stored.place;
        match state.read.filter(|read| read.log == place.log) {
            Some(read) if place.number <= read.number => return,
            // What came before may be gone from the log: no gap for those who have seen it.
            Some(read) if stored.before == read.number || stored.before == 0 => {}
            // The log has lost its end, and goes on.
            Some(read) if stored.before < read.number => {
                let number = place.number - 1;
                receiver.begin(Place { number, ..place }, true);
            }
            Some(_) | None => {
                state.early = Some(vec![stored]);
                self.nodes.wish(self);
                return;
            }
        }
        state.read = Some(place);
        give(receiver, place, &stored.payload);
    }

    /// Whether the log is being read: there may be messages that came before those that are here.
    pub(crate) fn is_reading(&self) -> bool {
        lock(&self.state).early.is_some()
    }

    /// Something was missed on a channel without a log.
    pub(super) fn has_missed(&self) {
        if self.is_log() || !self.is_followed() {
            return;
        }
        if let Some(receiver) = self.receiver() {
            let _state = lock(&self.state);
            receiver.missed();
        }
    }
}

/// Tells of a message that is in the log.
fn give(receiver: &dyn Receiver, place: Place, payload: &Bytes) {
    match Envelope::decode(payload) {
        Ok(envelope) => receiver.take(envelope.node, &envelope.body, Some(place)),
        Err(error) => {
            tracing::warn!(target: NODES_TARGET, %error, "a message of the log cannot be read");
            if error != Malformed::Foreign {
                receiver.missed();
            }
        }
    }
}
