//! The last events of a topic.

use std::collections::VecDeque;

use crate::Frame;

/// The last events of a topic, as many as it keeps.
///
/// Readers have a position each, which counts the events of this topic: where it stands before the
/// oldest that is kept, they have missed some.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    entries: VecDeque<Entry>,
    bytes: usize,
    /// How many events were ever pushed: the position after the newest.
    pushed: u64,
    /// Which numbers the events' ids have: those of this process, or of a broker's log.
    epoch: u32,
    /// The id of the newest event that is not kept any more; zero where there is none.
    dropped: u64,
}

/// An event that is kept.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Its number in the order of all events of this process.
    pub(crate) number: u64,
    /// The number in its id, which is the same, unless a broker's log has numbered it.
    pub(crate) id: u64,
    pub(crate) frame: Frame,
}

impl Ring {
    /// A ring that may have had all events up to this id, and keeps none of them.
    pub(crate) fn after_all(epoch: u32, dropped: u64) -> Self {
        Self {
            epoch,
            dropped,
            ..Self::default()
        }
    }

    pub(crate) fn push(&mut self, entry: Entry, events: usize, bytes: usize) -> u64 {
        self.bytes += entry.frame.len();
        self.entries.push_back(entry);
        self.pushed += 1;
        while self.entries.len() > 1 && (self.entries.len() > events || self.bytes > bytes) {
            if let Some(oldest) = self.entries.pop_front() {
                self.bytes -= oldest.frame.len();
                self.dropped = oldest.id;
            }
        }
        self.pushed
    }

    /// Keeps nothing any more.
    pub(crate) fn clear(&mut self) {
        if let Some(newest) = self.entries.back() {
            self.dropped = newest.id;
            self.entries.clear();
            self.bytes = 0;
        }
    }

    /// Something is missing here, before what is pushed next: whoever reads will notice. Says how many
    /// were pushed, which is one more.
    pub(crate) fn gap(&mut self) -> u64 {
        self.clear();
        self.pushed += 1;
        self.pushed
    }

    /// From now on the ids are these, and all events up to this one may have been here.
    pub(crate) fn begin(&mut self, epoch: u32, dropped: u64) {
        self.clear();
        self.epoch = epoch;
        self.dropped = dropped;
    }

    pub(crate) fn pushed(&self) -> u64 {
        self.pushed
    }

    /// The position of the oldest event that is kept.
    pub(crate) fn oldest(&self) -> u64 {
        self.pushed - self.entries.len() as u64
    }

    pub(crate) fn newest(&self) -> Option<&Frame> {
        self.entries.back().map(|entry| &entry.frame)
    }

    /// Where a reader goes on that has read all events up to this id; `None` where some after it are
    /// not kept any more, or it is of another order.
    pub(crate) fn after(&self, epoch: u32, id: u64) -> Option<u64> {
        if self.epoch != epoch || self.dropped > id {
            return None;
        }
        let read = self.entries.partition_point(|entry| entry.id <= id);
        Some(self.oldest() + read as u64)
    }

    /// The event at this position, if it is there.
    pub(crate) fn entry(&self, position: u64) -> Option<&Entry> {
        let index = position.checked_sub(self.oldest())?;
        self.entries.get(usize::try_from(index).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, IntoFrame as _};

    fn entry(number: u64, text: &str) -> Entry {
        Entry {
            number,
            id: number,
            frame: Event::new(text).into_frame(),
        }
    }

    #[test]
    fn so_many_events_and_so_many_bytes_are_kept_and_the_newest_always() {
        let mut ring = Ring::default();
        for number in 1..=10 {
            ring.push(entry(number * 2, "12345"), 3, 1000);
        }
        assert_eq!((ring.oldest(), ring.pushed()), (7, 10));
        ring.push(entry(22, &"x".repeat(2000)), 3, 1000);
        assert_eq!((ring.oldest(), ring.pushed()), (10, 11));
        ring.push(entry(24, "1"), 3, 1000);
        assert_eq!((ring.oldest(), ring.pushed()), (11, 12));
        assert_eq!(ring.entry(11).map(|entry| entry.number), Some(24));
        assert!(ring.entry(10).is_none());
        assert!(ring.entry(12).is_none());
    }

    #[test]
    fn a_reader_goes_on_after_an_id_unless_some_are_gone() {
        let mut ring = Ring::default();
        assert_eq!(ring.after(0, 0), Some(0));
        assert_eq!(ring.after(0, 100), Some(0), "events of other topics");
        for number in [10, 20, 30, 40] {
            ring.push(entry(number, "x"), 3, 1000);
        }
        assert_eq!(ring.after(0, 9), None);
        assert_eq!(ring.after(0, 10), Some(1));
        assert_eq!(ring.after(0, 20), Some(2));
        assert_eq!(ring.after(0, 35), Some(3));
        assert_eq!(ring.after(0, 40), Some(4));
        assert_eq!(ring.after(0, 99), Some(4));
        assert_eq!(ring.after(7, 40), None, "of another order");
    }

    #[test]
    fn a_gap_is_a_position_without_an_event() {
        let mut ring = Ring::default();
        ring.push(entry(10, "x"), 3, 1000);
        assert_eq!(ring.gap(), 2);
        assert_eq!((ring.oldest(), ring.pushed()), (2, 2));
        assert_eq!(ring.after(0, 9), None);
        assert_eq!(ring.after(0, 10), Some(2));
        ring.begin(7, 30);
        assert_eq!((ring.after(7, 29), ring.after(7, 30)), (None, Some(2)));
        assert_eq!(ring.after(0, 30), None);
    }
}
