//! What somebody with fresh eyes found to be wrong.

use std::sync::{Arc, atomic::Ordering};

use sidereal_sse::{Shutdown, StreamOptions};
use tokio::sync::Notify;

use super::{
    faulty::{Faults, Faulty, Late},
    page::{Page, connect, last_id},
    *,
};

#[tokio::test]
async fn what_the_broker_refuses_is_missed_by_who_comes_new() {
    let exchange = Exchange::default();
    let [other] = hubs(&exchange).await;
    let mut there = follow(&other.topic("news")).await;
    let is_there = Arc::new(Notify::new());
    let one = Hub::new().with_broker(Late(exchange, is_there.clone()), BrokerOptions::new());
    one.topic("news")
        .publish(Event::new("x".repeat(200_000)))
        .unwrap();
    say(&one.topic("news"), "b");
    is_there.notify_one();
    let mut got = Vec::new();
    let until = tokio::time::Instant::now() + Duration::from_secs(4);
    while let Ok(Some(frame)) = tokio::time::timeout_at(until, there.next_frame()).await {
        got.push(frame.map(|frame| text_and_id(&frame).0));
    }
    assert!(got.iter().any(Result::is_err), "silently missed: {got:?}");
}

#[tokio::test]
async fn of_two_refusals_the_later_one_is_told() {
    let exchange = Exchange::default();
    let [other] = hubs(&exchange).await;
    let is_there = Arc::new(Notify::new());
    let options = BrokerOptions::new().outbox(3, 1 << 30);
    let one = Hub::new().with_broker(Late(exchange, is_there.clone()), options);
    one.topic("news")
        .publish(Event::new("x".repeat(200_000)))
        .unwrap();
    say(&one.topic("news"), "b");
    say(&one.topic("news"), "c");
    // Begins after the long one, and follows when "d" is refused.
    let mut there = follow(&other.topic("news")).await;
    assert!(
        one.topic("news")
            .publish(Event::new("d"))
            .unwrap_err()
            .is_full()
    );
    is_there.notify_one();
    let mut got = Vec::new();
    let until = tokio::time::Instant::now() + Duration::from_secs(4);
    while let Ok(Some(frame)) = tokio::time::timeout_at(until, there.next_frame()).await {
        got.push(frame.map(|frame| text_and_id(&frame).0));
    }
    assert!(got.iter().any(Result::is_err), "silently missed: {got:?}");
}

#[tokio::test]
async fn an_answer_counts_only_for_who_hears_all() {
    let exchange = Exchange::default();
    let [b, c] = hubs(&exchange).await;
    let faults = Arc::new(Faults::default());
    let a = Hub::new().with_broker(
        Faulty(exchange.clone(), faults.clone()),
        BrokerOptions::new(),
    );
    until(|| a.nodes() == 3 && b.nodes() == 3 && c.nodes() == 3).await;
    let mut there = follow(&a.topic("news")).await;
    say(&b.topic("news"), "before");
    assert_eq!(texts(&mut there, 1).await, ["before"]);
    // All is sure.
    tokio::time::sleep(Duration::from_secs(4)).await;
    faults.holds_subscribe.store(true, Ordering::SeqCst);
    exchange.cut();
    until(|| faults.is_held.load(Ordering::SeqCst)).await;
    // A has the channel of all, but not yet the topic's. C asks B, and A hears the answer.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(b.is_connected() && c.is_connected());
    say(&b.topic("news"), "missed");
    tokio::time::sleep(Duration::from_millis(100)).await;
    faults.holds_subscribe.store(false, Ordering::SeqCst);
    faults.go_on.notify_one();
    until(|| a.is_connected()).await;
    let next = tokio::time::timeout(Duration::from_secs(8), there.next_frame()).await;
    let next = next.expect("silently missed");
    assert!(next.unwrap().is_err());
}

#[tokio::test]
async fn an_answer_that_is_refused_costs_no_connection() {
    let exchange = Exchange::default();
    let [b] = hubs(&exchange).await;
    let faults = Arc::new(Faults::default());
    let a = Hub::new().with_broker(
        Faulty(exchange.clone(), faults.clone()),
        BrokerOptions::new(),
    );
    until(|| a.nodes() == 2 && b.nodes() == 2).await;
    faults.refuses_answers.store(true, Ordering::SeqCst);
    exchange.cut();
    until(|| faults.connected.load(Ordering::SeqCst) == 2).await;
    until(|| a.is_connected() && b.is_connected()).await;
    let before = faults.connected.load(Ordering::SeqCst);
    for _ in 0..6 {
        say(&a.topic("slow"), "x");
        tokio::time::sleep(Duration::from_millis(1000)).await;
    }
    assert!(faults.refused.load(Ordering::SeqCst) > 0);
    let after = faults.connected.load(Ordering::SeqCst);
    assert_eq!(
        before, after,
        "the connection was dropped: something panicked"
    );
}

#[tokio::test]
async fn a_flush_does_not_wait_for_what_is_refused() {
    let exchange = Exchange::default();
    let is_there = Arc::new(Notify::new());
    let one = Hub::new().with_broker(Late(exchange, is_there.clone()), BrokerOptions::new());
    let chat = one.topic_with("chat", TopicOptions::new().replay(true));
    chat.publish(Event::new("x".repeat(200_000))).unwrap();
    let flush = async { tokio::time::timeout(Duration::from_secs(10), one.flush()).await };
    let up = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        is_there.notify_one();
    };
    let (flushed, ()) = tokio::join!(flush, up);
    assert!(one.is_connected());
    // Asked again it is ready at once.
    tokio::time::timeout(Duration::from_millis(100), one.flush())
        .await
        .unwrap();
    assert!(flushed.is_ok(), "waits for ever");
}

