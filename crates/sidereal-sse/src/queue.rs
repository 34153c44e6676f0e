//! The queue between the senders of a stream and its body, and what they tell each other.
//!
//! An event is accepted if, and only if, it is pushed here while the stream has no reason to end.
//! Both happen under one lock, so that what was accepted always goes out, and nothing is accepted
//! after the end, however slowly the client reads.

use std::{
    collections::VecDeque,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::{Notify, oneshot};

use crate::{Client, EndReason, Frame, StreamOptions, hub, wake::Wake};

/// How much may wait to be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capacity {
    pub(crate) events: usize,
    pub(crate) bytes: usize,
}

pub(crate) struct Queue {
    /// Who is at the other end.
    pub(crate) client: Client,
    pub(crate) options: Arc<StreamOptions>,
    /// The client goes on where it left off.
    pub(crate) is_resumed: AtomicBool,
    /// There are frames, and there is an end: what the state says, to be looked at without the lock.
    is_filled: AtomicBool,
    is_ended: AtomicBool,
    state: Mutex<State>,
    /// The body's task. Whoever leads the stream to news wakes it: a topic does so too.
    pub(crate) wake: Arc<Wake>,
    /// Made for the first task that waits: few streams have any.
    waiting: OnceLock<Box<Notifies>>,
}

#[derive(Default)]
struct Notifies {
    /// For tasks that wait for room.
    room: Notify,
    /// For tasks that wait for the end.
    ended: Notify,
}

#[derive(Default)]
struct State {
    /// Each with the number of the last event that the hubs had published by then.
    frames: VecDeque<(u64, Frame)>,
    /// What is pushed goes before whatever the hubs publish.
    is_first: bool,
    bytes: usize,
    /// Why the stream ends or has ended, and the number of the last event that the hubs had
    /// published by then. Set once.
    end: Option<(EndReason, u64)>,
    /// How many tasks wait for room.
    tasks: u32,
    /// Threads that wait for room.
    threads: VecDeque<oneshot::Sender<()>>,
}

/// Why an event was not pushed.
pub(crate) enum Refused {
    Ended(EndReason),
    Full,
}

