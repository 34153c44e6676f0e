//! Views: state, how it looks, and at most how often.

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use super::{
    Hub, Presence, TopicKey, TopicName, TopicOptions, driver,
    feed::{self, Following, Is, Source, Start, Watch},
    load::{Load, Loaded, Outcome, Turn},
    lock,
    named::{Invalidate, Name},
    render::{self, Picture, Rendering},
    topic::{Place, TopicInner},
};
use crate::{BodyError, Frame, worker::is_worker_thread};

/// How long a variant stays that nobody watches.
const UNWATCHED: Duration = Duration::from_secs(60);

/// How many variants there may be at a time.
const MOST: usize = 10_000;

/// State that many watch: a value, how it is rendered, and at most how often.
///
/// A change marks the view, and one render follows, for all who watch. Changes that come faster
/// than it may be rendered are rendered together; the last one always is. Who watches slowly gets
/// the newest picture only. Who comes late gets the last picture, and causes no render. Nothing is
/// rendered while nobody watches.
///
/// The render works on a snapshot, outside of the lock: an [`update`](Self::update) waits for
/// other updates at most, and for a clone of the state where a render still reads it. There is
/// one render at a time. A picture that is the same as the one before it is not sent.
///
/// Cheap to clone; all clones are the same view.
///
/// ```
/// use sidereal_sse::{Connect, Event, View};
///
/// let count = View::new(0, |count: &u32| Event::from_display(count)).at_most_per_second(20);
///
/// // A handler that pushes:
/// let sse = Connect::new().watch(&count);
/// // One that answers a page which polls:
/// let once = Connect::new().once(&count);
/// // And one that changes it:
/// count.update(|count| *count += 1);
/// # let _ = (sse, once);
/// ```
///
/// # Variants
///
/// Where pictures differ by language, role, …, the view has a key; each variant is rendered while
/// somebody watches it:
///
/// ```
/// use sidereal_sse::{Connect, Event, View};
///
/// #[derive(Clone, PartialEq, Eq, Hash)]
/// enum Language { English, German }
///
/// let greeting = View::by("Ada".to_owned(), |name: &String, language: &Language| match language {
///     Language::English => Event::new(format!("Hello {name}")),
///     Language::German => Event::new(format!("Hallo {name}")),
/// });
/// let sse = Connect::new().watch(&greeting.variant(Language::German));
/// # let _ = sse;
/// ```
///
/// # State that is elsewhere
///
/// A view owns its state, or [loads](Self::load) it from where it is, whenever it is told that it has
/// changed. Any code can tell it that knows the view, or only the hub and the
/// [key](Self::named) of the view.
pub struct View<S, K = ()> {
    inner: Arc<Inner<S, K>>,
}

type Render<S, K> = dyn Fn(Arc<S>, K) -> Rendering + Send + Sync;

struct Inner<S, K> {
    hub: Mutex<Option<Hub>>,
    name: Mutex<Option<Name>>,
    state: Mutex<Arc<S>>,
    /// Where that is loaded: the state itself, as what loads it.
    load: Option<Arc<dyn Load>>,
    /// How many changes there were.
    version: AtomicU64,
    render: Box<Render<S, K>>,
    /// Between the beginnings of two renders, in nanoseconds.
    pace: AtomicU64,
    variants: Mutex<Variants<S, K>>,
}

struct Variants<S, K> {
    known: HashMap<K, Known<S, K>>,
    /// A job looks after those that nobody watches.
    is_swept: bool,
}

struct Known<S, K> {
    shown: Arc<Shown<S, K>>,
    /// When it was asked for last.
    asked: Instant,
}

/// One picture of the state: what all who watch it share.
struct Shown<S, K> {
    view: Weak<Inner<S, K>>,
    /// The view's own; of a variant whose view is gone there are no more pictures.
    key: K,
    topic: TopicInner,
    progress: Mutex<Progress>,
}

#[derive(Default)]
struct Progress {
    /// The last version that was rendered, or failed to be; zero for none.
    rendered: u64,
    /// What came of it.
    is: Is,
    /// The state was changed while nobody watched: the picture is not what is to be shown.
    is_stale: bool,
    is_running: bool,
    /// What was to be rendered last could not be loaded.
    is_unloaded: bool,
    /// Threads that serve beside others of their kind have shown it: see `mark_worker_thread`.
    is_for_workers: bool,
    /// When the last render began.
    last: Option<Instant>,
}

