//! Ending HTTP/2 streams whose reader has stalled.

use std::{
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    thread::{self, ThreadId},
    time::Duration,
};

use hyper::rt::Executor;
use sidereal_sse::EndReason;
use tokio::{
    sync::mpsc,
    time::{Instant, Sleep},
};

use super::{outbox::Outbox, verdict::InnerVerdict};

/// One HTTP/2 stream, as far as its end is concerned.
pub(super) struct Watch {
    pub(super) verdict: InnerVerdict,
    pub(super) outbox: Arc<Outbox>,
    pub(super) deadline: Option<Duration>,
    /// The server waits for all of these when it shuts down.
    pub(super) _open: mpsc::Sender<()>,
}

/// Runs the tasks of one connection's HTTP/2 streams, each under its [`Watch`].
///
/// hyper polls no body whose stream has no flow-control window, and offers no way to end it from
/// outside. But it spawns one task for each stream, and to drop that resets the stream (h2 does so
/// for a stream that nobody holds any more). Only this one: a connection may come from a proxy, and
/// carry the streams of other viewers, who do read.
#[derive(Clone, Default)]
pub(super) struct StreamExecutor {
    /// hyper calls the service, and right after it executes the stream's task, in one poll.
    next: Arc<Mutex<Option<(ThreadId, Watch)>>>,
}

impl StreamExecutor {
    /// The watch for the task that is executed next on this thread. Tasks of `CONNECT` streams,
    /// which others execute, do not take it away.
    pub(super) fn watch_next(&self, watch: Watch) {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((thread::current().id(), watch));
    }

    fn take(&self) -> Option<Watch> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        next.take_if(|(thread, _)| *thread == thread::current().id())
            .map(|(_, watch)| watch)
    }
}

impl<F> Executor<F> for StreamExecutor
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, task: F) {
        match self.take() {
            Some(watch) => drop(tokio::spawn(watch.run(task))),
            None => drop(tokio::spawn(task)),
        }
    }
}

impl Watch {
    async fn run<F: Future>(self, task: F) {
        let mut task = pin!(task);
        // Dropped before the task, and with it the response, at whatever await that happens.
        let this = LearnOnDrop(self);
        let mut timer = None;
        std::future::poll_fn(|cx| {
            if task.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            ready!(this.0.poll_stalled(&mut timer, cx));
            this.0.verdict.give_up(EndReason::WriteDeadline);
            Poll::Ready(())
        })
        .await;
    }

    /// Ready when bytes have been waiting for longer than the deadline.
    ///
    /// The timer is made when bytes wait, and left alone until it fires: with a reader that reads
    /// that is once in each deadline, however many events there are.
    fn poll_stalled(&self, timer: &mut Option<Pin<Box<Sleep>>>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline else {
            return Poll::Pending;
        };
        loop {
            if let Some(running) = timer {
                ready!(running.as_mut().poll(cx));
            }
            let due = self
                .outbox
                .stuck_since()
                .and_then(|since| since.checked_add(deadline));
            match due {
                Some(due) if due <= Instant::now() => return Poll::Ready(()),
                Some(due) => match timer {
                    Some(timer) => timer.as_mut().reset(due),
                    None => *timer = Some(Box::pin(tokio::time::sleep_until(due))),
                },
                None => {
                    *timer = None;
                    return Poll::Pending;
                }
            }
        }
    }
}

struct LearnOnDrop(Watch);

impl Drop for LearnOnDrop {
    fn drop(&mut self) {
        self.0.verdict.learn();
    }
}
