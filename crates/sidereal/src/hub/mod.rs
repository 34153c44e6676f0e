//! The hub, as it knows Datastar's events.

mod picture;
mod topic;
mod view;

use std::{fmt, sync::Arc, time::Duration};

use sidereal_sse::{Following, Watch};

pub use self::{picture::Picture, topic::Topic, view::View};
use crate::{
    BodyError, Client, ClientId, Config, Event, EventDefaults, EveryFor, Presence, SendError,
    Sender, Ticker, TopicKey, TopicOptions,
    broker::{Broker, BrokerOptions},
};

/// Everything that many connections share: topics, tickers, and who is connected.
///
/// An application usually has one, in its state. Cheap to clone; all clones are the same hub.
///
/// | limit | default |
/// |---|---|
/// | [`max_connections`](Self::max_connections) | 100,000 |
/// | [`max_topics`](Self::max_topics) | 100,000 |
/// | [`max_event_size`](Self::max_event_size) | 16 MiB |
///
/// A connection belongs to the hubs of all that it follows, from its first poll until its body is
/// dropped. Nothing of it stays.
///
/// ```
/// use sidereal::{Connect, Hub, PatchElements, Sse, selector};
///
/// async fn updates(connect: Connect, hub: Hub) -> Sse {
///     connect.subscribe(&hub.topic("news"))
/// }
///
/// fn tell(hub: &Hub, text: &str) -> Result<(), sidereal::PublishError> {
///     hub.topic("news").publish(PatchElements::new(text).append(selector!("#news")))
/// }
/// ```
#[derive(Clone, Default)]
pub struct Hub {
    inner: sidereal_sse::Hub,
    defaults: Arc<EventDefaults>,
}

impl Hub {
    /// A hub with the default limits.
    pub fn new() -> Self {
        Self::default()
    }

    /// What its events are sent with when they say nothing else is this configuration's.
    #[must_use]
    pub fn with_config(mut self, config: &Config) -> Self {
        self.defaults = config.event_defaults().clone();
        self
    }

    /// How many connections there may be at a time. One more is answered with a 503. Default
    /// 100,000.
    #[must_use]
    pub fn max_connections(self, connections: usize) -> Self {
        self.map(|hub| hub.max_connections(connections))
    }

    /// How many topics there may be at a time. Of one more, publishing is an error, and who
    /// follows it is answered with a 503. Default 100,000.
    #[must_use]
    pub fn max_topics(self, topics: usize) -> Self {
        self.map(|hub| hub.max_topics(topics))
    }

    /// The largest event that topics take, in bytes as encoded. Default 16 MiB.
    #[must_use]
    pub fn max_event_size(self, bytes: usize) -> Self {
        self.map(|hub| hub.max_event_size(bytes))
    }

    /// Spans the hub over several nodes: processes, on any number of machines, whose hubs have the
    /// same [broker](crate::broker). To be called once, before the hub has topics.
    ///
    /// The connection is made, and made again, in the background, on a thread of its own.
    #[must_use]
    pub fn with_broker(self, broker: impl Broker, options: BrokerOptions) -> Self {
        self.map(|hub| hub.with_broker(broker, options))
    }

    /// Whether the broker is there; true for a hub without one.
    pub fn is_connected(&self) -> bool {
        self.inner.is_connected()
    }

    /// Waits until the broker has all that was published until now, or has refused it, and the other
    /// nodes were told what they have missed: before a process ends, which else takes that along. Ready
    /// at once for a hub without a broker.
    ///
    /// While the broker is away it waits, if there is something to be sent or told; so give it a limit. Cancel safe: nothing is lost by dropping it.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use sidereal::Hub;
    /// # async fn example(hub: Hub) {
    /// // After the server has ended, and before `main` does.
    /// let _ = tokio::time::timeout(Duration::from_secs(2), hub.flush()).await;
    /// # }
    /// ```
    pub async fn flush(&self) {
        self.inner.flush().await;
    }

    /// How many nodes there are, this one among them: those that have said within
    /// [`node_timeout`](BrokerOptions::node_timeout) that they are there.
    pub fn nodes(&self) -> usize {
        self.inner.nodes()
    }

    fn map(self, change: impl FnOnce(sidereal_sse::Hub) -> sidereal_sse::Hub) -> Self {
        Self {
            inner: change(self.inner),
            defaults: self.defaults,
        }
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
        Topic::new(self.inner.topic_with(key, options), self.defaults.clone())
    }

    /// Has all views that are [known by this key](View::named) rendered anew. Where there are none,
    /// nothing happens, and nothing stays.
    pub fn invalidate(&self, key: impl TopicKey) {
        self.inner.invalidate(key);
    }

    /// Has all views of this process that are [known by a key](View::named) rendered anew: where
    /// what tells of changes was away for a while, and nobody knows what was missed.
    pub fn invalidate_all(&self) {
        self.inner.invalidate_all();
    }

    /// How many topics there are.
    pub fn topics(&self) -> usize {
        self.inner.topics()
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        self.inner.connections()
    }

    /// Who is connected now to this node, each with the application's own data. Of all nodes, see
    /// [`presence`](Self::presence).
    ///
    /// ```
    /// # use sidereal::Hub;
    /// #[derive(Clone)]
    /// struct User(String);
    ///
    /// fn names(hub: &Hub) -> Vec<String> {
    ///     let clients = hub.clients();
    ///     clients.iter().filter_map(|client| client.data::<User>()).map(|user| user.0.clone()).collect()
    /// }
    /// ```
    pub fn clients(&self) -> Vec<Client> {
        self.inner.clients()
    }