impl<S> View<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// A view of this state. `render` makes an event of it, or a `Result` of one.
    ///
    /// It runs on the runtime of whoever changes or watches the view: it should be quick, or else
    /// [`new_async`](Self::new_async), with its work on another thread.
    pub fn new<P: Picture>(state: S, render: impl Fn(&S) -> P + Send + Sync + 'static) -> Self {
        Self::make(state, move |state, ()| {
            Rendering::Now(render(&state).into_picture())
        })
    }

    /// A view whose render is asynchronous: it may ask a database, or another thread.
    pub fn new_async<P, F>(state: S, render: impl Fn(Arc<S>) -> F + Send + Sync + 'static) -> Self
    where
        P: Picture,
        F: Future<Output = P> + Send + 'static,
    {
        Self::make(state, move |state, ()| {
            let rendering = render(state);
            Rendering::Later(Box::pin(async { rendering.await.into_picture() }))
        })
    }
}

impl<S, K> View<S, K>
where
    S: Clone + Send + Sync + 'static,
    K: Clone + Eq + Hash + Send + Sync + 'static,
{
    /// A view with [variants](#variants).
    pub fn by<P: Picture>(state: S, render: impl Fn(&S, &K) -> P + Send + Sync + 'static) -> Self {
        Self::make(state, move |state, key| {
            Rendering::Now(render(&state, &key).into_picture())
        })
    }

    /// A view with [variants](#variants) whose render is asynchronous.
    pub fn by_async<P, F>(state: S, render: impl Fn(Arc<S>, K) -> F + Send + Sync + 'static) -> Self
    where
        P: Picture,
        F: Future<Output = P> + Send + 'static,
    {
        Self::make(state, move |state, key| {
            let rendering = render(state, key);
            Rendering::Later(Box::pin(async { rendering.await.into_picture() }))
        })
    }

    /// Changes the state, and has it rendered for those who watch. Returns what `change` does.
    ///
    /// Waits for no render and for no viewer, only for other updates: from any task or thread. Within
    /// `change` the view itself cannot be asked or changed: that would wait for itself.
    pub fn update<R>(&self, change: impl FnOnce(&mut S) -> R) -> R {
        self.change(change, |_| true)
    }

    /// Changes the state; it is rendered only if `change` says that it did.
    pub fn update_if(&self, change: impl FnOnce(&mut S) -> bool) -> bool {
        self.change(change, |is_changed| *is_changed)
    }

    fn change<R>(
        &self,
        change: impl FnOnce(&mut S) -> R,
        is_changed: impl FnOnce(&R) -> bool,
    ) -> R {
        // Dropped after the lock; and a change that panics may have changed something.
        let mut mark = Mark {
            view: &self.inner,
            is_changed: true,
        };
        let mut state = lock(&self.inner.state);
        let result = change(Arc::make_mut(&mut state));
        mark.is_changed = is_changed(&result);
        result
    }

    /// The state as it is now.
    pub fn state(&self) -> Arc<S> {
        lock(&self.inner.state).clone()
    }

    fn make(state: S, render: impl Fn(Arc<S>, K) -> Rendering + Send + Sync + 'static) -> Self {
        Self::over(Arc::new(state), None, render)
    }
}

impl<S> View<Loaded<S>>
where
    S: Send + Sync + 'static,
{
    /// A view whose state is elsewhere, in a database say, and is loaded when it is to be rendered:
    /// the first time that somebody watches, and after each [`invalidate`](Self::invalidate) while
    /// somebody does.
    ///
    /// One load serves all who watch, and there is one at a time. They begin as often as the view
    /// may be rendered, at most, and not at all while nobody watches. What is
    /// [invalidated](Self::invalidate) while a load runs is loaded once more after it; so whoever
    /// changes what is elsewhere, and then invalidates, is sure that it is shown. A change that
    /// nobody tells of is not seen.
    ///
    /// A load that fails, or panics, is logged, and viewers keep what they have; it is tried again for
    /// who comes next, and after the next `invalidate`. A load that does not end holds up all pictures
    /// of the view: give it a timeout. It runs where renders do, and what was loaded last stays in
    /// memory.
    ///
    /// ```
    /// use sidereal_sse::{Connect, Event, Hub, View};
    ///
    /// # #[derive(Clone)] struct Database;
    /// # impl Database { async fn count(&self) -> std::io::Result<u32> { Ok(7) } }
    /// fn orders(hub: &Hub, database: Database) -> View<sidereal_sse::Loaded<u32>> {
    ///     let load = move || {
    ///         let database = database.clone();
    ///         async move { database.count().await }
    ///     };
    ///     View::load(load, |count: &u32| Event::from_display(count)).named(hub, "orders")
    /// }
    ///
    /// // Whoever has changed something:
    /// fn ordered(hub: &Hub) {
    ///     hub.invalidate("orders");
    /// }
    /// ```
    pub fn load<F, E, P>(
        load: impl Fn() -> F + Send + Sync + 'static,
        render: impl Fn(&S) -> P + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<S, E>> + Send + 'static,
        E: Into<BodyError>,
        P: Picture,
    {
        Self::load_by(load, move |state, ()| render(state))
    }
}

impl<S, K> View<Loaded<S>, K>
where
    S: Send + Sync + 'static,
    K: Clone + Eq + Hash + Send + Sync + 'static,
{
    /// A view with [variants](#variants) whose state is [loaded](View::load): once for all of them.
    pub fn load_by<F, E, P>(
        load: impl Fn() -> F + Send + Sync + 'static,
        render: impl Fn(&S, &K) -> P + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<S, E>> + Send + 'static,
        E: Into<BodyError>,
        P: Picture,
    {
        let state = Arc::new(Loaded::new(load));
        Self::over(state.clone(), Some(state), move |state, key| {
            let picture = state
                .newest()
                .and_then(|state| render(&state, &key).into_picture());
            Rendering::Now(picture)
        })
    }
}

impl<S, K> View<S, K>
where
    S: Send + Sync + 'static,
    K: Clone + Eq + Hash + Send + Sync + 'static,
{
    fn over(
        state: Arc<S>,
        load: Option<Arc<dyn Load>>,
        render: impl Fn(Arc<S>, K) -> Rendering + Send + Sync + 'static,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                hub: Mutex::default(),
                name: Mutex::default(),
                state: Mutex::new(state),
                load,
                version: AtomicU64::new(1),
                render: Box::new(render),
                pace: AtomicU64::new(0),
                variants: Mutex::new(Variants {
                    known: HashMap::new(),
                    is_swept: false,
                }),
            }),
        }
        .at_most_per_second(20)
    }

    /// How often it is rendered at most. Default 20 a second; zero for no limit.
    #[must_use]
    pub fn at_most_per_second(self, renders: u32) -> Self {
        let pace = Duration::from_secs(1).checked_div(renders);
        self.at_most_every(pace.unwrap_or_default())
    }

    /// The shortest time between the beginnings of two renders. Default 50 ms.
    #[must_use]
    pub fn at_most_every(self, pace: Duration) -> Self {
        let nanoseconds = u64::try_from(pace.as_nanos()).unwrap_or(u64::MAX);
        self.inner.pace.store(nanoseconds, Ordering::Relaxed);
        self
    }

    /// Who watches the view is one of this hub's connections, and the hub's limit for the size of
    /// events holds for it. To be called before it is watched. Default: no hub.
    #[must_use]
    pub fn in_hub(self, hub: &Hub) -> Self {
        *lock(&self.inner.hub) = Some(hub.clone());
        self
    }

    /// Has it rendered anew when somebody comes to this presence, or goes. What it shows of it, the
    /// render reads: [`Presence::members`].
    #[must_use]
    pub fn depends_on(self, presence: &Presence) -> Self {
        let itself: Weak<Inner<S, K>> = Arc::downgrade(&self.inner);
        presence.changes(itself);
        self
    }

    /// The view is [in the hub](Self::in_hub), and known there by this key: who invalidates the key
    /// invalidates the view, be it with [`Hub::invalidate`] or with
    /// [`invalidate`](Self::invalidate) of another view of the same key. Any number of views may
    /// have one key. A view has one; a second one takes the place of the first. An
    /// [`update`](Self::update) is of the one view. Default: none.
    ///
    /// The hub does not hold the view: that goes away when its last clone does.
    ///
    /// ```
    /// use sidereal_sse::{Event, Hub, View};
    ///
    /// let hub = Hub::new();
    /// let short = View::new(7, |n: &u32| Event::from_display(n)).named(&hub, "number");
    /// let long = View::new(7, |n: &u32| Event::new(format!("{n:09}"))).named(&hub, "number");
    /// hub.invalidate("number"); // both
    /// short.invalidate(); // both
    /// # let _ = long;
    /// ```
    #[must_use]
    pub fn named(self, hub: &Hub, key: impl TopicKey) -> Self {
        let view = Arc::downgrade(&self.inner);
        let name = Name::new(hub, key.topic_name(), view);
        let before = lock(&self.inner.name).replace(name);
        drop(before);
        self.in_hub(hub)
    }

    /// Has it rendered again, where a picture depends on more than the state; and with it all views
    /// of the same [key](Self::named).
    pub fn invalidate(&self) {
        let name = lock(&self.inner.name).as_ref().map(Name::parts);
        match name {
            Some((hub, name)) => hub.inner.invalidate(&name),
            None => self.inner.changed(),
        }
    }

    /// One of its pictures, to be watched. It lasts as long as somebody holds or watches it, and up to
    /// two minutes longer. There may be 10,000 at a time; who watches one more is answered with a
    /// 503.
    pub fn variant(&self, key: K) -> Variant<S, K> {
        Variant(Arc::new(Watched {
            shown: self.inner.shown(key),
            view: self.inner.clone(),
        }))
    }

    /// How many watch it now.
    pub fn watchers(&self) -> usize {
        let variants = lock(&self.inner.variants);
        let shown = variants.known.values().map(|known| &known.shown);
        shown.map(|shown| shown.topic.listeners.count()).sum()
    }
}

