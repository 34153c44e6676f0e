//! A stream that is made while it is read: the machine that turns a body's future, its queue and
//! its timer into bytes.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use tokio::runtime::Handle;

use crate::{
    Aborted, BodyError, End, EndReason, Frame, Sender, Shutdown,
    compress::{Coder, Packed, Packing},
    hub::{self, Feed, Next, Plan},
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
    /// None for a stream that only follows others' events.
    pub(crate) body: Option<Start>,
    pub(crate) following: Option<Plan>,
    pub(crate) detached: bool,
    pub(crate) max_age: Option<Duration>,
    /// Any of them ends the stream.
    pub(crate) shutdowns: [Option<Shutdown>; 2],
}

/// What a stream runs.
enum Work {
    /// Nothing yet: what it follows does not come in from other nodes yet.
    Waiting(Box<Waiting>),
    /// `on_connect`, and what comes after it.
    Connecting(Box<(Task, Option<Start>)>),
    /// The body.
    Running(Task),
    /// Nothing of its own, while it follows.
    Following,
    Done,
}

/// What a stream is going to run.
struct Waiting {
    sender: Sender,
    on_connect: Option<Start>,
    body: Option<Start>,
}

/// A live stream.
pub(crate) struct Live {
    begin: Option<Box<Begin>>,
    queue: Arc<Queue>,
    work: Work,
    /// The topics that it follows.
    feed: Option<Box<Feed>>,
    /// The last event of them that goes out, once the stream ends.
    until: u64,
    followed: Box<[Followed]>,
    timer: Timer,
    /// Compresses what goes out; until the end is written.
    coder: Option<Box<Coder>>,
    phase: Phase,
    /// Why it ends, once it does.
    ending: Option<Ending>,
    /// Nothing was written yet.
    silent: bool,
    lifecycle: Lifecycle,
}

type Ending = (EndReason, Option<BodyError>);

