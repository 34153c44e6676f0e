//! The other nodes: which of them are there, and whether all that they have sent has come in.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

use super::announcement::Tail;

/// How long the numbers of a node are kept that is gone: it may only have been stopped, and send again
/// what it was not sure of.
const REMEMBERED: Duration = Duration::from_secs(600);

/// After which time without a look the looks themselves were stopped: no node is gone for that.
const LATE: Duration = Duration::from_millis(2500);

/// By when whatever has come in before was taken in, whatever its channel.
const TAKEN_IN: Duration = Duration::from_millis(500);

/// The same for sure, where nothing is lost by waiting.
const TAKEN_IN_FOR_SURE: Duration = Duration::from_secs(10);

/// How long other nodes may take to find the broker again, when this one has: an attempt without an
/// answer, the longest pause, and the next attempt.
const RETURN: Duration = Duration::from_secs(20);

#[derive(Debug, Default)]
pub(super) struct Peers {
    heard: HashMap<u64, Peer>,
    looked: Option<Instant>,
    /// There was a connection.
    has_begun: bool,
    /// There was one before this one.
    is_again: bool,
    /// Since when everything comes in that others send, while it does.
    hears_all: Option<Instant>,
    /// How often this node has heard itself.
    pub(super) echoes: u64,
}

#[derive(Debug)]
struct Peer {
    last: Instant,
    is_here: bool,
    /// It has said that it goes.
    has_left: bool,
    /// See [`ClientId`](crate::ClientId).
    process: u64,
    /// Whatever it has sent up to this sequence has come in.
    sure: u64,
    /// The same from some time later on.
    sure_soon: Option<(u64, Instant)>,
    /// A connection was lost since, and what it sent meanwhile with it.
    doubt: Doubt,
    /// If it never says what it sent, others are to be told that this is not known.
    is_awaited: bool,
}

#[derive(Debug, Default)]
enum Doubt {
    #[default]
    None,
    /// It has not said yet what it has sent.
    Asked,
    /// It has.
    Answered(Tail, Instant),
}

/// What has become of nodes of which nothing was heard.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// They are not there any more.
    pub(super) gone: Vec<u64>,
    /// Nothing more will be heard of them.
    pub(super) forgotten: Vec<u64>,
    /// Nobody will ever say what some of them have sent while this one was cut off.
    pub(super) is_in_doubt: bool,
}

impl Peers {
    /// A connection begins: who was there before may have said so when there was none.
    pub(super) fn begin(&mut self, now: Instant) {
        self.is_again = std::mem::replace(&mut self.has_begun, true);
        self.hears_all = None;
        self.all_are_heard(now);
    }

    /// From now on everything comes in that others send.
    pub(super) fn hears_all(&mut self, now: Instant) {
        self.hears_all = Some(now);
    }

    fn all_are_heard(&mut self, now: Instant) {
        self.looked = None;
        for peer in self.heard.values_mut().filter(|peer| peer.is_here) {
            peer.last = now;
        }
    }

    /// A connection was lost, or could not be made: nobody is sure any more of what others send.
    pub(super) fn end(&mut self, now: Instant, node_timeout: Duration) {
        self.hears_all = None;
        for peer in self.heard.values_mut() {
            let silent = now - peer.last;
            peer.sure_soon = None;
            if peer.has_left && silent > TAKEN_IN {
                continue;
            }
            // One that was silent long before may have come back meanwhile. Then it is asked; but it is
            // not expected to.
            peer.doubt = Doubt::Asked;
            peer.is_awaited |= peer.is_here || silent < node_timeout + RETURN;
        }
    }

    /// A node says that it is there, and that it has sent everything up to this sequence; says
    /// whether that it is there is news.
    pub(super) fn is_here(&mut self, node: u64, process: u64, through: u64, now: Instant) -> bool {
        let peer = self.heard.entry(node).or_insert_with(|| Peer {
            last: now,
            is_here: false,
            has_left: false,
            process,
            sure: 0,
            sure_soon: None,
            // It may have sent something between two connections of this node's.
            doubt: match self.is_again {
                true => Doubt::Asked,
                false => Doubt::None,
            },
            is_awaited: false,
        });
        peer.last = now;
        peer.has_left = false;
        peer.process = process;
        if matches!(peer.doubt, Doubt::None) {
            match peer.sure_soon {
                Some((_, since)) if now - since < TAKEN_IN_FOR_SURE => {}
                before => {
                    peer.sure = before.map_or(peer.sure, |(through, _)| through);
                    peer.sure_soon = Some((through, now));
                }
            }
        }
        !std::mem::replace(&mut peer.is_here, true)
    }

    /// A node says that it goes; says whether that is news.
    pub(super) fn is_gone(&mut self, node: u64, now: Instant) -> bool {
        let Some(peer) = self.heard.get_mut(&node) else {
            return false;
        };
        peer.last = now;
        peer.has_left = true;
        std::mem::replace(&mut peer.is_here, false)
    }

