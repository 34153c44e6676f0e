//! What an adversary found, and what it tried in vain.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use sidereal_sse::{
    BodyError, Connect, EndReason, Event, Frame, Hub, Lag, Sender, StartAt, TopicOptions, View,
};
use tokio::time::sleep;

use crate::page::{Page, connect, event};

async fn settle() {
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
}

async fn text(sse: sidereal_sse::Sse) -> Option<String> {
    use http_body_util::BodyExt as _;
    let body = sse.into_http().into_body();
    let read = tokio::time::timeout(Duration::from_secs(600), body.collect())
        .await
        .ok()?;
    let bytes = read.ok()?.to_bytes();
    Some(String::from_utf8(bytes.into()).unwrap())
}

#[tokio::test(start_paused = true)]
async fn once_of_an_unchanged_picture() {
    let view = View::new(1, |n: &u32| Event::from_display(n));
    assert!(text(connect(None, None).once(&view)).await.is_some());
    view.invalidate();
    let got = text(connect(None, None).once(&view)).await;
    assert!(
        got.is_some(),
        "once never answers: the render gave the same picture"
    );
}

#[tokio::test(start_paused = true)]
async fn once_during_an_older_render() {
    let view = View::new_async(0, |n: Arc<u32>| async move {
        sleep(Duration::from_secs(1)).await;
        Event::from_display(*n)
    });
    let mut watcher = Page::begun(connect(None, None).watch(&view));
    sleep(Duration::from_millis(500)).await; // the render of 0 is in progress
    view.update(|n| *n = 1);
    let got = text(connect(None, None).once(&view)).await.unwrap();
    watcher.read();
    assert!(
        got.contains("data: 1"),
        "answer without a change made before the request: {got:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn once_during_an_older_render_that_fails() {
    let view = View::new_async(0, |n: Arc<u32>| async move {
        sleep(Duration::from_secs(1)).await;
        if *n == 0 {
            Err(BodyError::from(std::io::Error::other("no")))
        } else {
            Ok(Event::from_display(*n))
        }
    });
    let _watcher = Page::begun(connect(None, None).watch(&view));
    sleep(Duration::from_millis(500)).await;
    view.update(|n| *n = 1);
    let got = text(connect(None, None).once(&view)).await.unwrap();
    assert!(got.contains("data: 1"), "{got:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stale_picture_after_a_failed_render() {
    let view = View::new(0, |n: &u32| match n {
        0 => Ok(Event::from_display(n)),
        _ => Err(BodyError::from(std::io::Error::other("no"))),
    });
    let mut page = Page::begun(connect(None, None).watch(&view));
    settle().await;
    assert_eq!(page.read(), ["0"]);
    drop(page);
    view.update(|n| *n = 1);
    sleep(Duration::from_secs(3600)).await;
    let mut first = Page::begun(connect(None, None).watch(&view));
    sleep(Duration::from_secs(1)).await;
    assert_eq!(first.read(), [""; 0]);
    let mut second = Page::new(connect(None, None).watch(&view));
    assert_eq!(second.read(), [""; 0], "a picture an hour old");
}

#[tokio::test(start_paused = true)]
async fn a_newcomer_after_one_failed_render() {
    let fails = Arc::new(AtomicBool::new(true));
    let view = View::new(7, {
        let fails = fails.clone();
        move |n: &u32| match fails.load(Ordering::SeqCst) {
            true => Err(BodyError::from(std::io::Error::other(
                "the database is away",
            ))),
            false => Ok(Event::from_display(n)),
        }
    });
    let first = Page::begun(connect(None, None).watch(&view));
    sleep(Duration::from_secs(1)).await;
    drop(first);
    fails.store(false, Ordering::SeqCst);
    let mut second = Page::begun(connect(None, None).watch(&view));
    sleep(Duration::from_secs(3600)).await;
    assert_eq!(second.read(), ["7"]);
}

#[tokio::test(start_paused = true)]
async fn replay_after_the_topic_was_let_go() {
    let hub = Hub::new();
    let options = || {
        TopicOptions::new()
            .replay(true)
            .idle_for(Duration::from_secs(1))
    };
    let topic = hub.topic_with("chat", options());
    let mut page = Page::begun(connect(None, None).subscribe(&topic));
    topic.publish(event("seen")).unwrap();
    let seen = page.text();
    let _ = seen;
    let mut text = String::new();
    while page.chunk().is_some() {}
    text.push_str(&page.text());
    let id = text
        .lines()
        .find_map(|l| l.strip_prefix("id: "))
        .unwrap()
        .to_owned();
    drop(page);
    topic.publish(event("missed")).unwrap();
    drop(topic);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(hub.topics(), 0);
    let topic = hub.topic_with("chat", options());
    let resumed = Arc::new(AtomicBool::new(false));
    let told = resumed.clone();
    let mut page = Page::begun(connect(None, Some(&id)).subscribe(&topic).on_connect(
        async move |tx: Sender| {
            told.store(tx.is_resumed(), Ordering::SeqCst);
            Ok(())
        },
    ));
    let got = page.read();
    assert!(
        got == ["missed"] || !resumed.load(Ordering::SeqCst),
        "resumed, but got {got:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn idle_for_beside_a_topic_that_stays_long() {
    let hub = Hub::new();
    drop(
        hub.topic_with(
            "long",
            TopicOptions::new()
                .replay(true)
                .idle_for(Duration::from_secs(86400 * 365)),
        ),
    );
    settle().await;
    drop(
        hub.topic_with(
            "short",
            TopicOptions::new()
                .replay(true)
                .idle_for(Duration::from_secs(1)),
        ),
    );
    sleep(Duration::from_secs(86400)).await;
    assert_eq!(
        hub.topics(),
        1,
        "a topic with idle_for(1s) is there after a day"
    );
}

#[tokio::test(start_paused = true)]
async fn a_lagged_stream_that_is_dropped_says_that_it_ended() {
    let hub = Hub::new();
    let topic = hub.topic_with("t", TopicOptions::new().keep(2));
    let got = Arc::new(std::sync::Mutex::new(None::<Sender>));
    let place = got.clone();
    let mut page = Page::begun(connect(None, None).subscribe(&topic).on_connect(
        async move |tx: Sender| {
            *place.lock().unwrap() = Some(tx);
            Ok(())
        },
    ));
    let tx = got.lock().unwrap().take().unwrap();
    for n in 0..5 {
        topic.publish(event(n.to_string())).unwrap();
    }
    tx.try_send(event("private")).unwrap();
    tx.try_send(event("private 2")).unwrap();
    page.chunk().unwrap(); // finds that it lagged
    drop(page); // the client leaves
    assert!(tx.is_closed(), "dropped, and yet open for ever");
}

/// A page whose stream has a body that never rests, and a topic that it has lost.
fn busy_and_lagging() -> Page {
    let hub = Hub::new();
    let topic = hub.topic_with("t", TopicOptions::new().keep(2));
    let sse = connect(None, None)
        .run(async |tx| {
            loop {
                tx.send(event("x")).await?;
            }
        })
        .watch(&topic);
    let mut page = Page::new(sse);
    page.chunk().unwrap();
    for n in 0..5 {
        topic.publish(event(n.to_string())).unwrap();
    }
    page
}

#[tokio::test(start_paused = true)]
async fn a_lagged_stream_with_a_busy_body_ends() {
    let mut page = busy_and_lagging();
    for _ in 0..100_000 {
        if page.chunk().is_none() {
            break;
        }
    }
    sleep(Duration::from_secs(1)).await;
    page.chunk();
    assert_eq!(page.ended(), Some(Err(EndReason::Lagged)));
}

#[test]
fn private_events_keep_their_place_between_threads() {
    let hub = Hub::new();
    let topic = hub.topic_with("t", TopicOptions::new().keep(1 << 20).keep_bytes(1 << 30));
    let got = Arc::new(std::sync::Mutex::new(None::<Sender>));
    let place = got.clone();
    let mut page = Page::begun(connect(None, None).subscribe(&topic).on_connect(
        async move |tx: Sender| {
            *place.lock().unwrap() = Some(tx);
            Ok(())
        },
    ));
    let tx = got.lock().unwrap().take().unwrap();
    let rounds = 20_000u64;
    let thread = std::thread::spawn(move || {
        for n in 0..rounds {
            while tx.try_send(event(format!("{}", 2 * n))).is_err() {
                std::hint::spin_loop();
            }
            topic.publish(event(format!("{}", 2 * n + 1))).unwrap();
        }
    });
    let mut next = 0u64;
    let mut wrong = Vec::new();
    let began = std::time::Instant::now();
    let mut said = 2;
    let mut moved = std::time::Instant::now();
    let mut seen = 0;
    while next < 2 * rounds {
        if began.elapsed().as_secs() > said {
            said += 1;
            eprintln!("at {next}");
        }
        if seen != next {
            seen = next;
            moved = std::time::Instant::now();
        }
        assert!(
            moved.elapsed() < Duration::from_secs(5),
            "HANG at {next}, ended {:?}, wrong {:?}",
            page.ended(),
            wrong
        );
        for e in page.read() {
            let n: u64 = e.parse().unwrap();
            if n != next {
                wrong.push((next, n));
            }
            next += 1;
        }
    }
    thread.join().unwrap();
    assert!(
        wrong.is_empty(),
        "{} wrong, e.g. {:?}",
        wrong.len(),
        &wrong[..wrong.len().min(4)]
    );
}

#[test]
fn a_slow_render_lets_others_run() {
    let (done, is_done) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let rt = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        rt.block_on(async {
            let view = View::new(0u64, |n: &u64| {
                std::thread::sleep(Duration::from_millis(60));
                Event::from_display(n)
            });
            let mut page = Page::begun(connect(None, None).watch(&view));
            std::thread::spawn({
                let view = view.clone();
                move || loop {
                    view.update(|n| *n += 1);
                    std::thread::sleep(Duration::from_millis(5));
                }
            });
            sleep(Duration::from_millis(500)).await;
            done.send(page.read()).unwrap();
        });
    });
    let got = is_done.recv_timeout(Duration::from_secs(10));
    assert!(got.is_ok(), "the runtime stands still");
}

#[test]
fn a_render_survives_a_runtime_that_goes_down_in_a_panic() {
    let view =
        View::new(0, |n: &u32| Event::from_display(n)).at_most_every(Duration::from_millis(200));
    let mut page = Page::new(connect(None, None).watch(&view));
    page.chunk();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(page.read(), ["0"]);
    view.update(|n| *n = 9); // so that a job is about to sleep
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(page.read(), ["9"]);
    let there = view.clone();
    let _ = std::thread::spawn(move || {
        let rt = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        rt.block_on(async {
            there.update(|n| *n = 1);
            panic!("elsewhere");
        })
    })
    .join();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(page.read(), ["1"]);
    view.update(|n| *n = 2);
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(page.read(), ["2"]);
}

#[tokio::test(start_paused = true)]
async fn once_of_an_empty_picture() {
    let view = View::new(1, |_: &u32| Frame::empty());
    let got = text(connect(None, None).once(&view)).await;
    assert!(got.is_some(), "once never answers");
}

#[test]
fn an_event_joined_with_a_comment_has_its_id() {
    let hub = Hub::new();
    let topic = hub.topic_with("t", TopicOptions::new().replay(true));
    let mut page = Page::begun(connect(None, None).subscribe(&topic));
    page.text();
    topic
        .publish(Frame::join([event("a"), Frame::comment("c")]))
        .unwrap();
    while page.chunk().is_some() {}
    let text = page.text();
    assert!(text.contains("id: "), "{text:?}");
}

#[tokio::test(start_paused = true)]
async fn a_ticker_with_a_huge_period_begins_anew() {
    let hub = Hub::new();
    let made = AtomicUsize::new(0);
    let ticker = hub.every(Duration::MAX, move || {
        Event::from_display(made.fetch_add(1, Ordering::SeqCst))
    });
    let mut page = Page::begun(connect(None, None).watch(&ticker));
    settle().await;
    assert_eq!(page.read(), ["0"]);
    drop(page);
    sleep(Duration::from_secs(86400)).await;
    let mut page = Page::begun(connect(None, None).watch(&ticker));
    settle().await;
    assert_eq!(page.read(), ["1"]);
}

#[tokio::test(start_paused = true)]
async fn a_detached_every_for_ends_with_its_client() {
    let hub = Hub::new();
    let runs = Arc::new(AtomicUsize::new(0));
    let count = runs.clone();
    let each = hub.every_for(Duration::from_secs(1), move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        async { Ok(()) }
    });
    let mut page = Page::begun(connect(None, None).watch(&each).detached());
    settle().await;
    page.read();
    drop(page);
    sleep(Duration::from_secs(5)).await;
    let before = runs.load(Ordering::SeqCst);
    sleep(Duration::from_secs(1000)).await;
    assert!(
        runs.load(Ordering::SeqCst) <= before,
        "{before} {}",
        runs.load(Ordering::SeqCst)
    );
}

