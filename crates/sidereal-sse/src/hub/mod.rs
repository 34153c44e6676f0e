//! The hub: connections, topics, views and tickers, so that what many are sent is made once.
//!
//! ```text
//! publish ─▶ Ring of the topic ─┬─▶ Feed of a connection ─▶ its body ─▶ server
//!            encoded once,      ├─▶ Feed                 ─▶ body
//!            compressed once    └─▶ …
//! ```
//!
//! A connection has no queue here, and nothing is copied for it: it has a position in the ring of
//! each topic that it follows, and is woken when there is news.

mod driver;
mod feed;
mod load;
mod name;
mod named;
pub(crate) mod nodes;
mod order;
mod presence;
mod publish_error;
mod registry;
mod render;
mod ring;
mod stamp;
mod subscription;
mod ticker;
mod topic;
mod unicast;
mod view;

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::time::Instant;

pub(crate) use self::{
    feed::{Feed, Next, Plan},
    order::published,
};
pub use self::{
    feed::{Following, Watch},
    load::Loaded,
    name::{TopicKey, TopicName},
    presence::{Entry, EntryTooLong, Member, Presence},
    publish_error::PublishError,
    render::Picture,
    subscription::{Lagged, Subscription},
    ticker::{EveryFor, Ticker},
    topic::{Lag, StartAt, Topic, TopicOptions},
    view::{Variant, View},
};
use self::{
    named::Named,
    nodes::{Broker, BrokerOptions, Carrier, NODES_TARGET, Nodes},
    presence::Presences,
    registry::Registry,
    topic::{Place, TopicInner},
};
use crate::{Client, ClientId, IntoFrame, SendError, Sender};

/// The `tracing` target of renders and ticks that fail: level ERROR.
pub const HUB_TARGET: &str = "sidereal::hub";

const MAX_EVENT_SIZE: usize = 16 << 20;

/// Everything that many connections share: topics, and who is connected.
///
/// An application usually has one, in its state. Cheap to clone; all clones are the same hub.
///
/// | limit | default |
/// |---|---|
/// | [`max_connections`](Self::max_connections) | 100,000 |
/// | [`max_topics`](Self::max_topics) | 100,000 |
/// | [`max_event_size`](Self::max_event_size) | 16 MiB |
///
/// A connection belongs to the hubs of all topics, views and tickers that it follows, from its
/// first poll until its body is dropped. Nothing of it stays.
///
/// ```
/// use sidereal_sse::{Connect, Event, Hub};
///
/// let hub = Hub::new();
/// let sse = Connect::new().subscribe(&hub.topic("news"));
/// hub.topic("news").publish(Event::new("to all"))?;
/// # let _ = sse;
/// # Ok::<(), sidereal_sse::PublishError>(())
/// ```
#[derive(Clone)]
pub struct Hub {
    pub(crate) inner: Arc<HubInner>,
}

pub(crate) struct HubInner {
    max_connections: AtomicUsize,
    max_topics: AtomicUsize,
    max_event_size: AtomicUsize,
    topics: Mutex<Topics>,
    named: Named,
    registry: Registry,
    presences: Presences,
    /// The other nodes, if it has any.
    nodes: OnceLock<Arc<Nodes>>,
    inbox: OnceLock<Arc<Carrier>>,
}

#[derive(Default)]
struct Topics {
    listed: HashMap<TopicName, Listed>,
    /// A job looks after idle ones.
    is_swept: bool,
}

struct Listed {
    topic: Weak<TopicInner>,
    /// Where those who are yet to come have a use for what it keeps.
    history: Option<History>,
}

/// What keeps a topic that nobody holds.
struct History {
    topic: Arc<TopicInner>,
    /// How many events it had when it was looked at last, and since when it was seen idle.
    pushed: u64,
    idle_since: Option<Instant>,
}

impl Hub {
    /// A hub with the default limits.
    pub fn new() -> Self {
        Self {
            inner: Arc::new(HubInner {
                max_connections: AtomicUsize::new(100_000),
                max_topics: AtomicUsize::new(100_000),
                max_event_size: AtomicUsize::new(MAX_EVENT_SIZE),
                topics: Mutex::default(),
                named: Named::default(),
                registry: Registry::default(),
                presences: Presences::default(),
                nodes: OnceLock::new(),
                inbox: OnceLock::new(),
            }),
        }
    }

    /// How many connections there may be at a time. One more is answered with a 503. Default
    /// 100,000.
    #[must_use]
    pub fn max_connections(self, connections: usize) -> Self {
        self.inner
            .max_connections
            .store(connections, Ordering::Relaxed);
        self
    }

    /// How many topics there may be at a time. Of one more, publishing is an error, and who
    /// follows it is answered with a 503. Default 100,000.
    #[must_use]
    pub fn max_topics(self, topics: usize) -> Self {
        self.inner.max_topics.store(topics, Ordering::Relaxed);
        self
    }

