//! Many who sleep, and are woken together: those who follow a topic, or a shutdown.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::Waker,
};

use slab::Slab;

use crate::{Client, wake::Wake};

/// A place in the list. There is no room for four billion listeners.
pub(crate) type Slot = u32;

/// How many are taken out at a time, and woken outside of the lock.
const BATCH: usize = 64;

/// Everyone who is to be woken.
#[derive(Default)]
pub(crate) struct Listeners {
    slots: Mutex<Slab<Listener>>,
    count: AtomicUsize,
}

pub(crate) struct Listener {
    pub(crate) wake: Arc<Wake>,
    pub(crate) client: Option<Client>,
}

impl Listeners {
    fn slots(&self) -> MutexGuard<'_, Slab<Listener>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, listener: Listener) -> Slot {
        let mut slots = self.slots();
        let slot = slots.insert(listener) as Slot;
        self.count.store(slots.len(), Ordering::SeqCst);
        slot
    }

    pub(crate) fn remove(&self, slot: Slot) {
        let mut slots = self.slots();
        let gone = slots.try_remove(slot as usize);
        self.count.store(slots.len(), Ordering::SeqCst);
        // Many who came and went leave no memory behind.
        let room = match slots.is_empty() {
            true => Some(std::mem::take(&mut *slots)),
            false => {
                if slots.capacity() > 64 && slots.len() < slots.capacity() / 8 {
                    slots.shrink_to_fit();
                }
                None
            }
        };
        drop(slots);
        drop((gone, room));
    }

    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    pub(crate) fn clients(&self) -> Vec<Client> {
        let slots = self.slots();
        let clients = slots
            .iter()
            .filter_map(|(_, listener)| listener.client.clone());
        clients.collect()
    }

    /// Wakes everyone who sleeps. Wakers run others' code, so not under the lock; who comes in
    /// meanwhile has seen what the others are woken for.
    pub(crate) fn wake(&self) {
        if self.count() == 0 {
            return;
        }
        let mut wakers = Vec::with_capacity(BATCH);
        let mut slot = 0;
        loop {
            let slots = self.slots();
            let end = slots.capacity();
            while slot < end && wakers.len() < BATCH {
                let waker = slots.get(slot).and_then(|listener| listener.wake.take());
                wakers.extend(waker);
                slot += 1;
            }
            drop(slots);
            wake_all(&mut wakers);
            if slot >= end {
                return;
            }
        }
    }
}

/// Wakes each of them, whatever the others' wakers do.
fn wake_all(wakers: &mut Vec<Waker>) {
    while !wakers.is_empty() {
        let woken = catch_unwind(AssertUnwindSafe(|| {
            while let Some(waker) = wakers.pop() {
                waker.wake();
            }
        }));
        if woken.is_err() {
            tracing::error!("the waker of a task panicked");
        }
    }
}