#[tokio::test(start_paused = true)]
async fn a_lagged_stream_with_a_busy_body_ends_for_a_slow_client() {
    let mut page = busy_and_lagging();
    for _ in 0..20_000 {
        tokio::task::yield_now().await;
        if page.chunk().is_none() {
            break;
        }
    }
    sleep(Duration::from_secs(1)).await;
    page.chunk();
    assert_eq!(page.ended(), Some(Err(EndReason::Lagged)));
}

#[test]
fn an_error_that_cannot_be_shown() {
    use tracing::{Event as Ev, Metadata, Subscriber, span};
    struct Log;
    impl Subscriber for Log {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }
        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }
        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
        fn event(&self, event: &Ev<'_>) {
            struct V;
            impl tracing::field::Visit for V {
                fn record_debug(&mut self, _: &tracing::field::Field, v: &dyn std::fmt::Debug) {
                    let _ = format!("{v:?}");
                }
            }
            event.record(&mut V);
        }
        fn enter(&self, _: &span::Id) {}
        fn exit(&self, _: &span::Id) {}
    }
    #[derive(Debug)]
    struct Odd;
    impl std::fmt::Display for Odd {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("display")
        }
    }
    impl std::error::Error for Odd {}
    let rt = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    let _g = tracing::subscriber::set_default(Log);
    rt.block_on(async {
        let view = View::new(0, |n: &u32| match n {
            1 => Err(Odd),
            _ => Ok(Event::from_display(n)),
        });
        let mut page = Page::begun(connect(None, None).watch(&view));
        settle().await;
        assert_eq!(page.read(), ["0"]);
        view.update(|n| *n = 1);
        sleep(Duration::from_secs(1)).await;
        view.update(|n| *n = 2);
        sleep(Duration::from_secs(1)).await;
        assert_eq!(page.read(), ["2"]);
    });
}