    /// The sender of one connection.
    pub fn sender(&self, client: ClientId) -> Option<Sender> {
        let inner = self.inner.sender(client)?;
        Some(Sender::new(inner, self.defaults.clone()))
    }

    /// Who is there by this key, on all nodes: connections that say so.
    ///
    /// ```
    /// use sidereal::{Connect, Hub, PatchElements, Presence, Sse, View};
    ///
    /// fn list(lobby: &Presence) -> View<Presence> {
    ///     View::new(lobby.clone(), |lobby: &Presence| {
    ///         let names = lobby.members();
    ///         let names = names.iter().map(|member| format!("<li>{}</li>", escape(member.text())));
    ///         PatchElements::new(format!("<ul id='there'>{}</ul>", names.collect::<String>()))
    ///     })
    ///     .depends_on(lobby)
    /// }
    /// # fn escape(text: &str) -> String { text.replace('&', "&amp;").replace('<', "&lt;") }
    ///
    /// async fn enter(connect: Connect, lobby: Presence, list: View<Presence>) -> Sse {
    ///     match lobby.entry("Ada") {
    ///         Ok(entry) => connect.watch((&list, entry)),
    ///         Err(_) => connect.watch(&list),
    ///     }
    /// }
    /// ```
    pub fn presence(&self, key: impl TopicKey) -> Presence {
        self.inner.presence(key)
    }

    /// Sends an event to one connection, in between what it follows.
    ///
    /// One that is on another node is sent it at most once, and nobody learns whether: the connection
    /// may end meanwhile, or its queue may be full.
    ///
    /// For all pages of a user, a topic of the user's own is better: a key like any other.
    ///
    /// # Errors
    ///
    /// When there is no such connection (any more), its queue is full, or the event is too large or
    /// cannot be built; see [`Sender::try_send`]. When it is on another node: if that node is not there
    /// any more, or the broker is away ([`SendError::is_away`]) or has too much to do
    /// ([`SendError::is_full`]).
    pub fn send(&self, client: ClientId, event: impl Event) -> Result<(), SendError> {
        self.inner.send(client, event.with_defaults(&self.defaults))
    }

    /// Ends the connections that are chosen, as [`Sender::close`] does; says how many. Those of this
    /// node.
    pub fn disconnect(&self, choose: impl FnMut(&Client) -> bool) -> usize {
        self.inner.disconnect(choose)
    }

    /// Makes events every `period`, once for all who watch the ticker. The first follow at once
    /// when somebody comes; while nobody watches, nothing runs.
    ///
    /// The period does not drift: ticks are whole periods after the first one, and one that comes
    /// too late because the one before it took so long is left out. Zero stands for 100 ms; the
    /// shortest is 10 ms. Who watches slowly gets the newest events only.
    ///
    /// `make` returns events or a `Result` of them; an error, or a panic, is logged, and the next
    /// tick tries again.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sidereal::{Connect, Hub, PatchElements, Sse, Ticker};
    ///
    /// fn clock(hub: &Hub) -> Ticker {
    ///     hub.every(Duration::from_secs(1), || {
    ///         let now = std::time::SystemTime::now();
    ///         PatchElements::new(format!("<p id='now'>{now:?}</p>"))
    ///     })
    /// }
    ///
    /// async fn show(connect: Connect, clock: Ticker) -> Sse {
    ///     connect.watch(&clock)
    /// }
    /// ```
    pub fn every<P: Picture>(
        &self,
        period: Duration,
        mut make: impl FnMut() -> P + Send + 'static,
    ) -> Ticker {
        let defaults = self.defaults.clone();
        self.inner
            .every(period, move || make().into_picture(&defaults))
    }

    /// As [`every`](Self::every), with events that are made asynchronously.
    pub fn every_async<P, F>(
        &self,
        period: Duration,
        mut make: impl FnMut() -> F + Send + 'static,
    ) -> Ticker
    where
        P: Picture,
        F: Future<Output = P> + Send + 'static,
    {
        let defaults = self.defaults.clone();
        self.inner.every_async(period, move || {
            let (making, defaults) = (make(), defaults.clone());
            async move { making.await.into_picture(&defaults) }
        })
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
    /// use sidereal::{Connect, EveryFor, Hub, Sse};
    ///
    /// #[derive(Clone)]
    /// struct User(String);
    ///
    /// fn greetings(hub: &Hub) -> EveryFor {
    ///     hub.every_for(Duration::from_secs(60), async |tx| {
    ///         let name = tx.client().data::<User>().map(|user| user.0.clone());
    ///         tx.patch_signals(&serde_json::json!({ "name": name })).await?;
    ///         Ok(())
    ///     })
    /// }
    ///
    /// async fn greet(connect: Connect, greetings: EveryFor) -> Sse {
    ///     connect.with_data(User("Ada".into())).watch(&greetings)
    /// }
    /// ```
    pub fn every_for<F, Fut>(&self, period: Duration, body: F) -> EveryFor
    where
        F: Fn(Sender) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), BodyError>> + Send + 'static,
    {
        let defaults = self.defaults.clone();
        self.inner
            .every_for(period, move |tx| body(Sender::new(tx, defaults.clone())))
    }
}

/// Nothing to follow; the connection counts as one of the hub's, and can be reached through it.
impl Watch for Hub {
    fn follow(&self, following: &mut Following) {
        self.inner.follow(following);
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
