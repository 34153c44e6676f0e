//! A plain server-sent event, for streams that are not Datastar's.

use std::{fmt, time::Duration};

use crate::{Content, DataKey, EventId, Frame, IntoFrame, Line};

/// A server-sent event as `EventSource` reads it: data, and optionally a type, an id and a
/// reconnection time.
///
/// ```
/// use sidereal_sse::{Event, EventId, IntoFrame, Line};
///
/// let event = Event::new("17 °C\nsunny")
///     .event(Line::from_static("weather"))
///     .id(EventId::from(7));
/// assert_eq!(
///     event.into_frame().as_bytes(),
///     "event: weather\nid: 7\ndata: 17 °C\ndata: sunny\n\n".as_bytes()
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Event {
    content: Content,
    event: Option<Line>,
    id: Option<EventId>,
    retry: Option<Duration>,
}

impl Event {
    /// An event of this data, one `data:` line for each of its lines.
    pub fn new(data: impl AsRef<str>) -> Self {
        Self::with_content(Content::new(DataKey::PLAIN, data.as_ref()))
    }

    /// An event of whatever can be displayed, without a string in between.
    pub fn from_display(data: impl fmt::Display) -> Self {
        let mut writer = Content::writer(DataKey::PLAIN);
        // The writer takes everything; only the value's own `Display` can fail, and then what it
        // has written so far is the data, as with `format!` short of its panic.
        let _ = fmt::Write::write_fmt(&mut writer, format_args!("{data}"));
        Self::with_content(writer.finish())
    }

    fn with_content(content: Content) -> Self {
        Self {
            content,
            event: None,
            id: None,
            retry: None,
        }
    }

    /// The event's type; without one it is `message`.
    pub fn event(mut self, name: Line) -> Self {
        self.event = Some(name);
        self
    }

    /// The id that the client sends back as `Last-Event-ID` when it reconnects.
    pub fn id(mut self, id: EventId) -> Self {
        self.id = Some(id);
        self
    }

    /// How long the client waits before it reconnects, in whole milliseconds. 1,000 ms is the
    /// default and is not written.
    pub fn retry(mut self, delay: Duration) -> Self {
        self.retry = Some(delay);
        self
    }
}

impl IntoFrame for Event {
    fn into_frame(self) -> Frame {
        let Self {
            content,
            event,
            id,
            retry,
        } = self;
        content.into_frame(|head| head.begin(event.as_ref(), id.as_ref(), retry))
    }
}
