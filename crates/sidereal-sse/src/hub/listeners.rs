//! Everyone who follows a topic.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::Waker,
};

use slab::Slab;

use crate::{Client, wake::Wake};

/// How many are taken out at a time, and woken outside of the lock.
const BATCH: usize = 64;

/// Everyone who follows a topic.
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

    pub(crate) fn add(&self, listener: Listener) -> usize {
        let mut slots = self.slots();
        let slot = slots.insert(listener);
        self.count.store(slots.len(), Ordering::SeqCst);
        slot
    }

    pub(crate) fn remove(&self, slot: usize) {
        let mut slots = self.slots();
        let gone = slots.try_remove(slot);
        self.count.store(slots.len(), Ordering::SeqCst);
        // Many who came and went leave no memory behind.
        let room = match slots.is_empty() {
            true => Some(std::mem::take(&mut *slots)),
            false => None,
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
            wakers.drain(..).for_each(Waker::wake);
            if slot >= end {
                return;
            }
        }
    }
}
