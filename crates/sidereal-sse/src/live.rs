//! A stream that is made while it is read: the machine that turns a body's future, its queue and
//! its timer into bytes.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use tokio::runtime::Handle;

use crate::{
    Aborted, BodyError, End, EndReason, Frame, Sender, Shutdown,
    compress::{Coder, Packed, Packing},
    end::Ends,
    lifecycle::{END_TARGET, Lifecycle},
    queue::Queue,
    shutdown::Followed,
    timer::{Due, Timer},
};

/// The future that a stream runs.
pub(crate) type Task = Pin<Box<dyn Future<Output = Result<(), BodyError>> + Send>>;

/// Makes that future, when the stream begins.
pub(crate) type Start = Box<dyn FnOnce(Sender) -> Task + Send>;

/// What a live stream begins with.
pub(crate) struct Begin {
    pub(crate) sender: Sender,
    pub(crate) on_connect: Option<Start>,
    pub(crate) body: Start,
    pub(crate) detached: bool,
    pub(crate) max_age: Option<Duration>,
    /// Any of them ends the stream.
    pub(crate) shutdowns: [Option<Shutdown>; 2],
}

/// A live stream.
pub(crate) struct Live {
    begin: Option<Box<Begin>>,
    queue: Arc<Queue>,
    task: Option<Task>,
    followed: [Option<Followed>; 2],
    timer: Timer,
    /// Compresses what goes out; until the end is written.
    coder: Option<Box<Coder>>,
    ends: Ends,
    phase: Phase,
    /// Why it ends, once it does.
    ending: Option<Ending>,
    /// Nothing was written yet.
    silent: bool,
    lifecycle: Lifecycle,
}

type Ending = (EndReason, Option<BodyError>);

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    /// Not polled yet.
    New,
    /// The task runs.
    Open,
    /// Nothing more is accepted; what was accepted goes out.
    Draining,
    /// All is handed over; the last bytes get time to leave before the break.
    Lingering,
    Over,
}

