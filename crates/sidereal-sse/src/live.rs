//! A stream that is made while it is read: the machine that turns a body's future, its queue and
//! its timers into bytes.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    runtime::Handle,
    sync::mpsc,
    time::{Instant, Sleep},
};

use crate::{
    Aborted, BodyError, End, EndReason, Frame, Sender, Shutdown, end::Ends, life::Life,
    sender::Shared, shutdown::Followed,
};

/// How long the last bytes get to leave the server before the response is broken off. Servers
/// throw away what they have not written when a body fails.
const LINGER: Duration = Duration::from_millis(100);

/// The future that a stream runs.
pub(crate) type Task = Pin<Box<dyn Future<Output = Result<(), BodyError>> + Send>>;

/// Makes that future, when the stream begins.
pub(crate) type Start = Box<dyn FnOnce(Sender) -> Task + Send>;

/// What a live stream is made of.
pub(crate) struct Parts {
    pub(crate) life: Life,
    pub(crate) channel: (Sender, mpsc::Receiver<Frame>, Arc<Shared>),
    pub(crate) on_connect: Option<Start>,
    pub(crate) body: Start,
    pub(crate) detached: bool,
    pub(crate) keep_alive: Option<Duration>,
    pub(crate) max_age: Option<Duration>,
    pub(crate) shutdown: Option<Shutdown>,
    pub(crate) ends: Ends,
}

/// A live stream. Dropped in the order of its fields: the end is known to all before the queue and
/// the future, whose senders ask for it, are gone.
pub(crate) struct Live {
    drop_guard: DropGuard,
    queue: mpsc::Receiver<Frame>,
    phase: Phase,
    task: Option<Task>,
    followed: Option<Followed>,
    timer: Timer,
    ends: Ends,
    /// Nothing was written yet.
    silent: bool,
}

struct DropGuard {
    life: Life,
    shared: Arc<Shared>,
}

impl Drop for DropGuard {
    fn drop(&mut self) {
        self.shared.end(self.life.drop_reason());
    }
}

enum Phase {
    /// Not polled yet.
    New(Box<Begin>),
    /// The task runs.
    Open,
    /// Nothing more is accepted; what was accepted goes out.
    Draining(EndReason, Option<BodyError>),
    /// All is handed over; the last bytes get time to leave before the break.
    Lingering(EndReason, Option<BodyError>),
    Over,
}

struct Begin {
    sender: Sender,
    on_connect: Option<Start>,
    body: Start,
    detached: bool,
    max_age: Option<Duration>,
    shutdown: Option<Shutdown>,
}

impl Live {
    pub(crate) fn new(parts: Parts) -> Self {
        let (sender, queue, shared) = parts.channel;
        Self {
            drop_guard: DropGuard {
                life: parts.life,
                shared,
            },
            queue,
            phase: Phase::New(Box::new(Begin {
                sender,
                on_connect: parts.on_connect,
                body: parts.body,
                detached: parts.detached,
                max_age: parts.max_age,
                shutdown: parts.shutdown,
            })),
            task: None,
            followed: None,
            timer: Timer::new(parts.keep_alive),
            ends: parts.ends,
            silent: true,
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    pub(crate) fn poll_bytes(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Aborted>>> {
        loop {
            match std::mem::replace(&mut self.phase, Phase::Over) {
                Phase::New(begin) => {
                    self.begin(*begin);
                    self.phase = Phase::Open;
                }
                Phase::Open => {
                    if let Poll::Ready((reason, error)) = self.poll_ending(cx) {
                        self.drop_guard.shared.end(reason);
                        self.queue.close();
                        self.task = None;
                        self.followed = None;
                        self.phase = Phase::Draining(reason, error);
                        continue;
                    }
                    self.phase = Phase::Open;
                    return self.poll_open(cx).map(|frame| Some(Ok(self.write(frame))));
                }
                Phase::Draining(reason, error) => match self.queue.poll_recv(cx) {
                    Poll::Ready(Some(frame)) => {
                        self.phase = Phase::Draining(reason, error);
                        return Poll::Ready(Some(Ok(self.write(frame))));
                    }
                    Poll::Ready(None) if self.ends.of(reason) == End::Broken => {
                        self.phase = Phase::Lingering(reason, error);
                    }
                    Poll::Ready(None) => {
                        self.drop_guard.life.over(reason, error);
                        return Poll::Ready(None);
                    }
                    Poll::Pending => {
                        self.phase = Phase::Draining(reason, error);
                        return Poll::Pending;
                    }
                },
                Phase::Lingering(reason, error) => {
                    if self.timer.poll_linger(cx).is_pending() {
                        self.phase = Phase::Lingering(reason, error);
                        return Poll::Pending;
                    }
                    self.drop_guard.life.over(reason, error);
                    return Poll::Ready(Some(Err(Aborted(reason))));
                }
                Phase::Over => return Poll::Ready(None),
            }
        }
    }

    fn begin(&mut self, begin: Begin) {
        let Begin {
            sender,
            on_connect,
            body,
            detached,
            max_age,
            shutdown,
        } = begin;
        self.drop_guard.life.begin();
        self.timer.begin(max_age);
        self.followed = shutdown.map(|shutdown| shutdown.follow());
        let task: Task = Box::pin(async move {
            if let Some(on_connect) = on_connect {
                on_connect(sender.clone()).await?;
            }
            body(sender).await
        });
        self.task = Some(if detached { detach(task) } else { task });
    }

    /// Whether something ends the stream now; else whatever can do so later wakes this task.
    ///
    /// The task goes first, so that `on_connect` has run even where a stream ends at its first
    /// poll: what a hook counts up, the other one counts down.
    fn poll_ending(&mut self, cx: &mut Context<'_>) -> Poll<(EndReason, Option<BodyError>)> {
        let done = self.poll_task(cx);
        if let Some(reason) = self.drop_guard.shared.reason_or_wake(cx.waker()) {
            return Poll::Ready((reason, None));
        }
        if done.is_ready() {
            return done;
        }
        if let Some(followed) = &mut self.followed
            && followed.poll_triggered(cx).is_ready()
        {
            return Poll::Ready((EndReason::Shutdown, None));
        }
        if self.timer.is_too_old() {
            return Poll::Ready((EndReason::MaxAge, None));
        }
        Poll::Pending
    }

    fn poll_task(&mut self, cx: &mut Context<'_>) -> Poll<(EndReason, Option<BodyError>)> {
        let Some(task) = &mut self.task else {
            return Poll::Ready((EndReason::Finished, None));
        };
        let result = catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(cx)));
        Poll::Ready(match result {
            Err(payload) => (EndReason::Panicked, Some(BodyError::from_panic(payload))),
            Ok(polled) => match ready!(polled) {
                Ok(()) => (EndReason::Finished, None),
                Err(error) => (EndReason::Failed, Some(error)),
            },
        })
    }

    /// The next frame, or a heartbeat when it is time for one.
    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<Frame> {
        if let Poll::Ready(Some(frame)) = self.queue.poll_recv(cx) {
            return Poll::Ready(frame);
        }
        // Proxies and clients wait for a first byte, which may be long before the first event.
        if self.silent {
            return Poll::Ready(Frame::heartbeat());
        }
        self.timer.poll_heartbeat(cx).map(|()| Frame::heartbeat())
    }

    fn write(&mut self, frame: Frame) -> Bytes {
        self.silent = false;
        self.timer.wrote();
        self.drop_guard.life.wrote(&frame);
        frame.into_bytes()
    }
}

/// Runs a task on the runtime, to its end even when the stream is dropped.
fn detach(task: Task) -> Task {
    let spawned = Handle::try_current().map(|runtime| runtime.spawn(task));
    Box::pin(async move {
        match spawned?.await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(payload) => resume_unwind(payload),
                Err(cancelled) => Err(cancelled.into()),
            },
        }
    })
}

