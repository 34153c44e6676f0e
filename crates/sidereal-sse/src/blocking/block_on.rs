//! Futures on a thread that has nothing else to do.

use std::{
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::Instant,
};

use tokio::task::unconstrained;

use crate::background;

/// Runs a future on this thread until it is ready, with the timer of a thread of Sidereal's own.
///
/// It is for threads of a server that knows no futures, and within a handler of one it makes any
/// future of this crate a call that waits:
///
/// ```
/// use sidereal_sse::{Event, Hub, blocking::block_on};
///
/// let news = Hub::new().topic("news");
/// let mut subscription = news.subscribe();
/// std::thread::spawn(move || news.publish(Event::new("to all")));
/// let frame = block_on(subscription.next_frame());
/// assert_eq!(frame.unwrap()?.as_bytes(), b"data: to all\n\n");
/// # Ok::<(), sidereal_sse::Lagged>(())
/// ```
///
/// Within an async task it would stop the whole thread of the runtime: await the future there.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Some(output) = block_on_until(future.as_mut(), None) {
            return output;
        }
    }
}

/// `None` when it is not ready by then.
pub(super) fn block_on_until<F: Future>(
    future: Pin<&mut F>,
    until: Option<Instant>,
) -> Option<F::Output> {
    // Where this is called within a task all the same, nobody would give it a new budget.
    let mut future = pin!(unconstrained(future));
    let unpark = Arc::new(Unpark::new());
    let waker = Waker::from(Arc::clone(&unpark));
    let mut cx = Context::from_waker(&waker);
    let runtime = background::runtime();
    loop {
        let entered = runtime.map(|runtime| runtime.enter());
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Some(output);
        }
        drop(entered);
        if !unpark.wait(until) {
            return None;
        }
    }
}

/// Wakes a thread. What else parks and unparks it does not matter.
struct Unpark {
    thread: Thread,
    is_woken: AtomicBool,
}

impl Unpark {
    fn new() -> Self {
        Self {
            thread: thread::current(),
            is_woken: AtomicBool::new(false),
        }
    }

    /// Waits until it was woken; `false` when it is too late.
    fn wait(&self, until: Option<Instant>) -> bool {
        while !self.is_woken.swap(false, Ordering::SeqCst) {
            match until {
                None => thread::park(),
                Some(until) => match until.checked_duration_since(Instant::now()) {
                    Some(left) if !left.is_zero() => thread::park_timeout(left),
                    _ => return false,
                },
            }
        }
        true
    }
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_woken.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}
