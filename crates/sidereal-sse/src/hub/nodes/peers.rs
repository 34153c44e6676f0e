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

/// How long other nodes may take to find the broker again, when this one has.
const RETURN: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(super) struct Peers {
    heard: HashMap<u64, Peer>,
    looked: Option<Instant>,
    /// When the connection began, while there is one.
    began: Option<Instant>,
    /// There was one, and there was one before it.
    has_begun: bool,
    is_again: bool,
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
        self.began = Some(now);
        self.all_are_heard(now);
    }

    fn all_are_heard(&mut self, now: Instant) {
        self.looked = None;
        for peer in self.heard.values_mut().filter(|peer| peer.is_here) {
            peer.last = now;
        }
    }

    /// A connection was lost, or could not be made: nobody is sure any more of what others send.
    pub(super) fn end(&mut self, now: Instant, node_timeout: Duration) {
        self.began = None;
        for peer in self.heard.values_mut() {
            let silent = now - peer.last;
            let is_over = match peer.has_left {
                true => silent > TAKEN_IN,
                false => !peer.is_here && silent > node_timeout + RETURN,
            };
            if !is_over {
                peer.doubt = Doubt::Asked;
            }
            peer.sure_soon = None;
        }
    }

    /// A node says that it is there, and that it has sent everything up to this sequence; says
    /// whether that it is there is news.
    pub(super) fn is_here(&mut self, node: u64, process: u64, through: u64, now: Instant) -> bool {
        let since = self.began.map(|began| now - began);
        let peer = self.heard.entry(node).or_insert_with(|| Peer {
            last: now,
            is_here: false,
            has_left: false,
            process,
            sure: 0,
            sure_soon: None,
            // It may have sent something between two connections of this node's.
            doubt: match self.is_again && since.is_some_and(|since| since < RETURN) {
                true => Doubt::Asked,
                false => Doubt::None,
            },
        });
        peer.last = now;
        peer.has_left = false;
        peer.process = process;
        if matches!(peer.doubt, Doubt::None) {
            match peer.sure_soon {
                Some((_, since)) if now - since < TAKEN_IN => {}
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

    /// A node says what it has sent. The connection hears all that it sends after that.
    pub(super) fn answers(&mut self, node: u64, tail: Tail, now: Instant) {
        if let Some(peer) = self.heard.get_mut(&node)
            && matches!(peer.doubt, Doubt::Asked)
            && tail.after <= peer.sure
        {
            peer.doubt = Doubt::Answered(tail, now);
        }
    }

    /// The answers whose time has come: what was sent before them was taken in.
    pub(super) fn answered(&mut self, now: Instant) -> Vec<(u64, Tail)> {
        let mut answered = Vec::new();
        for (node, peer) in &mut self.heard {
            match std::mem::take(&mut peer.doubt) {
                Doubt::Answered(tail, since) if now - since >= TAKEN_IN => {
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
        let began = self.began;
        self.heard.retain(|node, peer| {
            let silent = now - peer.last;
            if peer.is_here && silent > node_timeout {
                peer.is_here = false;
                looked.gone.push(*node);
            }
            let is_late = began.is_some_and(|began| now - began > node_timeout + RETURN);
            if !peer.is_here && matches!(peer.doubt, Doubt::Asked) && (is_late || peer.has_left) {
                peer.doubt = Doubt::None;
                looked.is_in_doubt = true;
            }
            let is_forgotten = silent > REMEMBERED && matches!(peer.doubt, Doubt::None);
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
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(5);
    const SECOND: Duration = Duration::from_secs(1);

    fn tail(after: u64) -> Tail {
        let last = Some(vec![("news".to_owned(), after + 1)]);
        Tail { after, last }
    }

    /// A connection on which node 7 was heard for three seconds.
    fn heard(start: Instant) -> (Peers, Instant) {
        let mut peers = Peers::default();
        peers.begin(start);
        for (second, through) in [(0, 10), (1, 20), (2, 30)] {
            peers.is_here(7, 1, through, start + SECOND * second);
        }
        (peers, start + SECOND * 2)
    }

    #[test]
    fn what_came_in_just_now_is_not_sure_yet() {
        let start = Instant::now();
        let (mut peers, now) = heard(start);
        assert_eq!(peers.is_sure_of(7), 20);
        // Many at once, of which only the first was some time ago.
        for through in [40, 50, 60] {
            peers.is_here(7, 1, through, now + SECOND);
        }
        assert_eq!(peers.is_sure_of(7), 30);
        assert_eq!(peers.is_sure_of(8), 0);
        assert!(peers.questions().is_empty(), "no connection was lost");
    }

    #[test]
    fn after_a_connection_was_lost_each_is_asked_until_it_answers() {
        let (mut peers, now) = heard(Instant::now());
        peers.end(now, TIMEOUT);
        peers.begin(now + SECOND);
        assert_eq!(peers.questions(), [(7, 20)]);
        // That it is there says nothing of what it sent before.
        peers.is_here(7, 1, 99, now + SECOND);
        peers.is_here(7, 1, 99, now + SECOND * 2);
        assert_eq!(peers.is_sure_of(7), 20);
        let now = now + SECOND * 2;
        // An answer to somebody else, who was sure of more.
        peers.answers(7, tail(25), now);
        assert_eq!(peers.questions(), [(7, 20)]);
        peers.answers(7, tail(15), now);
        assert!(peers.questions().is_empty());
        assert!(
            peers.answered(now).is_empty(),
            "what it says may come in yet"
        );
        assert_eq!(peers.answered(now + SECOND), [(7, tail(15))]);
        assert!(peers.answered(now + SECOND).is_empty(), "once");
        peers.is_here(7, 1, 110, now + SECOND);
        peers.is_here(7, 1, 120, now + SECOND * 2);
        assert_eq!(peers.is_sure_of(7), 110);
    }

    #[test]
    fn an_answer_counts_for_its_connection_only() {
        let (mut peers, now) = heard(Instant::now());
        peers.end(now, TIMEOUT);
        peers.begin(now);
        peers.answers(7, tail(20), now);
        peers.end(now, TIMEOUT);
        peers.begin(now);
        assert!(peers.answered(now + SECOND).is_empty());
        assert_eq!(peers.questions(), [(7, 20)]);
    }

    #[test]
    fn one_that_comes_soon_after_may_have_sent_something_before() {
        let (mut peers, now) = heard(Instant::now());
        peers.end(now, TIMEOUT);
        peers.begin(now);
        peers.is_here(8, 2, 5, now + SECOND);
        let mut questions = peers.questions();
        questions.sort_unstable();
        assert_eq!(questions, [(7, 20), (8, 0)]);
        peers.is_here(9, 3, 5, now + RETURN);
        assert_eq!(peers.questions().len(), 2, "one that comes later is new");
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
        assert_eq!(looks(&mut peers, now, 30), [16]);
    }

    #[test]
    fn one_that_was_gone_before_leaves_none_and_one_that_was_just_silent_does() {
        for (silent, in_doubt) in [(6, true), (14, true), (20, false)] {
            let (mut peers, now) = heard(Instant::now());
            assert!(looks(&mut peers, now, silent).is_empty());
            assert_eq!(peers.count(), 0);
            let now = now + SECOND * silent;
            peers.end(now, TIMEOUT);
            peers.begin(now);
            assert_eq!(!looks(&mut peers, now, 30).is_empty(), in_doubt, "{silent}");
        }
    }

    #[test]
    fn one_that_has_left_has_said_all_before() {
        let (mut peers, now) = heard(Instant::now());
        assert!(peers.is_gone(7, now));
        peers.end(now + SECOND, TIMEOUT);
        peers.begin(now + SECOND);
        assert!(looks(&mut peers, now + SECOND, 30).is_empty());
        // One that leaves in place of an answer has not.
        let (mut peers, now) = heard(Instant::now());
        peers.end(now, TIMEOUT);
        peers.begin(now);
        peers.is_gone(7, now + SECOND);
        assert_eq!(looks(&mut peers, now, 30), [1]);
    }
}
