//! What is published goes to everyone who follows, made once.

use std::time::Duration;

use sidereal_sse::{Codec, Event, Hub, StartAt, Subscription, TopicKey, TopicName, TopicOptions};

use crate::page::{CODECS, Page, connect, event};

#[test]
fn everyone_who_follows_gets_what_is_published() {
    let hub = Hub::new();
    let topic = hub.topic("news");
    let mut pages = CODECS.map(|codec| Page::begun(connect(codec, None).subscribe(&topic)));
    assert_eq!(topic.subscribers(), 3);
    for n in 0..5 {
        topic.publish(Event::from_display(n)).unwrap();
    }
    for page in &mut pages {
        assert_eq!(page.read(), ["0", "1", "2", "3", "4"]);
    }
    // Who comes later gets what is published later.
    let mut late = Page::begun(connect(None, None).subscribe(&topic));
    hub.topic("news").publish(Event::from_display(5)).unwrap();
    assert_eq!(late.read(), ["5"]);
    drop((pages, late));
    assert_eq!(topic.subscribers(), 0);
}

#[test]
fn those_in_step_are_sent_the_same_bytes_and_so_are_those_who_are_not() {
    for codec in [Codec::Zstd, Codec::Gzip] {
        let topic = Hub::new().topic("news");
        let mut pages = [(); 4].map(|()| Page::begun(connect(Some(codec), None).subscribe(&topic)));
        let mut standalone = 0;
        for tick in 0..3 {
            topic.publish(crate::content::page(170, tick)).unwrap();
            let chunks = pages.each_mut().map(|page| page.chunk().unwrap());
            assert!(
                chunks
                    .iter()
                    .all(|chunk| chunk.as_ptr() == chunks[0].as_ptr())
            );
            match tick {
                0 => standalone = chunks[0].len(),
                _ => assert!(chunks[0].len() * 2 < standalone),
            }
        }
        let mut late = [(); 2].map(|()| Page::begun(connect(Some(codec), None).subscribe(&topic)));
        topic.publish(crate::content::page(170, 3)).unwrap();
        let chunks = late.each_mut().map(|page| page.chunk().unwrap());
        assert_eq!(chunks[0].as_ptr(), chunks[1].as_ptr());
        assert_ne!(chunks[0].as_ptr(), pages[0].chunk().unwrap().as_ptr());
    }
}

#[test]
fn several_topics_come_in_the_order_in_which_they_were_published() {
    let hub = Hub::new();
    let [a, b, c] = ["a", "b", "c"].map(|name| hub.topic(name));
    let mut both = Page::begun(connect(None, None).watch((&a, &b)));
    let mut all = Page::begun(connect(Some(Codec::Zstd), None).watch(&[&c, &b, &a][..]));
    for (topic, text) in [(&b, "1"), (&a, "2"), (&c, "3"), (&a, "4"), (&b, "5")] {
        topic.publish(Event::new(text)).unwrap();
    }
    assert_eq!(both.read(), ["1", "2", "4", "5"]);
    assert_eq!(all.read(), ["1", "2", "3", "4", "5"]);
}

#[test]
fn topics_of_two_hubs_come_in_order_too() {
    let (one, other) = (Hub::new().topic("x"), Hub::new().topic("x"));
    let mut page = Page::begun(connect(None, None).watch((&one, &other)));
    other.publish(Event::new("1")).unwrap();
    one.publish(Event::new("2")).unwrap();
    other.publish(Event::new("3")).unwrap();
    assert_eq!(page.read(), ["1", "2", "3"]);
}

#[test]
fn private_events_stand_where_they_were_sent() {
    for codec in CODECS {
        let hub = Hub::new();
        let topic = hub.topic("news");
        let mut page = Page::begun(connect(codec, None).subscribe(&topic));
        let client = hub.clients()[0].id();
        topic.publish(Event::new("1")).unwrap();
        hub.send(client, Event::new("2, for you")).unwrap();
        hub.send(client, Event::new("3, for you")).unwrap();
        topic.publish(Event::new("4")).unwrap();
        topic.publish(Event::new("5")).unwrap();
        hub.send(client, Event::new("6, for you")).unwrap();
        let expected = ["1", "2, for you", "3, for you", "4", "5", "6, for you"];
        assert_eq!(page.read(), expected, "{codec:?}");
    }
}

#[test]
fn a_page_sleeps_until_there_is_news() {
    let topic = Hub::new().topic("news");
    let mut page = Page::begun(connect(None, None).subscribe(&topic));
    assert_eq!(page.wakes(), 0);
    topic.publish(Event::new("1")).unwrap();
    topic.publish(Event::new("2")).unwrap();
    assert_eq!(page.wakes(), 1, "who is awake is not woken");
    assert_eq!(page.read(), ["1", "2"]);
    assert_eq!(page.read(), [""; 0]);
    topic.publish(Event::new("3")).unwrap();
    assert_eq!(page.wakes(), 2);
}

