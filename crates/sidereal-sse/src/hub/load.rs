//! The state of views that load it: once for all who show it, and at most as often as the view says.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

use super::{
    lock,
    render::{self, Rendering, guarded},
};
use crate::BodyError;

/// The state of a view that loads it, see [`View::load`](crate::View::load).
///
/// It is not the application's to change: what is loaded next would undo it. So this is not
/// [`Clone`], and such a view has no `update`:
///
/// ```compile_fail,E0599
/// use sidereal_sse::{Event, View};
///
/// let view = View::load(|| async { Ok::<_, std::io::Error>(7) }, |n: &u32| Event::from_display(n));
/// view.update(|n| *n = 8);
/// ```
pub struct Loaded<S> {
    load: Box<dyn Fn() -> Rendering<S> + Send + Sync>,
    slot: Mutex<Slot<S>>,
    /// A load is over, well or not.
    over: Notify,
}

/// Versions here are the view's when the load in question began, and zero for none.
struct Slot<S> {
    state: Option<Arc<S>>,
    version: u64,
    /// Of the last load, if it failed.
    failed: u64,
    /// How many loads were run to their end.
    count: u64,
    is_loading: bool,
    began: Option<Instant>,
}

/// A picture that is to be rendered.
#[derive(Clone, Copy)]
pub(super) struct Turn {
    /// The view's version.
    pub(super) version: u64,
    /// What the picture shows.
    pub(super) rendered: u64,
    pub(super) pace: Duration,
}

/// What came of a turn.
#[derive(Clone, Copy, Debug)]
pub(super) enum Outcome {
    /// There is a state of this version to be rendered.
    Loaded(u64),
    /// The same, and at this version a load had failed before.
    Recovered(u64),
    /// A load for this version failed.
    Failed(u64),
    /// To be tried again then.
    NotBefore(Instant),
}

/// What a [`Loaded`] is for its view.
pub(super) trait Load: Send + Sync {
    /// Sees to it that there is something newer to render than what the picture shows.
    fn load(&self, turn: Turn) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>>;

    /// That of the state that is there.
    fn version(&self) -> u64;
}

enum Step {
    Done(Outcome),
    Load,
    /// Somebody else loads; so many loads were over before.
    Wait(u64),
}

impl<S> Loaded<S>
where
    S: Send + Sync + 'static,
{
    pub(super) fn new<F, E>(load: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<S, E>> + Send + 'static,
        E: Into<BodyError>,
    {
        Self {
            load: Box::new(move || {
                let loading = load();
                Rendering::Later(Box::pin(async { loading.await.map_err(Into::into) }))
            }),
            slot: Mutex::new(Slot {
                state: None,
                version: 0,
                failed: 0,
                count: 0,
                is_loading: false,
                began: None,
            }),
            over: Notify::new(),
        }
    }

    /// What was loaded last.
    pub(super) fn newest(&self) -> Result<Arc<S>, BodyError> {
        let newest = lock(&self.slot).state.clone();
        newest.ok_or_else(|| BodyError::new("the state is not loaded"))
    }

    fn step(&self, turn: Turn) -> Step {
        let mut slot = lock(&self.slot);
        if slot.version >= turn.version {
            return Step::Done(Outcome::Loaded(slot.version));
        }
        if slot.is_loading {
            return Step::Wait(slot.count);
        }
        let now = Instant::now();
        let due = slot.began.and_then(|began| began.checked_add(turn.pace));
        if let Some(due) = due.filter(|due| *due > now) {
            // The last load is not older than the pace: if it brought news for this picture, that
            // is shown first, lest others always take the next load before it.
            let has_news = slot.failed == 0 && slot.version > turn.rendered;
            return Step::Done(match has_news {
                true => Outcome::Loaded(slot.version),
                false => Outcome::NotBefore(due),
            });
        }
        slot.is_loading = true;
        slot.began = Some(now);
        Step::Load
    }

    /// What another's load has come to.
    fn shared(&self, turn: Turn, count: u64) -> Outcome {
        let slot = lock(&self.slot);
        let is_over = slot.count != count;
        if is_over && slot.failed > turn.rendered {
            Outcome::Failed(slot.failed)
        } else if is_over && slot.version > turn.rendered {
            Outcome::Loaded(slot.version)
        } else {
            Outcome::NotBefore(Instant::now())
        }
    }

    async fn run(&self, turn: Turn) -> Outcome {
        let loading = Loading(self);
        let result = render::run(|| (self.load)()).await;
        let mut slot = lock(&self.slot);
        slot.is_loading = false;
        slot.count += 1;
        match result {
            Ok(state) => {
                let before = slot.state.replace(Arc::new(state));
                slot.version = turn.version;
                let failed = std::mem::take(&mut slot.failed);
                drop(slot);
                drop(loading);
                // Its destructor is the application's code.
                let _ = guarded(|| drop(before));
                match failed == turn.version {
                    true => Outcome::Recovered(turn.version),
                    false => Outcome::Loaded(turn.version),
                }
            }
            Err(error) => {
                slot.failed = turn.version;
                drop(slot);
                drop(loading);
                render::report("the state of a view could not be loaded", &error);
                let _ = guarded(|| drop(error));
                Outcome::Failed(turn.version)
            }
        }
    }
}

impl<S> Load for Loaded<S>
where
    S: Send + Sync + 'static,
{
    fn load(&self, turn: Turn) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>> {
        Box::pin(async move {
            // From here on it notices when a load is over.
            let over = self.over.notified();
            match self.step(turn) {
                Step::Done(outcome) => outcome,
                Step::Load => self.run(turn).await,
                Step::Wait(count) => {
                    over.await;
                    self.shared(turn, count)
                }
            }
        })
    }

    fn version(&self) -> u64 {
        lock(&self.slot).version
    }
}

/// A load in progress. All who wait for it look again when it is over, and none is given a turn that
/// it may sleep through.
struct Loading<'l, S>(&'l Loaded<S>);

impl<S> Drop for Loading<'_, S> {
    fn drop(&mut self) {
        let mut slot = lock(&self.0.slot);
        if std::mem::take(&mut slot.is_loading) {
            // It went down with its runtime.
            slot.began = None;
        }
        drop(slot);
        self.0.over.notify_waiters();
    }
}

impl<S> fmt::Debug for Loaded<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded").finish_non_exhaustive()
    }
}
