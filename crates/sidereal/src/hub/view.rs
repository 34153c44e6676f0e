//! Views that are rendered as Datastar's events.

use std::{
    fmt,
    hash::Hash,
    sync::{Arc, OnceLock},
    time::Duration,
};

use sidereal_sse::{Following, Variant, Watch};

use super::{Hub, Picture};
use crate::{BodyError, EventDefaults, Loaded, Presence, TopicKey};

/// State that many watch: a value, how it looks, and at most how often. What Datastar people call
/// fat morphing: render the whole, and let the client find out what is new.
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
/// use sidereal::{Connect, PatchElements, Sse, View};
///
/// fn board() -> View<Vec<bool>> {
///     View::new(vec![false; 1600], |cells: &Vec<bool>| {
///         let on = cells.iter().filter(|cell| **cell).count();
///         PatchElements::new(format!("<p id='on'>{on} are on</p>"))
///     })
///     .at_most_per_second(20)
/// }
///
/// // Push: rendered, compressed and sent once, for all.
/// async fn updates(connect: Connect, board: View<Vec<bool>>) -> Sse {
///     connect.watch(&board)
/// }
///
/// // Pull: what a polling page asks for.
/// async fn poll(connect: Connect, board: View<Vec<bool>>) -> Sse {
///     connect.once(&board)
/// }
///
/// async fn click(cell: usize, board: View<Vec<bool>>) {
///     board.update(|cells| cells[cell] ^= true);
/// }
/// ```
///
/// # Variants
///
/// Where pictures differ by language, role, …, the view has a key; each variant is rendered while
/// somebody watches it:
///
/// ```
/// use sidereal::{Connect, PatchElements, Sse, View};
///
/// #[derive(Clone, Copy, PartialEq, Eq, Hash)]
/// enum Role { Player, Judge }
///
/// fn score() -> View<u32, Role> {
///     View::by(0, |points: &u32, role: &Role| match role {
///         Role::Player => PatchElements::new(format!("<p id='points'>{points}</p>")),
///         Role::Judge => PatchElements::new(format!("<p id='points'>{points} <button>…</button></p>")),
///     })
/// }
///
/// async fn judge(connect: Connect, score: View<u32, Role>) -> Sse {
///     connect.watch(&score.variant(Role::Judge))
/// }
/// ```
///
/// # State that is elsewhere
///
/// A view owns its state, or [loads](Self::load) it from where it is, whenever it is told that it has
/// changed. Any code can tell it that knows the view, or only the hub and the
/// [key](Self::named) of the view.
pub struct View<S, K = ()> {
    inner: sidereal_sse::View<S, K>,
    defaults: Defaults,
}

/// Those of the hub, once the view has one.
type Defaults = Arc<OnceLock<Arc<EventDefaults>>>;

fn of(defaults: &Defaults) -> Arc<EventDefaults> {
    defaults.get().cloned().unwrap_or_default()
}

