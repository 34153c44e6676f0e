//! Bodies that a framework gives as a stream of chunks.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Buf;
use futures_core::Stream;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use super::announced;

/// A stream of chunks as a body, with the length that the request's head announces.
pub(crate) struct Chunks<S> {
    chunks: S,
    announced: SizeHint,
}

impl<S> Chunks<S> {
    pub(crate) fn new(chunks: S, headers: &HeaderMap) -> Self {
        Self {
            chunks,
            announced: announced(headers),
        }
    }
}

impl<S, D, E> Body for Chunks<S>
where
    S: Stream<Item = Result<D, E>> + Unpin,
    D: Buf,
{
    type Data = D;
    type Error = E;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<D>, E>>> {
        let next = Pin::new(&mut self.chunks).poll_next(cx);
        next.map(|chunk| chunk.map(|chunk| chunk.map(Frame::data)))
    }

    fn size_hint(&self) -> SizeHint {
        self.announced
    }
}
