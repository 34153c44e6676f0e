//! The task that reads a stream, and how it is woken.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{self, Waker},
};

use atomic_waker::AtomicWaker;

/// The one task that reads a stream, while it sleeps.
///
/// It is set just before the task sleeps, and taken out when it wakes, so that nobody wakes a task
/// that is awake: whoever sets it looks once more for what came before.
#[derive(Debug, Default)]
pub(crate) struct Wake {
    task: AtomicWaker,
    /// The stream's timer has fired since it was asked.
    has_fired: AtomicBool,
}

impl Wake {
    pub(crate) fn sleeps(&self, waker: &Waker) {
        self.task.register(waker);
    }

    pub(crate) fn is_awake(&self) {
        drop(self.take());
    }

    pub(crate) fn take(&self) -> Option<Waker> {
        self.task.take()
    }

    pub(crate) fn wake(&self) {
        self.task.wake();
    }

    /// What the stream's timer wakes: this, and so whatever task reads the stream then. It is told
    /// once, and not at each poll.
    pub(crate) fn for_timer(self: &Arc<Self>) -> Waker {
        Waker::from(Arc::clone(self))
    }

    pub(crate) fn has_fired(&self) -> bool {
        self.has_fired.load(Ordering::SeqCst)
    }

    pub(crate) fn take_fired(&self) -> bool {
        self.has_fired.swap(false, Ordering::SeqCst)
    }
}

/// As the waker of a timer.
impl task::Wake for Wake {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.has_fired.store(true, Ordering::SeqCst);
        self.task.wake();
    }
}
