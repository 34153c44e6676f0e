//! A broker in this process, which does what it is told: loses, repeats, goes away.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use sidereal_sse::broker::{
    Append, Broker, BrokerError, BrokerFuture, Channel, Deliver, History, Link, Message, Place,
    Stored,
};

/// The engine. Clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct Exchange(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    is_down: bool,
    /// Of the next messages that go to a node, so many are lost, or repeated.
    lose: u32,
    lose_stored: u32,
    repeat: u32,
    /// So many of the next batches are taken, but not answered: the connection breaks instead.
    break_after: u32,
    /// The next message of this channel waits until somebody subscribes to it, and comes before they know
    /// that they have.
    late: Option<(&'static str, Option<Message>)>,
    links: HashMap<u64, Connected>,
    log: Vec<Entry>,
    log_id: u32,
    /// How many messages of a channel are kept; all by default.
    keep: Option<usize>,
    seen: HashSet<(u64, u64)>,
    sent: u64,
}

struct Connected {
    deliver: Deliver,
    channels: HashSet<Channel>,
}

struct Entry {
    number: u64,
    channel: Channel,
    payload: Bytes,
}

static NEXT: AtomicU64 = AtomicU64::new(1);

impl Exchange {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(|error| error.into_inner())
    }

    /// Breaks all connections, and takes none until it is told to.
    pub(crate) fn go_down(&self) {
        let mut state = self.state();
        state.is_down = true;
        state.cut();
    }

    pub(crate) fn come_up(&self) {
        self.state().is_down = false;
    }

    /// Breaks all connections.
    pub(crate) fn cut(&self) {
        self.state().cut();
    }

    /// Breaks the connection that was made last, and takes none until it is told to.
    pub(crate) fn isolate_newest(&self) {
        let mut state = self.state();
        state.is_down = true;
        let newest = state.links.keys().max().copied();
        if let Some(connected) = newest.and_then(|newest| state.links.remove(&newest)) {
            connected.deliver.lost(BrokerError::lost("cut"));
        }
    }

    /// Sends something that no hub has sent.
    pub(crate) fn inject(&self, channel: &str, payload: &Bytes) {
        let state = self.state();
        let links = state.links.values();
        links.for_each(|connected| connected.deliver.message(channel, payload));
    }

    pub(crate) fn lose(&self, messages: u32) {
        self.state().lose = messages;
    }

    /// The same, of those that are in the log.
    pub(crate) fn lose_stored(&self, messages: u32) {
        self.state().lose_stored = messages;
    }

    pub(crate) fn repeat(&self, messages: u32) {
        self.state().repeat = messages;
    }

    pub(crate) fn break_after(&self, batches: u32) {
        self.state().break_after = batches;
    }

    pub(crate) fn late(&self, channel: &'static str) {
        self.state().late = Some((channel, None));
    }

    pub(crate) fn has_late(&self) -> bool {
        matches!(self.state().late, Some((_, Some(_))))
    }

    pub(crate) fn keep(&self, messages: usize) {
        self.state().keep = Some(messages);
    }

    /// The log has lost everything.
    pub(crate) fn wipe(&self) {
        let mut state = self.state();
        state.log.clear();
        state.seen.clear();
        state.log_id += 1;
    }

    /// How many messages are in the log, and how many were sent otherwise.
    pub(crate) fn stored(&self) -> usize {
        self.state().log.len()
    }

    pub(crate) fn sent(&self) -> u64 {
        self.state().sent
    }

    pub(crate) fn links(&self) -> usize {
        self.state().links.len()
    }

    /// On how many channels the nodes have subscriptions together.
    pub(crate) fn subscriptions(&self) -> usize {
        let state = self.state();
        state.links.values().map(|it| it.channels.len()).sum()
    }
}

impl State {
    fn cut(&mut self) {
        for (_, connected) in self.links.drain() {
            connected.deliver.lost(BrokerError::lost("cut"));
        }
    }

    fn take(count: &mut u32) -> bool {
        let is_some = *count > 0;
        *count = count.saturating_sub(1);
        is_some
    }

    /// Passes a message on. Faults are not for who sent it, and heartbeats have none.
    fn pass(&mut self, from: u64, channel: &Channel, deliver: impl Fn(&Deliver)) {
        let State {
            links,
            lose,
            lose_stored,
            repeat,
            ..
        } = self;
        for (id, connected) in links {
            if !connected.channels.contains(channel) {
                continue;
            }
            let is_safe = *id == from || channel.name() == "nodes";
            if !is_safe && Self::take(lose) {
                continue;
            }
            if channel.is_log() && Self::take(lose_stored) {
                continue;
            }
            deliver(&connected.deliver);
            if !is_safe && Self::take(repeat) {
                deliver(&connected.deliver);
            }
        }
    }

    fn answer<T>(&mut self, answer: T) -> Result<T, BrokerError> {
        match self.break_after {
            1 => {
                self.break_after = 0;
                self.cut();
                Err(BrokerError::lost("cut after it was done"))
            }
            count => {
                self.break_after = count.saturating_sub(1);
                Ok(answer)
            }
        }
    }

