//! The response body that every server takes.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_core::Stream;
use http_body::SizeHint;

use crate::{Aborted, EndReason, Frame, Packing, lifecycle::Lifecycle, live::Live};

/// The body of an event stream: an [`http_body::Body`] and a [`Stream`] of bytes, `Send`, `Sync`
/// and `Unpin`, and fused.
///
/// One event a chunk; a reply that is compressed whole is one. Its error, [`Aborted`], is no failure: a server that sees it breaks the
/// response off, which is what makes a page come back.
pub struct SseBody {
    /// For `Sync`, which some servers ask of a body: the futures inside are `Send` only. Polls
    /// have the body to themselves, and take no lock.
    inner: Mutex<Inner>,
}

enum Inner {
    /// Nothing to send: the answer to a HEAD request, or a reply without events. It never begins.
    Nothing(SizeHint),
    /// A text that is no event stream.
    Text(Option<&'static str>),
    Known(Box<Known>),
    Live(Box<Live>),
}

/// All frames at hand: a body of known length.
struct Known {
    lifecycle: Lifecycle,
    frames: VecDeque<Frame>,
    /// All of them compressed, where they are.
    whole: Option<Bytes>,
    begun: bool,
}

impl SseBody {
    /// The answer to a HEAD request.
    pub(crate) fn nothing() -> Self {
        Self::new(Inner::Nothing(SizeHint::default()))
    }

    /// A refusal.
    pub(crate) fn text(text: &'static str) -> Self {
        Self::new(Inner::Text(Some(text)))
    }

    /// Events that are all at hand, and what they are compressed to.
    pub(crate) fn known(lifecycle: Lifecycle, frames: Vec<Frame>, whole: Option<Bytes>) -> Self {
        if frames.is_empty() {
            return Self::new(Inner::Nothing(SizeHint::with_exact(0)));
        }
        Self::new(Inner::Known(Box::new(Known {
            lifecycle,
            frames: frames.into(),
            whole,
            begun: false,
        })))
    }

    pub(crate) fn live(live: Live) -> Self {
        Self::new(Inner::Live(Box::new(live)))
    }

    fn new(inner: Inner) -> Self {
        Self {
            inner: Mutex::new(inner),
        }
    }

    fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Aborted>>> {
        match self.inner.get_mut().unwrap_or_else(PoisonError::into_inner) {
            Inner::Nothing(_) => Poll::Ready(None),
            Inner::Text(text) => Poll::Ready(
                text.take()
                    .map(|text| Ok(Bytes::from_static(text.as_bytes()))),
            ),
            Inner::Known(known) => Poll::Ready(known.next().map(Ok)),
            Inner::Live(live) => live.poll_bytes(cx),
        }
    }
}

impl Known {
    fn next(&mut self) -> Option<Bytes> {
        if !std::mem::replace(&mut self.begun, true) {
            self.lifecycle.begin();
        }
        if let Some(whole) = self.whole.take() {
            let mut sent = whole.len();
            for frame in self.frames.drain(..) {
                self.lifecycle.wrote(&frame, sent, Packing::Whole);
                sent = 0;
            }
            self.lifecycle.over(EndReason::Finished, None);
            return Some(whole);
        }
        let Some(frame) = self.frames.pop_front() else {
            self.lifecycle.over(EndReason::Finished, None);
            return None;
        };
        self.lifecycle.wrote(&frame, frame.len(), Packing::Identity);
        // A server that has announced the length does not ask for more than the last byte.
        if self.frames.is_empty() {
            self.lifecycle.over(EndReason::Finished, None);
        }
        Some(frame.into_bytes())
    }

    fn len(&self) -> u64 {
        match &self.whole {
            Some(whole) => whole.len() as u64,
            None => self.frames.iter().map(|frame| frame.len() as u64).sum(),
        }
    }
}

impl http_body::Body for SseBody {
    type Data = Bytes;
    type Error = Aborted;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Aborted>>> {
        self.get_mut()
            .poll_bytes(cx)
            .map(|next| next.map(|bytes| bytes.map(http_body::Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        // Not earlier than the stream counts as over: servers that see it do not poll again.
        match &*self.inner.lock().unwrap_or_else(PoisonError::into_inner) {
            Inner::Nothing(_) => true,
            Inner::Text(text) => text.is_none(),
            Inner::Known(known) => known.lifecycle.is_over(),
            Inner::Live(live) => live.is_over(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &*self.inner.lock().unwrap_or_else(PoisonError::into_inner) {
            Inner::Nothing(size) => *size,
            Inner::Text(text) => SizeHint::with_exact(text.map_or(0, |text| text.len() as u64)),
            Inner::Known(known) => SizeHint::with_exact(known.len()),
            Inner::Live(_) => SizeHint::default(),
        }
    }
}

impl Stream for SseBody {
    type Item = Result<Bytes, Aborted>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_bytes(cx)
    }
}

impl fmt::Debug for SseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SseBody").finish_non_exhaustive()
    }
}
