//! Topics with history, which is the broker's.

use sidereal_sse::{Connect, EventId, Lag, StartAt};

use super::*;

const CHAT: TopicOptions = TopicOptions::new().keep(1000).replay(true);

fn ids(events: &[(String, Option<String>)]) -> Vec<&str> {
    events
        .iter()
        .map(|(_, id)| id.as_deref().unwrap())
        .collect()
}

async fn events(subscription: &mut Subscription, count: usize) -> Vec<(String, Option<String>)> {
    let mut events = Vec::new();
    for _ in 0..count {
        events.push(next(subscription).await.unwrap());
    }
    events
}

#[tokio::test]
async fn every_node_has_the_same_events_in_the_same_order_with_the_same_ids() {
    let exchange = Exchange::default();
    let hubs: [Hub; 3] = hubs(&exchange).await;
    let topics = hubs.each_ref().map(|hub| hub.topic_with("chat", CHAT));
    let mut subscriptions = Vec::new();
    for topic in &topics {
        subscriptions.push(follow(topic).await);
    }
    for number in 0..50 {
        for (node, topic) in topics.iter().enumerate() {
            say(topic, &format!("{node}:{number}"));
        }
    }
    let first = events(&mut subscriptions[0], 150).await;
    assert!(ids(&first).is_sorted());
    for subscription in &mut subscriptions[1..] {
        assert_eq!(events(subscription, 150).await, first);
    }
    for node in 0..3 {
        let expected = (0..50).map(|number| format!("{node}:{number}"));
        let of_node = first.iter().map(|(text, _)| text);
        let of_node = of_node.filter(|text| text.starts_with(&format!("{node}:")));
        assert!(of_node.cloned().eq(expected));
    }
}

#[tokio::test]
async fn a_node_that_comes_later_has_what_was_before() {
    let exchange = Exchange::default();
    let [one] = hubs(&exchange).await;
    let options = CHAT.start_at(StartAt::Oldest);
    let chat = one.topic_with("chat", options);
    for number in 0..20 {
        chat.publish_confirmed(Event::new(number.to_string()))
            .await
            .unwrap();
    }
    let [other] = hubs(&exchange).await;
    let mut all = other.topic_with("chat", options).subscribe();
    assert_eq!(texts(&mut all, 20).await.last().unwrap(), "19");
    let newest = CHAT.start_at(StartAt::Newest);
    let [third] = hubs(&exchange).await;
    let mut last = third.topic_with("chat", newest).subscribe();
    assert_eq!(texts(&mut last, 1).await, ["19"]);
    let [fourth] = hubs(&exchange).await;
    let few = TopicOptions::new().keep(5).start_at(StartAt::Oldest);
    let mut some = fourth.topic_with("chat", few).subscribe();
    assert_eq!(texts(&mut some, 5).await, ["15", "16", "17", "18", "19"]);
    say(&chat, "20");
    for subscription in [&mut all, &mut last, &mut some] {
        assert_eq!(texts(subscription, 1).await, ["20"]);
    }
}

/// Reads a response to its end, or until nothing comes for a moment.
async fn read(connect: Connect, topics: &[Topic], id: Option<&str>) -> Vec<String> {
    use http_body_util::BodyExt as _;
    let _ = id;
    let mut body = connect.watch(topics).into_http().into_body();
    let mut texts = Vec::new();
    while let Ok(Some(Ok(frame))) =
        tokio::time::timeout(Duration::from_millis(100), body.frame()).await
    {
        let bytes = frame.into_data().unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        texts.extend(
            text.lines()
                .filter_map(|line| line.strip_prefix("data: ").map(str::to_owned)),
        );
    }
    texts
}

fn resumed(id: &str) -> Connect {
    EventId::new(id.to_owned()).unwrap();
    let request = http::Request::builder().header("last-event-id", id);
    Connect::from_request(&request.body(()).unwrap())
}

