//! What tests do with hubs.

use std::time::{Duration, Instant};

use sidereal_sse::{Event, Hub, Lagged, Subscription, Topic, broker::Broker};

use crate::frames::text_and_id;

/// Waits until something is so.
pub(crate) async fn until(mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(30), "it never is so");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// As many connected hubs.
pub(crate) async fn hubs<const N: usize, B: Broker>(broker: impl Fn() -> B) -> [Hub; N] {
    let hubs = std::array::from_fn(|_| Hub::new().with_broker(broker(), Default::default()));
    for hub in &hubs {
        until(|| hub.is_connected()).await;
    }
    hubs
}

/// Follows, once what others send comes in.
pub(crate) async fn follow(topic: &Topic) -> Subscription {
    let mut subscription = topic.subscribe();
    subscription.ready().await;
    subscription
}

pub(crate) fn say(topic: &Topic, text: &str) {
    topic.publish(Event::new(text)).unwrap();
}

/// Says it, again and again while the broker is away.
pub(crate) async fn insist(topic: &Topic, text: &str) {
    let began = Instant::now();
    while let Err(error) = topic.publish(Event::new(text)) {
        assert!(error.is_away() && began.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The next event's text and id.
pub(crate) async fn next(
    subscription: &mut Subscription,
) -> Result<(String, Option<String>), Lagged> {
    let frame = tokio::time::timeout(Duration::from_secs(30), subscription.next_frame());
    let frame = frame.await.expect("no event comes").expect("no end")?;
    Ok(text_and_id(&frame))
}

pub(crate) async fn events(
    subscription: &mut Subscription,
    count: usize,
) -> Vec<(String, Option<String>)> {
    let mut events = Vec::new();
    for _ in 0..count {
        events.push(next(subscription).await.unwrap());
    }
    events
}

pub(crate) async fn texts(subscription: &mut Subscription, count: usize) -> Vec<String> {
    let events = events(subscription, count).await;
    events.into_iter().map(|(text, _)| text).collect()
}

/// That nothing comes, as far as can be told in a moment.
pub(crate) async fn nothing(subscription: &mut Subscription) {
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(subscription.try_next_frame().is_none());
}