    /// Who is to say what it has sent, and after which sequence.
    pub(super) fn questions(&self) -> Vec<(u64, u64)> {
        let peers = self.heard.iter();
        let asked = peers.filter(|(_, it)| it.is_here && matches!(it.doubt, Doubt::Asked));
        asked.map(|(node, peer)| (*node, peer.sure)).collect()
    }

    /// A node says what it has sent, perhaps to somebody else. What it sends after that comes in.
    pub(super) fn answers(&mut self, node: u64, tail: Tail, now: Instant) {
        let Some(peer) = self.heard.get_mut(&node) else {
            return;
        };
        let is_asked = self.hears_all.is_some() && matches!(peer.doubt, Doubt::Asked);
        // Too much for somebody who asked for more may be little for this one.
        let is_answer = match tail.list {
            Some(_) => tail.after <= peer.sure,
            None => tail.after == peer.sure,
        };
        if is_asked && is_answer {
            peer.doubt = Doubt::Answered(tail, now);
        }
    }

    /// The answers whose time has come: what was sent before them was taken in.
    pub(super) fn answered(&mut self, now: Instant) -> Vec<(u64, Tail)> {
        let mut answered = Vec::new();
        for (node, peer) in &mut self.heard {
            match std::mem::take(&mut peer.doubt) {
                Doubt::Answered(tail, since) if now - since >= TAKEN_IN => {
                    peer.is_awaited = false;
                    answered.push((*node, tail));
                }
                doubt => peer.doubt = doubt,
            }
        }
        answered
    }

    /// Looks who is still there.
    pub(super) fn look(&mut self, now: Instant, node_timeout: Duration) -> Looked {
        let mut looked = Looked::default();
        let before = self.looked.replace(now);
        if before.is_some_and(|before| now - before > LATE) {
            self.all_are_heard(now);
            return looked;
        }
        let hears_all = self.hears_all;
        self.heard.retain(|node, peer| {
            let silent = now - peer.last;
            if peer.is_here && silent > node_timeout {
                peer.is_here = false;
                looked.gone.push(*node);
            }
            let is_late =
                hears_all.is_some_and(|since| peer.has_left || now - since > node_timeout + RETURN);
            if is_late && !peer.is_here && peer.is_awaited {
                peer.is_awaited = false;
                looked.is_in_doubt = true;
            }
            let is_forgotten = silent > REMEMBERED && !peer.is_awaited;
            if is_forgotten {
                looked.forgotten.push(*node);
            }
            !is_forgotten
        });
        looked
    }

