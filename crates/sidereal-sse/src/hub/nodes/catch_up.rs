//! What nodes tell each other after a connection to the broker was lost: who has sent what meanwhile, and
//! what of it has come in.
//!
//! ```text
//! the node that was cut off                    every other node
//! Here{through}, Asks([(node, after), …])  ─▶  noted
//!                                          ◀─  Sent(the last sequence of each channel), once a second
//! half a second later: compared with what has come in
//! ```

use std::sync::{Weak, atomic::Ordering};

use tokio::time::Instant;

use super::{
    Channel, Message, Nodes, State,
    announcement::{Announcement, Tail},
};
use crate::client::process;

/// The longest list of what was sent, and what goes before it in its message.
const LIST: usize = 1 << 20;
const LIST_HEAD: usize = 64;

impl State {
    /// Has those told who asked what was sent: after whatever was sent before.
    fn answer(&mut self, id: u64, longest: usize) {
        let asked = std::mem::take(&mut self.asked);
        let first = asked.iter().min().copied();
        let last = asked.iter().max().copied();
        let longest = longest.saturating_sub(LIST_HEAD).min(LIST);
        // Most get along with an answer to who asks for most, unless that is too much to say.
        for after in first.into_iter().chain(last) {
            let tail = Tail::new(after, self.sent.after(after), longest);
            let is_enough = tail.list.is_some() || first == last;
            self.messages
                .push(Announcement::Sent(tail).to_all(id), None);
            if is_enough {
                return;
            }
        }
    }
}

impl Nodes {
    fn to_all(&self, announcement: &Announcement) -> Message {
        announcement.to_all(self.id)
    }

    /// What a node says all the time.
    pub(super) fn signs_of_life(&self) -> Vec<Message> {
        let state = self.state();
        let here = Announcement::Here {
            process: process(),
            through: state.sent_through(),
        };
        let questions = state.peers.questions();
        drop(state);
        let mut messages = vec![self.to_all(&here)];
        if !questions.is_empty() {
            messages.push(self.to_all(&Announcement::Asks(questions)));
        }
        messages
    }

    /// Tells those who have asked since the last time.
    pub(super) fn answer(&self) {
        let longest = self.longest.load(Ordering::Relaxed);
        let mut state = self.state();
        if !state.asked.is_empty() {
            state.answer(self.id, longest);
            drop(state);
            self.has_messages.notify_one();
        }
    }

    /// What a node says before it goes.
    pub(super) fn last_words(&self) -> Vec<Message> {
        let state = self.state();
        let is_missing = state.has_skipped_many
            || !state.skipped.is_empty()
            || state.messages.iter().next().is_some();
        drop(state);
        let skipped = is_missing.then_some(Announcement::Skipped);
        let words = skipped.into_iter().chain([Announcement::Gone]);
        words.map(|word| self.to_all(&word)).collect()
    }

    /// What other nodes say that they have sent is compared with what has come in.
    pub(super) fn look_at_answers(&self) {
        let answered = self.state().peers.answered(Instant::now());
        for (node, tail) in answered {
            let Some(last) = tail.last() else {
                self.stays_in_doubt();
                continue;
            };
            for (name, sequence) in last {
                let carrier = {
                    let state = self.state();
                    state
                        .channels
                        .get(&Channel::plain(name))
                        .and_then(Weak::upgrade)
                };
                if let Some(carrier) = carrier {
                    carrier.was_sent(node, sequence);
                }
            }
        }
    }

    pub(super) fn stays_in_doubt(&self) {
        let carriers = self.carriers();
        carriers.iter().for_each(|carrier| carrier.stays_in_doubt());
    }
}
