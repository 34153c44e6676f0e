//! A response body whose end waits for what came before it.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::{
    BoxError,
    outbox::{Chunk, Outbox},
};

/// A body that ends with so little unwritten may end at once: HTTP/2 then closes the stream with
/// its last data frame, and not with an empty one after it. No task is left then that could reset the
/// stream of a reader who never reads it, so it is this little.
const SMALL: usize = 1 << 10;

pin_project! {
    /// A body that counts its chunks in an [`Outbox`], and holds its end back until they are written.
    ///
    /// - An error makes servers throw away what they have not written (HTTP/1.1: with the connection,
    ///   HTTP/2: with `RST_STREAM`). Held back, a stream that is broken on purpose loses nothing of
    ///   what it sent to a client that reads.
    /// - Of a clean end on HTTP/2, no task is left that could notice a reader which has stalled.
    pub(super) struct Tracked<B: Body> {
        // `None` for a response without one.
        #[pin]
        body: Option<B>,
        outbox: Arc<Outbox>,
        http2: bool,
        // In a box: there is one for each viewer, and it is needed once.
        last: Option<Box<Last<B>>>,
    }
}

/// The end, held back: an error, trailers, or nothing more.
type Last<B> = Option<Result<Frame<Chunk<<B as Body>::Data>>, BoxError>>;

impl<B: Body> Tracked<B> {
    pub(super) fn new(body: B, outbox: Arc<Outbox>, http2: bool) -> Self {
        Self {
            body: Some(body),
            outbox,
            http2,
            last: None,
        }
    }

    /// A body that has ended.
    pub(super) fn empty(outbox: Arc<Outbox>, http2: bool) -> Self {
        Self {
            body: None,
            outbox,
            http2,
            last: None,
        }
    }
}

impl<B: Body<Error: Into<BoxError>>> Body for Tracked<B> {
    type Data = Chunk<B::Data>;
    /// Boxed, since a held error is in a task that may move between threads.
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.project();
        let Some(body) = this.body.as_pin_mut() else {
            return Poll::Ready(None);
        };
        if this.last.is_none() {
            let next = ready!(body.poll_frame(cx));
            let next = next.map(|next| {
                next.map(|frame| frame.map_data(|data| Chunk::new(data, this.outbox)))
                    .map_err(Into::into)
            });
            let goes_on = matches!(&next, Some(Ok(frame)) if frame.is_data());
            let is_error = matches!(&next, Some(Err(_)));
            if goes_on || !(*this.http2 || is_error) {
                return Poll::Ready(next);
            }
            *this.last = Some(Box::new(next));
        }
        ready!(this.outbox.poll_empty(cx));
        Poll::Ready(this.last.take().and_then(|last| *last))
    }

    fn is_end_stream(&self) -> bool {
        self.last.is_none()
            && self.body.as_ref().is_none_or(|body| body.is_end_stream())
            && (!self.http2 || self.outbox.bytes() <= SMALL)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Some(body) => body.size_hint(),
            None => SizeHint::with_exact(0),
        }
    }
}