/// What an open stream has to write, if it has not come to its end.
enum Open {
    Frame(Frame),
    End(EndReason),
}

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
        coder: Option<Coder>,
    ) -> Self {
        Self {
            begin: Some(Box::new(begin)),
            queue,
            work: Work::Done,
            feed: None,
            until: u64::MAX,
            followed: Box::default(),
            timer: Timer::new(),
            coder: coder.map(Box::new),
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
                    self.queue.wake.is_awake();
                    match self.poll_ending(cx) {
                        Poll::Ready((reason, error)) => self.end(reason, error),
                        Poll::Pending => match self.poll_open() {
                            Poll::Ready(Open::Frame(frame)) => {
                                return Poll::Ready(Some(Ok(self.write(frame))));
                            }
                            Poll::Ready(Open::End(reason)) => self.end(reason, None),
                            Poll::Pending => {
                                self.queue.wake.sleeps(cx.waker());
                                // What came before that has woken nobody.
                                if !self.has_news() {
                                    return Poll::Pending;
                                }
                            }
                        },
                    }
                }
                Phase::Draining => match self.next() {
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
                    self.queue.wake.sleeps(cx.waker());
                    ready!(self.timer.poll_linger(&self.queue.wake));
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
            following,
            detached,
            max_age,
            shutdowns,
        } = *begin;
        self.timer.begin(max_age);
        let shutdowns = shutdowns.iter().flatten();
        self.followed = shutdowns
            .map(|shutdown| shutdown.follow(&self.queue.wake))
            .collect();
        // From here on no event of the topics is missed, however long `on_connect` takes.
        if let Some(following) = following {
            let mut feed = following.begin(&self.queue.wake, Some(sender.client()));
            feed.register(&sender);
            self.feed = Some(Box::new(feed));
        }
        self.lifecycle.begin();
        let body = body.map(|body| match detached {
            true => detach(body),
            false => body,
        });
        self.start(Waiting {
            sender,
            on_connect,
            body,
        });
    }

    /// Runs `on_connect` or the body, as soon as whatever is published comes in; says whether that is
    /// so.
    fn start(&mut self, waiting: Waiting) -> bool {
        if let Some(feed) = &mut self.feed {
            if feed.is_waiting() {
                self.work = Work::Waiting(Box::new(waiting));
                return false;
            }
            let is_resumed = feed.is_resumed();
            self.queue.is_resumed.store(is_resumed, Ordering::Relaxed);
            if waiting.on_connect.is_none() && waiting.body.is_none() {
                // Nobody throws anything away that this client has.
                feed.forgets_id();
            }
        }
        let Waiting {
            sender,
            on_connect,
            body,
        } = waiting;
        self.work = match (on_connect, body) {
            (Some(on_connect), body) => {
                self.queue.goes_first(true);
                // Within the future, where a panic of theirs is caught.
                let task = Box::pin(async move { on_connect(sender).await });
                Work::Connecting(Box::new((task, body)))
            }
            (None, Some(body)) => Work::Running(Box::pin(async move { body(sender).await })),
            (None, None) => Work::Following,
        };
        true
    }

    /// Whether something ends the stream now; else whatever can do so later wakes this task.
    ///
    /// The task goes first, so that `on_connect` has begun even where a stream ends at its first
    /// poll: what a hook counts up before it awaits, the other one counts down.
    fn poll_ending(&mut self, cx: &mut Context<'_>) -> Poll<Ending> {
        let done = self.poll_work(cx);
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
        if self.followed.iter().any(Followed::is_triggered) {
            return Poll::Ready((EndReason::Shutdown, None));
        }
        if self.timer.is_too_old() {
            return Poll::Ready((EndReason::MaxAge, None));
        }
        Poll::Pending
    }

    fn poll_work(&mut self, cx: &mut Context<'_>) -> Poll<Ending> {
        loop {
            let task = match &mut self.work {
                Work::Waiting(_) => {
                    let work = std::mem::replace(&mut self.work, Work::Following);
                    if let Work::Waiting(waiting) = work
                        && !self.start(*waiting)
                    {
                        return Poll::Pending;
                    }
                    continue;
                }
                Work::Connecting(connecting) => &mut connecting.0,
                Work::Running(task) => task,
                Work::Following => return Poll::Pending,
                Work::Done => return Poll::Ready((EndReason::Finished, None)),
            };
            let result = catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(cx)));
            return Poll::Ready(match result {
                Err(payload) => (EndReason::Panicked, Some(BodyError::from_panic(payload))),
                Ok(polled) => match ready!(polled) {
                    Ok(()) if self.go_on() => continue,
                    Ok(()) => (EndReason::Finished, None),
                    Err(error) => (EndReason::Failed, Some(error)),
                },
            });
        }
    }

    /// After `on_connect` comes the body, or what is followed.
    fn go_on(&mut self) -> bool {
        let Work::Connecting(connecting) = std::mem::replace(&mut self.work, Work::Done) else {
            return false;
        };
        let (_, body) = *connecting;
        let sender = Sender::new(Arc::clone(&self.queue));
        self.queue.goes_first(false);
        self.work = match body {
            Some(body) => Work::Running(Box::pin(async move { body(sender).await })),
            None => Work::Following,
        };
        true
    }

    /// The next frame, or a heartbeat when it is time for one; or the end.
    fn poll_open(&mut self) -> Poll<Open> {
        if let Some(frame) = self.next() {
            return Poll::Ready(Open::Frame(frame));
        }
        if let Some((reason, _)) = &self.ending {
            return Poll::Ready(Open::End(*reason));
        }
        // Proxies and clients wait for a first byte, which may be long before the first event.
        if self.silent {
            return Poll::Ready(Open::Frame(Frame::heartbeat()));
        }
        let keep_alive = self.lifecycle.options().keep_alive;
        loop {
            match ready!(self.timer.poll_due(keep_alive, &self.queue.wake)) {
                Due::End => return Poll::Ready(Open::End(EndReason::MaxAge)),
                Due::Heartbeat => return Poll::Ready(Open::Frame(Frame::heartbeat())),
                Due::Forget => {
                    if let Some(coder) = &mut self.coder {
                        coder.forget();
                    }
                }
            }
        }
    }

    /// The next frame that is there: of the queue and of the topics, in the order in which they
    /// came.
    fn next(&mut self) -> Option<Frame> {
        if self.feed.as_mut().is_some_and(|feed| feed.forgets_id()) {
            return Some(Frame::no_id());
        }
        if !matches!(self.work, Work::Waiting(_) | Work::Connecting(_))
            && let Some(feed) = &mut self.feed
        {
            // In this order: what is sent after the queue was seen empty comes after this number.
            let limit = hub::published();
            let waiting = self.queue.next_comes_after();
            let before = waiting.unwrap_or(limit);
            match feed.next(before.min(self.until)) {
                Next::Event { frame, missed } => {
                    if missed > 0 {
                        self.lifecycle.lagged(missed);
                    }
                    return Some(frame);
                }
                Next::Missed(missed) => {
                    self.lifecycle.lagged(missed);
                    return self.next();
                }
                // What came since may come after an event that this did not see.
                Next::Nothing if waiting.is_none() => return None,
                Next::Nothing => {}
                Next::Done => self.feed_ends(EndReason::Finished),
                Next::Failed => self.feed_ends(EndReason::Failed),
                Next::Lagged(missed) => {
                    self.lifecycle.lagged(missed);
                    self.feed_ends(EndReason::Lagged);
                }
            }
        }
        self.queue.pop()
    }

    /// There is nothing more to follow, which ends the stream unless something else did.
    fn feed_ends(&mut self, reason: EndReason) {
        self.feed = None;
        self.queue.end(reason);
        self.ending.get_or_insert((reason, None));
    }

    /// Whether there is something to do that came while nobody was to be woken for it.
    fn has_news(&self) -> bool {
        let is_open = !matches!(self.work, Work::Connecting(_));
        self.queue.has_news()
            || self.queue.wake.has_fired()
            || self.followed.iter().any(Followed::is_triggered)
            || is_open && self.feed.as_ref().is_some_and(|feed| feed.has_news())
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
        let forget_after = self.lifecycle.options().compression.forget_after;
        let is_kept = self.coder.is_some();
        self.timer.wrote_event(forget_after.filter(|_| is_kept));
        let Some(coder) = &mut self.coder else {
            self.lifecycle.wrote(&frame, frame.len(), Packing::Identity);
            return frame.into_bytes();
        };
        let Packed { bytes, packing } = coder.write(&frame);
        self.lifecycle.wrote(&frame, bytes.len(), packing);
        bytes
    }

    /// Nothing more is accepted, and the future is gone.
    fn end(&mut self, reason: EndReason, mut error: Option<BodyError>) {
        let (reason, published) = self.queue.end(reason);
        self.followed = Box::default();
        // What the topics had before the end still goes out, as what was accepted does.
        self.until = self.until.min(published);
        let has_begun = !matches!(self.work, Work::Waiting(_) | Work::Connecting(_));
        // Who has an id is taken for one that has had what `on_connect` sends.
        if !has_begun || matches!(reason, EndReason::Disconnected | EndReason::Lagged) {
            self.feed = None;
        }
        let work = std::mem::replace(&mut self.work, Work::Done);
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(work))) {
            error.get_or_insert(BodyError::from_panic(payload));
        }
        self.phase = Phase::Draining;
        self.ending = Some((reason, error));
    }

    fn end_of_the_response(&self) -> End {
        self.ending.as_ref().map_or(End::Clean, |(reason, _)| {
            self.lifecycle.options().ends.of(*reason)
        })
    }

    fn over(&mut self) -> EndReason {
        self.phase = Phase::Over;
        // Hooks find the hub without this stream.
        self.feed = None;
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
        if matches!(self.phase, Phase::New | Phase::Open) {
            self.end(self.lifecycle.drop_reason(), None);
        }
        self.over();
    }
}

/// A body that runs on the runtime, to its end even when the stream is dropped.
fn detach(body: Start) -> Start {
    Box::new(|sender| Box::pin(run_detached(body, sender)))
}

async fn run_detached(body: Start, sender: Sender) -> Result<(), BodyError> {
    let runtime = Handle::try_current()?;
    let running = body(sender.clone());
    let spawned = runtime.spawn(async move {
        let result = running.await;
        // With the client gone, there is nobody else to tell.
        if let Err(error) = &result
            && sender.is_closed()
            && !error.is_ended()
        {
            let client = sender.client().id();
            tracing::warn!(target: END_TARGET, %client, %error, "detached body failed");
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
