//! The order of what comes in from the log.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Range,
};

/// How many gaps are remembered, and how many numbers with what they came with.
const GAPS: usize = 100;
const RECENT: usize = 1000;

/// Puts messages into the order of their numbers, which have no gaps. A server with several clients
/// that append at the same time sends them on as they come to hand.
#[derive(Debug)]
pub(super) struct Order<T> {
    /// What comes next; `None` before it is known where to begin.
    next: Option<u64>,
    /// What comes next when it begins: everything before it does not matter.
    first: u64,
    early: BTreeMap<u64, T>,
    /// What did not come, and was not waited for any longer.
    gaps: VecDeque<Range<u64>>,
    /// What has come last: the numbers, and a mark of each message.
    recent: VecDeque<(u64, u64)>,
}

/// What a number says that has come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// Nothing: it is to be given on when it is its turn, or does not matter.
    Well,
    /// It has come already, with another message: they are counted anew.
    Again,
}

impl<T> Order<T> {
    pub(super) const fn new() -> Self {
        Self {
            next: None,
            first: 1,
            early: BTreeMap::new(),
            gaps: VecDeque::new(),
            recent: VecDeque::new(),
        }
    }

    /// Begins after this number, or after the highest that has come in. Says after which.
    pub(super) fn begin(&mut self, after: u64) -> u64 {
        if self.next.is_none() {
            self.first = self.first.max(after + 1);
            self.next = Some(self.first);
        }
        self.first - 1
    }

    /// A message with this number has come in. One that comes twice has the same mark.
    pub(super) fn put(&mut self, number: u64, mark: u64, message: T) -> Came {
        let is_known = match self.next {
            None => {
                self.first = self.first.max(number + 1);
                false
            }
            Some(next) if number >= next => self.early.insert(number, message).is_some(),
            Some(_) if number < self.first => false,
            Some(_) => !self.gaps.iter().any(|gap| gap.contains(&number)),
        };
        if is_known {
            return match self.recent.contains(&(number, mark)) {
                true => Came::Well,
                false => Came::Again,
            };
        }
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back((number, mark));
        Came::Well
    }

    /// The message whose turn it is.
    pub(super) fn pop(&mut self) -> Option<(u64, T)> {
        let next = self.next?;
        let message = self.early.remove(&next)?;
        self.next = Some(next + 1);
        Some((next, message))
    }

    /// Whether something is there whose turn it is not yet.
    pub(super) fn waits(&self) -> bool {
        !self.early.is_empty()
    }

    /// Does not wait any longer for what is missing.
    pub(super) fn skip(&mut self) {
        let (Some(next), Some((&number, _))) = (self.next, self.early.first_key_value()) else {
            return;
        };
        if self.gaps.len() == GAPS {
            self.gaps.pop_front();
        }
        self.gaps.push_back(next..number);
        self.next = Some(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pops(order: &mut Order<()>) -> Vec<u64> {
        std::iter::from_fn(|| order.pop())
            .map(|(number, ())| number)
            .collect()
    }

    #[test]
    fn numbers_come_out_in_their_order() {
        let mut order = Order::new();
        assert_eq!(order.put(3, 0, ()), Came::Well);
        assert_eq!(order.pop(), None);
        assert_eq!(order.begin(1), 3);
        for number in [6, 2, 5, 4, 3, 8] {
            assert_eq!(order.put(number, 0, ()), Came::Well, "{number}");
        }
        assert_eq!(pops(&mut order), [4, 5, 6]);
        assert!(order.waits());
        assert_eq!(order.put(8, 1, ()), Came::Again);
        assert_eq!(order.put(8, 0, ()), Came::Well, "twice");
        assert_eq!(order.put(6, 0, ()), Came::Well, "twice");
        order.skip();
        assert_eq!(pops(&mut order), [8]);
        assert!(!order.waits());
        order.skip();
        assert_eq!(order.put(7, 0, ()), Came::Well, "late");
        assert_eq!(order.put(6, 1, ()), Came::Again);
        assert!(pops(&mut order).is_empty());
        assert_eq!(order.begin(100), 3, "it has begun");
    }

    proptest::proptest! {
        #[test]
        fn all_come_out_once(count in 1..50_u64, seed: u64) {
            let mut numbers: Vec<_> = (1..=count).collect();
            numbers.sort_by_key(|number| (number ^ seed).wrapping_mul(0x9E37_79B9_7F4A_7C15));
            let mut order = Order::new();
            order.begin(0);
            let mut out = Vec::new();
            for number in numbers {
                proptest::prop_assert_eq!(order.put(number, 0, ()), Came::Well);
                out.extend(pops(&mut order));
            }
            proptest::prop_assert!(out.into_iter().eq(1..=count));
        }
    }
}
