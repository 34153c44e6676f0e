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
    waiting: VecDeque<(M, Option<Confirm>)>,
    bytes: usize,
    /// How many have gone, to the broker or nowhere.
    gone: u64,
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
            gone: 0,
        }
    }

    /// Whether there is room for one more within these limits. There always is for the first.
    pub(super) fn has_room(&self, length: usize, most: usize, most_bytes: usize) -> bool {
        self.waiting.is_empty()
            || self.waiting.len() < most && self.bytes.saturating_add(length) <= most_bytes
    }

    /// How many have gone, and how many will have when all have that are here now.
    pub(super) fn progress(&self) -> (u64, u64) {
        (self.gone, self.gone + self.waiting.len() as u64)
    }

    /// What waits, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &M> {
        self.waiting.iter().map(|(message, _)| message)
    }

    pub(super) fn push(&mut self, message: M, confirm: Option<Confirm>) {
        self.bytes += message.length();
        self.waiting.push_back((message, confirm));
    }

    /// The oldest ones. Those that are longer than the broker takes never go: they are given to `refuse`.
    pub(super) fn batch(&mut self, longest: usize, mut refuse: impl FnMut(&M)) -> Vec<M> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        let mut index = 0;
        while let Some((message, _)) = self.waiting.get(index) {
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
        let (message, confirm) = self.waiting.remove(index)?;
        self.bytes -= message.length();
        self.gone += 1;
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
