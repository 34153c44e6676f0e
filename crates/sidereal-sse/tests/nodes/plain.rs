//! Topics without history.

use super::*;

#[tokio::test]
async fn everyone_on_every_node_gets_what_is_published_on_any_in_order() {
    let exchange = Exchange::default();
    let hubs: [Hub; 3] = hubs(&exchange).await;
    let options = TopicOptions::new().keep(1000);
    let topics = hubs.each_ref().map(|hub| hub.topic_with("news", options));
    let mut subscriptions = Vec::new();
    for topic in &topics {
        subscriptions.push(follow(topic).await);
    }
    for (node, topic) in topics.iter().enumerate() {
        for number in 0..100 {
            say(topic, &format!("{node}:{number}"));
        }
    }
    for subscription in &mut subscriptions {
        let texts = texts(subscription, 300).await;
        for node in 0..3 {
            let of_node = texts
                .iter()
                .filter(|it| it.starts_with(&format!("{node}:")));
            let expected: Vec<_> = (0..100).map(|number| format!("{node}:{number}")).collect();
            assert!(of_node.eq(&expected));
        }
        nothing(subscription).await;
    }
}

#[tokio::test]
async fn a_topic_is_subscribed_to_while_somebody_follows_it() {
    let exchange = Exchange::default();
    let [one, other] = hubs(&exchange).await;
    let idle = exchange.subscriptions();
    let topic = one.topic("news");
    assert_eq!(exchange.subscriptions(), idle, "nobody follows");
    let first = follow(&topic).await;
    let second = follow(&topic).await;
    assert_eq!(exchange.subscriptions(), idle + 1, "once for the node");
    drop((first, second));
    until(|| exchange.subscriptions() == idle).await;
    // And again.
    let mut third = follow(&topic).await;
    say(&other.topic("news"), "again");
    assert_eq!(texts(&mut third, 1).await, ["again"]);
}

#[tokio::test]
async fn what_comes_twice_is_sent_once() {
    let exchange = Exchange::default();
    let [one, other] = hubs(&exchange).await;
    let mut subscription = follow(&other.topic("news")).await;
    exchange.repeat(3);
    let news = one.topic("news");
    ["a", "b", "c", "d"]
        .iter()
        .for_each(|text| say(&news, text));
    assert_eq!(texts(&mut subscription, 4).await, ["a", "b", "c", "d"]);
    nothing(&mut subscription).await;
}

#[tokio::test]
async fn who_misses_an_event_learns_it() {
    let exchange = Exchange::default();
    let [one, other] = hubs(&exchange).await;
    let mut subscription = follow(&other.topic("news")).await;
    let mut local = one.topic("news").subscribe();
    let news = one.topic("news");
    say(&news, "a");
    assert_eq!(texts(&mut subscription, 1).await, ["a"]);
    exchange.lose(1);
    say(&news, "b");
    nothing(&mut subscription).await;
    say(&news, "c");
    assert!(next(&mut subscription).await.is_err(), "b is missing");
    assert_eq!(texts(&mut local, 3).await, ["a", "b", "c"]);
}

#[tokio::test]
async fn what_cannot_be_read_is_missed() {
    let exchange = Exchange::default();
    let [one] = hubs(&exchange).await;
    let mut subscription = follow(&one.topic("news")).await;
    let mut other = follow(&one.topic("other")).await;
    exchange.inject("topic/news", &b"somebody else".to_vec().into());
    nothing(&mut subscription).await;
    // Of a later version.
    exchange.inject("topic/news", &vec![0xfa; 100].into());
    assert!(next(&mut subscription).await.is_err());
    nothing(&mut other).await;
    exchange.inject("nodes", &vec![0xfa; 100].into());
    nothing(&mut other).await;
}

#[tokio::test]
async fn what_was_perhaps_sent_is_sent_again_and_comes_once() {
    let exchange = Exchange::default();
    let [one, other] = hubs(&exchange).await;
    let mut subscription = follow(&other.topic("news")).await;
    say(&one.topic("news"), "a");
    assert_eq!(texts(&mut subscription, 1).await, ["a"]);
    exchange.break_after(1);
    // It comes in before the connection breaks, and again after it.
    say(&one.topic("news"), "b");
    assert_eq!(texts(&mut subscription, 1).await, ["b"]);
    until(|| one.is_connected() && other.is_connected()).await;
    say(&one.topic("news"), "c");
    assert_eq!(texts(&mut subscription, 1).await, ["c"]);
}

#[tokio::test]
async fn a_hub_that_is_gone_leaves_nothing_behind() {
    let exchange = Exchange::default();
    let hubs: [Hub; 3] = hubs(&exchange).await;
    until(|| hubs.iter().all(|hub| hub.nodes() == 3)).await;
    let topic = hubs[0].topic("news");
    let subscription = follow(&topic).await;
    let [gone, left, also_left] = hubs;
    drop(gone);
    assert_eq!(exchange.links(), 3, "the topic holds it");
    drop((topic, subscription));
    until(|| exchange.links() == 2).await;
    until(|| left.nodes() == 2 && also_left.nodes() == 2).await;
}

#[tokio::test]
async fn events_that_the_broker_does_not_take_are_an_error() {
    let exchange = Exchange::default();
    let [one] = hubs(&exchange).await;
    let topic = one.topic("news");
    let error = topic.publish(Event::new("x".repeat(100_000))).unwrap_err();
    assert!(error.is_too_large(), "{error}");
    topic.publish(Event::new("x".repeat(99_900))).unwrap();
    topic.publish_confirmed(Event::new("x")).await.unwrap();
}
