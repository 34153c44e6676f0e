//! What comes in from the broker, and to whom it goes.

use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use super::{
    BrokerError, Carrier, Channel, NODES_TARGET, Nodes, Stored,
    announcement::{ALL, Announcement},
    wire::{Envelope, Malformed},
};

/// Where a [`Broker`](super::Broker) puts what comes in.
///
/// To be called in the order in which it came in. It does not wait: whoever follows is woken, and
/// reads on.
#[derive(Clone)]
pub struct Deliver {
    nodes: Arc<Nodes>,
    generation: u64,
}

impl Deliver {
    /// A message of a channel without a log.
    pub fn message(&self, channel: &str, payload: &Bytes) {
        let envelope = match Envelope::decode(payload) {
            Ok(envelope) => envelope,
            Err(error) => {
                tracing::warn!(target: NODES_TARGET, channel, %error, "a message cannot be read");
                if error != Malformed::Foreign
                    && let Some(carrier) = self.carrier(&Channel::plain(channel))
                {
                    carrier.has_missed();
                }
                return;
            }
        };
        if channel == ALL {
            if self.counts() {
                self.nodes.hear_of(&envelope);
            }
            return;
        }
        if let Some(carrier) = self.carrier(&Channel::plain(channel)) {
            carrier.hear(&envelope);
        }
    }

    /// A message of a channel with a log.
    pub fn stored(&self, channel: &str, stored: Stored) {
        if !self.counts() {
            return;
        }
        self.nodes.state().sees(stored.place);
        if let Some(carrier) = self.carrier(&Channel::log(channel)) {
            carrier.hear_stored(stored);
        }
    }

    /// The connection that was made is lost, or it is not sure that every message came in: it is
    /// dropped, and another one is made.
    pub fn lost(&self, error: BrokerError) {
        let mut state = self.nodes.state();
        if state.generation != self.generation {
            return;
        }
        state.why_lost = Some(error);
        drop(state);
        self.nodes.is_over.notify_one();
    }

    fn counts(&self) -> bool {
        self.nodes.state().generation == self.generation
    }

    fn carrier(&self, channel: &Channel) -> Option<Arc<Carrier>> {
        let state = self.nodes.state();
        match state.generation == self.generation {
            true => state.channels.get(channel)?.upgrade(),
            false => None,
        }
    }
}

impl std::fmt::Debug for Deliver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deliver").finish_non_exhaustive()
    }
}

impl Nodes {
    /// What came in by connections before this one counts no more.
    pub(super) fn next_connection(self: &Arc<Self>) -> Deliver {
        let mut state = self.state();
        state.generation += 1;
        Deliver {
            nodes: self.clone(),
            generation: state.generation,
        }
    }

    /// A node has said something to all.
    fn hear_of(&self, envelope: &Envelope) {
        // What else there is, a later version says.
        let Some(announcement) = Announcement::decode(&envelope.body) else {
            return;
        };
        let node = envelope.node;
        let now = Instant::now();
        let mut state = self.state();
        if node == self.id {
            state.peers.echoes += 1;
            return;
        }
        match announcement {
            Announcement::Here { process, through } => {
                let came = state.peers.is_here(node, process, through, now);
                drop(state);
                if came {
                    tracing::info!(target: NODES_TARGET, node = %Hex(node), "a node is there");
                    self.to_receivers(|receiver| receiver.node_came(node));
                }
            }
            Announcement::Gone => {
                let went = state.peers.is_gone(node, now);
                drop(state);
                if went {
                    tracing::info!(target: NODES_TARGET, node = %Hex(node), "a node has gone");
                    self.to_receivers(|receiver| receiver.node_went(node));
                }
            }
            Announcement::Skipped => {
                drop(state);
                let carriers = self.carriers();
                carriers.iter().for_each(|carrier| carrier.has_missed());
            }
            Announcement::Asks(nodes) => {
                let asked = nodes.iter().filter(|(asked, _)| *asked == self.id);
                state.asked.extend(asked.map(|(_, after)| *after));
            }
            Announcement::Sent(tail) => state.peers.answers(node, tail, now),
        }
    }
}

/// A node's number, as it is in the log.
pub(super) struct Hex(pub(super) u64);

impl std::fmt::Display for Hex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
