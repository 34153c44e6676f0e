//! Ending HTTP/2 streams whose reader has stalled.

use std::{
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    thread::{self, ThreadId},
    time::Duration,
};

use hyper::rt::Executor;
use sidereal_sse::{EndReason, Transport};
use tokio::time::{Instant, Sleep};

use super::{connection::Shared, give_up, outbox::Outbox};

/// One HTTP/2 stream, as far as its end is concerned.
pub(super) struct Watch {
    /// The connection, which takes the stream along when it is given up.
    pub(super) connection: Transport,
    /// The stream, which can be given up alone.
    pub(super) stream: Transport,
    pub(super) outbox: Arc<Outbox>,
    pub(super) deadline: Option<Duration>,
    /// The server waits for all of these when it shuts down.
    pub(super) _shared: Arc<Shared>,
}

/// Runs the tasks of one connection's HTTP/2 streams, each under its [`Watch`].
///
/// hyper polls no body whose stream has no flow-control window, and offers no way to end it from
/// outside. But it spawns one task for each stream, and to drop that resets the stream (h2 does so
/// for a stream that nobody holds any more). Only this one: a connection may come from a proxy, and
/// carry the streams of other viewers, who do read.
#[derive(Clone, Default)]
pub(super) struct StreamExecutor {
    streams: Arc<Mutex<Streams>>,
}

#[derive(Default)]
struct Streams {
    have_begun: bool,
    /// hyper calls the service, and right after it executes the stream's task, in one poll.
    next: Option<(ThreadId, Watch)>,
}

impl StreamExecutor {
    /// The watch for the task that is executed next on this thread. Tasks of `CONNECT` streams,
    /// which others execute, do not take it away.
    pub(super) fn watch_next(&self, watch: Watch) {
        let mut streams = self.streams();
        streams.have_begun = true;
        streams.next = Some((thread::current().id(), watch));
    }

    /// Whether there has been a first one.
    pub(super) fn have_begun(&self) -> bool {
        self.streams().have_begun
    }

    fn take(&self) -> Option<Watch> {
        let mut streams = self.streams();
        let next = &mut streams.next;
        next.take_if(|(thread, _)| *thread == thread::current().id())
            .map(|(_, watch)| watch)
    }

    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
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
            give_up(&this.0.stream, EndReason::WriteDeadline);
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
        if let Some(reason) = self.0.connection.gave_up() {
            self.0.stream.give_up(reason);
        }
    }
}
