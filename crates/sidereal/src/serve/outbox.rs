//! How much of a response was handed to the server and has not reached the socket.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bytes::{Buf, Bytes};
use tokio::time::Instant;

/// The unwritten bytes of one response.
///
/// hyper keeps a body's chunks until they are copied into its write buffer (small ones) or are with
/// the kernel: through [`Chunk`] they tell of it. HTTP/2's flow control holds chunks back above the
/// socket, where no write is ever pending; this is where that shows.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    bytes: usize,
    /// When bytes were last written, or were first there to be written.
    progress: Option<Instant>,
    when_empty: Option<Waker>,
}

impl Outbox {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes that wait to be written.
    pub(super) fn bytes(&self) -> usize {
        self.state().bytes
    }

    /// Since when nothing has moved, or `None` when nothing waits.
    pub(super) fn stuck_since(&self) -> Option<Instant> {
        let state = self.state();
        state.progress.filter(|_| state.bytes > 0)
    }

    /// Ready when everything is written.
    pub(super) fn poll_empty(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if state.bytes == 0 {
            return Poll::Ready(());
        }
        state.when_empty = Some(cx.waker().clone());
        Poll::Pending
    }

    fn add(&self, bytes: usize) {
        let mut state = self.state();
        if state.bytes == 0 {
            state.progress = Some(Instant::now());
        }
        state.bytes += bytes;
    }

    fn wrote(&self, bytes: usize) {
        let mut state = self.state();
        state.bytes = state.bytes.saturating_sub(bytes);
        state.progress = Some(Instant::now());
        if state.bytes == 0
            && let Some(waker) = state.when_empty.take()
        {
            drop(state);
            waker.wake();
        }
    }
}

/// A piece of a body, counted in the outbox until it is written or dropped.
#[derive(Debug)]
pub(super) struct Chunk<D> {
    data: D,
    counted: usize,
    outbox: Arc<Outbox>,
}

impl<D: Buf> Chunk<D> {
    pub(super) fn new(data: D, outbox: &Arc<Outbox>) -> Self {
        let counted = data.remaining();
        if counted > 0 {
            outbox.add(counted);
        }
        Self {
            data,
            counted,
            outbox: Arc::clone(outbox),
        }
    }
}

impl<D> Chunk<D> {
    fn wrote(&mut self, bytes: usize) {
        let bytes = bytes.min(self.counted);
        if bytes > 0 {
            self.counted -= bytes;
            self.outbox.wrote(bytes);
        }
    }
}

impl<D> Drop for Chunk<D> {
    fn drop(&mut self) {
        self.wrote(self.counted);
    }
}

impl<D: Buf> Buf for Chunk<D> {
    fn remaining(&self) -> usize {
        self.data.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.data.chunk()
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [std::io::IoSlice<'a>]) -> usize {
        self.data.chunks_vectored(slices)
    }

    fn advance(&mut self, count: usize) {
        self.data.advance(count);
        self.wrote(count);
    }

    fn copy_to_bytes(&mut self, length: usize) -> Bytes {
        let bytes = self.data.copy_to_bytes(length);
        self.wrote(length);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn counts_what_is_not_written() {
        let outbox = Arc::new(Outbox::default());
        assert_eq!(outbox.stuck_since(), None);
        let begun = Instant::now();
        let mut one = Chunk::new(&b"12345"[..], &outbox);
        let two = Chunk::new(&b"678"[..], &outbox);
        let _empty = Chunk::new(&b""[..], &outbox);
        assert_eq!(outbox.bytes(), 8);
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        assert_eq!(outbox.stuck_since(), Some(begun));
        one.advance(2);
        assert_eq!(outbox.stuck_since(), Some(Instant::now()));
        drop(one);
        assert_eq!(outbox.bytes(), 3);

        let emptied = tokio::spawn({
            let outbox = Arc::clone(&outbox);
            async move { std::future::poll_fn(|cx| outbox.poll_empty(cx)).await }
        });
        tokio::task::yield_now().await;
        assert!(!emptied.is_finished());
        drop(two);
        assert!(emptied.await.is_ok());
        assert_eq!(outbox.stuck_since(), None);
    }
}
