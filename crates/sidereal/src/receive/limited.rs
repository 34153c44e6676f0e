//! Bodies under two limits: the framework's own, and the application's.

use std::{
    error::Error,
    fmt,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::body::{length, read_past_limit};
use crate::ReadSignalsError;

/// The whole body, of at most so many bytes, as the framework's own extractor reads it: its limit
/// counts too.
pub(crate) async fn receive_by<B, F>(
    body: B,
    limit: Option<usize>,
    extract: impl FnOnce(Limited<B>) -> F,
) -> Result<Bytes, ReadSignalsError>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: From<OverLimit>,
    F: Future<Output = Result<Bytes, ReadSignalsError>>,
{
    let room = limit.map_or(u64::MAX, |limit| limit as u64);
    let announced = body.size_hint().lower();
    let body = Limited::new(body, room, announced > room);
    if announced > room {
        read_past_limit(pin!(body)).await;
        return Err(ReadSignalsError::body_too_large());
    }
    let received = extract(body.clone()).await;
    let is_over = body.inner().is_over;
    match received {
        // What was decoded on the way may be longer than what came.
        Ok(bytes) if bytes.len() as u64 > room => Err(ReadSignalsError::body_too_large()),
        Err(error) if is_over || error.is_body_too_large() => {
            read_past_limit(pin!(body)).await;
            Err(ReadSignalsError::body_too_large())
        }
        received => received,
    }
}

/// A body that can still be read after what limits it has refused it and dropped it.
pub(crate) struct Limited<B>(Arc<Mutex<Inner<B>>>);

struct Inner<B> {
    body: B,
    /// How many bytes may still come.
    room: u64,
    /// Whether more came.
    is_over: bool,
}

impl<B> Limited<B> {
    fn new(body: B, room: u64, is_over: bool) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            body,
            room,
            is_over,
        })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner<B>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B> Clone for Limited<B> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<B> Body for Limited<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: From<OverLimit>,
{
    type Data = Bytes;
    type Error = B::Error;

    /// A frame that is more than there is room for is an error: whoever collects the body gives up.
    /// What comes after it is for who throws it away.
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut inner = self.inner();
        let polled = Pin::new(&mut inner.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && !inner.is_over
        {
            match inner.room.checked_sub(length(frame)) {
                Some(room) => inner.room = room,
                None => {
                    inner.is_over = true;
                    return Poll::Ready(Some(Err(OverLimit.into())));
                }
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner().body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner().body.size_hint()
    }
}

/// More came than the application's limit lets in.
#[derive(Debug)]
pub(crate) struct OverLimit;

impl fmt::Display for OverLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body is larger than the limit for signals")
    }
}

impl Error for OverLimit {}
