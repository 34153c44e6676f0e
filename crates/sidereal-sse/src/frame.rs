//! One event, encoded: immutable bytes that any number of connections can send.

use std::{fmt, sync::Arc};

use bytes::Bytes;

use crate::compress::{FrameId, Shared};

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
#[derive(Clone, Default)]
pub struct Frame {
    bytes: Bytes,
    shared: Option<Arc<Shared>>,
    is_sensitive: bool,
}

impl Frame {
    /// The frame that writes nothing.
    pub const fn empty() -> Self {
        Self::plain(Bytes::new())
    }

    /// The heartbeat: an empty comment, which clients ignore.
    ///
    /// ```
    /// # use sidereal_sse::Frame;
    /// assert_eq!(Frame::heartbeat().as_bytes(), b":\n\n");
    /// ```
    pub const fn heartbeat() -> Self {
        Self::plain(Bytes::from_static(b":\n\n"))
    }

    /// What makes a client forget the last id that it was sent: no event, for none has data.
    pub(crate) const fn no_id() -> Self {
        Self::plain(Bytes::from_static(b"id:\n\n"))
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
        Self::plain(bytes)
    }

    const fn plain(bytes: Bytes) -> Self {
        Self {
            bytes,
            shared: None,
            is_sensitive: false,
        }
    }

    /// The same event, to be sent on many streams: it is compressed once for all that are in step
    /// (those that were sent the same shared event just before it), and once more for all that are
    /// not. One allocation.
    ///
    /// All clones of what this returns share that work; frames that were cloned before do not. An
    /// event that goes to one stream has no use for it.
    ///
    /// ```
    /// # use sidereal_sse::{Event, IntoFrame, Sender};
    /// # async fn tell(everyone: &[Sender]) {
    /// let frame = Event::new("to all").into_frame().shared();
    /// for tx in everyone {
    ///     let _ = tx.try_send(&frame);
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn shared(mut self) -> Self {
        if self.shared.is_none() {
            self.shared = Some(Arc::new(Shared::new()));
        }
        self
    }

    /// The same event, marked as one that holds a secret, such as a token: it is compressed alone,
    /// and nothing is compressed against it.
    ///
    /// Where text that an attacker chooses is compressed together with a secret, the length of the
    /// result tells how much of the two is equal, and so, guess by guess, the secret ([BREACH]).
    /// What stands within this one event is still compressed together.
    ///
    /// [BREACH]: https://www.breachattack.com/
    #[must_use]
    pub fn sensitive(mut self) -> Self {
        self.is_sensitive = true;
        self
    }

    /// Whether it is marked as [`sensitive`](Self::sensitive).
    pub fn is_sensitive(&self) -> bool {
        self.is_sensitive
    }

    /// Several events as one: sent, compressed and counted together. Empty ones are left out.
    ///
    /// It is sensitive if one of them is.
    ///
    /// ```
    /// # use sidereal_sse::{Event, Frame, IntoFrame};
    /// let both = Frame::join([Event::new("one").into_frame(), Event::new("two").into_frame()]);
    /// assert_eq!(both.as_bytes(), b"data: one\n\ndata: two\n\n");
    /// ```
    pub fn join(frames: impl IntoIterator<Item = Self>) -> Self {
        let mut frames: Vec<Self> = frames.into_iter().filter(|it| !it.is_empty()).collect();
        if frames.len() <= 1 {
            return frames.pop().unwrap_or_default();
        }
        let bytes: Vec<&[u8]> = frames.iter().map(Self::as_bytes).collect();
        let mut joined = Self::plain(bytes.concat().into());
        joined.is_sensitive = frames.iter().any(Self::is_sensitive);
        joined
    }

    /// Says which shared event goes before this one, for most who are sent both.
    pub(crate) fn comes_after(&self, before: &Self) {
        if let (Some(shared), Some(before)) = (self.sharing(), before.id()) {
            shared.comes_after(before);
        }
    }

    pub(crate) fn sharing(&self) -> Option<&Shared> {
        self.shared.as_deref()
    }

    pub(crate) fn id(&self) -> Option<FrameId> {
        self.sharing().map(Shared::id)
    }

    /// A copy of its last bytes.
    pub(crate) fn ending(&self, length: usize) -> Self {
        let start = self.bytes.len().saturating_sub(length);
        Self::plain(Bytes::copy_from_slice(&self.bytes[start..]))
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether this is a comment, such as a heartbeat, and no event.
    pub fn is_comment(&self) -> bool {
        self.bytes.starts_with(b":")
    }

    pub(crate) fn is_heartbeat(&self) -> bool {
        *self == Self::heartbeat()
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

/// Frames are equal if they are the same bytes.
impl PartialEq for Frame {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Frame {}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut frame = f.debug_struct("Frame");
        if self.is_sensitive {
            return frame
                .field("sensitive", &self.len())
                .finish_non_exhaustive();
        }
        frame.field("bytes", &self.bytes).finish_non_exhaustive()
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
