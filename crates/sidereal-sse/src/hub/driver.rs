//! Where the hub's own work runs: renders of views, ticks, looking after idle topics.
//!
//! It runs on the runtime of whoever gives cause to it, or on a thread of its own where there is
//! none, or where that is the runtime of one of several workers. A job that goes down with its
//! runtime is begun anew on that thread: those who wait for it may live elsewhere.

use std::{
    panic::catch_unwind,
    pin::Pin,
    sync::Weak,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    runtime::{Handle, RuntimeFlavor},
    time::{Instant, sleep_until},
};

use crate::{background, worker::is_worker_thread};

const AT_LEAST: Duration = Duration::from_secs(60);

/// A job in progress, and how it is begun anew.
struct Running<M, F>
where
    M: Fn() -> F + Send + Sync + Unpin + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    make: Option<M>,
    job: Pin<Box<F>>,
}

/// Runs a job to its end.
pub(super) fn spawn<M, F>(make: M)
where
    M: Fn() -> F + Send + Sync + Unpin + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    spawn_for(false, make);
}

/// The same for those whom several workers serve: whoever gives cause to it may be one of them, though
/// it is not marked, and has nothing else to do with us.
pub(super) fn spawn_for<M, F>(workers: bool, make: M)
where
    M: Fn() -> F + Send + Sync + Unpin + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    match current(workers) {
        Some(runtime) => spawn_on(&runtime, make),
        None => spawn_on_thread(make),
    }
}

/// Where the application lives that sets this up, for work whose cause comes from elsewhere.
pub(super) fn home() -> Option<Handle> {
    current(false)
}

/// Runs a job there.
pub(super) fn spawn_at<M, F>(home: Option<&Handle>, make: M)
where
    M: Fn() -> F + Send + Sync + Unpin + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    match home {
        Some(runtime) => spawn_on(runtime, make),
        None => spawn_on_thread(make),
    }
}

/// Looks after something as long as it is there and says when to look again; once in a minute at
/// least, for what is added meanwhile may be due sooner.
pub(super) fn look_after<T>(it: Weak<T>, look: fn(&T, Instant) -> Option<Instant>)
where
    T: Send + Sync + 'static,
{
    spawn(move || {
        let it = it.clone();
        async move {
            while let Some(next) = it.upgrade().and_then(|it| look(&it, Instant::now())) {
                let at_least = Instant::now() + AT_LEAST;
                sleep_until(next.min(at_least)).await;
            }
        }
    });
}

fn spawn_on<M, F>(runtime: &Handle, make: M)
where
    M: Fn() -> F + Send + Sync + Unpin + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let job = Box::pin(make());
    runtime.spawn(Running {
        make: Some(make),
        job,
    });
}

fn spawn_on_thread<M, F>(make: M)
where
    M: Fn() -> F + Send + Sync + Unpin + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    match background::runtime() {
        Some(runtime) => spawn_on(runtime, make),
        None => tracing::error!(
            "the hub has neither a runtime nor a thread: its views and tickers stand still"
        ),
    }
}

impl<M, F> Future for Running<M, F>
where
    M: Fn() -> F + Send + Sync + Unpin + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // A panic in the job is a bug of ours: begun anew, it would panic again.
        let make = self.make.take();
        let polled = self.job.as_mut().poll(cx);
        if polled.is_pending() {
            self.make = make;
        }
        polled
    }
}

impl<M, F> Drop for Running<M, F>
where
    M: Fn() -> F + Send + Sync + Unpin + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    fn drop(&mut self) {
        if let Some(make) = self.make.take() {
            spawn_on_thread(make);
        }
    }
}

/// The runtime that this runs on, if it can tell the time, and no handler of others can block it.
fn current(is_for_workers: bool) -> Option<Handle> {
    if is_worker_thread() {
        return None;
    }
    let runtime = Handle::try_current().ok()?;
    if is_for_workers && runtime.runtime_flavor() == RuntimeFlavor::CurrentThread {
        return None;
    }
    has_time().then_some(runtime)
}

/// Whether the runtime that this runs on has time (`enable_time`): tokio has no other way to tell.
fn has_time() -> bool {
    catch_unwind(|| drop(tokio::time::sleep(Duration::ZERO))).is_ok()
}