#[tokio::test]
async fn an_id_of_one_node_is_good_on_every_other() {
    let exchange = Exchange::default();
    let [one, other] = hubs(&exchange).await;
    let rooms = |hub: &Hub| ["a", "b"].map(|room| hub.topic_with(room, CHAT));
    let [a, b] = rooms(&one);
    let mut both = Subscription::to((&a, &b));
    both.ready().await;
    for number in 0..10 {
        say(&a, &format!("a{number}"));
        say(&b, &format!("b{number}"));
    }
    let seen = events(&mut both, 20).await;
    let all: Vec<_> = seen.iter().map(|(text, _)| text.clone()).collect();
    for (index, id) in ids(&seen).into_iter().enumerate() {
        // The topics of the other node are made only now, or are there already.
        let missed = read(resumed(id), &rooms(&other), Some(id)).await;
        assert_eq!(missed, all[index + 1..], "after {id}");
    }
    // An id of the future is no reason to repeat.
    assert!(
        read(resumed("00000000-0000000000ff"), &rooms(&other), None)
            .await
            .is_empty()
    );
    // One that is none of the log's is a new start.
    assert!(
        read(resumed("00000007-000000000001"), &rooms(&other), None)
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn what_the_log_does_not_have_any_more_is_a_new_start() {
    let exchange = Exchange::default();
    exchange.keep(5);
    let [one, other] = hubs(&exchange).await;
    let chat = one.topic_with("chat", CHAT.start_at(StartAt::Oldest));
    let mut here = follow(&chat).await;
    for number in 0..10 {
        say(&chat, &number.to_string());
    }
    let seen = events(&mut here, 10).await;
    let ids = ids(&seen);
    let there = [other.topic_with("chat", CHAT.start_at(StartAt::Oldest))];
    let newest = ["5", "6", "7", "8", "9"];
    assert_eq!(read(resumed(ids[4]), &there, None).await, newest, "resumed");
    assert_eq!(
        read(resumed(ids[5]), &there, None).await,
        newest[1..],
        "resumed"
    );
    assert_eq!(
        read(resumed(ids[3]), &there, None).await,
        newest,
        "a new start"
    );
}

#[tokio::test]
async fn a_connection_that_breaks_is_caught_up_with() {
    let exchange = Exchange::default();
    let [one, other] = hubs(&exchange).await;
    let chat = one.topic_with("chat", CHAT);
    let mut there = follow(&other.topic_with("chat", CHAT)).await;
    let mut expected = Vec::new();
    for number in 0..200 {
        let text = number.to_string();
        match number % 50 {
            10 => exchange.cut(),
            20 => exchange.break_after(1),
            30 => exchange.lose(2),
            40 => exchange.repeat(3),
            _ => {}
        }
        // Away for a moment, but known to be so only after a while.
        while chat.publish(Event::new(text.clone())).is_err() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        expected.push(text);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    // What was lost last is noticed by what comes after it.
    assert_eq!(texts(&mut there, 200).await, expected);
    nothing(&mut there).await;
}

#[tokio::test]
async fn a_log_that_was_lost_is_another_one() {
    let exchange = Exchange::default();
    let [one, other] = hubs(&exchange).await;
    let chat = one.topic_with("chat", CHAT);
    let mut there = follow(&other.topic_with("chat", CHAT)).await;
    let resuming = CHAT.lag(Lag::Resume);
    let mut other_room = follow(&other.topic_with("room", resuming)).await;
    for text in ["a", "b", "c"] {
        say(&chat, text);
        say(&one.topic_with("room", resuming), text);
    }
    let seen = events(&mut there, 3).await;
    assert_eq!(texts(&mut other_room, 3).await, ["a", "b", "c"]);
    exchange.go_down();
    exchange.wipe();
    exchange.come_up();
    assert!(
        next(&mut there).await.is_err(),
        "nobody knows what was in it"
    );
    until(|| one.is_connected() && other.is_connected()).await;
    chat.publish_confirmed(Event::new("d")).await.unwrap();
    let again = [other.topic_with("chat", CHAT)];
    let last = seen.last().unwrap().1.as_deref().unwrap();
    assert!(
        read(resumed(last), &again, None).await.is_empty(),
        "another log"
    );
    until(|| {
        one.topic_with("room", resuming)
            .publish(Event::new("d"))
            .is_ok()
    })
    .await;
    assert_eq!(texts(&mut other_room, 1).await, ["d"]);
    assert_eq!(other_room.missed(), 1);
}

#[tokio::test]
async fn the_newest_only_comes_from_the_log_too() {
    let exchange = Exchange::default();
    let [one, other] = hubs(&exchange).await;
    let state = one.topic_with("state", TopicOptions::newest_only());
    for number in 0..10 {
        state
            .publish_confirmed(Event::new(number.to_string()))
            .await
            .unwrap();
    }
    let mut there = other
        .topic_with("state", TopicOptions::newest_only())
        .subscribe();
    assert_eq!(texts(&mut there, 1).await, ["9"]);
    exchange.go_down();
    until(|| !one.is_connected() && !other.is_connected()).await;
    assert!(!state.publish(Event::new("lost")).unwrap_err().is_local());
    exchange.come_up();
    until(|| state.publish(Event::new("10")).is_ok()).await;
    assert_eq!(texts(&mut there, 1).await, ["10"]);
}

/// What is after a number in one log is not what is after it in another.
#[tokio::test]
async fn a_log_that_is_another_one_is_read_from_its_beginning() {
    const ALL: TopicOptions = CHAT.start_at(StartAt::Oldest);
    let exchange = Exchange::default();
    let [one, other] = hubs(&exchange).await;
    let mut there = follow(&other.topic_with("chat", ALL)).await;
    for text in ["a", "b", "c"] {
        say(&one.topic_with("chat", ALL), text);
    }
    assert_eq!(texts(&mut there, 3).await, ["a", "b", "c"]);
    exchange.wipe();
    exchange.lose_stored(5);
    for text in ["d", "e", "f", "g", "h"] {
        let chat = one.topic_with("chat", ALL);
        chat.publish_confirmed(Event::new(text)).await.unwrap();
    }
    exchange.cut();
    assert!(next(&mut there).await.is_err());
    let mut again = follow(&other.topic_with("chat", ALL)).await;
    assert_eq!(texts(&mut again, 5).await, ["d", "e", "f", "g", "h"]);
}
