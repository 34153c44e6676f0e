//! What a connection has written last, and so what its client has decoded last.

use std::collections::VecDeque;

use super::{Compression, FrameId};
use crate::Frame;

/// What an entry costs beside its event: itself, the event's headroom, and the reference count.
const OVERHEAD: usize = 224;

/// The last events of a connection, in order and without a gap. Being in step is derived from it,
/// and never set.
#[derive(Debug, Default)]
pub(super) struct Memory {
    frames: VecDeque<Frame>,
    bytes: usize,
}

impl Memory {
    /// Remembers what was written, as much of it as a later event may be compressed against.
    pub(super) fn remember(&mut self, frame: &Frame, settings: &Compression, reach: usize) {
        if settings.tail == 0 || frame.len() > settings.largest_base.max(settings.tail) {
            self.forget();
            return;
        }
        // A coding that does not reach back far has no use for the front of a large event.
        let frame = if frame.id().is_none() && frame.len() / 2 > reach {
            frame.ending(reach)
        } else {
            frame.clone()
        };
        // What comes next is compressed against the shared event alone, if it is shared too, and
        // well enough if it is not; many connections that follow a topic keep one event each.
        if frame.id().is_some() {
            self.frames.clear();
            self.bytes = 0;
        }
        if self.frames.capacity() == 0 {
            self.frames.reserve_exact(1);
        }
        self.bytes += frame.len() + OVERHEAD;
        self.frames.push_back(frame);
        while self.frames.len() > 1 {
            let largest = self.frames.iter().map(Frame::len).max().unwrap_or(0);
            let enough = enough_for(largest, settings).min(reach);
            let oldest = self.frames.front().map_or(0, Frame::len);
            if self.bytes <= settings.tail && self.bytes - oldest - OVERHEAD < enough {
                break;
            }
            self.frames.pop_front();
            self.bytes -= oldest + OVERHEAD;
        }
    }

    /// Lets everything go: the next event is compressed alone.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// The event that was written last, if it is one that is shared.
    pub(super) fn last_shared(&self) -> Option<(FrameId, &Frame)> {
        let last = self.frames.back()?;
        Some((last.id()?, last))
    }

    /// What an event of this length is compressed against: the last events, as many as are worth
    /// their time.
    pub(super) fn base(
        &self,
        length: usize,
        settings: &Compression,
    ) -> impl Iterator<Item = &Frame> {
        let enough = enough_for(length, settings);
        let mut bytes = 0;
        let count = self
            .frames
            .iter()
            .rev()
            .take_while(|frame| {
                let is_needed = bytes < enough;
                bytes += frame.len();
                is_needed
            })
            .count();
        self.frames.range(self.frames.len() - count..)
    }
}

/// How much an event of this length is compressed against, if it is there.
fn enough_for(length: usize, settings: &Compression) -> usize {
    length.saturating_mul(4).max(settings.smallest_base)
}
