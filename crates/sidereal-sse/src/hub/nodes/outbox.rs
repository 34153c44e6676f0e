//! What is on its way to the broker.

use std::collections::VecDeque;

use tokio::sync::oneshot;

use super::{Append, BrokerError, Message};

/// How many messages go to the broker at a time, and how many bytes.
const BATCH: usize = 256;
const BATCH_BYTES: usize = 1 << 20;

/// Who is told that the broker has a message, or will not take it.
pub(crate) type Confirm = oneshot::Sender<Result<(), BrokerError>>;

/// What waits for the broker, oldest first. What was given to it stays here until it says that it has
/// it.
#[derive(Debug)]
pub(super) struct Outbox<M> {
    waiting: VecDeque<Waiting<M>>,
    bytes: usize,
    /// How many there were.
    count: u64,
}

#[derive(Debug)]
struct Waiting<M> {
    /// The how manieth it is.
    number: u64,
    message: M,
    confirm: Option<Confirm>,
}

pub(super) trait Payload {
    fn length(&self) -> usize;
}

impl Payload for Message {
    fn length(&self) -> usize {
        self.payload.len()
    }
}

impl Payload for Append {
    fn length(&self) -> usize {
        self.payload.len()
    }
}

impl<M: Payload + Clone> Outbox<M> {
    pub(super) fn new() -> Self {
        Self {
            waiting: VecDeque::new(),
            bytes: 0,
            count: 0,
        }
    }

    /// Whether there is room for one more within these limits. There always is for the first.
    pub(super) fn has_room(&self, length: usize, most: usize, most_bytes: usize) -> bool {
        self.waiting.is_empty()
            || self.waiting.len() < most && self.bytes.saturating_add(length) <= most_bytes
    }

    /// How many there were until now.
    pub(super) fn end(&self) -> u64 {
        self.count
    }

    /// Whether none of those waits any more.
    pub(super) fn is_past(&self, end: u64) -> bool {
        self.waiting.front().is_none_or(|first| first.number > end)
    }

    /// What waits, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &M> {
        self.waiting.iter().map(|waiting| &waiting.message)
    }

    pub(super) fn push(&mut self, message: M, confirm: Option<Confirm>) {
        self.bytes += message.length();
        self.count += 1;
        self.waiting.push_back(Waiting {
            number: self.count,
            message,
            confirm,
        });
    }

    /// The oldest ones. Those that are longer than the broker takes never go: they are given to `refuse`.
    pub(super) fn batch(&mut self, longest: usize, mut refuse: impl FnMut(&M)) -> Vec<M> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        let mut index = 0;
        while let Some(Waiting { message, .. }) = self.waiting.get(index) {
            let length = message.length();
            if length > longest {
                refuse(message);
                let error = BrokerError::refused(format!(
                    "a message of {length} bytes is over the broker's limit of {longest}"
                ));
                self.done(index, Err(error));
                continue;
            }
            if batch.len() == BATCH || !batch.is_empty() && bytes + length > BATCH_BYTES {
                break;
            }
            bytes += length;
            batch.push(message.clone());
            index += 1;
        }
        batch
    }

    /// The oldest one is with the broker, or never will be.
    pub(super) fn first_done(&mut self, result: Result<(), BrokerError>) -> Option<M> {
        self.done(0, result)
    }

    fn done(&mut self, index: usize, result: Result<(), BrokerError>) -> Option<M> {
        let waiting = self.waiting.remove(index)?;
        let Waiting {
            message, confirm, ..
        } = waiting;
        self.bytes -= message.length();
        if let Some(confirm) = confirm {
            let _ = confirm.send(result);
        }
        // A crowd leaves no memory behind.
        if self.waiting.is_empty() {
            self.waiting = VecDeque::new();
        }
        Some(message)
    }
}
