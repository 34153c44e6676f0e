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
    /// See [`ClientId`](crate::ClientId).
    process: u64,
}

/// What has become of nodes of which nothing was heard.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// They are not there any more.
    pub(super) gone: Vec<u64>,
    /// Nothing more will be heard of them.
    pub(super) forgotten: Vec<u64>,
}

impl Peers {
    /// A connection begins: who was there before may have said so when there was none.
    pub(super) fn begin(&mut self, now: Instant) {
        self.looked = None;
        for peer in self.heard.values_mut().filter(|peer| peer.is_here) {
            peer.last = now;
        }
    }

    /// A node says that it is there; says whether that is news.
    pub(super) fn is_here(&mut self, node: u64, process: u64, now: Instant) -> bool {
        let peer = Peer {
            last: now,
            is_here: true,
            process,
        };
        let before = self.heard.insert(node, peer);
        before.is_none_or(|before| !before.is_here)
    }

    /// A node says that it goes; says whether that is news.
    pub(super) fn is_gone(&mut self, node: u64) -> bool {
        let peer = self.heard.get_mut(&node);
        peer.is_some_and(|peer| std::mem::replace(&mut peer.is_here, false))
    }

    /// Looks who is still there.
    pub(super) fn look(&mut self, now: Instant, node_timeout: Duration) -> Looked {
        let mut looked = Looked::default();
        let before = self.looked.replace(now);
        if before.is_some_and(|before| now - before > LATE) {
            self.begin(now);
            return looked;
        }
        self.heard.retain(|node, peer| {
            let silent = now - peer.last;
            if peer.is_here && silent > node_timeout {
                peer.is_here = false;
                looked.gone.push(*node);
            }
            if silent > REMEMBERED {
                looked.forgotten.push(*node);
            }
            silent <= REMEMBERED
        });
        looked
    }

    pub(super) fn has_node(&self, node: u64) -> bool {
        self.heard.get(&node).is_some_and(|peer| peer.is_here)
    }

    /// Whether a node of this process is there.
    pub(super) fn has_process(&self, process: u64) -> bool {
        let mut peers = self.heard.values();
        peers.any(|peer| peer.is_here && peer.process == process)
    }

    /// How many other nodes are there.
    pub(super) fn count(&self) -> usize {
        self.heard.values().filter(|peer| peer.is_here).count()
    }
}