    /// The largest event that topics take, in bytes as encoded. Default 16 MiB. It holds for topics
    /// that are made after this.
    #[must_use]
    pub fn max_event_size(self, bytes: usize) -> Self {
        self.inner.max_event_size.store(bytes, Ordering::Relaxed);
        self
    }

    /// Spans the hub over several nodes: processes, on any number of machines, whose hubs have the
    /// same broker. To be called once, before the hub has topics.
    ///
    /// The connection is made, and made again, in the background, on a thread of its own.
    #[must_use]
    pub fn with_broker(self, broker: impl Broker, options: BrokerOptions) -> Self {
        let has_topics = self.topics() > 0;
        let mut is_first = false;
        let nodes = self.inner.nodes.get_or_init(|| {
            is_first = true;
            Nodes::start(Box::new(broker), options, driver::home())
        });
        self.inner
            .inbox
            .get_or_init(|| unicast::inbox(&self.inner, nodes));
        if !is_first || has_topics {
            tracing::error!(target: NODES_TARGET, "a hub takes one broker, and before it has topics");
        }
        self
    }

    /// Whether the broker is there; true for a hub without one.
    pub fn is_connected(&self) -> bool {
        let nodes = self.inner.nodes.get();
        nodes.is_none_or(|nodes| nodes.is_connected())
    }

    /// Waits until the broker has all that was published until now, or has refused it, and the other
    /// nodes were told what they have missed: before a process ends, which else takes that along. Ready
    /// at once for a hub without a broker.
    ///
    /// While the broker is away it waits, if there is something to be sent or told; so give it a limit. Cancel safe: nothing is lost by dropping it.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use sidereal_sse::Hub;
    /// # async fn example(hub: Hub) {
    /// // After the server has ended, and before `main` does.
    /// let _ = tokio::time::timeout(Duration::from_secs(2), hub.flush()).await;
    /// # }
    /// ```
    pub async fn flush(&self) {
        if let Some(nodes) = self.inner.nodes.get() {
            nodes.flush().await;
        }
    }

    /// How many nodes there are, this one among them: those that have said within
    /// [`node_timeout`](crate::broker::BrokerOptions::node_timeout) that they are there.
    pub fn nodes(&self) -> usize {
        self.inner.nodes.get().map_or(1, |nodes| nodes.count())
    }

    /// The topic with this name, with the default options if it is new.
    ///
    /// It goes away by itself when nobody holds or follows it.
    pub fn topic(&self, key: impl TopicKey) -> Topic {
        self.topic_with(key, TopicOptions::new())
    }

    /// The topic with this name, with these options if it is new. One that exists keeps those it
    /// has.
    pub fn topic_with(&self, key: impl TopicKey, options: TopicOptions) -> Topic {
        let name = key.topic_name();
        let hub = &self.inner;
        let mut topics = hub.topics();
        let known = topics.listed.get(&name);
        if let Some(inner) = known.and_then(|listed| listed.topic.upgrade()) {
            drop(topics);
            if inner.options != options && options != TopicOptions::new() {
                tracing::warn!(target: HUB_TARGET, topic = %name, "the topic has other options already, and keeps them");
            }
            return self.with_inner(inner);
        }
        // One of this name that is just going away has a place already.
        let has_room = topics.listed.len() < hub.max_topics.load(Ordering::Relaxed);
        let place = match has_room || topics.listed.contains_key(&name) {
            true => Place::Listed,
            false => Place::Refused,
        };
        let mut inner = TopicInner::new(name.clone(), options, Some(self), place);
        if let Some(nodes) = hub.nodes.get()
            && place == Place::Listed
        {
            inner.carrier = Some(nodes.carrier(options.channel(&name), options.keep));
        }
        let inner = Arc::new(inner);
        if let Some(carrier) = &inner.carrier {
            let topic: Weak<TopicInner> = Arc::downgrade(&inner);
            carrier.set_receiver(topic);
        }
        let mut starts_sweep = false;
        if place == Place::Listed {
            let history = options.has_history().then(|| History {
                topic: inner.clone(),
                pushed: 0,
                idle_since: None,
            });
            let has_history = history.is_some();
            starts_sweep = has_history && !std::mem::replace(&mut topics.is_swept, true);
            let topic = Arc::downgrade(&inner);
            topics.listed.insert(name, Listed { topic, history });
        }
        drop(topics);
        if starts_sweep {
            driver::look_after(Arc::downgrade(hub), HubInner::sweep);
        }
        self.with_inner(inner)
    }

    fn with_inner(&self, inner: Arc<TopicInner>) -> Topic {
        Topic {
            inner,
            _hub: self.clone(),
        }
    }

    pub(crate) fn event_limit(&self) -> usize {
        self.inner.max_event_size.load(Ordering::Relaxed)
    }

