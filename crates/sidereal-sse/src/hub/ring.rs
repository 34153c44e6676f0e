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
    /// The number of the newest event that is not kept any more; zero where there is none.
    dropped: u64,
}

#[derive(Debug)]
struct Entry {
    /// Its number in the order of all events.
    number: u64,
    frame: Frame,
}

impl Ring {
    /// A ring that may have had all events up to this number, and keeps none of them.
    pub(crate) fn after_all(dropped: u64) -> Self {
        Self {
            dropped,
            ..Self::default()
        }
    }

    pub(crate) fn push(&mut self, number: u64, frame: Frame, events: usize, bytes: usize) -> u64 {
        self.bytes += frame.len();
        self.entries.push_back(Entry { number, frame });
        self.pushed += 1;
        while self.entries.len() > 1 && (self.entries.len() > events || self.bytes > bytes) {
            if let Some(oldest) = self.entries.pop_front() {
                self.bytes -= oldest.frame.len();
                self.dropped = oldest.number;
            }
        }
        self.pushed
    }

    /// Keeps nothing any more.
    pub(crate) fn clear(&mut self) {
        if let Some(newest) = self.entries.back() {
            self.dropped = newest.number;
            self.entries.clear();
            self.bytes = 0;
        }
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

    /// Where a reader goes on that has read all events up to this number; `None` where some after
    /// it are not kept any more.
    pub(crate) fn after(&self, number: u64) -> Option<u64> {
        if self.dropped > number {
            return None;
        }
        let read = self.entries.partition_point(|entry| entry.number <= number);
        Some(self.oldest() + read as u64)
    }

    /// The event at this position and its number, if it is there.
    pub(crate) fn entry(&self, position: u64) -> Option<(u64, &Frame)> {
        let index = position.checked_sub(self.oldest())?;
        let entry = self.entries.get(usize::try_from(index).ok()?)?;
        Some((entry.number, &entry.frame))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, IntoFrame as _};

    fn frame(text: &str) -> Frame {
        Event::new(text).into_frame()
    }

    #[test]
    fn so_many_events_and_so_many_bytes_are_kept_and_the_newest_always() {
        let mut ring = Ring::default();
        for number in 1..=10 {
            ring.push(number * 2, frame("12345"), 3, 1000);
        }
        assert_eq!((ring.oldest(), ring.pushed()), (7, 10));
        ring.push(22, frame(&"x".repeat(2000)), 3, 1000);
        assert_eq!((ring.oldest(), ring.pushed()), (10, 11));
        ring.push(24, frame("1"), 3, 1000);
        assert_eq!((ring.oldest(), ring.pushed()), (11, 12));
        assert_eq!(ring.entry(11).map(|(number, _)| number), Some(24));
        assert_eq!(ring.entry(10), None);
        assert_eq!(ring.entry(12), None);
    }

    #[test]
    fn a_reader_goes_on_after_a_number_unless_some_are_gone() {
        let mut ring = Ring::default();
        assert_eq!(ring.after(0), Some(0));
        assert_eq!(ring.after(100), Some(0), "events of other topics");
        for number in [10, 20, 30, 40] {
            ring.push(number, frame("x"), 3, 1000);
        }
        assert_eq!(ring.after(9), None);
        assert_eq!(ring.after(10), Some(1));
        assert_eq!(ring.after(20), Some(2));
        assert_eq!(ring.after(35), Some(3));
        assert_eq!(ring.after(40), Some(4));
        assert_eq!(ring.after(99), Some(4));
    }
}
