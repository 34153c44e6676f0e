//! What this node has sent last on each channel, for nodes that were cut off: they ask, and learn where
//! they have missed something.

use std::collections::HashMap;

use super::Channel;

/// How many channels are remembered at least.
const CHANNELS: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Sent {
    recent: Generation,
    older: Generation,
}

#[derive(Debug, Default)]
struct Generation {
    last: HashMap<Channel, u64>,
    /// The first sequence: from here on nothing is forgotten.
    from: u64,
}

impl Sent {
    /// A message of this sequence was sent, or was to be.
    pub(super) fn note(&mut self, channel: &Channel, sequence: u64) {
        if let Some(last) = self.recent.last.get_mut(channel) {
            *last = sequence;
            return;
        }
        if self.recent.last.len() == CHANNELS {
            let recent = Generation {
                last: HashMap::new(),
                from: sequence,
            };
            self.older = std::mem::replace(&mut self.recent, recent);
        }
        self.recent.last.insert(channel.clone(), sequence);
    }

    /// The last sequence of a channel; zero where it is not known.
    pub(super) fn last(&self, channel: &Channel) -> u64 {
        let generations = [&self.recent, &self.older];
        let mut last = generations.iter().filter_map(|it| it.last.get(channel));
        last.next().copied().unwrap_or(0)
    }

    /// The channels on which something was sent after this sequence, with the last of each; `None`
    /// where some are forgotten.
    pub(super) fn after(&self, sequence: u64) -> Option<impl Iterator<Item = (&Channel, u64)>> {
        if sequence.saturating_add(1) < self.older.from {
            return None;
        }
        let recent = &self.recent.last;
        let older = self.older.last.iter();
        let older = older.filter(|(channel, _)| !recent.contains_key(*channel));
        let all = recent.iter().chain(older);
        let all = all.map(|(channel, last)| (channel, *last));
        Some(all.filter(move |(_, last)| *last > sequence))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn channel(number: usize) -> Channel {
        Channel::plain(number.to_string())
    }

    #[test]
    fn the_last_of_each_channel_is_known() {
        let mut sent = Sent::default();
        assert_eq!(sent.after(0).unwrap().count(), 0);
        for (sequence, number) in [(1, 1), (2, 2), (4, 1), (5, 3)] {
            sent.note(&channel(number), sequence);
        }
        let after = |sequence| {
            let after = sent.after(sequence).unwrap();
            let mut after: Vec<_> = after.map(|(channel, it)| (channel.clone(), it)).collect();
            after.sort();
            after
        };
        assert_eq!(
            after(0),
            [(channel(1), 4), (channel(2), 2), (channel(3), 5)]
        );
        assert_eq!(after(2), [(channel(1), 4), (channel(3), 5)]);
        assert_eq!(after(5), []);
        assert_eq!([0, 1, 2, 3].map(|it| sent.last(&channel(it))), [0, 4, 2, 5]);
    }

    #[test]
    fn what_is_forgotten_is_said_to_be() {
        let mut sent = Sent::default();
        for sequence in 1..=2 * CHANNELS {
            sent.note(&channel(sequence), sequence as u64);
        }
        let count = |sent: &Sent, sequence| sent.after(sequence).map(Iterator::count);
        assert_eq!(count(&sent, 0), Some(2 * CHANNELS));
        // One of the older generation is sent once more.
        let last = 2 * CHANNELS as u64 + 1;
        sent.note(&channel(1), last);
        assert_eq!(count(&sent, 0), None);
        let from = CHANNELS as u64;
        assert_eq!(count(&sent, from), Some(CHANNELS + 1));
        assert_eq!(count(&sent, from - 1), None);
        assert_eq!(count(&sent, last - 1), Some(1));
        assert_eq!(count(&sent, u64::MAX), Some(0));
        sent.note(&channel(CHANNELS + 7), last + 1);
        assert_eq!(
            count(&sent, from),
            Some(CHANNELS + 1),
            "a channel stands once"
        );
        assert_eq!(sent.last(&channel(CHANNELS + 7)), last + 1);
    }
}