#[tokio::test]
async fn who_was_not_sent_the_picture_is_not_resumed() {
    let hub = Hub::new();
    let topic = hub.topic_with("chat", TopicOptions::new().replay(true));
    let shutdown = Shutdown::new();
    let mut page = Page::new(
        connect(None)
            .with_options(StreamOptions::new().shutdown(shutdown.clone()))
            .subscribe(&topic)
            .on_connect(async |tx| {
                if !tx.is_resumed() {
                    // It asks the database.
                    std::future::pending::<()>().await;
                    tx.send(Event::new("picture")).await?;
                }
                Ok(())
            }),
    );
    let _ = page.read();
    say(&topic, "event");
    assert!(!page.read().contains("event"));
    shutdown.trigger();
    let text = page.read();
    let id = last_id(&text);
    // It comes back with what it has.
    let mut again = Page::new(
        connect(id.as_deref())
            .subscribe(&topic)
            .on_connect(async |tx| {
                if !tx.is_resumed() {
                    tx.send(Event::new("picture")).await?;
                }
                Ok(())
            }),
    );
    let second = again.read();
    assert!(
        second.contains("picture"),
        "first {text:?}\nthen {second:?}: the page never got its picture"
    );
}

#[tokio::test]
async fn a_page_that_throws_nothing_away_keeps_its_id() {
    let exchange = Exchange::default();
    let [one] = hubs(&exchange).await;
    let chat = |hub: &Hub| hub.topic_with("chat", TopicOptions::new().replay(true));
    let mut page = Page::new(connect(None).subscribe(&chat(&one)));
    let _ = page.read();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut text = page.read();
    say(&chat(&one), "a");
    until(|| {
        text.push_str(&page.read());
        text.contains("data: a")
    })
    .await;
    let id = last_id(&text);
    drop(page);
    // Missed by the page, and in the log.
    say(&chat(&one), "b");
    one.flush().await;
    exchange.go_down();
    until(|| !one.is_connected()).await;
    // It comes to a node that has not seen the topic yet, while the broker is away.
    let other = hub(&exchange);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut page = Page::new(connect(id.as_deref()).subscribe(&chat(&other)));
    let mut text = String::new();
    let up = tokio::time::Instant::now();
    while up.elapsed() < Duration::from_millis(500) {
        text.push_str(&page.read());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    exchange.come_up();
    until(|| one.is_connected() && other.is_connected()).await;
    until(|| {
        text.push_str(&page.read());
        text.contains('[') || text.contains("data: b")
    })
    .await;
    // What a browser has now.
    let now = last_id(&text).or(id.clone());
    let now = now.filter(|it| !it.is_empty());
    let mut page = Page::new(connect(now.as_deref()).subscribe(&chat(&other)));
    let mut again = String::new();
    let began = tokio::time::Instant::now();
    while began.elapsed() < Duration::from_secs(1) {
        again.push_str(&page.read());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut with_old = Page::new(connect(id.as_deref()).subscribe(&chat(&other)));
    let with_old = with_old.read();
    assert!(
        text.contains("data: b") || again.contains("data: b"),
        "had {id:?}\nwas sent {text:?}\nthen, with {now:?}: {again:?}\nwith the old id: {with_old:?}"
    );
}

#[tokio::test]
async fn a_flushed_hub_has_told_what_it_could_not_send() {
    let exchange = Exchange::default();
    let [other] = hubs(&exchange).await;
    let mut there = follow(&other.topic("news")).await;
    let [one] = hubs(&exchange).await;
    until(|| one.nodes() == 2 && other.nodes() == 2).await;
    say(&one.topic("news"), "before");
    assert_eq!(texts(&mut there, 1).await, ["before"]);
    tokio::time::sleep(Duration::from_secs(3)).await;
    // The one's link only is lost.
    exchange.isolate_newest();
    until(|| !one.is_connected()).await;
    assert!(one.topic("news").publish(Event::new("missed")).is_err());
    exchange.come_up();
    one.flush().await;
    drop(one);
    let next = tokio::time::timeout(Duration::from_secs(25), there.next_frame()).await;
    assert!(next.expect("silently missed").unwrap().is_err());
}

#[tokio::test]
async fn no_event_goes_out_where_on_connect_fails() {
    let hub = Hub::new();
    let topic = hub.topic_with("chat", TopicOptions::new().replay(true));
    let gate = Arc::new(Notify::new());
    let mut page = Page::new(connect(None).subscribe(&topic).on_connect({
        let gate = gate.clone();
        async move |_| {
            gate.notified().await;
            Err(std::io::Error::other("the database is away").into())
        }
    }));
    let _ = page.read();
    say(&topic, "event");
    gate.notify_one();
    let text = page.read();
    assert!(!text.contains("event"), "{text:?}");
}

#[tokio::test]
async fn what_was_said_some_seconds_ago_is_not_sure() {
    let exchange = Exchange::default();
    let [one] = hubs(&exchange).await;
    let [other] = hubs(&exchange).await;
    until(|| one.nodes() == 2 && other.nodes() == 2).await;
    let mut there = follow(&other.topic("news")).await;
    exchange.lose(1);
    say(&one.topic("news"), "queued");
    tokio::time::sleep(Duration::from_millis(2500)).await;
    exchange.isolate_newest();
    until(|| !other.is_connected()).await;
    exchange.come_up();
    until(|| other.is_connected()).await;
    let next = tokio::time::timeout(Duration::from_secs(5), there.next_frame()).await;
    assert!(next.expect("silently missed").unwrap().is_err());
}
