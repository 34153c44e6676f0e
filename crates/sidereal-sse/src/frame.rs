//! One event, encoded: immutable bytes that any number of connections can send.

use bytes::Bytes;

/// One event (or comment) as it goes over the wire, encoded once.
///
/// A frame is reference-counted: a clone copies no bytes. An empty frame stands for "nothing to
/// write", and is never written.
///
/// ```
/// use sidereal_sse::{Event, Frame, IntoFrame};
///
/// let frame: Frame = Event::new("42").into_frame();
/// assert_eq!(frame.as_bytes(), b"data: 42\n\n");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    bytes: Bytes,
}

impl Frame {
    /// The frame that writes nothing.
    pub const fn empty() -> Self {
        Self {
            bytes: Bytes::new(),
        }
    }

    /// The heartbeat: an empty comment, which clients ignore.
    ///
    /// ```
    /// # use sidereal_sse::Frame;
    /// assert_eq!(Frame::heartbeat().as_bytes(), b":\n\n");
    /// ```
    pub const fn heartbeat() -> Self {
        Self {
            bytes: Bytes::from_static(b":\n\n"),
        }
    }

    /// A comment, one line for each line of `text`. Clients ignore it; people who read the stream
    /// do not.
    ///
    /// ```
    /// # use sidereal_sse::Frame;
    /// assert_eq!(Frame::comment("one\rtwo").as_bytes(), b": one\n: two\n\n");
    /// ```
    pub fn comment(text: &str) -> Self {
        crate::encode::comment(text)
    }

    pub(crate) fn from_encoded(bytes: Bytes) -> Self {
        Self { bytes }
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether this is a comment, such as a heartbeat, and no event.
    pub fn is_comment(&self) -> bool {
        self.bytes.starts_with(b":")
    }

    /// The length in bytes, before compression.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The encoded event.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The encoded event, without copying it.
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }
}

/// What can be sent on a stream: anything that becomes one [`Frame`].
pub trait IntoFrame {
    /// Encodes the event. An empty frame means that there is nothing to write.
    fn into_frame(self) -> Frame;
}

impl IntoFrame for Frame {
    fn into_frame(self) -> Frame {
        self
    }
}

impl IntoFrame for &Frame {
    fn into_frame(self) -> Frame {
        self.clone()
    }
}