// 30 stress: updates and viewers, threads; the last change always

#[tokio::test(start_paused = true)]
async fn extreme_limits() {
    let hub = Hub::new();
    for o in [
        TopicOptions::new().keep(0).keep_bytes(0),
        TopicOptions::new()
            .keep(usize::MAX)
            .keep_bytes(usize::MAX)
            .idle_for(Duration::MAX)
            .replay(true),
        TopicOptions::new().idle_for(Duration::ZERO).replay(true),
    ] {
        for lag in [Lag::Close, Lag::Resume, Lag::NewestOnly] {
            for start in [StartAt::Next, StartAt::Newest, StartAt::Oldest] {
                let topic =
                    hub.topic_with(format!("{o:?}{lag:?}{start:?}"), o.lag(lag).start_at(start));
                let mut page = Page::begun(connect(None, None).watch(&topic));
                settle().await;
                topic.publish(event("1")).unwrap();
                assert_eq!(page.read(), ["1"]);
            }
        }
    }
    for pace in [Duration::ZERO, Duration::MAX, Duration::from_nanos(1)] {
        let view = View::new(0, |n: &u32| Event::from_display(n)).at_most_every(pace);
        let mut page = Page::begun(connect(None, None).watch(&view));
        settle().await;
        assert_eq!(page.read(), ["0"]);
        view.update(|n| *n = 1);
        settle().await;
        page.read();
    }
    for period in [
        Duration::ZERO,
        Duration::MAX,
        Duration::from_secs(u64::MAX / 4),
        Duration::from_nanos(1),
    ] {
        let t = hub.every(period, || Event::new("t"));
        let e = hub.every_for(period, async |tx| {
            tx.send(event("e")).await?;
            Ok(())
        });
        let mut page = Page::begun(connect(None, None).watch((&t, &e)));
        settle().await;
        page.read();
        sleep(Duration::from_secs(1000)).await;
    }
}

