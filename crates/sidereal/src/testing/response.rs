//! A live response, read event by event.

use std::{collections::VecDeque, error::Error, fmt, future::poll_fn, pin::Pin, time::Duration};

use bytes::Buf;
use http::{HeaderMap, StatusCode};
use http_body::Body;

use super::{
    BrokenBody, Event, EventError, HeadError, Item, Parser, StreamError, event::Fields, head,
};
use super::{PatchedElements, PatchedSignals};

/// Reads all events of bytes that are a whole stream: for goldens, and wherever there is no response.
///
/// ```
/// use sidereal::testing::events;
///
/// let events = events(b": hello\n\nevent: datastar-patch-elements\ndata: elements <p id=a></p>\n\n")?;
/// assert_eq!(events.len(), 1);
/// assert_eq!(events[0].elements(), Some("<p id=a></p>"));
/// # Ok::<_, sidereal::testing::StreamError>(())
/// ```
///
/// # Errors
///
/// The first thing that a client would throw on or ignore: an event that is none for it, a line that every client
/// ignores, an event at the end that lacks its blank line.
pub fn events(bytes: &[u8]) -> Result<Vec<Event>, StreamError> {
    let mut parser = Parser::new();
    let events = parser
        .push(bytes)
        .into_iter()
        .filter_map(|item| event_of(item).transpose())
        .collect::<Result<_, _>>()?;
    if parser.is_unfinished() {
        Err(StreamError::Unfinished)
    } else {
        Ok(events)
    }
}

fn event_of(item: Item) -> Result<Option<Event>, StreamError> {
    match item {
        Item::Event(raw) => Ok(Some(Event::try_from(raw)?)),
        Item::Ignored(line) => Err(StreamError::Ignored { line }),
        Item::Comment(_) | Item::Retry(_) => Ok(None),
    }
}

/// How a stream ended.
///
/// A clean end stops a default Datastar client; a broken one makes it come back.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum End {
    /// The body came to its end.
    Clean,
    /// The body failed: over a socket, the connection would have dropped.
    Broken(BrokenBody),
}

impl End {
    /// Whether the body came to its end.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        matches!(self, Self::Clean)
    }
}

/// The event stream in a response, read as the Datastar client would.
///
/// It reads only when asked, one frame of the body at a time, so that a test decides how slow its client is. Dropping it
/// is a client that leaves.
///
/// ```
/// use std::time::Duration;
/// use sidereal::testing::EventStream;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let response = http::Response::builder()
///     .header("content-type", "text/event-stream")
///     .body("event: datastar-patch-signals\ndata: signals {\"a\":1}\n\n".to_owned())?;
///
/// let mut stream = EventStream::new(response);
/// let event = stream.next_within(Duration::from_secs(1)).await.ok_or("no event")??;
/// assert_eq!(event.signals(), Some(&serde_json::json!({ "a": 1 })));
/// assert!(stream.next().await.is_none());
/// assert!(stream.end().is_some_and(|end| end.is_clean()));
/// # Ok(())
/// # }
/// ```
///
/// # What it refuses
///
/// A status other than 200, a `Content-Type` other than `text/event-stream`, and a body with a `Content-Encoding`: this
/// reader does not decompress, so the request must not offer any encoding. Reading events then gives
/// [`StreamError::Head`] once; [`text`](Self::text) still reads the body, for the text of a 400. A 204 is an empty
/// stream, since the client ends quietly on it.
pub struct EventStream<B> {
    parts: http::response::Parts,
    body: Pin<Box<B>>,
    parser: Parser,
    items: VecDeque<Item>,
    comments: Vec<String>,
    unreadable: Option<HeadError>,
    refused: bool,
    end: Option<End>,
}

impl<B> EventStream<B> {
    /// Takes the response of a handler.
    #[must_use]
    pub fn new(response: http::Response<B>) -> Self {
        let (parts, body) = response.into_parts();
        let silent = parts.status == StatusCode::NO_CONTENT;
        Self {
            unreadable: if silent {
                None
            } else {
                head::check_readable(&parts).err()
            },
            refused: false,
            end: silent.then_some(End::Clean),
            parts,
            body: Box::pin(body),
            parser: Parser::new(),
            items: VecDeque::new(),
            comments: Vec::new(),
        }
    }