/// The one timer of a stream: for the next heartbeat, for its maximum age, and for lingering.
///
/// It is not set anew with each event: when it fires too early, it is set to what is due then.
/// Without a tokio runtime there is no timer, and so neither heartbeat nor maximum age.
struct Timer {
    keep_alive: Option<Duration>,
    too_old: Option<Instant>,
    last_bytes: Instant,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    fn new(keep_alive: Option<Duration>) -> Self {
        Self {
            keep_alive,
            too_old: None,
            last_bytes: Instant::now(),
            sleep: None,
        }
    }

    fn begin(&mut self, max_age: Option<Duration>) {
        self.last_bytes = Instant::now();
        self.too_old = max_age.and_then(|age| self.last_bytes.checked_add(jittered(age)));
    }

    fn wrote(&mut self) {
        self.last_bytes = Instant::now();
    }

    fn is_too_old(&self) -> bool {
        self.too_old
            .is_some_and(|instant| Instant::now() >= instant)
    }

    /// Ready when a heartbeat is due; wakes the task at the maximum age too.
    fn poll_heartbeat(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let heartbeat = self
            .keep_alive
            .and_then(|interval| self.last_bytes.checked_add(interval));
        let due = match (heartbeat, self.too_old) {
            (Some(heartbeat), Some(too_old)) => heartbeat.min(too_old),
            (due, None) | (None, due) => match due {
                Some(due) => due,
                None => return Poll::Pending,
            },
        };
        ready!(self.poll_until(due, cx));
        if self.is_too_old() {
            // Seen at the next poll, before anything else.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.last_bytes.checked_add(LINGER) {
            Some(due) if Instant::now() < due && Handle::try_current().is_ok() => {
                self.sleep = None;
                self.poll_until(due, cx)
            }
            _ => Poll::Ready(()),
        }
    }

    fn poll_until(&mut self, due: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = match &mut self.sleep {
            Some(sleep) => sleep,
            None if Handle::try_current().is_ok() => {
                self.sleep.insert(Box::pin(tokio::time::sleep_until(due)))
            }
            None => return Poll::Pending,
        };
        loop {
            ready!(sleep.as_mut().poll(cx));
            if sleep.deadline() >= due {
                self.sleep = None;
                return Poll::Ready(());
            }
            sleep.as_mut().reset(due);
        }
    }
}

/// A duration, give or take a tenth.
fn jittered(duration: Duration) -> Duration {
    use std::hash::{BuildHasher, RandomState};
    let random = RandomState::new().hash_one(0) as u32;
    let factor = 0.9 + 0.2 * f64::from(random) / f64::from(u32::MAX);
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(duration)
}
