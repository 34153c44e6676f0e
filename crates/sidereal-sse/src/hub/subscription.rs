//! Following topics outside of a response.

use std::{
    error::Error,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_core::Stream;

use super::{
    Feed, Next, Plan,
    feed::{Following, Watch},
};
use crate::{Frame, wake::Wake};

/// The events of topics, for code that is no response: a [`Stream`] of frames.
///
/// It reads at its own pace from what the topics keep, and has no queue. The topics' policies hold
/// for it: where one is to close those that lag, it yields [`Lagged`], and then nothing more.
///
/// Dropped, it follows no more. Bodies that run for each connection
/// ([`EveryFor`](crate::EveryFor)) are not for this, and are left out.
///
/// ```
/// use sidereal_sse::{Event, Hub};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let news = Hub::new().topic("news");
/// let mut subscription = news.subscribe();
/// news.publish(Event::new("to all"))?;
/// let frame = subscription.next_frame().await.ok_or("no event")??;
/// assert_eq!(frame.as_bytes(), b"data: to all\n\n");
/// # Ok(()) }
/// ```
pub struct Subscription {
    feed: Option<Feed>,
    wake: Arc<Wake>,
    missed: u64,
}

impl Subscription {
    /// Follows whatever can be followed.
    pub fn to(what: impl Watch) -> Self {
        let mut following = Following(Plan::default());
        what.follow(&mut following);
        let wake = Arc::new(Wake::default());
        Self {
            feed: Some(following.0.begin(&wake, None)),
            wake,
            missed: 0,
        }
    }

    /// Waits until what is published on other nodes comes in: whatever the application reads after
    /// that, from a database, say, no event is missing between the two. Without a
    /// [broker](crate::broker) that is at once; and while the broker is away there is nothing to wait
    /// for: who follows then learns later that it may have missed something.
    ///
    /// Streams do so by themselves, before [`on_connect`](crate::Sse::on_connect) runs.
    ///
    /// # Cancel safety
    ///
    /// May be dropped and called again at any time.
    pub async fn ready(&mut self) {
        std::future::poll_fn(|cx| {
            let Some(feed) = &mut self.feed else {
                return Poll::Ready(());
            };
            self.wake.sleeps(cx.waker());
            match feed.is_waiting() {
                true => Poll::Pending,
                false => Poll::Ready(()),
            }
        })
        .await;
    }

    /// The next event; waits until there is one.
    ///
    /// # Errors
    ///
    /// When this read so slowly that a topic closes it ([`Lag::Close`](crate::Lag::Close)); after
    /// that there are no more events.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has taken no event.
    pub async fn next_frame(&mut self) -> Option<Result<Frame, Lagged>> {
        std::future::poll_fn(|cx| self.poll_frame(cx)).await
    }

    /// The next event that is there already.
    ///
    /// # Errors
    ///
    /// As [`next_frame`](Self::next_frame).
    pub fn try_next_frame(&mut self) -> Option<Result<Frame, Lagged>> {
        loop {
            return match self.feed.as_mut()?.next(u64::MAX) {
                Next::Event { frame, missed } => {
                    self.missed += missed;
                    Some(Ok(frame))
                }
                Next::Missed(missed) => {
                    self.missed += missed;
                    continue;
                }
                Next::Lagged(missed) => {
                    self.feed = None;
                    self.missed += missed;
                    Some(Err(Lagged { missed }))
                }
                Next::Nothing | Next::Done | Next::Failed => None,
            };
        }
    }

    /// How many events this has missed so far, of topics that go on with what they keep
    /// ([`Lag::Resume`](crate::Lag::Resume)).
    pub fn missed(&self) -> u64 {
        self.missed
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Lagged>>> {
        if let Some(next) = self.try_next_frame() {
            return Poll::Ready(Some(next));
        }
        if self.feed.is_none() {
            return Poll::Ready(None);
        }
        self.wake.sleeps(cx.waker());
        // What came in between would wake nobody.
        match self.try_next_frame() {
            Some(next) => Poll::Ready(Some(next)),
            None => Poll::Pending,
        }
    }
}

impl Stream for Subscription {
    type Item = Result<Frame, Lagged>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_frame(cx)
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("missed", &self.missed)
            .finish_non_exhaustive()
    }
}

/// Why a [`Subscription`] ended: it read so slowly that events were gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lagged {
    missed: u64,
}

impl Lagged {
    /// How many events were gone when that was noticed.
    pub fn missed(self) -> u64 {
        self.missed
    }
}

impl fmt::Display for Lagged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "read too slowly: {} events are gone", self.missed)
    }
}

impl Error for Lagged {}