    /// Up to which sequence everything has come in that a node has sent.
    pub(super) fn is_sure_of(&self, node: u64) -> u64 {
        self.heard.get(&node).map_or(0, |peer| peer.sure)
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use bytes::Bytes;

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(5);
    const SECOND: Duration = Duration::from_secs(1);

    fn tail(after: u64) -> Tail {
        let list = Some(Bytes::from_static(b"a list"));
        Tail { after, list }
    }

    fn begin(peers: &mut Peers, now: Instant) {
        peers.begin(now);
        peers.hears_all(now);
    }

    /// A connection on which node 7 was heard for 20 seconds, and has sent one message each second.
    fn heard(start: Instant) -> (Peers, Instant) {
        let mut peers = Peers::default();
        begin(&mut peers, start);
        for second in 0..=20 {
            let now = start + SECOND * second;
            peers.is_here(7, 1, second.into(), now);
        }
        (peers, start + SECOND * 20)
    }

    #[test]
    fn what_came_in_just_now_is_not_sure_yet() {
        let (mut peers, now) = heard(Instant::now());
        assert_eq!(peers.is_sure_of(7), 10);
        // Many at once, of which only the first was some time ago.
        for through in [40, 50, 60] {
            peers.is_here(7, 1, through, now + SECOND * 10);
        }
        assert_eq!(peers.is_sure_of(7), 20);
        assert_eq!(peers.is_sure_of(8), 0);
        assert!(peers.questions().is_empty(), "no connection was lost");
    }

    #[test]
    fn after_a_connection_was_lost_each_is_asked_until_it_answers() {
        let (mut peers, now) = heard(Instant::now());
        peers.end(now, TIMEOUT);
        begin(&mut peers, now + SECOND);
        assert_eq!(peers.questions(), [(7, 10)]);
        // That it is there says nothing of what it sent before.
        peers.is_here(7, 1, 99, now + SECOND);
        peers.is_here(7, 1, 99, now + SECOND * 20);
        assert_eq!(peers.is_sure_of(7), 10);
        let now = now + SECOND * 20;
        // An answer to somebody else, who was sure of more.
        peers.answers(7, tail(15), now);
        // Too much to say to somebody who was sure of less.
        peers.answers(
            7,
            Tail {
                after: 0,
                list: None,
            },
            now,
        );
        assert_eq!(peers.questions(), [(7, 10)]);
        peers.answers(7, tail(5), now);
        assert!(peers.questions().is_empty());
        assert!(
            peers.answered(now).is_empty(),
            "what it says may come in yet"
        );
        assert_eq!(peers.answered(now + SECOND), [(7, tail(5))]);
        assert!(peers.answered(now + SECOND).is_empty(), "once");
        peers.is_here(7, 1, 110, now + SECOND);
        peers.is_here(7, 1, 120, now + SECOND * 20);
        assert_eq!(peers.is_sure_of(7), 110);
    }

    #[test]
    fn an_answer_counts_for_its_connection_only_and_once_that_hears_all() {
        let (mut peers, now) = heard(Instant::now());
        peers.end(now, TIMEOUT);
        begin(&mut peers, now);
        peers.answers(7, tail(10), now);
        peers.end(now, TIMEOUT);
        peers.begin(now);
        assert!(peers.answered(now + SECOND).is_empty());
        peers.answers(7, tail(10), now);
        assert_eq!(peers.questions(), [(7, 10)]);
        peers.hears_all(now);
        peers.answers(7, tail(10), now);
        assert_eq!(peers.answered(now + SECOND).len(), 1);
    }

    #[test]
    fn one_that_comes_after_it_may_have_sent_something_before() {
        let (mut peers, now) = heard(Instant::now());
        peers.is_here(8, 2, 5, now);
        assert!(peers.questions().is_empty());
        peers.end(now, TIMEOUT);
        begin(&mut peers, now);
        peers.is_here(9, 3, 5, now + SECOND * 60);
        let mut questions = peers.questions();
        questions.sort_unstable();
        assert_eq!(questions, [(7, 10), (8, 0), (9, 0)]);
    }

    #[test]
    fn one_that_was_silent_for_long_and_comes_back_is_asked() {
        let (mut peers, now) = heard(Instant::now());
        assert!(looks(&mut peers, now, 60).is_empty());
        let now = now + SECOND * 60;
        peers.end(now, TIMEOUT);
        begin(&mut peers, now);
        assert!(looks(&mut peers, now, 60).is_empty(), "nobody waits for it");
        peers.is_here(7, 1, 99, now + SECOND * 60);
        assert_eq!(peers.questions(), [(7, 10)]);
        // The same of one for which it was too late.
        let (mut peers, now) = heard(Instant::now());
        peers.end(now, TIMEOUT);
        begin(&mut peers, now);
        assert_eq!(looks(&mut peers, now, 60), [26]);
        peers.is_here(7, 1, 99, now + SECOND * 60);
        assert_eq!(peers.questions(), [(7, 10)]);
    }

    /// Looks each second: whether there was doubt, and when.
    fn looks(peers: &mut Peers, from: Instant, seconds: u32) -> Vec<u32> {
        let seconds = 1..=seconds;
        let looks = seconds.filter(|second| {
            let looked = peers.look(from + SECOND * *second, TIMEOUT);
            looked.is_in_doubt
        });
        looks.collect()
    }

    #[test]
    fn one_that_does_not_come_back_leaves_doubt() {
        let (mut peers, now) = heard(Instant::now());
        peers.end(now, TIMEOUT);
        assert!(looks(&mut peers, now, 1000).is_empty(), "no connection");
        let now = now + SECOND * 1000;
        peers.begin(now);
        assert!(
            looks(&mut peers, now, 30).is_empty(),
            "it does not hear all yet"
        );
        let now = now + SECOND * 30;
        peers.hears_all(now);
        assert_eq!(looks(&mut peers, now, 60), [26]);
        assert!(peers.heard.is_empty(), "it is forgotten in the end");
    }

    #[test]
    fn one_that_was_gone_before_leaves_none_and_one_that_was_just_silent_does() {
        for (silent, in_doubt) in [(6, true), (24, true), (30, false)] {
            let (mut peers, now) = heard(Instant::now());
            assert!(looks(&mut peers, now, silent).is_empty());
            assert_eq!(peers.count(), 0);
            let now = now + SECOND * silent;
            peers.end(now, TIMEOUT);
            begin(&mut peers, now);
            assert_eq!(!looks(&mut peers, now, 60).is_empty(), in_doubt, "{silent}");
        }
    }

    #[test]
    fn one_that_has_left_has_said_all_before() {
        let (mut peers, now) = heard(Instant::now());
        assert!(peers.is_gone(7, now));
        peers.end(now + SECOND, TIMEOUT);
        begin(&mut peers, now + SECOND);
        assert!(looks(&mut peers, now + SECOND, 60).is_empty());
        // One that leaves in place of an answer has not.
        let (mut peers, now) = heard(Instant::now());
        peers.end(now, TIMEOUT);
        begin(&mut peers, now);
        peers.is_gone(7, now + SECOND);
        assert_eq!(looks(&mut peers, now, 60), [1]);
        // What it said just before may not have been taken in. That is told when there is somebody to
        // tell.
        let (mut peers, now) = heard(Instant::now());
        peers.is_gone(7, now);
        peers.end(now + TAKEN_IN, TIMEOUT);
        assert!(looks(&mut peers, now, 5).is_empty());
        begin(&mut peers, now + SECOND * 5);
        assert_eq!(looks(&mut peers, now + SECOND * 5, 60), [1]);
    }
}