impl Queue {
    pub(crate) fn new(client: Client, options: Arc<StreamOptions>) -> Arc<Self> {
        Arc::new(Self {
            client,
            options,
            is_resumed: AtomicBool::new(false),
            is_filled: AtomicBool::new(false),
            is_ended: AtomicBool::new(false),
            state: Mutex::default(),
            wake: Arc::default(),
            waiting: OnceLock::new(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> &Notifies {
        self.waiting.get_or_init(Box::default)
    }

    pub(crate) fn reason(&self) -> Option<EndReason> {
        match self.is_ended.load(Ordering::SeqCst) {
            true => self.state().reason(),
            false => None,
        }
    }

    /// Ends the stream for this reason, unless it has one already. Returns the one that stands,
    /// and the number of the last event that the hubs had published by then.
    pub(crate) fn end(&self, reason: EndReason) -> (EndReason, u64) {
        let mut state = self.state();
        if let Some(first) = state.end {
            return first;
        }
        let end = (reason, hub::published());
        state.end = Some(end);
        self.is_ended.store(true, Ordering::SeqCst);
        let threads = std::mem::take(&mut state.threads);
        drop(state);
        drop(threads);
        if let Some(waiting) = self.waiting.get() {
            waiting.room.notify_waiters();
            waiting.ended.notify_waiters();
        }
        self.wake.wake();
        end
    }

    /// Waits for the end.
    pub(crate) async fn ended(&self) -> EndReason {
        loop {
            let mut ended = pin!(self.waiting().ended.notified());
            ended.as_mut().enable();
            if let Some(reason) = self.reason() {
                return reason;
            }
            ended.await;
        }
    }

    pub(crate) fn try_push(&self, frame: Frame) -> Result<(), Refused> {
        let mut frame = Some(frame);
        match self.attempt(&mut frame) {
            Some(Ok(())) => Ok(()),
            Some(Err(reason)) => Err(Refused::Ended(reason)),
            None => Err(Refused::Full),
        }
    }

    /// Pushes a frame, or with `None` only looks; waits until there is room.
    pub(crate) async fn push(&self, frame: impl Into<Option<Frame>>) -> Result<(), EndReason> {
        let mut frame = frame.into();
        if let Some(result) = self.attempt(&mut frame) {
            return result;
        }
        let _waiting = Waiting::new(self);
        loop {
            // Listens first and looks after, so that room in between is not missed.
            let mut room = pin!(self.waiting().room.notified());
            room.as_mut().enable();
            if let Some(result) = self.attempt(&mut frame) {
                return result;
            }
            room.await;
        }
    }

    /// Pushes a frame from a thread, which it blocks until there is room.
    pub(crate) fn blocking_push(&self, frame: Frame) -> Result<(), EndReason> {
        let mut frame = Some(frame);
        loop {
            let (wake, woken) = oneshot::channel();
            let mut state = self.state();
            if let Some(result) = state.attempt(self.options.queue, &mut frame) {
                self.pushed(state);
                return result;
            }
            state.threads.push_back(wake);
            drop(state);
            // Woken for a look, or dropped at the end. Panics within an async task.
            let _ = woken.blocking_recv();
        }
    }

    fn attempt(&self, frame: &mut Option<Frame>) -> Option<Result<(), EndReason>> {
        let mut state = self.state();
        let result = state.attempt(self.options.queue, frame);
        self.pushed(state);
        result
    }

    /// Wakes the body, if it sleeps and has something to do.
    fn pushed(&self, state: MutexGuard<'_, State>) {
        let has_something = !state.frames.is_empty();
        self.is_filled.store(has_something, Ordering::SeqCst);
        drop(state);
        if has_something {
            self.wake.wake();
        }
    }

    /// The next frame, if one is there.
    pub(crate) fn pop(&self) -> Option<Frame> {
        if !self.is_filled.load(Ordering::SeqCst) {
            return None;
        }
        let mut state = self.state();
        let (_, frame) = state.frames.pop_front()?;
        state.bytes -= frame.len();
        self.is_filled
            .store(!state.frames.is_empty(), Ordering::SeqCst);
        self.popped(state);
        Some(frame)
    }

    /// What was the last event that the hubs had published when the next frame was pushed; `None`
    /// where there is no frame.
    pub(crate) fn next_comes_after(&self) -> Option<u64> {
        if !self.is_filled.load(Ordering::SeqCst) {
            return None;
        }
        self.state().frames.front().map(|(published, _)| *published)
    }

    /// From now on, or from now on no more, what is pushed goes before whatever the hubs publish.
    pub(crate) fn goes_first(&self, is_first: bool) {
        self.state().is_first = is_first;
    }

    /// Whether there is something to pop, or a reason to end.
    pub(crate) fn has_news(&self) -> bool {
        self.is_filled.load(Ordering::SeqCst) || self.is_ended.load(Ordering::SeqCst)
    }

    /// Wakes those who wait for room: one, or everyone when the queue is empty, since the one that
    /// was woken may be cancelled, or in no hurry to look.
    fn popped(&self, mut state: MutexGuard<'_, State>) {
        let is_empty = state.frames.is_empty();
        let tasks = state.tasks > 0;
        let thread = state.threads.pop_front();
        let others = if is_empty {
            std::mem::take(&mut state.threads)
        } else {
            VecDeque::new()
        };
        drop(state);
        for thread in thread.into_iter().chain(others) {
            let _ = thread.send(());
        }
        if tasks && is_empty {
            self.waiting().room.notify_waiters();
        } else if tasks {
            self.waiting().room.notify_one();
        }
    }
}

impl State {
    fn reason(&self) -> Option<EndReason> {
        self.end.map(|(reason, _)| reason)
    }

    /// Pushes if there is room; `None` where it is to be tried again later.
    fn attempt(
        &mut self,
        capacity: Capacity,
        frame: &mut Option<Frame>,
    ) -> Option<Result<(), EndReason>> {
        if let Some(reason) = self.reason() {
            return Some(Err(reason));
        }
        let length = frame.as_ref().map_or(0, Frame::len);
        // Whatever its size, one event finds room in an empty queue.
        let fits = self.frames.len() < capacity.events
            && self.bytes.saturating_add(length) <= capacity.bytes;
        if !fits && !self.frames.is_empty() {
            return None;
        }
        if let Some(frame) = frame.take() {
            self.bytes += length;
            let published = if self.is_first { 0 } else { hub::published() };
            self.frames.push_back((published, frame));
        }
        Some(Ok(()))
    }
}

/// A task that waits for room, as long as it does.
struct Waiting<'q>(&'q Queue);

impl<'q> Waiting<'q> {
    fn new(queue: &'q Queue) -> Self {
        queue.state().tasks += 1;
        Self(queue)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.state().tasks -= 1;
    }
}
