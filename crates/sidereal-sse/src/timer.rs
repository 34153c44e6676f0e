//! The one timer of a stream: for the next heartbeat, for its maximum age, for letting go of what
//! an idle stream keeps, and for the last bytes before a break.

use std::{
    panic::catch_unwind,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    time::{Instant, Sleep},
};

use crate::wake::Wake;

/// How long the last bytes get to leave the server before the response is broken off. Servers
/// throw away what they have not written when a body fails.
const LINGER: Duration = Duration::from_millis(100);

/// It is not set anew with each event: when it fires too early, it is set to what is due then.
/// Without a tokio runtime, or in one without time, there is no timer, and so neither heartbeat
/// nor maximum age.
pub(crate) struct Timer {
    too_old: Option<Instant>,
    /// When what the stream keeps is to be let go.
    forget: Option<Instant>,
    last_bytes: Instant,
    alarm: Alarm,
}

enum Alarm {
    NotSet,
    Set(Pin<Box<Sleep>>),
    /// There is no runtime, or it has no time.
    Missing,
}

/// What it is time for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Heartbeat,
    Forget,
    /// The maximum age.
    End,
}

impl Timer {
    pub(crate) fn new() -> Self {
        Self {
            too_old: None,
            forget: None,
            last_bytes: Instant::now(),
            alarm: Alarm::NotSet,
        }
    }

    pub(crate) fn begin(&mut self, max_age: Option<Duration>) {
        self.last_bytes = Instant::now();
        self.too_old = max_age.and_then(|age| self.last_bytes.checked_add(jittered(age)));
    }

    pub(crate) fn wrote(&mut self) {
        self.last_bytes = Instant::now();
    }

    /// After an event, what the stream keeps of it is to be let go when it has been idle for this
    /// long.
    pub(crate) fn wrote_event(&mut self, forget_after: Option<Duration>) {
        self.wrote();
        self.forget = forget_after.and_then(|idle| self.last_bytes.checked_add(idle));
    }

    pub(crate) fn is_too_old(&self) -> bool {
        self.too_old
            .is_some_and(|instant| Instant::now() >= instant)
    }

    /// Ready when there is something to do.
    pub(crate) fn poll_due(&mut self, keep_alive: Option<Duration>, wake: &Arc<Wake>) -> Poll<Due> {
        let heartbeat = keep_alive.and_then(|interval| self.last_bytes.checked_add(interval));
        let next = [heartbeat, self.too_old, self.forget];
        let Some(due) = next.into_iter().flatten().min() else {
            return Poll::Pending;
        };
        ready!(self.poll_until(due, wake));
        if self.is_too_old() {
            return Poll::Ready(Due::End);
        }
        if self.forget == Some(due) {
            self.forget = None;
            return Poll::Ready(Due::Forget);
        }
        Poll::Ready(Due::Heartbeat)
    }

    /// Ready when the last bytes have had time to leave.
    pub(crate) fn poll_linger(&mut self, wake: &Arc<Wake>) -> Poll<()> {
        match self.last_bytes.checked_add(LINGER) {
            Some(due) if Instant::now() < due => {
                let polled = self.poll_until(due, wake);
                match self.alarm {
                    Alarm::Missing => Poll::Ready(()),
                    Alarm::NotSet | Alarm::Set(_) => polled,
                }
            }
            _ => Poll::Ready(()),
        }
    }

    /// The sleep is polled when it is set and when it has fired, and not each time that the stream
    /// is: it wakes the stream, whatever task that is read by then.
    fn poll_until(&mut self, due: Instant, wake: &Arc<Wake>) -> Poll<()> {
        let is_set = !matches!(self.alarm, Alarm::NotSet);
        if !is_set {
            self.alarm = sleep_until(due).map_or(Alarm::Missing, Alarm::Set);
        }
        let Alarm::Set(sleep) = &mut self.alarm else {
            return Poll::Pending;
        };
        let has_fired = wake.take_fired();
        if sleep.deadline() > due {
            sleep.as_mut().reset(due);
        } else if is_set && !has_fired {
            return Poll::Pending;
        }
        let waker = wake.for_timer();
        let mut cx = Context::from_waker(&waker);
        loop {
            ready!(sleep.as_mut().poll(&mut cx));
            if sleep.deadline() >= due {
                self.alarm = Alarm::NotSet;
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
