//! Topics: what is published once and sent to everyone who follows.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use tokio::sync::oneshot;

use super::{
    Hub, HubInner, MAX_EVENT_SIZE,
    feed::{Source, Start},
    name::TopicName,
    nodes::{Carrier, Channel, Confirm, NODES_TARGET, Place as LogPlace, Receiver, wire},
    order,
    publish_error::PublishError,
    ring::{Entry, Ring},
    stamp,
};
use crate::{Client, Frame, IntoFrame, hub::Subscription, listeners::Listeners};

/// What happens to a subscriber that reads so slowly that the topic does not keep the next event
/// any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lag {
    /// Its stream ends with [`EndReason::Lagged`](crate::EndReason::Lagged): broken by default, so
    /// that the page comes back, and is sent what it missed or the full state.
    Close,
    /// It goes on with the oldest event that is kept; the
    /// [`Observer`](crate::Observer::lagged) is told how many it missed. For events of which each
    /// says all there is to say.
    Resume,
    /// It gets the newest event only, whenever it is ready for one, and those in between are left
    /// out for it. For events that show the whole state.
    NewestOnly,
}

/// What a subscriber begins with that is not resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StartAt {
    /// The next event that is published.
    Next,
    /// The newest event that is kept, and then the next ones.
    Newest,
    /// All events that are kept, and then the next ones.
    Oldest,
}

/// The settings of a topic.
///
/// | setting | default |
/// |---|---|
/// | [`keep`](Self::keep) | 64 events |
/// | [`keep_bytes`](Self::keep_bytes) | 1 MiB |
/// | [`lag`](Self::lag) | [`Lag::Close`] |
/// | [`start_at`](Self::start_at) | [`StartAt::Next`] |
/// | [`replay`](Self::replay) | off |
/// | [`idle_for`](Self::idle_for) | 5 min |
///
/// ```
/// use sidereal_sse::{Hub, StartAt, TopicOptions};
///
/// let hub = Hub::new();
/// // A chat: who comes sees the last hundred lines, who comes back those that it missed.
/// let chat = hub.topic_with("chat", TopicOptions::new().keep(100).start_at(StartAt::Oldest).replay(true));
/// # let _ = chat;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct TopicOptions {
    pub(super) keep: usize,
    pub(super) keep_bytes: usize,
    pub(super) lag: Lag,
    pub(super) start_at: StartAt,
    pub(super) replay: bool,
    pub(super) idle_for: Duration,
}

impl TopicOptions {
    /// The defaults.
    pub const fn new() -> Self {
        Self {
            keep: 64,
            keep_bytes: 1 << 20,
            lag: Lag::Close,
            start_at: StartAt::Next,
            replay: false,
            idle_for: Duration::from_secs(300),
        }
    }

    /// What shows the whole state in each of its events: only the newest is kept, sent to who comes,
    /// and to who lags.
    pub const fn newest_only() -> Self {
        Self {
            keep: 1,
            lag: Lag::NewestOnly,
            start_at: StartAt::Newest,
            ..Self::new()
        }
    }

    /// How many of the last events are kept, for subscribers that are behind, that begin with them,
    /// or that come back. Default 64, at least 1. It is kept once for all.
    pub const fn keep(mut self, events: usize) -> Self {
        self.keep = events;
        self
    }

    /// How many bytes of events are kept, as encoded. Default 1 MiB. The newest event is kept
    /// whatever its size.
    pub const fn keep_bytes(mut self, bytes: usize) -> Self {
        self.keep_bytes = bytes;
        self
    }

    /// What happens to a subscriber that is too slow. Default [`Lag::Close`].
    pub const fn lag(mut self, lag: Lag) -> Self {
        self.lag = lag;
        self
    }

    /// What a subscriber begins with that is not resumed. Default [`StartAt::Next`].
    pub const fn start_at(mut self, start: StartAt) -> Self {
        self.start_at = start;
        self
    }

    /// Gives each event an id, and resumes a client that comes back with the `Last-Event-ID` of
    /// one: it is sent what it missed on all topics of its connection, in order. Default off.
    ///
    /// Where some of that is not kept any more, or the id is of another process, the client begins
    /// as a new one, see [`StartAt`] and [`Sender::is_resumed`](crate::Sender::is_resumed).
    ///
    /// The id takes the place of one that an event brings.
    pub const fn replay(mut self, on: bool) -> Self {
        self.replay = on;
        self
    }

    /// How long the kept events stay when nobody subscribes, publishes, or holds a [`Topic`].
    /// Default 5 min. It matters for topics with replay or a start at kept events; any other goes
    /// at once.
    pub const fn idle_for(mut self, idle: Duration) -> Self {
        self.idle_for = idle;
        self
    }

    /// Whether the kept events are of use to those who are yet to come.
    pub(super) fn has_history(&self) -> bool {
        self.replay || self.start_at != StartAt::Next
    }