impl<S, K> Inner<S, K>
where
    S: Send + Sync + 'static,
    K: Clone + Eq + Hash + Send + Sync + 'static,
{
    fn shown(self: &Arc<Self>, key: K) -> Arc<Shown<S, K>> {
        let now = Instant::now();
        let hub = lock(&self.hub).clone();
        let mut variants = lock(&self.variants);
        if let Some(known) = variants.known.get_mut(&key) {
            known.asked = now;
            return known.shown.clone();
        }
        let place = match variants.known.len() < MOST {
            true => Place::Private,
            false => Place::Refused,
        };
        let shown = Arc::new(Shown {
            view: Arc::downgrade(self),
            key: key.clone(),
            topic: TopicInner::new(
                TopicName::new("view"),
                TopicOptions::newest_only(),
                hub.as_ref(),
                place,
            ),
            progress: Mutex::default(),
        });
        if place == Place::Refused {
            return shown;
        }
        let known = Known {
            shown: shown.clone(),
            asked: now,
        };
        variants.known.insert(key, known);
        let was_swept = std::mem::replace(&mut variants.is_swept, true);
        drop(variants);
        if !was_swept {
            driver::look_after(Arc::downgrade(self), Self::sweep);
        }
        shown
    }

    /// Lets go of variants that nobody has watched or asked for in a while; says when to look
    /// again.
    fn sweep(&self, now: Instant) -> Option<Instant> {
        let mut variants = lock(&self.variants);
        let mut next: Option<Instant> = None;
        let gone = variants.known.extract_if(|_, known| {
            if Arc::strong_count(&known.shown) > 1 {
                known.asked = now;
            }
            let due = known.asked + UNWATCHED;
            if due > now {
                next = Some(next.map_or(due, |next| next.min(due)));
            }
            due <= now
        });
        let gone: Vec<_> = gone.collect();
        variants.is_swept = next.is_some();
        if variants.known.is_empty() {
            variants.known = HashMap::new();
        }
        drop(variants);
        drop(gone);
        next
    }

    fn version(&self) -> u64 {
        self.version.load(Ordering::SeqCst)
    }

    fn changed(&self) {
        self.version.fetch_add(1, Ordering::SeqCst);
        for shown in self.all_shown() {
            shown.changed();
        }
    }

    /// The state is loaded that could not be loaded before.
    fn recovered(&self, version: u64) {
        for shown in self.all_shown() {
            shown.recovered(version);
        }
    }

    fn has_loaded(&self, version: u64) -> bool {
        let load = self.load.as_ref();
        load.is_some_and(|load| load.version() >= version)
    }

    fn all_shown(&self) -> Vec<Arc<Shown<S, K>>> {
        let variants = lock(&self.variants);
        let shown = variants.known.values().map(|known| known.shown.clone());
        shown.collect()
    }
}

