//! Futures beside the one that does the work, polled only when they themselves have something to
//! say.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use atomic_waker::AtomicWaker;

/// A future that is polled when its own wakers have been woken, and not each time that its task is: a
/// connection's task runs with each event, and what watches over it has news once in a while.
pub(super) struct Aside<F> {
    future: F,
    woken: Arc<Woken>,
    waker: Waker,
}

struct Woken {
    is_woken: AtomicBool,
    task: AtomicWaker,
}

impl<F> Aside<F> {
    pub(super) fn new(future: F) -> Self {
        let woken = Arc::new(Woken {
            is_woken: AtomicBool::new(true),
            task: AtomicWaker::new(),
        });
        Self {
            future,
            waker: Waker::from(Arc::clone(&woken)),
            woken,
        }
    }
}

impl<F: Future + Unpin> Future for Aside<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        // Registers first and looks after, so that nothing in between is missed.
        this.woken.task.register(cx.waker());
        if !this.woken.is_woken.swap(false, Ordering::SeqCst) {
            return Poll::Pending;
        }
        Pin::new(&mut this.future).poll(&mut Context::from_waker(&this.waker))
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_woken.store(true, Ordering::SeqCst);
        self.task.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, sync::atomic::AtomicUsize, time::Duration};

    use tokio::{sync::Notify, time::sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn is_polled_when_it_is_woken_and_not_with_its_task() {
        let polls = AtomicUsize::new(0);
        let mut sleeping = pin!(sleep(Duration::from_secs(5)));
        let mut aside = Aside::new(std::future::poll_fn(|cx| {
            polls.fetch_add(1, Ordering::SeqCst);
            sleeping.as_mut().poll(cx)
        }));
        let notify = Notify::new();
        let notifying = async {
            for _ in 0..100 {
                sleep(Duration::from_millis(10)).await;
                notify.notify_one();
            }
            std::future::pending::<()>().await;
        };
        let working = async {
            loop {
                notify.notified().await;
            }
        };
        tokio::select! {
            () = &mut aside => {}
            () = notifying => {}
            () = working => {}
        }
        assert_eq!(polls.load(Ordering::SeqCst), 2);
    }
}