    fn last(&self, channel: &Channel) -> u64 {
        let mut entries = self.log.iter().rev();
        entries
            .find(|entry| entry.channel == *channel)
            .map_or(0, |entry| entry.number)
    }
}

struct Wire {
    exchange: Exchange,
    id: u64,
}

impl Wire {
    fn state(&self) -> Result<MutexGuard<'_, State>, BrokerError> {
        let state = self.exchange.state();
        match state.links.contains_key(&self.id) {
            true => Ok(state),
            false => Err(BrokerError::lost("cut")),
        }
    }
}

impl Wire {
    /// Says whether something came in at once.
    fn subscribed(&self, channels: Vec<Channel>) -> Result<bool, BrokerError> {
        let mut state = self.state()?;
        let late = state.late.take_if(|(_, late)| {
            let channel = late.as_ref().map(|message| &message.channel);
            channel.is_some_and(|channel| channels.contains(channel))
        });
        let Some(connected) = state.links.get_mut(&self.id) else {
            return Ok(false);
        };
        connected.channels.extend(channels);
        if let Some((name, Some(message))) = &late {
            connected.deliver.message(name, &message.payload);
        }
        Ok(late.is_some())
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.exchange.state().links.remove(&self.id);
    }
}

impl Broker for Exchange {
    fn connect(&self, deliver: Deliver) -> BrokerFuture<'_, Arc<dyn Link>> {
        Box::pin(async move {
            let mut state = self.state();
            if state.is_down {
                return Err(BrokerError::lost("down"));
            }
            let id = NEXT.fetch_add(1, Ordering::Relaxed);
            let connected = Connected {
                deliver,
                channels: HashSet::new(),
            };
            state.links.insert(id, connected);
            drop(state);
            let link: Arc<dyn Link> = Arc::new(Wire {
                exchange: self.clone(),
                id,
            });
            Ok(link)
        })
    }
}

impl Link for Wire {
    fn max_message(&self) -> usize {
        100_000
    }

    fn subscribe(&self, channels: Vec<Channel>) -> BrokerFuture<'_, ()> {
        Box::pin(async move {
            if self.subscribed(channels)? {
                // Whoever follows reads it meanwhile.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Ok(())
        })
    }

    fn unsubscribe(&self, channels: Vec<Channel>) -> BrokerFuture<'_, ()> {
        Box::pin(async move {
            let mut state = self.state()?;
            if let Some(connected) = state.links.get_mut(&self.id) {
                for channel in channels {
                    connected.channels.remove(&channel);
                }
            }
            Ok(())
        })
    }

    fn send(&self, messages: Vec<Message>) -> BrokerFuture<'_, ()> {
        Box::pin(async move {
            let mut state = self.state()?;
            for message in &messages {
                state.sent += 1;
                if let Some((name, late @ None)) = &mut state.late
                    && *name == message.channel.name()
                {
                    *late = Some(message.clone());
                    continue;
                }
                let name = message.channel.name();
                state.pass(self.id, &message.channel, |deliver| {
                    deliver.message(name, &message.payload);
                });
            }
            let heartbeat = messages.iter().all(|it| it.channel.name() == "nodes");
            match heartbeat {
                true => Ok(()),
                false => state.answer(()),
            }
        })
    }

    fn append(&self, entries: Vec<Append>) -> BrokerFuture<'_, Vec<Result<(), BrokerError>>> {
        Box::pin(async move {
            let mut state = self.state()?;
            let mut answers = Vec::new();
            for entry in entries {
                answers.push(Ok(()));
                if !state.seen.insert((entry.origin, entry.sequence)) {
                    continue;
                }
                let before = state.last(&entry.channel);
                let number = state.log.last().map_or(1, |last| last.number + 1);
                let stored = Stored {
                    place: Place {
                        log: state.log_id,
                        number,
                    },
                    before,
                    payload: entry.payload.clone(),
                };
                state.log.push(Entry {
                    number,
                    channel: entry.channel.clone(),
                    payload: entry.payload,
                });
                let name = entry.channel.name();
                state.pass(self.id, &entry.channel, |deliver| {
                    deliver.stored(name, stored.clone());
                });
            }
            state.answer(answers)
        })
    }

    fn read(&self, channel: Channel, after: u64, most: usize) -> BrokerFuture<'_, History> {
        Box::pin(async move {
            let state = self.state()?;
            let all = state.log.iter().filter(|entry| entry.channel == channel);
            let all: Vec<_> = all
                .map(|entry| (entry.number, entry.payload.clone()))
                .collect();
            let kept = all.len().saturating_sub(state.keep.unwrap_or(usize::MAX));
            let asked = all.len().saturating_sub(most);
            let first = all.partition_point(|(number, _)| *number <= after);
            let begin = kept.max(asked).max(first);
            let dropped = match begin > first {
                true => all[begin - 1].0,
                false => 0,
            };
            Ok(History {
                log: state.log_id,
                dropped,
                entries: all[begin..].to_vec(),
            })
        })
    }
}