impl<S, K> Invalidate for Inner<S, K>
where
    S: Send + Sync + 'static,
    K: Clone + Eq + Hash + Send + Sync + 'static,
{
    fn invalidate(&self) {
        self.changed();
    }
}

impl<S, K> Shown<S, K>
where
    S: Send + Sync + 'static,
    K: Clone + Eq + Hash + Send + Sync + 'static,
{
    fn changed(self: &Arc<Self>) {
        let mut progress = lock(&self.progress);
        if progress.is_running {
            return;
        }
        if self.topic.listeners.count() == 0 {
            progress.is_stale = true;
            return;
        }
        progress.is_running = true;
        let is_for_workers = progress.is_for_workers;
        drop(progress);
        self.start(is_for_workers);
    }

    fn start(self: &Arc<Self>, is_for_workers: bool) {
        let shown = self.clone();
        driver::spawn_for(is_for_workers, move || shown.clone().render());
    }

    /// Renders until the picture shows the present, or nobody watches.
    async fn render(self: Arc<Self>) {
        loop {
            let Some(view) = self.view.upgrade() else {
                lock(&self.progress).is_running = false;
                return;
            };
            let pace = Duration::from_nanos(view.pace.load(Ordering::Relaxed));
            let last = lock(&self.progress).last;
            if let Some(due) = last.and_then(|last| last.checked_add(pace))
                && due > Instant::now()
            {
                // A view that is dropped meanwhile is gone.
                drop(view);
                tokio::time::sleep_until(due).await;
                continue;
            }
            if self.is_done(&view) {
                return;
            }
            let began = Instant::now();
            let (state, version) = {
                let state = lock(&view.state);
                (state.clone(), view.version())
            };
            let loaded = match &view.load {
                None => Outcome::Loaded(version),
                Some(load) => {
                    let turn = Turn {
                        version,
                        rendered: lock(&self.progress).rendered,
                        pace,
                    };
                    load.load(turn).await
                }
            };
            match loaded {
                Outcome::Loaded(version) | Outcome::Recovered(version) => {
                    let result = render::run(|| (view.render)(state, self.key.clone())).await;
                    self.show(result, version, began);
                }
                Outcome::Failed(version) => self.lack(version, began),
                Outcome::NotBefore(due) => {
                    drop((state, view));
                    tokio::time::sleep_until(due).await;
                    continue;
                }
            }
            if let Outcome::Recovered(version) = loaded {
                view.recovered(version);
            }
            // A render that takes longer than the pace lets others run.
            tokio::task::yield_now().await;
        }
    }

    /// Whether there is nothing to render, or nobody to render for: then nothing runs any more.
    fn is_done(&self, view: &Inner<S, K>) -> bool {
        let mut progress = lock(&self.progress);
        let is_present = progress.rendered == view.version()
            // Another picture may have brought about what this one lacks.
            && !(progress.is_unloaded && view.has_loaded(progress.rendered));
        let is_watched = self.topic.listeners.count() > 0;
        if is_present || !is_watched {
            progress.is_running = false;
            progress.is_stale |= !is_present;
            return true;
        }
        false
    }

    fn show(&self, result: Result<Frame, BodyError>, version: u64, began: Instant) {
        let mut progress = lock(&self.progress);
        // Who comes now finds the picture, and that it shows the present, or neither.
        let result = result.and_then(|frame| self.push(frame));
        progress.last = Some(began);
        progress.rendered = version;
        progress.is_unloaded = false;
        match &result {
            Ok(is) => {
                progress.is = *is;
                progress.is_stale = false;
            }
            Err(_) => progress.is = Is::Failed,
        }
        drop(progress);
        self.topic.listeners.wake();
        if let Err(error) = result {
            render::report("a view could not be rendered", &error);
        }
    }

    /// There is nothing to render: a load for this version failed, which is logged.
    fn lack(&self, version: u64, began: Instant) {
        let mut progress = lock(&self.progress);
        progress.last = Some(began);
        progress.rendered = version;
        progress.is_unloaded = true;
        progress.is = Is::Failed;
        drop(progress);
        self.topic.listeners.wake();
    }

    /// What this version lacked is there: it is rendered, if that is what it stands at.
    fn recovered(self: &Arc<Self>, version: u64) {
        let mut progress = lock(&self.progress);
        let is_waiting = progress.is_unloaded && progress.rendered == version;
        if !is_waiting || progress.is_running || self.topic.listeners.count() == 0 {
            return;
        }
        progress.is_running = true;
        let is_for_workers = progress.is_for_workers;
        drop(progress);
        self.start(is_for_workers);
    }

    fn push(&self, frame: Frame) -> Result<Is, BodyError> {
        if frame.is_empty() {
            return Ok(Is::Empty);
        }
        if self.topic.ring().newest() != Some(&frame) {
            self.topic.push(frame)?;
        }
        Ok(Is::Picture)
    }
}

