//! What every broker does.

use std::time::Duration;

use nodes::Server;
use sidereal_sse::{
    Event, Hub, StartAt, TopicOptions,
    broker::{Broker, BrokerOptions, WhenAway},
};

use crate::page::{events, follow, hubs, insist, next, nothing, say, texts, until};

/// A broker with a server that is there for one test.
pub(crate) trait Engine: Sized {
    /// Starts a server; `None` where there is none.
    async fn start() -> Option<Self>;
    fn server(&self) -> &Server;
    /// The broker, in a namespace.
    fn broker(&self, namespace: &str) -> impl Broker;
}

/// The tests, for one engine.
macro_rules! contract {
    ($engine:ty: $($test:ident)*) => {$(
        #[tokio::test]
        async fn $test() {
            if let Some(engine) = <$engine as $crate::contract::Engine>::start().await {
                $crate::contract::$test(engine).await;
            }
        }
    )*};
    ($engine:ty) => {
        contract! { $engine:
            plain_topics_fan_out_in_order
            logs_are_the_same_on_all_nodes
            a_node_that_comes_later_has_what_was_before
            names_of_any_kind
            namespaces_do_not_mix
            the_server_is_killed_and_comes_back
            a_log_that_was_wiped_is_another_one
            what_waits_arrives_later
            a_server_that_stands_still_is_noticed
            many_topics
            large_events
        }
    };
}

const LOG: TopicOptions = TopicOptions::new().keep(1000).replay(true);

pub(crate) async fn plain_topics_fan_out_in_order(engine: impl Engine) {
    let hubs: [Hub; 3] = hubs(|| engine.broker("a")).await;
    let topics = hubs
        .each_ref()
        .map(|hub| hub.topic_with("news", TopicOptions::new().keep(2000)));
    let mut subscriptions = Vec::new();
    for topic in &topics {
        subscriptions.push(follow(topic).await);
    }
    for number in 0..300 {
        for (node, topic) in topics.iter().enumerate() {
            say(topic, &format!("{node}:{number}"));
        }
    }
    for subscription in &mut subscriptions {
        let texts = texts(subscription, 900).await;
        for node in 0..3 {
            let expected = (0..300).map(|number| format!("{node}:{number}"));
            let of_node = texts
                .iter()
                .filter(|text| text.starts_with(&format!("{node}:")));
            assert!(of_node.cloned().eq(expected));
        }
        nothing(subscription).await;
    }
}

pub(crate) async fn logs_are_the_same_on_all_nodes(engine: impl Engine) {
    let hubs: [Hub; 3] = hubs(|| engine.broker("a")).await;
    let mut subscriptions = Vec::new();
    for hub in &hubs {
        subscriptions.push(follow(&hub.topic_with("chat", LOG)).await);
    }
    for number in 0..50 {
        for (node, hub) in hubs.iter().enumerate() {
            say(&hub.topic_with("chat", LOG), &format!("{node}:{number}"));
        }
    }
    let first = events(&mut subscriptions[0], 150).await;
    assert!(first.iter().map(|(_, id)| id).is_sorted());
    for subscription in &mut subscriptions[1..] {
        assert_eq!(events(subscription, 150).await, first);
    }
    for node in 0..3 {
        let expected = (0..50).map(|number| format!("{node}:{number}"));
        let texts = first.iter().map(|(text, _)| text);
        let of_node = texts.filter(|text| text.starts_with(&format!("{node}:")));
        assert!(of_node.cloned().eq(expected));
    }
}

pub(crate) async fn a_node_that_comes_later_has_what_was_before(engine: impl Engine) {
    let [one] = hubs(|| engine.broker("a")).await;
    let options = LOG.start_at(StartAt::Oldest);
    let chat = one.topic_with("chat", options);
    let mut here = follow(&chat).await;
    for number in 0..300 {
        say(&chat, &number.to_string());
    }
    let all = events(&mut here, 300).await;
    let [other] = hubs(|| engine.broker("a")).await;
    let mut there = other.topic_with("chat", options).subscribe();
    assert_eq!(events(&mut there, 300).await, all);
    let few = TopicOptions::new()
        .keep(5)
        .replay(true)
        .start_at(StartAt::Oldest);
    let [third] = hubs(|| engine.broker("a")).await;
    let mut some = third.topic_with("chat", few).subscribe();
    assert_eq!(events(&mut some, 5).await, all[295..]);
    let newest = TopicOptions::newest_only().replay(true);
    let [fourth] = hubs(|| engine.broker("a")).await;
    let mut last = fourth.topic_with("chat", newest).subscribe();
    assert_eq!(events(&mut last, 1).await, all[299..]);
    say(&chat, "300");
    for subscription in [&mut there, &mut some, &mut last] {
        assert_eq!(texts(subscription, 1).await, ["300"]);
        nothing(subscription).await;
    }
    let mut empty = other.topic_with("empty", options).subscribe();
    nothing(&mut empty).await;
}