    /// The response's status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.parts.status
    }

    /// The response's headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// The comments that have come so far, without their colons: the heartbeats.
    #[must_use]
    pub fn comments(&self) -> &[String] {
        &self.comments
    }

    /// The last event ID so far: what the client would send as `Last-Event-ID`.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        self.parser.last_event_id()
    }

    /// How the stream ended, if it has been read to its end.
    #[must_use]
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// Checks the status and the headers that every event stream must have.
    ///
    /// 1. The status is 200.
    /// 2. `Content-Type` is `text/event-stream`, with a charset of UTF-8 if with any.
    /// 3. `Cache-Control` has `no-cache`.
    /// 4. `X-Accel-Buffering` is `no`.
    /// 5. `Connection` is not there, or `keep-alive` in a response of HTTP/1.1. Above that it is illegal.
    /// 6. `Vary` has `Accept-Encoding` where there is a `Content-Encoding`.
    ///
    /// # Errors
    ///
    /// The first of these rules that is broken.
    pub fn check_event_stream_head(&self) -> Result<(), HeadError> {
        head::check(&self.parts)
    }

    /// Asserts that the status and the headers are those of an event stream: see
    /// [`check_event_stream_head`](Self::check_event_stream_head).
    ///
    /// # Panics
    ///
    /// If they are not.
    #[track_caller]
    pub fn assert_event_stream_head(&self) {
        if let Err(error) = self.check_event_stream_head() {
            panic!(
                "not the head of an event stream: {error}\n{:#?}",
                self.parts
            );
        }
    }
}

