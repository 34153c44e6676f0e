//! Tickers: the same for everyone again and again, by one timer.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::{
    Hub, TopicName, TopicOptions, driver,
    feed::{Following, Is, Shown, Source, Start, Watch},
    lock,
    render::{self, Picture, Rendering},
    topic::{Place, TopicInner},
};
use crate::{BodyError, Frame, Sender};

/// What a period of zero stands for.
const DEFAULT_PERIOD: Duration = Duration::from_millis(100);

const SHORTEST_PERIOD: Duration = Duration::from_millis(10);

impl Hub {
    /// Makes an event every `period`, once for all who watch the ticker. The first follows at once
    /// when somebody comes; while nobody watches, nothing runs.
    ///
    /// The period does not drift: ticks are whole periods after the first one, and one that comes
    /// too late because the one before it took so long is left out. Zero stands for 100 ms;
    /// the shortest is 10 ms. Who watches slowly gets the newest event only.
    ///
    /// `make` returns an event or a `Result` of one; an error, or a panic, is logged, and the next
    /// tick tries again.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sidereal_sse::{Connect, Event, Hub};
    ///
    /// let hub = Hub::new();
    /// let mut ticks = 0;
    /// let clock = hub.every(Duration::from_secs(1), move || {
    ///     ticks += 1;
    ///     Event::from_display(ticks)
    /// });
    /// let sse = Connect::new().watch(&clock);
    /// # let _ = sse;
    /// ```
    pub fn every<P: Picture>(
        &self,
        period: Duration,
        mut make: impl FnMut() -> P + Send + 'static,
    ) -> Ticker {
        self.ticker(
            period,
            Box::new(move || Rendering::Now(make().into_picture())),
        )
    }

    /// As [`every`](Self::every), with an event that is made asynchronously.
    pub fn every_async<P, F>(
        &self,
        period: Duration,
        mut make: impl FnMut() -> F + Send + 'static,
    ) -> Ticker
    where
        P: Picture,
        F: Future<Output = P> + Send + 'static,
    {
        self.ticker(
            period,
            Box::new(move || {
                let making = make();
                Rendering::Later(Box::pin(async { making.await.into_picture() }))
            }),
        )
    }

    fn ticker(&self, period: Duration, make: Make) -> Ticker {
        Ticker {
            inner: Arc::new(Ticking {
                _hub: self.clone(),
                period: checked(period),
                topic: TopicInner::new(
                    TopicName::new("ticker"),
                    TopicOptions::newest_only(),
                    Some(self),
                    Place::Private,
                ),
                make: Mutex::new(make),
                progress: Mutex::default(),
            }),
        }
    }

    /// Runs `body` every `period` for each connection that watches, by one timer for all.
    ///
    /// It runs within the connection's own response: a body that fails ends its own stream only,
    /// and one whose client reads slowly slows nobody. The first run follows at once; a run that is
    /// not done when the next one is due is not run again before it is. The period is as that of
    /// [`every`](Self::every).
    ///
    /// ```
    /// use std::time::Duration;
    /// use sidereal_sse::{Connect, Event, Hub};
    ///
    /// let hub = Hub::new();
    /// let pings = hub.every_for(Duration::from_secs(1), async |tx| {
    ///     let client = tx.client().id();
    ///     tx.send(Event::new(format!("for {client}"))).await?;
    ///     Ok(())
    /// });
    /// let sse = Connect::new().watch(&pings);
    /// # let _ = sse;
    /// ```
    pub fn every_for<F, Fut>(&self, period: Duration, body: F) -> EveryFor
    where
        F: Fn(Sender) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), BodyError>> + Send + 'static,
    {
        let body: Arc<Body> = Arc::new(move |tx| Box::pin(body(tx)));
        EveryFor {
            inner: Arc::new(Each {
                hub: self.clone(),
                period: checked(period),
                body,
                ticks: watch::Sender::new(()),
                is_running: Mutex::new(false),
            }),
        }
    }
}

fn checked(period: Duration) -> Duration {
    match period {
        Duration::ZERO => DEFAULT_PERIOD,
        period => period.max(SHORTEST_PERIOD),
    }
}

/// When the next tick is due: a whole number of periods after this one, and not in the past.
fn next_tick(due: Instant, period: Duration) -> Option<Instant> {
    let late = Instant::now().saturating_duration_since(due);
    let skipped = u32::try_from(late.as_nanos() / period.as_nanos()).unwrap_or(u32::MAX);
    due.checked_add(period.checked_mul(skipped.saturating_add(1))?)
}

type Make = Box<dyn FnMut() -> Rendering + Send>;

/// An event that is made again and again, once for all who watch; made by [`Hub::every`].
///
/// Cheap to clone; all clones are the same ticker.
#[derive(Clone)]
pub struct Ticker {
    inner: Arc<Ticking>,
}

struct Ticking {
    /// Its limits hold as long as the ticker is there.
    _hub: Hub,
    period: Duration,
    topic: TopicInner,
    make: Mutex<Make>,
    progress: Mutex<Progress>,
}