pub(crate) async fn names_of_any_kind(engine: impl Engine) {
    let [one, other] = hubs(|| engine.broker("a")).await;
    let names = [
        "",
        "a b",
        "*",
        ">",
        "a.b",
        "ü\u{1f4a9}",
        "/",
        "%",
        "a\r\nb",
        "{a}",
    ];
    for options in [TopicOptions::new(), LOG] {
        let topic = |hub: &Hub, name: &str| {
            hub.topic_with(
                sidereal_sse::TopicName::new(name).with(options.keep(9) == options),
                options,
            )
        };
        let mut there = Vec::new();
        for name in names {
            there.push(follow(&topic(&other, name)).await);
        }
        for name in names {
            say(&topic(&one, name), &format!("to {}", name.trim().len()));
        }
        for (name, subscription) in names.iter().zip(&mut there) {
            let expected = format!("to {}", name.trim().len());
            assert_eq!(texts(subscription, 1).await, [expected], "{name:?}");
            nothing(subscription).await;
        }
    }
}

pub(crate) async fn namespaces_do_not_mix(engine: impl Engine) {
    let [a] = hubs(|| engine.broker("a")).await;
    let [b] = hubs(|| engine.broker("b")).await;
    for options in [TopicOptions::new(), LOG.start_at(StartAt::Oldest)] {
        let name = format!("{}", options == TopicOptions::new());
        let mut of_a = follow(&a.topic_with(&*name, options)).await;
        let mut of_b = follow(&b.topic_with(&*name, options)).await;
        say(&a.topic_with(&*name, options), "a");
        say(&b.topic_with(&*name, options), "b");
        assert_eq!(texts(&mut of_a, 1).await, ["a"]);
        assert_eq!(texts(&mut of_b, 1).await, ["b"]);
        nothing(&mut of_a).await;
        nothing(&mut of_b).await;
    }
    assert_eq!((a.nodes(), b.nodes()), (1, 1));
}

pub(crate) async fn the_server_is_killed_and_comes_back(engine: impl Engine) {
    let [one, other] = hubs(|| engine.broker("a")).await;
    let (chat, news) = (one.topic_with("chat", LOG), one.topic("news"));
    let mut log = follow(&other.topic_with("chat", LOG)).await;
    let mut here = follow(&chat).await;
    let mut plain = follow(&other.topic("news")).await;
    let mut expected = Vec::new();
    for round in 0..3 {
        for number in 0..100 {
            let text = format!("{round}:{number}");
            insist(&chat, &text).await;
            expected.push(text);
            if number == 50 {
                engine.server().kill();
                until(|| !one.is_connected()).await;
                assert!(chat.publish(Event::new("x")).unwrap_err().is_away());
                assert!(news.publish(Event::new("x")).unwrap_err().is_away());
                engine.server().restart().await;
            }
        }
        while let Ok((text, _)) = next(&mut plain).await {
            assert_eq!(text, "x", "on its way");
        }
        until(|| one.is_connected() && other.is_connected()).await;
        plain = follow(&other.topic("news")).await;
    }
    let seen = events(&mut log, 300).await;
    assert!(seen.iter().map(|(text, _)| text).eq(&expected));
    assert_eq!(events(&mut here, 300).await, seen);
    nothing(&mut log).await;
    let [third] = hubs(|| engine.broker("a")).await;
    let all = third.topic_with("chat", LOG.start_at(StartAt::Oldest));
    assert_eq!(events(&mut all.subscribe(), 300).await, seen);
}

