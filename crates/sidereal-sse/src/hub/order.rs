//! The order of all events that are published in this process, and the ids that tell of it.
//!
//! A connection that follows several topics writes their events in this order, so that any two with
//! the same topics write the same. An event gets its number and its place in its topic's ring in
//! one step, under one lock, which is held for nothing else: a reader that has seen a number finds
//! all events up to it in their rings.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::EventId;

static LAST: Mutex<u64> = Mutex::new(0);
static PUBLISHED: AtomicU64 = AtomicU64::new(0);

/// Runs `push` with the number of the next event; when it returns, the event is published.
pub(crate) fn publish<R>(push: impl FnOnce(u64) -> R) -> R {
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let number = *last + 1;
    let result = push(number);
    *last = number;
    PUBLISHED.store(number, Ordering::Release);
    result
}

/// The number of the last event that was published.
pub(crate) fn published() -> u64 {
    PUBLISHED.load(Ordering::Acquire)
}

/// Tells this process from others, and from itself before it was restarted.
pub(crate) fn epoch() -> u32 {
    static EPOCH: OnceLock<u32> = OnceLock::new();
    *EPOCH.get_or_init(|| RandomState::new().hash_one(0) as u32)
}

/// The length of an id.
pub(crate) const ID_LENGTH: usize = 21;

/// The id of the event with this number in this order: `EPOCH-NUMBER`, in 8 and 12 hexadecimal
/// digits.
pub(crate) fn id(epoch: u32, number: u64) -> String {
    format!("{epoch:08x}-{:012x}", number & 0xffff_ffff_ffff)
}

/// The order that an id is of, and its number there: an order of this process, or of a log.
pub(crate) fn read(id: &EventId) -> Option<(u32, u64)> {
    let (epoch_of_id, number) = id.as_str().split_once('-')?;
    let epoch_of_id = u32::from_str_radix(epoch_of_id, 16).ok()?;
    let number = u64::from_str_radix(number, 16).ok()?;
    let is_possible = epoch_of_id != epoch() || number <= published();
    (is_possible && id.as_str() == self::id(epoch_of_id, number)).then_some((epoch_of_id, number))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_its_number_and_no_other_text_does() {
        let number = publish(|number| number);
        let id = id(epoch(), number);
        assert_eq!(id.len(), ID_LENGTH);
        let read = |text: &str| read(&EventId::new(text.to_owned()).unwrap());
        assert_eq!(read(&id), Some((epoch(), number)));
        let never = super::id(epoch(), u64::MAX >> 20);
        assert_eq!(read(&never), None, "never published");
        let other = epoch() ^ 1;
        assert_eq!(read(&super::id(other, 9)), Some((other, 9)));
        assert_eq!(read(&id.replace('-', "+")), None);
        assert_eq!(read(&id[1..]), None);
        assert_eq!(read(&format!("{id}0")), None);
        assert_eq!(read("17"), None);
    }
}
