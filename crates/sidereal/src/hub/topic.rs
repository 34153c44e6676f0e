//! Topics of Datastar's events.

use std::{fmt, sync::Arc};

use sidereal_sse::{Following, Watch};

use crate::{Client, EventDefaults, Events, Frame, PublishError, Subscription, TopicName};

/// A topic of a [`Hub`](crate::Hub): what is published on it goes to everyone who follows.
///
/// An event is encoded once, and compressed once for each codec that somebody uses. Publishing waits
/// for no reader; it costs about as much as waking those who sleep.
///
/// Cheap to clone; all clones are the same topic.
///
/// ```
/// use sidereal::{Connect, PatchElements, Sse, Topic, selector};
///
/// async fn read(connect: Connect, chat: Topic) -> Sse {
///     connect.subscribe(&chat)
/// }
///
/// fn say(chat: &Topic, line: &str) -> Result<(), sidereal::PublishError> {
///     chat.publish(PatchElements::new(line).append(selector!("#lines")))
/// }
/// ```
#[derive(Clone)]
pub struct Topic {
    inner: sidereal_sse::Topic,
    defaults: Arc<EventDefaults>,
}

impl Topic {
    pub(super) fn new(inner: sidereal_sse::Topic, defaults: Arc<EventDefaults>) -> Self {
        Self { inner, defaults }
    }

    /// Its name.
    pub fn name(&self) -> &TopicName {
        self.inner.name()
    }

    /// Sends an event, or several as one, to everyone who follows: from any task or thread. Waits
    /// for nobody.
    ///
    /// # Errors
    ///
    /// When the event is over the hub's limit for the size of events, or the hub over its limit
    /// for topics.
    pub fn publish(&self, events: impl Events) -> Result<(), PublishError> {
        let frames = events.into_frames(&self.defaults);
        self.inner.publish(Frame::join(frames))
    }

    /// Follows the topic outside of a response.
    pub fn subscribe(&self) -> Subscription {
        self.inner.subscribe()
    }

    /// How many follow it now.
    pub fn subscribers(&self) -> usize {
        self.inner.subscribers()
    }

    /// Who follows it now.
    pub fn clients(&self) -> Vec<Client> {
        self.inner.clients()
    }

    /// The newest event, if it is kept.
    pub fn newest(&self) -> Option<Frame> {
        self.inner.newest()
    }
}

impl Watch for Topic {
    fn follow(&self, following: &mut Following) {
        self.inner.follow(following);
    }
}

impl fmt::Debug for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