pub(crate) async fn a_log_that_was_wiped_is_another_one(engine: impl Engine) {
    let [one, other] = hubs(|| engine.broker("a")).await;
    let chat = one.topic_with("chat", LOG);
    let mut there = follow(&other.topic_with("chat", LOG)).await;
    for text in ["a", "b", "c"] {
        say(&chat, text);
    }
    let before = events(&mut there, 3).await;
    engine.server().wipe().await;
    assert!(
        next(&mut there).await.is_err(),
        "nobody knows what was in it"
    );
    until(|| one.is_connected() && other.is_connected()).await;
    let mut again = follow(&other.topic_with("chat", LOG)).await;
    for text in ["d", "e", "f"] {
        insist(&chat, text).await;
    }
    let after = events(&mut again, 3).await;
    assert_eq!(after[0].0, "d");
    let epoch = |events: &[(String, Option<String>)]| events[0].1.as_ref().unwrap()[..8].to_owned();
    assert_ne!(epoch(&before), epoch(&after));
}

pub(crate) async fn what_waits_arrives_later(engine: impl Engine) {
    let [other] = hubs(|| engine.broker("a")).await;
    let options = BrokerOptions::new().when_away(WhenAway::Hold);
    let one = Hub::new().with_broker(engine.broker("a"), options);
    until(|| one.is_connected()).await;
    let mut log = follow(&other.topic_with("chat", LOG)).await;
    engine.server().kill();
    until(|| !one.is_connected() && !other.is_connected()).await;
    for number in 0..300 {
        say(&one.topic_with("chat", LOG), &number.to_string());
    }
    let chat = one.topic_with("chat", LOG);
    let confirmed = chat.publish_confirmed(Event::new("300"));
    let (confirmed, ()) = tokio::join!(confirmed, engine.server().restart());
    confirmed.unwrap();
    let expected: Vec<_> = (0..=300).map(|number| number.to_string()).collect();
    assert_eq!(texts(&mut log, 301).await, expected);
    nothing(&mut log).await;
}

pub(crate) async fn a_server_that_stands_still_is_noticed(engine: impl Engine) {
    let [one, other] = hubs(|| engine.broker("a")).await;
    let mut log = follow(&other.topic_with("chat", LOG)).await;
    let chat = one.topic_with("chat", LOG);
    say(&chat, "a");
    assert_eq!(texts(&mut log, 1).await, ["a"]);
    engine.server().stop();
    say(&chat, "b");
    until(|| !one.is_connected() && !other.is_connected()).await;
    engine.server().cont();
    insist(&chat, "c").await;
    assert_eq!(texts(&mut log, 2).await, ["b", "c"]);
    nothing(&mut log).await;
}

pub(crate) async fn many_topics(engine: impl Engine) {
    let [one, other] = hubs(|| engine.broker("a")).await;
    for options in [TopicOptions::new(), LOG] {
        let name = |number| format!("{number} {}", options == LOG);
        let topics: Vec<_> = (0..300)
            .map(|it| other.topic_with(name(it), options))
            .collect();
        let mut subscriptions: Vec<_> = topics.iter().map(|topic| topic.subscribe()).collect();
        for subscription in &mut subscriptions {
            subscription.ready().await;
        }
        for number in 0..300 {
            say(&one.topic_with(name(number), options), &number.to_string());
        }
        for (number, subscription) in subscriptions.iter_mut().enumerate() {
            assert_eq!(texts(subscription, 1).await, [number.to_string()]);
        }
        // What is not followed any more does not come in, and what is again does.
        drop(subscriptions);
        drop(topics);
        tokio::time::sleep(Duration::from_secs(6)).await;
        let topic = other.topic_with(name(7), options);
        let mut again = follow(&topic).await;
        say(&one.topic_with(name(7), options), "again");
        assert_eq!(texts(&mut again, 1).await, ["again"]);
    }
}

pub(crate) async fn large_events(engine: impl Engine) {
    let [one, other] = hubs(|| engine.broker("a")).await;
    for options in [TopicOptions::new(), LOG] {
        let name = format!("{}", options == LOG);
        let mut there = follow(&other.topic_with(&*name, options)).await;
        let topic = one.topic_with(&*name, options);
        for length in [1, 1000, 100_000, 900_000] {
            let text = "x".repeat(length);
            topic
                .publish_confirmed(Event::new(text.clone()))
                .await
                .unwrap();
            assert_eq!(texts(&mut there, 1).await, [text]);
        }
    }
}