/// What a watcher holds: the picture, and the view that it is of.
struct Watched<S, K> {
    shown: Arc<Shown<S, K>>,
    view: Arc<Inner<S, K>>,
}

impl<S, K> Source for Watched<S, K>
where
    S: Send + Sync + 'static,
    K: Clone + Eq + Hash + Send + Sync + 'static,
{
    fn topic(&self) -> &TopicInner {
        &self.shown.topic
    }

    fn is_present(&self) -> bool {
        let progress = lock(&self.shown.progress);
        progress.rendered == self.view.version() && progress.is == Is::Picture
    }

    fn shown(&self) -> Option<feed::Shown> {
        let progress = lock(&self.shown.progress);
        Some(feed::Shown {
            version: progress.rendered as u32,
            is: progress.is,
        })
    }

    fn begin(self: Arc<Self>, fresh: bool) -> Start {
        let mut progress = lock(&self.shown.progress);
        progress.is_for_workers |= is_worker_thread();
        if progress.is == Is::Failed {
            // Perhaps it was not the state's fault.
            progress.rendered = 0;
        }
        let version = self.view.version();
        let is_present = progress.rendered == version;
        let start = match fresh || progress.is_stale || progress.is == Is::Empty {
            true => Start::Version(version as u32),
            false => Start::Newest,
        };
        if !is_present && !std::mem::replace(&mut progress.is_running, true) {
            let is_for_workers = progress.is_for_workers;
            drop(progress);
            self.shown.start(is_for_workers);
        }
        start
    }
}

