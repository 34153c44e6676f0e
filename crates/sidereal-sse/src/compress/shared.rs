//! The chunks of an event that goes to many connections: each made at most once.

use std::{
    fmt,
    num::NonZeroU64,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{Codec, Packed, codec::Variant, sum::Sum};

/// Against how many different events before it an event is compressed. For connections whose
/// histories differ more than this, it is compressed alone.
const BASES: usize = 8;

/// How many different chunks an event keeps; connections whose settings differ more than this make
/// their own.
const CHUNKS: usize = 24;

/// The number of a shared event, unique while the process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FrameId(NonZeroU64);

impl FrameId {
    fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        // Comes round in 500 years of a thousand events a microsecond.
        Self(NonZeroU64::new(NEXT.fetch_add(1, Ordering::Relaxed)).unwrap_or(NonZeroU64::MAX))
    }
}

/// What a chunk depends on beside its event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) codec: Codec,
    pub(super) variant: Variant,
    /// The event before it; `None` for a standalone chunk.
    pub(super) base: Option<FrameId>,
}

type Place = Arc<OnceLock<Packed>>;

/// What all clones of a shared frame share.
pub(crate) struct Shared {
    id: FrameId,
    chunks: Mutex<Vec<(Key, Place)>>,
    /// The event that goes before this one, for most who are sent both.
    before: OnceLock<FrameId>,
    #[cfg_attr(not(feature = "gzip"), allow(dead_code))]
    sum: OnceLock<Sum>,
}

impl Shared {
    pub(crate) fn new() -> Self {
        Self {
            id: FrameId::next(),
            chunks: Mutex::default(),
            before: OnceLock::new(),
            sum: OnceLock::new(),
        }
    }

    pub(crate) fn comes_after(&self, before: FrameId) {
        let _ = self.before.set(before);
    }

    pub(crate) fn id(&self) -> FrameId {
        self.id
    }

    /// The chunk with this key, made by whoever asks first; others wait for it. Where there are
    /// many already it is the standalone one. Nothing is compressed under the lock.
    pub(super) fn chunk(&self, key: Key, make: impl FnOnce(Key) -> Packed) -> Packed {
        let (key, place) = self.place(key);
        match place {
            Some(place) => place.get_or_init(|| make(key)).clone(),
            None => make(key),
        }
    }

    fn place(&self, mut key: Key) -> (Key, Option<Place>) {
        let mut chunks = self.chunks.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some((_, place)) = chunks.iter().find(|(other, _)| *other == key) {
                return (key, Some(Arc::clone(place)));
            }
            // Those who are in step come first, whoever asks first.
            if key.base.is_some() && key.base != self.before.get().copied() {
                let is_other = |(other, _): &&(Key, Place)| {
                    other.base.is_some() && (other.codec, other.variant) == (key.codec, key.variant)
                };
                if chunks.iter().filter(is_other).count() >= BASES {
                    key.base = None;
                    continue;
                }
            }
            if chunks.len() >= CHUNKS {
                return (key, None);
            }
            let place = Place::default();
            chunks.push((key, Arc::clone(&place)));
            return (key, Some(place));
        }
    }

    #[cfg(feature = "gzip")]
    pub(super) fn sum(&self, text: &[u8]) -> &Sum {
        self.sum.get_or_init(|| Sum::of(text))
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
