//! The task that reads a stream, and how it is woken.

use std::task::Waker;

use atomic_waker::AtomicWaker;

/// The one task that reads a stream, while it sleeps.
///
/// It is set just before the task sleeps, and taken out when it wakes, so that nobody wakes a task
/// that is awake: whoever sets it looks once more for what came before.
#[derive(Debug, Default)]
pub(crate) struct Wake(AtomicWaker);

impl Wake {
    pub(crate) fn sleeps(&self, waker: &Waker) {
        self.0.register(waker);
    }

    pub(crate) fn is_awake(&self) {
        drop(self.take());
    }

    pub(crate) fn take(&self) -> Option<Waker> {
        self.0.take()
    }

    pub(crate) fn wake(&self) {
        self.0.wake();
    }
}