/// One picture of a [`View`]: what [`View::variant`] returns, to be watched.
///
/// Cheap to clone.
pub struct Variant<S, K>(Arc<Watched<S, K>>);

impl<S, K> Watch for Variant<S, K>
where
    S: Send + Sync + 'static,
    K: Clone + Eq + Hash + Send + Sync + 'static,
{
    fn follow(&self, following: &mut Following) {
        following.0.add(self.0.clone());
    }
}

impl<S> Watch for View<S>
where
    S: Send + Sync + 'static,
{
    fn follow(&self, following: &mut Following) {
        self.variant(()).follow(following);
    }
}

/// A change in progress.
struct Mark<'v, S, K>
where
    S: Send + Sync + 'static,
    K: Clone + Eq + Hash + Send + Sync + 'static,
{
    view: &'v Inner<S, K>,
    is_changed: bool,
}

impl<S, K> Drop for Mark<'_, S, K>
where
    S: Send + Sync + 'static,
    K: Clone + Eq + Hash + Send + Sync + 'static,
{
    fn drop(&mut self) {
        if self.is_changed {
            self.view.changed();
        }
    }
}

impl<S, K> Clone for View<S, K> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
        }
    }
}

impl<S, K> Clone for Variant<S, K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S, K> fmt::Debug for View<S, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View")
            .field("version", &self.inner.version)
            .finish_non_exhaustive()
    }
}

impl<S, K> fmt::Debug for Variant<S, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variant")
            .field("watchers", &self.0.shown.topic.listeners.count())
            .finish_non_exhaustive()
    }
}
