//! Topics: what is published once and sent to everyone who follows.

use std::{
    error::Error,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    Hub, HubInner, MAX_EVENT_SIZE,
    feed::{Source, Start},
    name::TopicName,
    order,
    ring::Ring,
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
}

impl Topic {
    /// Its name.
    pub fn name(&self) -> &TopicName {
        &self.inner.name
    }

    /// Sends an event to everyone who follows: from any task or thread. Waits for nobody. An empty
    /// frame is not sent.
    ///
    /// # Errors
    ///
    /// When the event is over the hub's limit for the size of events, or the hub over its limit
    /// for topics.
    pub fn publish(&self, event: impl IntoFrame) -> Result<(), PublishError> {
        let frame = event.into_frame();
        self.inner.push(frame)?;
        self.inner.listeners.wake();
        Ok(())
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
            ring: Mutex::new(Ring::after_all(order::published())),
            pushed: AtomicU64::new(0),
            listeners: Listeners::default(),
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

    /// Puts an event where those who follow find it; they are not woken yet.
    pub(super) fn push(&self, frame: Frame) -> Result<(), PublishError> {
        if self.is_refused() {
            return Err(PublishError(Kind::TooManyTopics));
        }
        if frame.is_empty() {
            return Ok(());
        }
        if frame.len() > self.max_event_size {
            return Err(PublishError(Kind::TooLarge {
                length: frame.len(),
                limit: self.max_event_size,
            }));
        }
        if self.listeners.count() == 0 && !self.options.has_history() {
            // What came before is not the newest any more.
            self.ring().clear();
            return Ok(());
        }
        let options = &self.options;
        let stamped = match options.replay {
            true => stamp::room_for_id(&frame),
            false => None,
        };
        order::publish(|number| {
            let frame = stamped
                .map_or(frame, |stamped| stamped.with(number))
                .shared();
            let mut ring = self.ring();
            if let Some(before) = ring.newest() {
                frame.comes_after(before);
            }
            let pushed = ring.push(number, frame, options.keep, options.keep_bytes);
            self.pushed.store(pushed, Ordering::Release);
        });
        Ok(())
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

/// Why an event was not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishError(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    TooLarge { length: usize, limit: usize },
    TooManyTopics,
}

impl PublishError {
    /// The event is over [`Hub::max_event_size`](crate::Hub::max_event_size).
    pub fn is_too_large(&self) -> bool {
        matches!(self.0, Kind::TooLarge { .. })
    }

    /// The hub is at [`Hub::max_topics`](crate::Hub::max_topics).
    pub fn is_too_many_topics(&self) -> bool {
        self.0 == Kind::TooManyTopics
    }
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Kind::TooLarge { length, limit } => {
                write!(f, "an event of {length} bytes is over the limit of {limit}")
            }
            Kind::TooManyTopics => f.write_str("the hub has as many topics as it may have"),
        }
    }
}

impl Error for PublishError {}