#[derive(Default)]
struct Progress {
    is_running: bool,
    /// The newest event was made since it runs.
    is_present: bool,
    /// How many ticks there were.
    ticks: u32,
    /// What came of the last one.
    is: Is,
}

impl Progress {
    fn stops(&mut self) {
        self.is_running = false;
        self.is_present = false;
    }
}

impl Ticking {
    async fn tick(self: Arc<Self>) {
        let mut due = Instant::now();
        loop {
            let result = render::run(|| lock(&self.make)()).await;
            self.show(result);
            let Some(next) = next_tick(due, self.period) else {
                lock(&self.progress).stops();
                return;
            };
            due = next;
            // Who polls once a period, by a timer that is never exact, is to find the next event each
            // time: without watchers, one is the present for half a period only.
            let half = due.checked_sub(self.period / 2).unwrap_or(due);
            for at in [half, due] {
                sleep_until(at).await;
                let mut progress = lock(&self.progress);
                if self.topic.listeners.count() == 0 {
                    progress.stops();
                    return;
                }
            }
        }
    }

    fn show(&self, result: Result<Frame, BodyError>) {
        let mut progress = lock(&self.progress);
        let result = result.and_then(|frame| match frame.is_empty() {
            true => Ok(Is::Empty),
            false => Ok(self.topic.push(frame).map(|()| Is::Picture)?),
        });
        progress.ticks = progress.ticks.wrapping_add(1);
        progress.is = *result.as_ref().unwrap_or(&Is::Failed);
        progress.is_present = progress.is == Is::Picture;
        drop(progress);
        self.topic.listeners.wake();
        if let Err(error) = result {
            render::report("a tick failed", &error);
        }
    }
}

impl Source for Ticking {
    fn topic(&self) -> &TopicInner {
        &self.topic
    }

    fn is_present(&self) -> bool {
        lock(&self.progress).is_present
    }

    fn shown(&self) -> Option<Shown> {
        let progress = lock(&self.progress);
        Some(Shown {
            version: progress.ticks,
            is: progress.is,
        })
    }

    fn begin(self: Arc<Self>, _: bool) -> Start {
        let mut progress = lock(&self.progress);
        let start = match progress.is_present {
            true => Start::Newest,
            false => Start::Version(progress.ticks.wrapping_add(1)),
        };
        if !std::mem::replace(&mut progress.is_running, true) {
            drop(progress);
            let ticking = self.clone();
            driver::spawn(move || ticking.clone().tick());
        }
        start
    }
}

impl Ticker {
    /// How many watch it now.
    pub fn watchers(&self) -> usize {
        self.inner.topic.listeners.count()
    }
}

impl Watch for Ticker {
    fn follow(&self, following: &mut Following) {
        following.0.add(self.inner.clone());
    }
}

impl fmt::Debug for Ticker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticker")
            .field("period", &self.inner.period)
            .field("watchers", &self.watchers())
            .finish_non_exhaustive()
    }
}

type Body = dyn Fn(Sender) -> crate::live::Task + Send + Sync;

/// A body that runs again and again for each connection, by one timer; made by
/// [`Hub::every_for`].
///
/// Cheap to clone; all clones are the same timer.
#[derive(Clone)]
pub struct EveryFor {
    inner: Arc<Each>,
}

struct Each {
    hub: Hub,
    period: Duration,
    body: Arc<Body>,
    ticks: watch::Sender<()>,
    is_running: Mutex<bool>,
}

impl Each {
    async fn tick(self: Arc<Self>) {
        let mut due = Instant::now();
        loop {
            let Some(next) = next_tick(due, self.period) else {
                *lock(&self.is_running) = false;
                return;
            };
            due = next;
            sleep_until(due).await;
            let mut is_running = lock(&self.is_running);
            if self.ticks.receiver_count() == 0 {
                *is_running = false;
                return;
            }
            drop(is_running);
            self.ticks.send_replace(());
        }
    }

    /// Follows the timer, which runs from now on.
    fn ticks(self: &Arc<Self>) -> watch::Receiver<()> {
        let mut is_running = lock(&self.is_running);
        let ticks = self.ticks.subscribe();
        if !std::mem::replace(&mut *is_running, true) {
            let each = self.clone();
            driver::spawn(move || each.clone().tick());
        }
        ticks
    }
}

impl Watch for EveryFor {
    fn follow(&self, following: &mut Following) {
        let each = self.inner.clone();
        following.0.join(each.hub.inner.clone());
        following.0.bodies.push(Box::new(move |tx| {
            Box::pin(async move {
                let mut ticks = each.ticks();
                loop {
                    (each.body)(tx.clone()).await?;
                    // The timer lives as long as this follows it.
                    let _ = ticks.changed().await;
                    // Detached, it would go on without its client.
                    if tx.is_closed() {
                        return Ok(());
                    }
                }
            })
        }));
    }
}

impl fmt::Debug for EveryFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EveryFor")
            .field("period", &self.inner.period)
            .finish_non_exhaustive()
    }
}