#[test]
fn the_events_of_on_connect_go_first_and_nothing_is_missed_meanwhile() {
    let topic = Hub::new().topic("news");
    let gate = std::sync::Arc::new(tokio::sync::Notify::new());
    let mut page = Page::new({
        let gate = gate.clone();
        connect(None, None)
            .subscribe(&topic)
            .on_connect(async move |tx| {
                tx.send(Event::new("hello")).await?;
                gate.notified().await;
                tx.send(Event::new("now")).await?;
                Ok(())
            })
    });
    assert_eq!(page.read(), ["hello"]);
    topic.publish(Event::new("1")).unwrap();
    assert_eq!(page.read(), [""; 0]);
    gate.notify_one();
    assert_eq!(page.read(), ["now", "1"]);
}

#[test]
fn a_body_and_a_topic_on_one_stream() {
    let topic = Hub::new().topic("news");
    let (give, mut take) = tokio::sync::mpsc::channel::<&'static str>(8);
    let mut page = Page::begun(
        connect(None, None)
            .run(async move |tx| {
                while let Some(text) = take.recv().await {
                    tx.send(Event::new(text)).await?;
                }
                Ok(())
            })
            .watch(&topic),
    );
    topic.publish(Event::new("1")).unwrap();
    give.try_send("mine").unwrap();
    assert_eq!(page.read(), ["1", "mine"]);
    topic.publish(Event::new("2")).unwrap();
    drop(give);
    assert_eq!(page.read(), ["2"], "what was published before the end");
    assert_eq!(page.ended(), Some(Ok(())));
    assert_eq!(topic.subscribers(), 0);
}

#[test]
fn a_reply_goes_on_with_what_is_followed() {
    let topic = Hub::new().topic("news");
    for codec in CODECS {
        let reply = connect(codec, None).reply([Event::new("a"), Event::new("b")]);
        let mut page = Page::new(reply.watch(&topic));
        assert_eq!(page.read(), ["a", "b"]);
        topic.publish(Event::new("1")).unwrap();
        assert_eq!(page.read(), ["1"]);
        assert_eq!(page.ended(), None);
    }
}

#[test]
fn a_stream_that_is_closed_sends_what_was_published_before() {
    let hub = Hub::new();
    let topic = hub.topic("news");
    let mut page = Page::begun(connect(Some(Codec::Gzip), None).subscribe(&topic));
    topic.publish(Event::new("1")).unwrap();
    assert_eq!(hub.disconnect(|_| true), 1);
    topic.publish(Event::new("2")).unwrap();
    assert_eq!(page.read(), ["1"]);
    assert_eq!(page.ended(), Some(Ok(())));
}

#[test]
fn what_a_joiner_starts_at() {
    let hub = Hub::new();
    let read = |start, keep| {
        let options = TopicOptions::new().start_at(start).keep(keep);
        let topic = hub.topic_with(
            TopicName::new("t").with(keep).with(format!("{start:?}")),
            options,
        );
        for n in 0..5 {
            topic.publish(Event::from_display(n)).unwrap();
        }
        let mut page = Page::new(connect(None, None).subscribe(&topic));
        let first = page.read();
        topic.publish(Event::new("next")).unwrap();
        assert_eq!(page.read(), ["next"]);
        first
    };
    assert_eq!(read(StartAt::Next, 3), [""; 0]);
    assert_eq!(read(StartAt::Newest, 3), ["4"]);
    assert_eq!(read(StartAt::Oldest, 3), ["2", "3", "4"]);
    assert_eq!(read(StartAt::Oldest, 100), ["0", "1", "2", "3", "4"]);
}

#[test]
fn a_large_event_and_a_small_limit() {
    let hub = Hub::new().max_event_size(100);
    let topic = hub.topic("news");
    let mut page = Page::begun(connect(None, None).subscribe(&topic));
    let error = topic.publish(event("x".repeat(100))).unwrap_err();
    assert!(error.is_too_large());
    assert_eq!(
        error.to_string(),
        "an event of 108 bytes is over the limit of 100"
    );
    topic.publish(event("x".repeat(92))).unwrap();
    assert_eq!(page.read(), ["x".repeat(92)]);
}

