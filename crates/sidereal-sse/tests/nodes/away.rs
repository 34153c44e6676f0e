//! The broker goes away, and comes back.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use sidereal_sse::broker::{Broker, BrokerFuture, Deliver, Link};
use tokio::sync::Notify;

use super::{faulty::Late, *};

#[tokio::test]
async fn events_go_on_where_they_are_published_and_others_learn_that_they_missed_some() {
    let exchange = Exchange::default();
    let [one, other] = hubs(&exchange).await;
    let mut here = one.topic("news").subscribe();
    let mut there = follow(&other.topic("news")).await;
    exchange.go_down();
    until(|| !one.is_connected()).await;
    let error = one.topic("news").publish(Event::new("a")).unwrap_err();
    assert!(error.is_away() && error.is_local(), "{error}");
    assert_eq!(
        error.to_string(),
        "the broker is away: the event was sent on this node only"
    );
    let error = one.topic("news").publish_confirmed(Event::new("b")).await;
    assert!(error.unwrap_err().is_away());
    assert_eq!(texts(&mut here, 2).await, ["a", "b"]);
    nothing(&mut there).await;
    exchange.come_up();
    assert!(next(&mut there).await.is_err());
    until(|| one.is_connected() && other.is_connected()).await;
    let mut again = follow(&other.topic("news")).await;
    until(|| one.topic("news").publish(Event::new("c")).is_ok()).await;
    assert_eq!(texts(&mut again, 1).await, ["c"]);
}

/// Nobody follows or holds the topic here, and all the same the others learn it.
#[tokio::test]
async fn others_learn_of_events_that_nobody_here_has_any_more() {
    let exchange = Exchange::default();
    let one = hub(&exchange);
    until(|| one.is_connected()).await;
    exchange.go_down();
    until(|| !one.is_connected()).await;
    assert!(one.topic("news").publish(Event::new("a")).is_err());
    // The other one comes only now, and has followed all along as far as it knows.
    exchange.come_up();
    let other = hub(&exchange);
    let mut there = other.topic("news").subscribe();
    until(|| other.is_connected()).await;
    until(|| one.is_connected()).await;
    match next(&mut there).await {
        Err(_) => {}
        Ok((text, _)) => panic!("{text}"),
    }
}

#[tokio::test]
async fn events_wait_for_the_broker_where_they_may() {
    let exchange = Exchange::default();
    let [other] = hubs(&exchange).await;
    let mut chat = other
        .topic_with("chat", TopicOptions::new().replay(true))
        .subscribe();
    let one = holding_hub(&exchange);
    until(|| one.is_connected()).await;
    exchange.go_down();
    until(|| !one.is_connected() && !other.is_connected()).await;
    let replayed = one.topic_with("chat", TopicOptions::new().replay(true));
    for text in ["a", "b", "c"] {
        say(&replayed, text);
    }
    let confirmed = replayed.publish_confirmed(Event::new("d"));
    let up = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        exchange.come_up();
    };
    let (confirmed, ()) = tokio::join!(confirmed, up);
    confirmed.unwrap();
    assert_eq!(texts(&mut chat, 4).await, ["a", "b", "c", "d"]);
}

#[tokio::test]
async fn a_hub_is_flushed_when_the_broker_has_all_of_it() {
    let exchange = Exchange::default();
    let chat = |hub: &Hub| hub.topic_with("chat", TopicOptions::new().replay(true));
    let one = holding_hub(&exchange);
    until(|| one.is_connected()).await;
    one.flush().await;
    exchange.go_down();
    until(|| !one.is_connected()).await;
    for number in 0..300 {
        say(&one.topic("news"), &number.to_string());
        say(&chat(&one), &number.to_string());
    }
    let waits = tokio::time::timeout(Duration::from_millis(50), one.flush());
    assert!(waits.await.is_err());
    exchange.come_up();
    tokio::time::timeout(Duration::from_secs(20), one.flush())
        .await
        .unwrap();
    assert!(one.is_connected());
    assert_eq!((exchange.stored(), exchange.sent() >= 300), (300, true));
    // Without a broker there is nothing to wait for.
    Hub::new().flush().await;
}

#[tokio::test]
async fn not_more_wait_than_may() {
    let exchange = Exchange::default();
    exchange.go_down();
    let options = BrokerOptions::new()
        .when_away(WhenAway::Hold)
        .outbox(3, 10_000);
    let hub = Hub::new().with_broker(exchange.clone(), options);
    let news = hub.topic("news");
    for _ in 0..3 {
        say(&news, "x");
    }
    let error = news.publish(Event::new("x")).unwrap_err();
    assert!(error.is_full() && error.is_local(), "{error}");
    let chat = hub.topic_with("chat", TopicOptions::new().replay(true));
    say(&chat, &"x".repeat(9000));
    let error = chat.publish(Event::new("x".repeat(2000))).unwrap_err();
    assert!(error.is_full() && !error.is_local(), "{error}");
}

#[tokio::test]
async fn before_the_first_answer_nothing_is_refused() {
    let exchange = Exchange::default();
    let [other] = hubs(&exchange).await;
    let mut subscription = follow(&other.topic("news")).await;
    let one = hub(&exchange);
    say(&one.topic("news"), "early");
    assert_eq!(texts(&mut subscription, 1).await, ["early"]);
}

