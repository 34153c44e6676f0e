//! How much of a response was handed to the server and has not reached the socket.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use atomic_waker::AtomicWaker;
use bytes::{Buf, Bytes};
use tokio::time::Instant;

/// The unwritten bytes of one response.
///
/// hyper keeps a body's chunks until they are copied into its write buffer (small ones) or are with
/// the kernel: through [`Chunk`] they tell of it. HTTP/2's flow control holds chunks back above the
/// socket, where no write is ever pending; this is where that shows.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    bytes: AtomicUsize,
    /// Somebody waits for it to be empty.
    is_awaited: AtomicBool,
    when_empty: AtomicWaker,
    /// When bytes were last written, or were first there to be written; where that is of use.
    progress: Option<Box<Mutex<Option<Instant>>>>,
}

impl Outbox {
    /// An outbox that knows since when nothing has moved: HTTP/2's. On HTTP/1.1, the socket does.
    pub(super) fn timed() -> Self {
        Self {
            progress: Some(Box::default()),
            ..Self::default()
        }
    }

    /// Bytes that wait to be written.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::SeqCst)
    }

    /// Since when nothing has moved, or `None` when nothing waits.
    pub(super) fn stuck_since(&self) -> Option<Instant> {
        let progress = *lock(self.progress.as_ref()?);
        progress.filter(|_| self.bytes() > 0)
    }

    /// Ready when everything is written.
    pub(super) fn poll_empty(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.bytes() == 0 {
            return Poll::Ready(());
        }
        self.when_empty.register(cx.waker());
        self.is_awaited.store(true, Ordering::SeqCst);
        // Written in between, by whoever did not see that it is awaited.
        match self.bytes() {
            0 => Poll::Ready(()),
            _ => Poll::Pending,
        }
    }

    fn add(&self, bytes: usize) {
        let before = self.bytes.fetch_add(bytes, Ordering::SeqCst);
        if before == 0 {
            self.moves();
        }
    }

    fn wrote(&self, bytes: usize) {
        self.moves();
        let before = self.bytes.fetch_sub(bytes, Ordering::SeqCst);
        if before == bytes && self.is_awaited.swap(false, Ordering::SeqCst) {
            self.when_empty.wake();
        }
    }

    fn moves(&self) {
        if let Some(progress) = &self.progress {
            *lock(progress) = Some(Instant::now());
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
        let outbox = Arc::new(Outbox::timed());
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
