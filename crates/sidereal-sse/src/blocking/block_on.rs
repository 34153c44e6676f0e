//! Futures on a thread that has nothing else to do.

use std::{
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::Instant,
};

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
    mut future: Pin<&mut F>,
    until: Option<Instant>,
) -> Option<F::Output> {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    let runtime = background::runtime();
    loop {
        let entered = runtime.map(|runtime| runtime.enter());
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Some(output);
        }
        drop(entered);
        // Woken in between, it does not park.
        match until {
            None => thread::park(),
            Some(until) => match until.checked_duration_since(Instant::now()) {
                Some(left) if !left.is_zero() => thread::park_timeout(left),
                _ => return None,
            },
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}