// 36 sync renders, threads: once shows what was changed before

#[test]
fn once_shows_every_change_made_before_it_threads() {
    let view = View::new((0u64, 0u64), |n: &(u64, u64)| {
        let e = Event::new(format!("{} {}", n.0, n.1));
        std::thread::sleep(Duration::from_millis(1));
        e
    })
    .at_most_per_second(0);
    let rt = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let _in = rt.enter();
    let stop = Arc::new(AtomicBool::new(false));
    let other = std::thread::spawn({
        let (view, stop) = (view.clone(), stop.clone());
        let h = rt.handle().clone();
        move || {
            let _in = h.enter();
            while !stop.load(Ordering::SeqCst) {
                view.update(|n| n.1 += 1);
                std::thread::sleep(Duration::from_micros(20));
            }
        }
    });
    let _watcher = Page::begun(connect(None, None).watch(&view));
    let mut stale = Vec::new();
    let deadline = std::time::Instant::now() + Duration::from_secs(6);
    let mut n = 0u64;
    while std::time::Instant::now() < deadline && stale.len() < 5 {
        n += 1;
        view.update(|s| s.0 = n);
        let mut page = Page::new(connect(None, None).once(&view));
        let began = std::time::Instant::now();
        let mut got = Vec::new();
        while page.ended().is_none() {
            got.extend(page.read());
            if began.elapsed() > Duration::from_secs(3) {
                stop.store(true, Ordering::SeqCst);
                panic!("once hangs at {n}, {got:?}");
            }
            std::thread::yield_now();
        }
        let first: u64 = got[0].split(' ').next().unwrap().parse().unwrap();
        if first != n {
            stale.push((n, got));
        }
    }
    stop.store(true, Ordering::SeqCst);
    other.join().unwrap();
    assert!(stale.is_empty(), "of {n}: {stale:?}");
}