/// A broker whose library panics, once.
struct Panicking(Exchange, AtomicBool);

impl Broker for Panicking {
    fn connect(&self, deliver: Deliver) -> BrokerFuture<'_, Arc<dyn Link>> {
        assert!(self.1.swap(true, Ordering::SeqCst), "no certificates");
        self.0.connect(deliver)
    }
}

#[tokio::test]
async fn a_broker_that_panics_is_away() {
    let exchange = Exchange::default();
    let [other] = hubs(&exchange).await;
    let mut there = follow(&other.topic("news")).await;
    let broker = Panicking(exchange, AtomicBool::new(false));
    let one = Hub::new().with_broker(broker, BrokerOptions::new());
    until(|| one.is_connected()).await;
    say(&one.topic("news"), "a");
    assert_eq!(texts(&mut there, 1).await, ["a"]);
}

#[tokio::test]
async fn that_an_event_is_missing_is_known_before_later_ones_come() {
    let exchange = Exchange::default();
    let [other] = hubs(&exchange).await;
    let mut there = follow(&other.topic("news")).await;
    let is_there = Arc::new(Notify::new());
    let options = BrokerOptions::new().outbox(10, 1000);
    let one = Hub::new().with_broker(Late(exchange, is_there.clone()), options);
    // Nobody holds the topic in between: it knows of no earlier events.
    say(&one.topic("news"), "a");
    let long = Event::new("x".repeat(2000));
    assert!(one.topic("news").publish(long).unwrap_err().is_full());
    say(&one.topic("news"), "b");
    is_there.notify_one();
    let missed = match next(&mut there).await {
        Ok((text, _)) if text == "a" => next(&mut there).await,
        other => other,
    };
    assert!(missed.is_err(), "{missed:?}");
}

/// Two nodes, the second of which is followed on two topics, and cut off.
async fn cut_off(exchange: &Exchange) -> ([Hub; 2], [Subscription; 2]) {
    let [one] = hubs(exchange).await;
    let [other] = hubs(exchange).await;
    until(|| one.nodes() == 2 && other.nodes() == 2).await;
    let news = follow(&other.topic("news")).await;
    let mut quiet = follow(&other.topic("quiet")).await;
    say(&one.topic("quiet"), "before");
    assert_eq!(texts(&mut quiet, 1).await, ["before"]);
    exchange.isolate_newest();
    until(|| !other.is_connected()).await;
    ([one, other], [news, quiet])
}

/// Long enough for the nodes to have told each other what they have sent.
async fn all_is_told() {
    tokio::time::sleep(Duration::from_secs(4)).await;
}

#[tokio::test]
async fn who_was_cut_off_learns_what_was_sent_meanwhile_and_nobody_else_does() {
    let exchange = Exchange::default();
    let ([one, _other], [mut news, mut quiet]) = cut_off(&exchange).await;
    say(&one.topic("news"), "missed");
    exchange.come_up();
    assert!(next(&mut news).await.is_err());
    all_is_told().await;
    nothing(&mut quiet).await;
    say(&one.topic("quiet"), "after");
    assert_eq!(texts(&mut quiet, 1).await, ["after"]);
}

#[tokio::test]
async fn who_was_cut_off_learns_it_before_later_events_come() {
    let exchange = Exchange::default();
    let ([one, other], [mut news, _quiet]) = cut_off(&exchange).await;
    say(&one.topic("news"), "missed");
    exchange.come_up();
    until(|| other.is_connected()).await;
    say(&one.topic("news"), "later");
    let missed = next(&mut news).await;
    assert!(missed.is_err(), "{missed:?}");
}

#[tokio::test]
async fn a_broker_that_was_away_and_nothing_was_sent_has_cost_nobody_anything() {
    let exchange = Exchange::default();
    let hubs: [Hub; 3] = hubs(&exchange).await;
    until(|| hubs.iter().all(|hub| hub.nodes() == 3)).await;
    let mut subscriptions = Vec::new();
    for hub in &hubs {
        subscriptions.push(follow(&hub.topic("news")).await);
    }
    say(&hubs[0].topic("news"), "before");
    for subscription in &mut subscriptions {
        assert_eq!(texts(subscription, 1).await, ["before"]);
    }
    exchange.go_down();
    until(|| hubs.iter().all(|hub| !hub.is_connected())).await;
    exchange.come_up();
    until(|| hubs.iter().all(|hub| hub.is_connected())).await;
    all_is_told().await;
    for hub in &hubs {
        say(&hub.topic("news"), "after");
    }
    for subscription in &mut subscriptions {
        assert_eq!(texts(subscription, 3).await, ["after"; 3]);
    }
}

#[tokio::test]
async fn what_comes_in_between_two_connections_comes() {
    let exchange = Exchange::default();
    let [one, other] = hubs(&exchange).await;
    let mut there = follow(&other.topic("news")).await;
    exchange.late("topic/news");
    say(&one.topic("news"), "late");
    until(|| exchange.has_late()).await;
    exchange.cut();
    assert_eq!(texts(&mut there, 1).await, ["late"]);
    all_is_told().await;
    nothing(&mut there).await;
}
