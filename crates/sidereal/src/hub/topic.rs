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
    /// In a hub with a [broker](crate::broker) the event is on its way to the other nodes when this
    /// returns, and is sent again where that is not sure.
    ///
    /// # Errors
    ///
    /// When the event is over the hub's limit for the size of events, or the broker's, or the hub over
    /// its limit for topics; and when the broker is away, or has too much to do, see
    /// [`PublishError::is_local`].
    pub fn publish(&self, events: impl Events) -> Result<(), PublishError> {
        let frames = events.into_frames(&self.defaults);
        self.inner.publish(Frame::join(frames))
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
    pub async fn publish_confirmed(&self, events: impl Events) -> Result<(), PublishError> {
        let frame = Frame::join(events.into_frames(&self.defaults));
        self.inner.publish_confirmed(frame).await
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