    /// The channel of such a topic between nodes: with a log where events matter after they were sent.
    pub(super) fn channel(&self, name: &TopicName) -> Channel {
        match self.has_history() || self.lag == Lag::NewestOnly {
            true => Channel::log(name.as_str()),
            false => Channel::plain(format!("topic/{name}")),
        }
    }
}

impl Default for TopicOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// A topic of a [`Hub`](crate::Hub): what is published on it goes to everyone who follows.
///
/// An event is encoded once, and compressed once for each codec that somebody uses. Publishing waits
/// for no reader; it costs about as much as waking those who sleep.
///
/// Cheap to clone; all clones are the same topic.
///
/// ```
/// use sidereal_sse::{Connect, Event, Hub};
///
/// let hub = Hub::new();
/// let news = hub.topic("news");
///
/// // A handler:
/// let sse = Connect::new().subscribe(&news);
///
/// // From anywhere else, any task or thread:
/// news.publish(Event::new("to all"))?;
/// # let _ = sse;
/// # Ok::<(), sidereal_sse::PublishError>(())
/// ```
#[derive(Clone)]
pub struct Topic {
    pub(super) inner: Arc<TopicInner>,
    /// Its limits hold as long as the topic is there.
    pub(super) _hub: Hub,
}

/// Where a topic can be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the hub's list.
    Listed,
    /// Nowhere: that list was full.
    Refused,
    /// With its owner: a view, a ticker.
    Private,
}

pub(crate) struct TopicInner {
    pub(super) name: TopicName,
    pub(super) options: TopicOptions,
    pub(super) hub: Weak<HubInner>,
    pub(super) max_event_size: usize,
    place: Place,
    ring: Mutex<Ring>,
    /// How many events were ever pushed, to be looked at without the lock.
    pushed: AtomicU64,
    pub(crate) listeners: Listeners,
    /// Its way to other nodes, in a hub that has some.
    pub(super) carrier: Option<Arc<Carrier>>,
}

impl Topic {
    /// Its name.
    pub fn name(&self) -> &TopicName {
        &self.inner.name
    }

    /// Sends an event to everyone who follows: from any task or thread. Waits for nobody. An empty
    /// frame is not sent.
    ///
    /// In a hub with a [`Broker`](crate::broker::Broker) the event is on its way to the other nodes when this
    /// returns, and is sent again where that is not sure.
    ///
    /// # Errors
    ///
    /// When the event is over the hub's limit for the size of events, or the broker's, or the hub over
    /// its limit for topics; and when the broker is away, or has too much to do, see
    /// [`PublishError::is_local`].
    pub fn publish(&self, event: impl IntoFrame) -> Result<(), PublishError> {
        self.inner.publish(event.into_frame(), None)
    }

    /// As [`publish`](Self::publish), and waits until the broker has the event: from then on it is
    /// not this node's to lose. Without a broker, nothing is waited for.
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish), and when the broker refuses the event.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it does not take the event back.
    pub async fn publish_confirmed(&self, event: impl IntoFrame) -> Result<(), PublishError> {
        let frame = event.into_frame();
        if self.inner.carrier.is_none() || frame.is_empty() {
            return self.inner.publish(frame, None);
        }
        let (confirm, confirmed) = oneshot::channel();
        self.inner.publish(frame, Some(confirm))?;
        match confirmed.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(PublishError::refused()),
        }
    }

    /// Follows the topic outside of a response.
    pub fn subscribe(&self) -> Subscription {
        Subscription::to(self)
    }

    /// How many follow it now.
    pub fn subscribers(&self) -> usize {
        self.inner.listeners.count()
    }

    /// Who follows it now.
    pub fn clients(&self) -> Vec<Client> {
        self.inner.listeners.clients()
    }

    /// The newest event, if it is kept.
    pub fn newest(&self) -> Option<Frame> {
        self.inner.ring().newest().cloned()
    }
}

impl TopicInner {
    pub(super) fn new(
        name: TopicName,
        options: TopicOptions,
        hub: Option<&Hub>,
        place: Place,
    ) -> Self {
        Self {
            name,
            options,
            hub: hub
                .map(|hub| Arc::downgrade(&hub.inner))
                .unwrap_or_default(),
            max_event_size: hub.map_or(MAX_EVENT_SIZE, Hub::event_limit),
            place,
            // There may have been a topic of this name before.
            ring: Mutex::new(Ring::after_all(order::epoch(), order::published())),
            pushed: AtomicU64::new(0),
            listeners: Listeners::default(),
            carrier: None,
        }
    }

    pub(super) fn ring(&self) -> MutexGuard<'_, Ring> {
        // Nothing panics while the lock is held.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many events were ever pushed.
    pub(super) fn pushed(&self) -> u64 {
        self.pushed.load(Ordering::Acquire)
    }

    pub(super) fn is_refused(&self) -> bool {
        self.place == Place::Refused
    }

