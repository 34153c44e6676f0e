//! The other nodes, and which of them are there.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

/// How long the numbers of a node are kept that is gone: it may only have been stopped, and send again
/// what it was not sure of.
const REMEMBERED: Duration = Duration::from_secs(600);

/// After which time without a look the looks themselves were stopped: no node is gone for that.
const LATE: Duration = Duration::from_millis(2500);

#[derive(Debug, Default)]
pub(super) struct Peers {
    heard: HashMap<u64, Peer>,
    looked: Option<Instant>,
    /// How often this node has heard itself.
    pub(super) echoes: u64,
}

#[derive(Debug)]
struct Peer {
    last: Instant,
    is_here: bool,
}

impl Peers {
    /// A connection begins: who was there before may have said so when there was none.
    pub(super) fn begin(&mut self, now: Instant) {
        self.looked = None;
        for peer in self.heard.values_mut().filter(|peer| peer.is_here) {
            peer.last = now;
        }
    }

    pub(super) fn is_here(&mut self, node: u64, now: Instant) {
        let peer = Peer {
            last: now,
            is_here: true,
        };
        self.heard.insert(node, peer);
    }

    pub(super) fn is_gone(&mut self, node: u64) {
        if let Some(peer) = self.heard.get_mut(&node) {
            peer.is_here = false;
        }
    }

    /// Looks who is still there. Says whom nothing will be heard of any more.
    pub(super) fn look(&mut self, now: Instant, node_timeout: Duration) -> Vec<u64> {
        let before = self.looked.replace(now);
        if before.is_some_and(|before| now - before > LATE) {
            self.begin(now);
            return Vec::new();
        }
        for peer in self.heard.values_mut() {
            peer.is_here &= now - peer.last <= node_timeout;
        }
        let forgotten = self
            .heard
            .extract_if(|_, peer| now - peer.last > REMEMBERED);
        forgotten.map(|(node, _)| node).collect()
    }

    /// How many other nodes are there.
    pub(super) fn count(&self) -> usize {
        self.heard.values().filter(|peer| peer.is_here).count()
    }
}