impl Live {
    pub(crate) fn new(
        lifecycle: Lifecycle,
        queue: Arc<Queue>,
        begin: Begin,
        timer: Timer,
        coder: Option<Coder>,
        ends: Ends,
    ) -> Self {
        Self {
            begin: Some(Box::new(begin)),
            queue,
            task: None,
            followed: [None, None],
            timer,
            coder: coder.map(Box::new),
            ends,
            phase: Phase::New,
            ending: None,
            silent: true,
            lifecycle,
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    pub(crate) fn poll_bytes(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Aborted>>> {
        loop {
            match self.phase {
                Phase::New => {
                    self.phase = Phase::Open;
                    self.begin();
                }
                Phase::Open => {
                    self.queue.awake();
                    match self.poll_ending(cx) {
                        Poll::Ready((reason, error)) => self.end(reason, error),
                        Poll::Pending => {
                            let frame = ready!(self.poll_open(cx));
                            return Poll::Ready(Some(Ok(self.write(frame))));
                        }
                    }
                }
                Phase::Draining => match ready!(self.queue.poll_pop(cx.waker())) {
                    Some(frame) => return Poll::Ready(Some(Ok(self.write(frame)))),
                    None if self.end_of_the_response() == End::Broken => {
                        self.phase = Phase::Lingering;
                    }
                    None => {
                        if let Some(mut coder) = self.coder.take() {
                            let end = coder.end();
                            self.lifecycle.wrote_bytes(end.len());
                            return Poll::Ready(Some(Ok(end)));
                        }
                        self.over();
                        return Poll::Ready(None);
                    }
                },
                Phase::Lingering => {
                    ready!(self.timer.poll_linger(cx));
                    let reason = self.over();
                    return Poll::Ready(Some(Err(Aborted(reason))));
                }
                Phase::Over => return Poll::Ready(None),
            }
        }
    }

    fn begin(&mut self) {
        let Some(begin) = self.begin.take() else {
            return;
        };
        let Begin {
            sender,
            on_connect,
            body,
            detached,
            max_age,
            shutdowns,
        } = *begin;
        self.lifecycle.begin();
        self.timer.begin(max_age);
        self.followed = shutdowns.map(|shutdown| shutdown.map(|shutdown| shutdown.follow()));
        self.task = Some(Box::pin(async move {
            if let Some(on_connect) = on_connect {
                on_connect(sender.clone()).await?;
            }
            if detached {
                detach(body, sender).await
            } else {
                body(sender).await
            }
        }));
    }

    /// Whether something ends the stream now; else whatever can do so later wakes this task.
    ///
    /// The task goes first, so that `on_connect` has begun even where a stream ends at its first
    /// poll: what a hook counts up before it awaits, the other one counts down.
    fn poll_ending(&mut self, cx: &mut Context<'_>) -> Poll<Ending> {
        let done = self.poll_task(cx);
        if let Some(reason) = self.queue.reason() {
            // An error that only says that the stream has ended is no news.
            let error = match done {
                Poll::Ready((_, error)) => error.filter(|error| !error.is_ended()),
                Poll::Pending => None,
            };
            return Poll::Ready((reason, error));
        }
        if done.is_ready() {
            return done;
        }
        for followed in self.followed.iter_mut().flatten() {
            if followed.poll_triggered(cx).is_ready() {
                return Poll::Ready((EndReason::Shutdown, None));
            }
        }
        if self.timer.is_too_old() {
            return Poll::Ready((EndReason::MaxAge, None));
        }
        Poll::Pending
    }

    fn poll_task(&mut self, cx: &mut Context<'_>) -> Poll<Ending> {
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
        match self.queue.poll_pop(cx.waker()) {
            Poll::Ready(Some(frame)) => return Poll::Ready(frame),
            Poll::Ready(None) => {
                // Closed since it was asked, from another thread: looks again.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Pending => {}
        }
        // Proxies and clients wait for a first byte, which may be long before the first event.
        if self.silent {
            return Poll::Ready(Frame::heartbeat());
        }
        loop {
            match ready!(self.timer.poll_due(cx)) {
                Due::Heartbeat => return Poll::Ready(Frame::heartbeat()),
                Due::Forget => {
                    if let Some(coder) = &mut self.coder {
                        coder.forget();
                    }
                }
            }
        }
    }

    fn write(&mut self, frame: Frame) -> Bytes {
        self.silent = false;
        if frame.is_heartbeat() {
            self.timer.wrote();
            let heartbeat = match &mut self.coder {
                Some(coder) => coder.heartbeat(),
                None => frame.into_bytes(),
            };
            self.lifecycle.wrote_bytes(heartbeat.len());
            return heartbeat;
        }
        self.timer.wrote_event();
        let packed = match &mut self.coder {
            Some(coder) => coder.write(&frame),
            None => Packed {
                bytes: frame.clone().into_bytes(),
                packing: Packing::Identity,
            },
        };
        self.lifecycle
            .wrote(&frame, packed.bytes.len(), packed.packing);
        packed.bytes
    }

    /// Nothing more is accepted, and the future is gone.
    fn end(&mut self, reason: EndReason, mut error: Option<BodyError>) {
        let reason = self.queue.end(reason);
        self.followed = [None, None];
        let task = self.task.take();
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(task))) {
            error.get_or_insert(BodyError::from_panic(payload));
        }
        self.phase = Phase::Draining;
        self.ending = Some((reason, error));
    }

    fn end_of_the_response(&self) -> End {
        self.ending
            .as_ref()
            .map_or(End::Clean, |(reason, _)| self.ends.of(*reason))
    }

    fn over(&mut self) -> EndReason {
        self.phase = Phase::Over;
        let (reason, error) = self.ending.take().unwrap_or((EndReason::Finished, None));
        self.lifecycle.over(reason, error);
        reason
    }
}

/// A stream that is dropped: first everybody can know why, then the future goes, then the hooks are
/// told.
impl Drop for Live {
    fn drop(&mut self) {
        if self.phase == Phase::Over {
            return;
        }
        if self.ending.is_none() {
            self.end(self.lifecycle.drop_reason(), None);
        }
        self.over();
    }
}

/// Runs a body on the runtime, to its end even when the stream is dropped.
async fn detach(body: Start, sender: Sender) -> Result<(), BodyError> {
    let runtime = Handle::try_current()?;
    let running = body(sender.clone());
    let spawned = runtime.spawn(async move {
        let result = running.await;
        // With the client gone, there is nobody else to tell.
        if let Err(error) = &result
            && sender.is_closed()
            && !error.is_ended()
        {
            let client = sender.client().id().as_u64();
            tracing::warn!(target: END_TARGET, client, %error, "detached body failed");
        }
        result
    });
    match spawned.await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(payload) => resume_unwind(payload),
            Err(cancelled) => Err(cancelled.into()),
        },
    }
}