    /// Has all views that are [known by this key](View::named) rendered anew. Where there are none,
    /// nothing happens, and nothing stays.
    ///
    /// ```
    /// use sidereal_sse::{Event, Hub, View};
    ///
    /// let hub = Hub::new();
    /// let clock = View::new((), |()| Event::new(format!("{:?}", std::time::SystemTime::now())))
    ///     .named(&hub, "clock");
    /// // From anywhere that knows the hub:
    /// hub.invalidate("clock");
    /// # let _ = clock;
    /// ```
    pub fn invalidate(&self, key: impl TopicKey) {
        self.inner.invalidate(&key.topic_name());
    }

    /// Has all views of this process that are [known by a key](View::named) rendered anew: where
    /// what tells of changes was away for a while, and nobody knows what was missed.
    pub fn invalidate_all(&self) {
        self.inner.invalidate_all_here();
    }

    /// How many topics there are.
    pub fn topics(&self) -> usize {
        self.inner.topics().listed.len()
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        self.inner.registry.count()
    }

    /// Who is connected now to this node, each with the application's own data. Of all nodes, see
    /// [`presence`](Self::presence).
    ///
    /// ```
    /// # use sidereal_sse::Hub;
    /// #[derive(Clone)]
    /// struct User(String);
    ///
    /// fn names(hub: &Hub) -> Vec<String> {
    ///     let clients = hub.clients();
    ///     clients.iter().filter_map(|client| client.data::<User>()).map(|user| user.0.clone()).collect()
    /// }
    /// ```
    pub fn clients(&self) -> Vec<Client> {
        self.inner.registry.clients()
    }

    /// The sender of one connection.
    pub fn sender(&self, client: ClientId) -> Option<Sender> {
        self.inner.registry.sender(client)
    }

    /// Sends an event to one connection, in between what it follows.
    ///
    /// One that is on another node is sent it at most once, and nobody learns whether: the connection
    /// may end meanwhile, or its queue may be full.
    ///
    /// For all connections of a user, a topic of the user's own is better: `Room(7)` or `User(7)`
    /// is a key like any other.
    ///
    /// # Errors
    ///
    /// When there is no such connection (any more), its queue is full, or the event is too large;
    /// see [`Sender::try_send`]. When it is on another node: if that node is not there any more, or the
    /// broker is away ([`SendError::is_away`]) or has too much to do ([`SendError::is_full`]).
    pub fn send(&self, client: ClientId, event: impl IntoFrame) -> Result<(), SendError> {
        match self.sender(client) {
            Some(sender) => sender.try_send(event),
            None => self.inner.send_elsewhere(client, event.into_frame()),
        }
    }

    /// Who is there by this key, on all nodes: connections that say so.
    pub fn presence(&self, key: impl TopicKey) -> Presence {
        Presence::new(self, key.topic_name())
    }

    /// Ends the connections that are chosen, as [`Sender::close`] does; says how many. Those of this
    /// node.
    pub fn disconnect(&self, mut choose: impl FnMut(&Client) -> bool) -> usize {
        let mut chosen = self.inner.registry.senders();
        chosen.retain(|sender| choose(sender.client()));
        chosen.iter().for_each(Sender::close);
        chosen.len()
    }
}

impl HubInner {
    fn topics(&self) -> MutexGuard<'_, Topics> {
        lock(&self.topics)
    }

    fn max_connections(&self) -> usize {
        self.max_connections.load(Ordering::Relaxed)
    }

    /// A topic is gone: its name too, unless a new one has it already.
    fn unlist(&self, name: &TopicName) {
        let mut topics = self.topics();
        let gone = topics
            .listed
            .get(name)
            .is_some_and(|listed| listed.topic.strong_count() == 0);
        if gone {
            topics.listed.remove(name);
        }
        if topics.listed.is_empty() {
            topics.listed = HashMap::new();
        }
    }

    /// Lets go of histories that nobody has had a use for in a while; says when to look again.
    fn sweep(&self, now: Instant) -> Option<Instant> {
        let mut gone = Vec::new();
        let mut topics = self.topics();
        let mut next: Option<Instant> = None;
        for listed in topics.listed.values_mut() {
            let Some(history) = &mut listed.history else {
                continue;
            };
            let idle_for = history.topic.options.idle_for;
            let pushed = history.topic.pushed();
            let is_idle = Arc::strong_count(&history.topic) == 1
                && std::mem::replace(&mut history.pushed, pushed) == pushed;
            let since = match is_idle {
                true => *history.idle_since.get_or_insert(now),
                false => {
                    history.idle_since = None;
                    now
                }
            };
            match since.checked_add(idle_for) {
                Some(due) if due > now => next = Some(next.map_or(due, |next| next.min(due))),
                Some(_) => gone.extend(listed.history.take()),
                None => {}
            }
        }
        topics.is_swept = next.is_some();
        drop(topics);
        drop(gone);
        next
    }
}

impl Drop for HubInner {
    fn drop(&mut self) {
        if let Some(nodes) = self.nodes.get() {
            nodes.close();
        }
    }
}

/// Whoever held it may have panicked in the application's code: what it left is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for Hub {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("connections", &self.connections())
            .field("topics", &self.topics())
            .finish_non_exhaustive()
    }
}
