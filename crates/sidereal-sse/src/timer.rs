//! The one timer of a stream: for the next heartbeat, for its maximum age, and for the last bytes
//! before a break.

use std::{
    panic::catch_unwind,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    time::{Instant, Sleep},
};

/// How long the last bytes get to leave the server before the response is broken off. Servers
/// throw away what they have not written when a body fails.
const LINGER: Duration = Duration::from_millis(100);

/// It is not set anew with each event: when it fires too early, it is set to what is due then.
/// Without a tokio runtime, or in one without time, there is no timer, and so neither heartbeat
/// nor maximum age.
pub(crate) struct Timer {
    keep_alive: Option<Duration>,
    too_old: Option<Instant>,
    last_bytes: Instant,
    sleep: Option<Pin<Box<Sleep>>>,
    is_missing: bool,
}

impl Timer {
    pub(crate) fn new(keep_alive: Option<Duration>) -> Self {
        Self {
            keep_alive,
            too_old: None,
            last_bytes: Instant::now(),
            sleep: None,
            is_missing: false,
        }
    }

    pub(crate) fn begin(&mut self, max_age: Option<Duration>) {
        self.last_bytes = Instant::now();
        self.too_old = max_age.and_then(|age| self.last_bytes.checked_add(jittered(age)));
    }

    pub(crate) fn wrote(&mut self) {
        self.last_bytes = Instant::now();
    }

    pub(crate) fn is_too_old(&self) -> bool {
        self.too_old
            .is_some_and(|instant| Instant::now() >= instant)
    }

    /// Ready when a heartbeat is due; wakes the task at the maximum age too.
    pub(crate) fn poll_heartbeat(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let heartbeat = self
            .keep_alive
            .and_then(|interval| self.last_bytes.checked_add(interval));
        let due = match (heartbeat, self.too_old) {
            (Some(heartbeat), Some(too_old)) => heartbeat.min(too_old),
            (Some(due), None) | (None, Some(due)) => due,
            (None, None) => return Poll::Pending,
        };
        ready!(self.poll_until(due, cx));
        if self.is_too_old() {
            // Seen at the next poll, before anything else.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    /// Ready when the last bytes have had time to leave.
    pub(crate) fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.last_bytes.checked_add(LINGER) {
            Some(due) if Instant::now() < due => {
                if self
                    .sleep
                    .as_ref()
                    .is_some_and(|sleep| sleep.deadline() > due)
                {
                    self.sleep = None;
                }
                let polled = self.poll_until(due, cx);
                if self.is_missing {
                    Poll::Ready(())
                } else {
                    polled
                }
            }
            _ => Poll::Ready(()),
        }
    }

    fn poll_until(&mut self, due: Instant, cx: &mut Context<'_>) -> Poll<()> {
        if self.sleep.is_none() && !self.is_missing {
            self.sleep = sleep_until(due);
            self.is_missing = self.sleep.is_none();
        }
        let Some(sleep) = &mut self.sleep else {
            return Poll::Pending;
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

fn sleep_until(due: Instant) -> Option<Pin<Box<Sleep>>> {
    Handle::try_current().ok()?;
    // A runtime may have no time (`enable_time`), and tokio has no other way to tell.
    let sleep = catch_unwind(|| Box::pin(tokio::time::sleep_until(due))).ok();
    if sleep.is_none() {
        tracing::warn!(
            "this tokio runtime has no time: streams have neither heartbeats nor a maximum age"
        );
    }
    sleep
}

/// A duration, or up to a tenth less.
fn jittered(duration: Duration) -> Duration {
    use std::hash::{BuildHasher, RandomState};
    let random = RandomState::new().hash_one(0) as u32;
    duration
        - duration
            .div_f64(10.0)
            .mul_f64(f64::from(random) / f64::from(u32::MAX))
}