impl<S> View<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// A view of this state. `render` makes an event of it, several, or a `Result` of them.
    ///
    /// It runs on the runtime of whoever changes or watches the view: it should be quick, or else
    /// [`new_async`](Self::new_async), with its work on another thread.
    pub fn new<P: Picture>(state: S, render: impl Fn(&S) -> P + Send + Sync + 'static) -> Self {
        Self::make(|defaults| {
            sidereal_sse::View::new(state, move |state| {
                render(state).into_picture(&of(&defaults))
            })
        })
    }

    /// A view whose render is asynchronous: it may ask a database, or another thread.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use sidereal::{PatchElements, View};
    ///
    /// let view = View::new_async(7, |id: Arc<u32>| async move {
    ///     // … ask a database; `?` works on any error …
    ///     Ok::<_, std::io::Error>(PatchElements::new(format!("<p id='item'>{id}</p>")))
    /// });
    /// # let _ = view;
    /// ```
    pub fn new_async<P, F>(state: S, render: impl Fn(Arc<S>) -> F + Send + Sync + 'static) -> Self
    where
        P: Picture,
        F: Future<Output = P> + Send + 'static,
    {
        Self::make(|defaults| {
            sidereal_sse::View::new_async(state, move |state| {
                let (rendering, defaults) = (render(state), defaults.clone());
                async move { rendering.await.into_picture(&of(&defaults)) }
            })
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
        Self::make(|defaults| {
            sidereal_sse::View::by(state, move |state, key| {
                render(state, key).into_picture(&of(&defaults))
            })
        })
    }

    /// A view with [variants](#variants) whose render is asynchronous.
    pub fn by_async<P, F>(state: S, render: impl Fn(Arc<S>, K) -> F + Send + Sync + 'static) -> Self
    where
        P: Picture,
        F: Future<Output = P> + Send + 'static,
    {
        Self::make(|defaults| {
            sidereal_sse::View::by_async(state, move |state, key| {
                let (rendering, defaults) = (render(state, key), defaults.clone());
                async move { rendering.await.into_picture(&of(&defaults)) }
            })
        })
    }

    /// Changes the state, and has it rendered for those who watch. Returns what `change` does.
    ///
    /// Waits for no render and for no viewer, only for other updates: from any task or thread. Within
    /// `change` the view itself cannot be asked or changed: that would wait for itself.
    pub fn update<R>(&self, change: impl FnOnce(&mut S) -> R) -> R {
        self.inner.update(change)
    }

    /// Changes the state; it is rendered only if `change` says that it did.
    pub fn update_if(&self, change: impl FnOnce(&mut S) -> bool) -> bool {
        self.inner.update_if(change)
    }

    /// The state as it is now.
    pub fn state(&self) -> Arc<S> {
        self.inner.state()
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
    /// use sidereal::{Connect, Hub, Loaded, PatchElements, Sse, View};
    ///
    /// # #[derive(Clone)] struct Database;
    /// # impl Database {
    /// #     async fn count(&self) -> std::io::Result<u32> { Ok(7) }
    /// #     async fn order(&self) -> std::io::Result<()> { Ok(()) }
    /// # }
    /// fn orders(hub: &Hub, database: Database) -> View<Loaded<u32>> {
    ///     let load = move || {
    ///         let database = database.clone();
    ///         async move { database.count().await }
    ///     };
    ///     View::load(load, |count: &u32| PatchElements::new(format!("<b id='orders'>{count}</b>")))
    ///         .named(hub, "orders")
    /// }
    ///
    /// async fn updates(connect: Connect, orders: View<Loaded<u32>>) -> Sse {
    ///     connect.watch(&orders)
    /// }
    ///
    /// async fn order(hub: Hub, database: Database) -> std::io::Result<()> {
    ///     database.order().await?;
    ///     hub.invalidate("orders");
    ///     Ok(())
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
        Self::make(|defaults| {
            sidereal_sse::View::load(load, move |state| {
                render(state).into_picture(&of(&defaults))
            })
        })
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
        Self::make(|defaults| {
            sidereal_sse::View::load_by(load, move |state, key| {
                render(state, key).into_picture(&of(&defaults))
            })
        })
    }
}

impl<S, K> View<S, K>
where
    S: Send + Sync + 'static,
    K: Clone + Eq + Hash + Send + Sync + 'static,
{
    fn make(make: impl FnOnce(Defaults) -> sidereal_sse::View<S, K>) -> Self {
        let defaults = Defaults::default();
        Self {
            inner: make(defaults.clone()),
            defaults,
        }
    }

    /// How often it is rendered at most. Default 20 a second; zero for no limit.
    #[must_use]
    pub fn at_most_per_second(self, renders: u32) -> Self {
        self.map(|view| view.at_most_per_second(renders))
    }

    /// The shortest time between the beginnings of two renders. Default 50 ms.
    #[must_use]
    pub fn at_most_every(self, pace: Duration) -> Self {
        self.map(|view| view.at_most_every(pace))
    }

    /// Who watches the view is one of this hub's connections, and the hub's limit for the size of
    /// events and its defaults for events hold for it. To be called before it is watched. Default:
    /// no hub.
    #[must_use]
    pub fn in_hub(self, hub: &Hub) -> Self {
        let _ = self.defaults.set(hub.defaults.clone());
        self.map(|view| view.in_hub(&hub.inner))
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
    /// use sidereal::{Hub, PatchElements, TopicKey, TopicName, View};
    ///
    /// struct Cart(u32);
    ///
    /// impl TopicKey for Cart {
    ///     fn topic_name(&self) -> TopicName {
    ///         TopicName::new("cart").with(self.0)
    ///     }
    /// }
    ///
    /// let hub = Hub::new();
    /// let count = View::new(3, |n: &u32| PatchElements::new(format!("<b id='count'>{n}</b>")))
    ///     .named(&hub, Cart(7));
    /// // From anywhere that knows the hub:
    /// hub.invalidate(Cart(7));
    /// # let _ = count;
    /// ```
    #[must_use]
    pub fn named(self, hub: &Hub, key: impl TopicKey) -> Self {
        let _ = self.defaults.set(hub.defaults.clone());
        self.map(|view| view.named(&hub.inner, key))
    }

    fn map(
        self,
        change: impl FnOnce(sidereal_sse::View<S, K>) -> sidereal_sse::View<S, K>,
    ) -> Self {
        Self {
            inner: change(self.inner),
            defaults: self.defaults,
        }
    }

    /// Has it rendered again, where a picture depends on more than the state; and with it all views
    /// of the same [key](Self::named).
    pub fn invalidate(&self) {
        self.inner.invalidate();
    }

    /// One of its pictures, to be watched. It lasts as long as somebody holds or watches it, and up to
    /// two minutes longer. There may be 10,000 at a time; who watches one more is answered with a
    /// 503.
    pub fn variant(&self, key: K) -> Variant<S, K> {
        self.inner.variant(key)
    }

    /// Has it rendered anew when somebody comes to this presence, or goes. What it shows of it, the
    /// render reads: [`Presence::members`].
    #[must_use]
    pub fn depends_on(mut self, presence: &Presence) -> Self {
        self.inner = self.inner.depends_on(presence);
        self
    }

    /// How many watch it now.
    pub fn watchers(&self) -> usize {
        self.inner.watchers()
    }
}

impl<S> Watch for View<S>
where
    S: Send + Sync + 'static,
{
    fn follow(&self, following: &mut Following) {
        self.inner.follow(following);
    }
}

impl<S, K> Clone for View<S, K> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            defaults: self.defaults.clone(),
        }
    }
}

impl<S, K> fmt::Debug for View<S, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