#[test]
fn places_are_given_back() {
    let hub = Hub::new().max_connections(1);
    let topic = hub.topic("t");
    let head = || Connect::from_request(&http::Request::builder().method("HEAD").body(()).unwrap());
    for _ in 0..5 {
        let r = head().subscribe(&topic).into_http();
        assert_eq!(r.status(), 200);
        let r = connect(None, None).subscribe(&topic).into_http();
        assert_eq!(r.status(), 200);
        let full = connect(None, None).subscribe(&topic).into_http();
        assert_eq!(full.status(), 503);
        drop(r);
    }
    let other = Hub::new();
    let t2 = other.topic("t");
    let held = connect(None, None).subscribe(&topic).into_http();
    assert_eq!(
        connect(None, None)
            .watch((&t2, &topic))
            .into_http()
            .status(),
        503
    );
    drop(held);
    let ok = connect(None, None).watch((&t2, &topic)).into_http();
    assert_eq!(ok.status(), 200);
}

// 39 hooks and wakers use the hub inline

#[tokio::test(start_paused = true)]
async fn hooks_that_use_the_hub() {
    let hub = Hub::new();
    let topic = hub.topic("t");
    struct D(Hub);
    impl Drop for D {
        fn drop(&mut self) {
            let _ = (
                self.0.clients(),
                self.0.topics(),
                self.0.topic("t").publish(Event::new("d")),
            );
        }
    }
    let view = View::new(0, {
        let t = topic.clone();
        move |n: &u32| {
            t.publish(Event::new("render")).unwrap();
            Event::from_display(n)
        }
    })
    .in_hub(&hub);
    let h = hub.clone();
    let sse = connect(None, None)
        .with_data(Arc::new(D(hub.clone())))
        .watch((&topic, &view))
        .on_disconnect(move |_, _| {
            assert_eq!(h.connections(), 0);
            h.topic("t").publish(Event::new("gone")).unwrap();
        });
    let mut page = Page::begun(sse);
    settle().await;
    assert_eq!(page.read(), ["render", "0"]);
    drop(hub);
    drop(page);
    drop(topic);
}

// 40 state whose drop panics

#[test]
fn the_newest_event_is_none_that_came_before_one_that_was_not_kept() {
    let topic = Hub::new().topic("news");
    let subscription = topic.subscribe();
    topic.publish(Event::new("one")).unwrap();
    assert!(topic.newest().is_some());
    drop(subscription);
    topic.publish(Event::new("to nobody")).unwrap();
    assert_eq!(topic.newest(), None);
}

#[test]
fn a_waker_that_panics_keeps_no_other_from_being_woken() {
    use std::{
        future::Future,
        pin::pin,
        task::{Context, Wake, Waker},
    };

    struct Counts(AtomicUsize, bool);

    impl Wake for Counts {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
            assert!(!self.1, "on purpose");
        }
    }

    let topic = Hub::new().topic("news");
    let mut sleeping = Vec::new();
    for n in 0..200 {
        let counts = Arc::new(Counts(AtomicUsize::new(0), n % 50 == 7));
        let mut subscription = topic.subscribe();
        {
            let waker = Waker::from(counts.clone());
            let mut next = pin!(subscription.next_frame());
            assert!(
                next.as_mut()
                    .poll(&mut Context::from_waker(&waker))
                    .is_pending()
            );
        }
        sleeping.push((subscription, counts));
    }
    topic.publish(Event::new("one")).unwrap();
    for (_, counts) in &sleeping {
        assert_eq!(counts.0.load(Ordering::SeqCst), 1);
    }
}
