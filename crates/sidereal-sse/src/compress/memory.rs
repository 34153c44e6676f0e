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
        let limit = settings.tail;
        if limit == 0 || frame.len() > settings.largest_base.max(limit) {
            self.forget();
            return;
        }
        // A coding that does not reach back far has no use for the front of a large event.
        let frame = if frame.id().is_none() && frame.len() / 2 > reach {
            frame.ending(reach)
        } else {
            frame.clone()
        };
        self.bytes += frame.len() + OVERHEAD;
        self.frames.push_back(frame);
        while self.frames.len() > 1 {
            let oldest = self.frames.front().map_or(0, Frame::len) + OVERHEAD;
            if self.bytes <= limit && self.bytes - oldest < reach {
                break;
            }
            self.frames.pop_front();
            self.bytes -= oldest;
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

    pub(super) fn frames(&self) -> impl Iterator<Item = &Frame> {
        self.frames.iter()
    }
}
