//! A hub on several nodes, by a broker in this process that does what it is told.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod again;
mod attacks;
mod away;
mod exchange;
mod faulty;
#[path = "../support/frames.rs"]
mod frames;
mod logs;
mod model;
mod page;
mod plain;
mod presence;
mod views;

use std::time::{Duration, Instant};

use exchange::Exchange;
use frames::text_and_id;
use sidereal_sse::{
    Event, Hub, Lagged, Subscription, Topic, TopicOptions,
    broker::{BrokerOptions, WhenAway},
};

fn hub(exchange: &Exchange) -> Hub {
    Hub::new().with_broker(exchange.clone(), BrokerOptions::new())
}

fn holding_hub(exchange: &Exchange) -> Hub {
    let options = BrokerOptions::new().when_away(WhenAway::Hold);
    Hub::new().with_broker(exchange.clone(), options)
}

/// As many connected hubs.
async fn hubs<const N: usize>(exchange: &Exchange) -> [Hub; N] {
    let hubs = std::array::from_fn(|_| hub(exchange));
    for hub in &hubs {
        until(|| hub.is_connected()).await;
    }
    hubs
}

/// Waits until something is so.
async fn until(mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(20), "it never is so");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Follows, once what others send comes in.
async fn follow(topic: &Topic) -> Subscription {
    let mut subscription = topic.subscribe();
    subscription.ready().await;
    subscription
}

fn say(topic: &Topic, text: &str) {
    topic.publish(Event::new(text)).unwrap();
}

/// The next event's text and id.
async fn next(subscription: &mut Subscription) -> Result<(String, Option<String>), Lagged> {
    let frame = tokio::time::timeout(Duration::from_secs(10), subscription.next_frame());
    let frame = frame.await.expect("no event comes").expect("no end")?;
    Ok(text_and_id(&frame))
}

async fn texts(subscription: &mut Subscription, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    for _ in 0..count {
        texts.push(next(subscription).await.unwrap().0);
    }
    texts
}

/// That nothing comes, as far as can be told in a moment.
async fn nothing(subscription: &mut Subscription) {
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert!(subscription.try_next_frame().is_none());
}