#[test]
fn topics_go_away_when_nobody_holds_or_follows_them() {
    let hub = Hub::new();
    let topic = hub.topic("news");
    assert_eq!(hub.topics(), 1);
    let page = Page::begun(connect(None, None).subscribe(&topic));
    drop(topic);
    assert_eq!(hub.topics(), 1);
    drop(page);
    assert_eq!(hub.topics(), 0);
    hub.topic("other").publish(Event::new("to nobody")).unwrap();
    assert_eq!(hub.topics(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_history_stays_for_a_while() {
    let hub = Hub::new();
    let options = TopicOptions::new()
        .replay(true)
        .start_at(StartAt::Oldest)
        .idle_for(Duration::from_secs(60));
    hub.topic_with("chat", options)
        .publish(Event::new("1"))
        .unwrap();
    tokio::time::sleep(Duration::from_secs(50)).await;
    let mut page = Page::new(connect(None, None).subscribe(&hub.topic("chat")));
    assert_eq!(
        page.read(),
        ["1"],
        "the topic with its options is still there"
    );
    tokio::time::sleep(Duration::from_secs(500)).await;
    assert_eq!(hub.topics(), 1, "it is followed");
    drop(page);
    tokio::time::sleep(Duration::from_secs(121)).await;
    assert_eq!(hub.topics(), 0);
    // And once more, with a job that had ended.
    hub.topic_with("chat", options)
        .publish(Event::new("2"))
        .unwrap();
    tokio::time::sleep(Duration::from_secs(121)).await;
    assert_eq!(hub.topics(), 0);
}

#[test]
fn one_topic_more_than_there_may_be() {
    struct Room(u32);
    impl TopicKey for Room {
        fn topic_name(&self) -> TopicName {
            TopicName::new("room").with(self.0)
        }
    }
    let hub = Hub::new().max_topics(2);
    let rooms = [1, 2, 3].map(|n| hub.topic(Room(n)));
    rooms[1].publish(Event::new("x")).unwrap();
    let error = rooms[2].publish(Event::new("x")).unwrap_err();
    assert!(error.is_too_many_topics());
    let response = connect(None, None).subscribe(&rooms[2]).into_http();
    assert_eq!(response.status(), 503);
    assert_eq!(hub.topics(), 2);
    drop(rooms);
    assert_eq!(hub.topics(), 0);
    hub.topic(Room(3)).publish(Event::new("x")).unwrap();
}

#[tokio::test]
async fn a_subscription_is_a_stream_of_frames() {
    let hub = Hub::new();
    let (a, b) = (hub.topic("a"), hub.topic("b"));
    let mut subscription = Subscription::to((&a, &b));
    assert!(subscription.try_next_frame().is_none());
    let waiting = tokio::spawn(async move {
        let first = subscription.next_frame().await;
        (first, subscription)
    });
    tokio::task::yield_now().await;
    a.publish(Event::new("1")).unwrap();
    b.publish(Event::new("2")).unwrap();
    let (first, mut subscription) = waiting.await.unwrap();
    assert_eq!(first.unwrap().unwrap(), event("1"));
    assert_eq!(
        subscription.next_frame().await.unwrap().unwrap(),
        event("2")
    );
    drop(subscription);
    assert_eq!(a.subscribers(), 0);
}

/// From a plain thread, while a page is polled by another.
#[test]
fn threads_publish_and_none_is_missed() {
    let hub = Hub::new();
    let topic = hub.topic_with(
        "news",
        TopicOptions::new().keep(100_000).keep_bytes(usize::MAX),
    );
    let mut subscription = topic.subscribe();
    let threads = [0, 1, 2].map(|thread| {
        let topic = topic.clone();
        std::thread::spawn(move || {
            for n in 0..5000 {
                topic.publish(Event::new(format!("{thread} {n}"))).unwrap();
            }
        })
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let mut next = [0; 3];
    runtime.block_on(async {
        for _ in 0..15_000 {
            let frame = subscription.next_frame().await.unwrap().unwrap();
            let text = std::str::from_utf8(frame.as_bytes()).unwrap().trim_end();
            let (thread, n) = text["data: ".len()..].split_once(' ').unwrap();
            let thread: usize = thread.parse().unwrap();
            assert_eq!(n, next[thread].to_string());
            next[thread] += 1;
        }
    });
    assert!(subscription.try_next_frame().is_none());
    for thread in threads {
        thread.join().unwrap();
    }
}

/// All who follow the same topics read the same order, while four threads publish.
#[test]
fn all_read_one_order() {
    let hub = Hub::new();
    let options = TopicOptions::new().keep(100_000).keep_bytes(usize::MAX);
    let topics = [0, 1, 2, 3].map(|n| hub.topic_with(n.to_string(), options));
    let readers = [(); 3].map(|()| {
        let mut subscription = Subscription::to(&topics);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap();
            runtime.block_on(async {
                let mut read = Vec::new();
                while read.len() < 8000 {
                    read.push(subscription.next_frame().await.unwrap().unwrap());
                }
                read
            })
        })
    });
    let writers = topics.clone().map(|topic| {
        std::thread::spawn(move || {
            for n in 0..2000 {
                topic
                    .publish(Event::new(format!("{} {n}", topic.name())))
                    .unwrap();
            }
        })
    });
    for writer in writers {
        writer.join().unwrap();
    }
    let read = readers.map(|reader| reader.join().unwrap());
    assert!(read[0] == read[1] && read[1] == read[2]);
}