impl<B> EventStream<B>
where
    B: Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    /// Waits for the next event; `None` once the stream has ended.
    ///
    /// Comments are counted in [`comments`](Self::comments) and passed over. After [`StreamError::Event`] and
    /// [`StreamError::Ignored`] the stream goes on.
    ///
    /// # Errors
    ///
    /// The error is in the item. A broken end is one too, once; then `None` follows.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if the future is dropped.
    pub async fn next(&mut self) -> Option<Result<Event, StreamError>> {
        loop {
            match self.next_item().await? {
                Ok(item) => {
                    if let Some(event) = event_of(item).transpose() {
                        return Some(event);
                    }
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// As [`next`](Self::next), but for no longer than this, after which it gives [`StreamError::TimedOut`].
    ///
    /// In a test with paused time (`#[tokio::test(start_paused = true)]`) it takes no time at all: tokio's clock jumps
    /// to the next timer when there is nothing else to do. It needs a tokio runtime with its time enabled.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if the future is dropped or times out.
    pub async fn next_within(&mut self, limit: Duration) -> Option<Result<Event, StreamError>> {
        tokio::time::timeout(limit, self.next())
            .await
            .unwrap_or(Some(Err(StreamError::TimedOut { after: limit })))
    }

    /// Waits for the next item of any kind: an event that nobody has looked at yet, a comment, a retry.
    ///
    /// # Errors
    ///
    /// The error is in the item: [`StreamError::Head`], [`StreamError::Broken`] or [`StreamError::Unfinished`].
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if the future is dropped.
    pub async fn next_item(&mut self) -> Option<Result<Item, StreamError>> {
        if let Some(error) = &self.unreadable {
            let told = std::mem::replace(&mut self.refused, true);
            return (!told).then(|| Err(error.clone().into()));
        }
        loop {
            if let Some(item) = self.items.pop_front() {
                if let Item::Comment(comment) = &item {
                    self.comments.push(comment.clone());
                }
                return Some(Ok(item));
            }
            if self.end.is_some() {
                return None;
            }
            match self.next_chunk().await {
                Some(Ok(chunk)) => self.items.extend(self.parser.push(&chunk)),
                Some(Err(error)) => {
                    self.end = Some(End::Broken(error.clone()));
                    return Some(Err(StreamError::Broken(error)));
                }
                None => {
                    self.end = Some(End::Clean);
                    if self.parser.is_unfinished() {
                        return Some(Err(StreamError::Unfinished));
                    }
                }
            }
        }
    }

    /// Waits for the next events, as many as this.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next), or [`StreamError::Ended`] if the stream ends before.
    ///
    /// # Cancel safety
    ///
    /// Events that have been read are lost if the future is dropped.
    pub async fn take(&mut self, wanted: usize) -> Result<Vec<Event>, StreamError> {
        let mut events = Vec::with_capacity(wanted);
        while events.len() < wanted {
            match self.next().await {
                Some(event) => events.push(event?),
                None => {
                    return Err(StreamError::Ended {
                        wanted,
                        came: events.len(),
                    });
                }
            }
        }
        Ok(events)
    }

    /// Reads all to the end, and tells how it ended.
    ///
    /// ```
    /// # use sidereal::testing::EventStream;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), sidereal::testing::StreamError> {
    /// # let mut response = http::Response::new("event: datastar-patch-elements\ndata: elements <p>\n\n: bye\n".to_owned());
    /// # response.headers_mut().insert("content-type", http::HeaderValue::from_static("text/event-stream"));
    /// let collected = EventStream::new(response).collect().await?;
    /// assert!(collected.end().is_clean());
    /// assert_eq!(collected.events().len(), 1);
    /// assert_eq!(collected.comments(), [" bye"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next), except that a broken end is none: [`Collected::end`] tells of it.
    pub async fn collect(&mut self) -> Result<Collected, StreamError> {
        if let Some(error) = &self.unreadable {
            return Err(error.clone().into());
        }
        let mut events = Vec::new();
        let end = loop {
            match self.next().await {
                Some(Ok(event)) => events.push(event),
                Some(Err(StreamError::Broken(error))) => break End::Broken(error),
                Some(Err(error)) => return Err(error),
                None => break self.end.clone().unwrap_or(End::Clean),
            }
        };
        Ok(Collected {
            events,
            comments: self.comments.clone(),
            end,
        })
    }

    /// Reads what is left of the body as text, whatever the head says: for the text of a rejection or a page.
    ///
    /// # Errors
    ///
    /// [`StreamError::Broken`] if the body fails.
    pub async fn text(&mut self) -> Result<String, StreamError> {
        let mut bytes = Vec::new();
        while let Some(chunk) = self.next_chunk().await {
            bytes.extend(chunk.map_err(StreamError::Broken)?);
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Reads a plain reply, `text/html` or `application/json` with its `datastar-*` headers, as the event that the
    /// client makes of it.
    ///
    /// ```
    /// # use sidereal::testing::EventStream;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let response = http::Response::builder()
    ///     .header("content-type", "text/html")
    ///     .header("datastar-selector", "#a")
    ///     .header("datastar-mode", "inner")
    ///     .body("<p>".to_owned())?;
    /// let event = EventStream::new(response).plain_reply().await?;
    /// let patch = event.as_elements().ok_or("elements")?;
    /// assert_eq!((patch.selector(), patch.elements()), (Some("#a"), Some("<p>")));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`StreamError::Head`] for another status or content type, [`StreamError::Event`] as for an event of a stream,
    /// [`StreamError::Broken`] if the body fails.
    pub async fn plain_reply(&mut self) -> Result<Event, StreamError> {
        let elements = head::check_plain(&self.parts)?;
        let text = self.text().await?;
        let mut fields = Fields::default();
        let (content, keys): (_, &[(&str, &str)]) = if elements {
            let keys = &[
                ("selector", "datastar-selector"),
                ("mode", "datastar-mode"),
                ("namespace", "datastar-namespace"),
                ("useViewTransition", "datastar-use-view-transition"),
            ];
            ("elements", keys)
        } else {
            ("signals", &[("onlyIfMissing", "datastar-only-if-missing")])
        };
        fields.push(content, &text);
        for (key, header) in keys {
            match head::value(&self.parts.headers, header) {
                Some(value) if !value.is_empty() => fields.push(key, &value),
                _ => {}
            }
        }
        let event: Result<_, EventError> = if elements {
            PatchedElements::from_fields(fields).map(Event::PatchElements)
        } else {
            PatchedSignals::from_fields(fields).map(Event::PatchSignals)
        };
        Ok(event?)
    }

    /// The next data frame of the body, undecoded: here is where decompression will go.
    async fn next_chunk(&mut self) -> Option<Result<Vec<u8>, BrokenBody>> {
        loop {
            let frame = poll_fn(|cx| self.body.as_mut().poll_frame(cx)).await?;
            match frame.map(http_body::Frame::into_data) {
                Ok(Ok(mut data)) => {
                    let mut chunk = Vec::with_capacity(data.remaining());
                    while data.has_remaining() {
                        let part = data.chunk();
                        chunk.extend_from_slice(part);
                        let length = part.len();
                        data.advance(length);
                    }
                    return Some(Ok(chunk));
                }
                Ok(Err(_trailers)) => {}
                Err(error) => return Some(Err(BrokenBody::new(error))),
            }
        }
    }
}

impl<B> fmt::Debug for EventStream<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream")
            .field("status", &self.parts.status)
            .field("headers", &self.parts.headers)
            .field("comments", &self.comments)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

/// All that a stream had, from [`EventStream::collect`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Collected {
    events: Vec<Event>,
    comments: Vec<String>,
    end: End,
}

impl Collected {
    /// The events, in order.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The events, in order.
    #[must_use]
    pub fn into_events(self) -> Vec<Event> {
        self.events
    }

    /// The comments of the whole stream, without their colons.
    #[must_use]
    pub fn comments(&self) -> &[String] {
        &self.comments
    }

    /// How the stream ended.
    #[must_use]
    pub fn end(&self) -> &End {
        &self.end
    }
}

#[cfg(test)]
#[path = "response_tests.rs"]
mod tests;