    /// Sends an event to everyone who follows, on all nodes.
    fn publish(
        self: &Arc<Self>,
        frame: Frame,
        confirm: Option<Confirm>,
    ) -> Result<(), PublishError> {
        self.check(&frame)?;
        let Some(carrier) = &self.carrier else {
            self.put(frame, None);
            self.listeners.wake();
            return Ok(());
        };
        if frame.is_empty() {
            return Ok(());
        }
        let body = wire::event(&frame);
        if carrier.is_log() {
            let sent = carrier.send(&body, confirm, || {});
            return sent.map_err(|error| PublishError::not_sent(error, false));
        }
        let sent = carrier.send(&body, confirm, || self.put(frame.clone(), None));
        self.listeners.wake();
        sent.map_err(|error| PublishError::not_sent(error, true))
    }

    /// Puts an event where those who follow find it; they are not woken yet.
    pub(super) fn push(&self, frame: Frame) -> Result<(), PublishError> {
        self.check(&frame)?;
        self.put(frame, None);
        Ok(())
    }

    fn check(&self, frame: &Frame) -> Result<(), PublishError> {
        if self.is_refused() {
            return Err(PublishError::too_many_topics());
        }
        let carried = self.carrier.as_ref();
        let limit = carried.map_or(usize::MAX, |carrier| carrier.longest_event());
        let limit = limit.min(self.max_event_size);
        match frame.len() > limit {
            true => Err(PublishError::too_large(frame.len(), limit)),
            false => Ok(()),
        }
    }

    /// Keeps an event for those who follow, at its place in the log if it has one.
    fn put(&self, frame: Frame, place: Option<LogPlace>) {
        if frame.is_empty() {
            return;
        }
        let options = &self.options;
        if self.listeners.count() == 0 && !options.has_history() && place.is_none() {
            // What came before is not the newest any more.
            self.ring().clear();
            return;
        }
        let stamped = match options.replay {
            true => stamp::room_for_id(&frame),
            false => None,
        };
        order::publish(|number| {
            let (epoch, id) = match place {
                Some(place) => (place.log, place.number),
                None => (order::epoch(), number),
            };
            let frame = stamped
                .map_or(frame, |stamped| stamped.with(epoch, id))
                .shared();
            let mut ring = self.ring();
            if let Some(before) = ring.newest() {
                frame.comes_after(before);
            }
            let entry = Entry { number, id, frame };
            let pushed = ring.push(entry, options.keep, options.keep_bytes);
            self.pushed.store(pushed, Ordering::Release);
        });
    }

    /// Somebody follows from now on.
    pub(super) fn is_followed(&self) {
        if let Some(carrier) = &self.carrier {
            carrier.follow();
        }
    }

    /// Whether whoever begins to follow need not wait until other nodes' events come in.
    pub(super) fn is_settled(&self) -> bool {
        self.carrier
            .as_ref()
            .is_none_or(|carrier| carrier.is_settled())
    }

    /// Its events are numbered by a broker's log.
    pub(super) fn has_log(&self) -> bool {
        self.carrier
            .as_ref()
            .is_some_and(|carrier| carrier.is_log())
    }

    /// There may be events that come before those that are here.
    pub(super) fn is_reading(&self) -> bool {
        self.carrier
            .as_ref()
            .is_some_and(|carrier| carrier.is_reading())
    }
}

/// What comes in from other nodes.
impl Receiver for TopicInner {
    fn take(&self, _: u64, body: &Bytes, place: Option<LogPlace>) {
        match wire::read_event(body) {
            Ok(frame) if frame.len() <= self.max_event_size => self.put(frame, place),
            Ok(frame) => {
                tracing::warn!(target: NODES_TARGET, topic = %self.name, length = frame.len(), "an event of another node is over this node's limit");
                self.missed();
            }
            Err(error) => {
                tracing::warn!(target: NODES_TARGET, topic = %self.name, %error, "an event of another node cannot be read");
                self.missed();
            }
        }
        self.listeners.wake();
    }

    fn begin(&self, from: LogPlace, is_gap: bool) {
        let mut ring = self.ring();
        ring.begin(from.log, from.number);
        if is_gap {
            self.pushed.store(ring.gap(), Ordering::Release);
        }
        drop(ring);
        self.listeners.wake();
    }

    fn missed(&self) {
        let pushed = self.ring().gap();
        self.pushed.store(pushed, Ordering::Release);
        self.listeners.wake();
    }

    fn settled(&self) {
        self.listeners.wake();
    }

    fn is_wanted(&self) -> bool {
        self.listeners.count() > 0
    }
}

/// Nobody holds it any more: it leaves the hub's list.
impl Drop for TopicInner {
    fn drop(&mut self) {
        if self.place == Place::Listed
            && let Some(hub) = self.hub.upgrade()
        {
            hub.unlist(&self.name);
        }
    }
}

impl Source for TopicInner {
    fn topic(&self) -> &TopicInner {
        self
    }

    fn begin(self: Arc<Self>, _: bool) -> Start {
        match self.options.start_at {
            StartAt::Next => Start::Next,
            StartAt::Newest => Start::Newest,
            StartAt::Oldest => Start::Oldest,
        }
    }
}

impl fmt::Debug for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Topic")
            .field("name", self.name())
            .field("subscribers", &self.subscribers())
            .finish_non_exhaustive()
    }
}
