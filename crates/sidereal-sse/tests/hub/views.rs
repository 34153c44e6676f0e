//! Views: one render for all, and the last change always.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use sidereal_sse::{BodyError, Event, Hub, Packing, View};
use tokio::time::{advance, sleep};

use crate::page::{CODECS, Page, connect};

/// A view of a number, and how often it was rendered.
fn view() -> (View<u32>, Arc<AtomicUsize>) {
    let renders = Arc::new(AtomicUsize::new(0));
    let view = View::new(0, {
        let renders = renders.clone();
        move |n: &u32| {
            renders.fetch_add(1, Ordering::SeqCst);
            Event::from_display(n)
        }
    });
    (view, renders)
}

/// Lets what is due now run.
async fn settle() {
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_render_for_all_who_watch_and_none_for_who_comes_late() {
    let (view, renders) = view();
    let mut pages = CODECS.map(|codec| Page::new(connect(codec, None).watch(&view)));
    for page in &mut pages {
        assert_eq!(page.read(), [""; 0]);
    }
    settle().await;
    for page in &mut pages {
        assert_eq!(page.read(), ["0"]);
    }
    assert_eq!(renders.load(Ordering::SeqCst), 1);
    let mut late = Page::new(connect(None, None).watch(&view));
    assert_eq!(late.read(), ["0"]);
    assert_eq!(renders.load(Ordering::SeqCst), 1);
    sleep(Duration::from_millis(50)).await;
    view.update(|n| *n = 7);
    settle().await;
    for page in pages.iter_mut().chain([&mut late]) {
        assert_eq!(page.read(), ["7"]);
    }
    assert_eq!(renders.load(Ordering::SeqCst), 2);
    assert_eq!(view.watchers(), 4);
}

#[tokio::test(start_paused = true)]
async fn changes_come_at_most_so_often_and_the_last_one_always() {
    let (view, renders) = view();
    let view = view.at_most_per_second(10);
    let mut page = Page::begun(connect(None, None).watch(&view));
    settle().await;
    assert_eq!(page.read(), ["0"]);
    // 100 changes in 200 ms.
    let mut seen = Vec::new();
    for _ in 0..100 {
        view.update(|n| *n += 1);
        sleep(Duration::from_millis(2)).await;
        seen.extend(page.read());
    }
    assert_eq!(seen.len(), 1, "{seen:?}");
    sleep(Duration::from_millis(100)).await;
    seen.extend(page.read());
    assert_eq!(seen.last().map(String::as_str), Some("100"));
    assert_eq!(renders.load(Ordering::SeqCst), 3);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(
        renders.load(Ordering::SeqCst),
        3,
        "nothing runs without a change"
    );
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_gets_the_newest_picture_only() {
    let (view, _) = view();
    let mut slow = Page::begun(connect(None, None).watch(&view));
    for n in 1..=10 {
        view.update(|state| *state = n);
        sleep(Duration::from_millis(60)).await;
    }
    assert_eq!(slow.read(), ["10"]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_rendered_for_nobody_and_no_stale_picture_is_shown() {
    let (view, renders) = view();
    view.update(|n| *n = 1);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(renders.load(Ordering::SeqCst), 0);
    let mut page = Page::begun(connect(None, None).watch(&view));
    settle().await;
    assert_eq!(page.read(), ["1"]);
    drop(page);
    view.update(|n| *n = 2);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(renders.load(Ordering::SeqCst), 1);
    let mut page = Page::new(connect(None, None).watch(&view));
    assert_eq!(
        page.read(),
        [""; 0],
        "the picture of before is not the present"
    );
    settle().await;
    assert_eq!(page.read(), ["2"]);
    // While somebody watches, the last picture will do until the next one.
    view.update(|n| *n = 3);
    let mut other = Page::new(connect(None, None).watch(&view));
    assert_eq!(other.read(), ["2"]);
    sleep(Duration::from_millis(60)).await;
    assert_eq!(other.read(), ["3"]);
}

#[tokio::test(start_paused = true)]
async fn a_picture_that_is_the_same_is_not_sent() {
    let view = View::new(0, |n: &u32| Event::from_display(n / 10));
    let mut page = Page::begun(connect(None, None).watch(&view));
    settle().await;
    assert_eq!(page.read(), ["0"]);
    for _ in 0..12 {
        view.update(|n| *n += 1);
        sleep(Duration::from_millis(60)).await;
    }
    assert_eq!(page.read(), ["1"]);
    assert!(!view.update_if(|n| {
        *n += 100;
        false
    }));
    sleep(Duration::from_millis(60)).await;
    assert_eq!(page.read(), [""; 0]);
    view.invalidate();
    sleep(Duration::from_millis(60)).await;
    assert_eq!(page.read(), ["11"]);
}

#[tokio::test(start_paused = true)]
async fn once_is_the_view_as_it_is_now() {
    let (view, renders) = view();
    for codec in CODECS {
        // Not rendered yet: it waits for that.
        view.update(|n| *n += 1);
        let n = view.state().to_string();
        sleep(Duration::from_millis(60)).await;
        let mut page = Page::new(connect(codec, None).once(&view));
        page.read();
        settle().await;
        assert_eq!(page.read(), std::slice::from_ref(&n));
        assert_eq!(page.ended(), Some(Ok(())));
        // Now it is at hand, and of known length.
        let before = renders.load(Ordering::SeqCst);
        let response = connect(codec, None).once(&view).into_http();
        assert!(
            http_body::Body::size_hint(response.body())
                .exact()
                .is_some()
        );
        let mut page = Page::of(response);
        assert_eq!(page.read(), [n]);
        assert_eq!(page.ended(), Some(Ok(())));
        assert_eq!(renders.load(Ordering::SeqCst), before);
    }
}

/// Those who poll cost no more renders than those who watch.
#[tokio::test(start_paused = true)]
async fn polls_are_rendered_as_often_as_the_view_may_be() {
    let (view, renders) = view();
    let view = view.at_most_per_second(10);
    let mut open = Vec::new();
    for _ in 0..100 {
        view.update(|n| *n += 1);
        let wants: u32 = *view.state();
        open.push((wants, Page::new(connect(None, None).once(&view))));
        open.iter_mut().for_each(|(_, page)| {
            page.chunk();
        });
        sleep(Duration::from_millis(10)).await;
    }
    sleep(Duration::from_millis(200)).await;
    assert!(
        (9..=12).contains(&renders.load(Ordering::SeqCst)),
        "{renders:?}"
    );
    for (wants, mut page) in open {
        let events = page.read();
        assert_eq!(events.len(), 1);
        assert!(
            events[0].parse::<u32>().unwrap() >= wants,
            "{events:?} shows less than {wants}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_render_that_fails_or_panics_is_logged_and_viewers_go_on() {
    let view = View::new(0, |n: &u32| match n {
        1 => Err(BodyError::new("broken")),
        2 => panic!("a panic of the test's"),
        n => Ok(Event::from_display(n)),
    });
    let mut page = Page::begun(connect(None, None).watch(&view));
    for n in 0..4 {
        view.update(|state| *state = n);
        sleep(Duration::from_millis(60)).await;
    }
    assert_eq!(page.read(), ["3"], "a view shows the newest");
    assert_eq!(page.ended(), None);
    // A page that polls learns that there is nothing.
    view.update(|state| *state = 1);
    let mut poll = Page::new(connect(None, None).once(&view));
    poll.read();
    sleep(Duration::from_millis(60)).await;
    assert_eq!(poll.read(), [""; 0]);
    assert_eq!(poll.ended(), Some(Ok(())));
    let mut again = Page::new(connect(None, None).once(&view));
    again.read();
    sleep(Duration::from_millis(60)).await;
    again.read();
    assert!(
        again.ended().is_some(),
        "it is tried again, and fails again"
    );
    view.update(|state| *state = 5);
    let mut poll = Page::new(connect(None, None).once(&view));
    poll.read();
    sleep(Duration::from_millis(60)).await;
    assert_eq!(poll.read(), ["5"]);
}

#[tokio::test(start_paused = true)]
async fn an_asynchronous_render_works_on_a_snapshot_one_at_a_time() {
    let running = Arc::new(AtomicUsize::new(0));
    let view = View::new_async(0, {
        let running = running.clone();
        move |n: Arc<u32>| {
            let running = running.clone();
            async move {
                assert_eq!(running.fetch_add(1, Ordering::SeqCst), 0);
                sleep(Duration::from_millis(300)).await;
                running.fetch_sub(1, Ordering::SeqCst);
                Event::from_display(n)
            }
        }
    });
    let mut page = Page::begun(connect(None, None).watch(&view));
    settle().await;
    // Updates wait for no render.
    for _ in 0..10 {
        view.update(|n| *n += 1);
        sleep(Duration::from_millis(20)).await;
    }
    sleep(Duration::from_millis(150)).await;
    assert_eq!(page.read(), ["0"]);
    sleep(Duration::from_millis(300)).await;
    assert_eq!(page.read(), ["10"]);
}

#[tokio::test(start_paused = true)]
async fn variants_are_rendered_while_somebody_watches_them() {
    let rendered = Arc::new(Mutex::new(Vec::new()));
    let view = View::by("Ada", {
        let rendered = rendered.clone();
        move |name: &&str, greeting: &&str| {
            rendered.lock().unwrap().push(*greeting);
            Event::new(format!("{greeting} {name}"))
        }
    });
    let mut english = Page::begun(connect(None, None).watch(view.variant("Hello")));
    let mut german = Page::begun(connect(None, None).watch(view.variant("Hallo")));
    settle().await;
    assert_eq!(english.read(), ["Hello Ada"]);
    assert_eq!(german.read(), ["Hallo Ada"]);
    drop(german);
    sleep(Duration::from_secs(1)).await;
    view.update(|name| *name = "Eve");
    settle().await;
    assert_eq!(english.read(), ["Hello Eve"]);
    assert_eq!(*rendered.lock().unwrap(), ["Hello", "Hallo", "Hello"]);
    assert_eq!(view.watchers(), 1);
}

#[tokio::test(start_paused = true)]
async fn several_views_and_a_topic_in_the_order_of_their_pictures() {
    let hub = Hub::new();
    let a = View::new(0, |n: &u32| Event::new(format!("a{n}"))).in_hub(&hub);
    let b = View::new(0, |n: &u32| Event::new(format!("b{n}"))).in_hub(&hub);
    let topic = hub.topic("t");
    let mut page = Page::begun(connect(None, None).watch((&a, (&b, &topic))));
    settle().await;
    page.read();
    sleep(Duration::from_millis(60)).await;
    b.update(|n| *n = 1);
    settle().await;
    topic.publish(Event::new("t1")).unwrap();
    a.update(|n| *n = 1);
    settle().await;
    assert_eq!(page.read(), ["b1", "t1", "a1"]);
    assert_eq!(hub.connections(), 1);
    drop(page);
    assert_eq!(hub.connections(), 0);
}

/// A view that is watched on one runtime and changed on another, which goes away in the middle of
/// the render: it is rendered elsewhere.
#[test]
fn a_render_survives_its_runtime() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let view = View::new_async(0, |n: Arc<u32>| async move {
        sleep(Duration::from_millis(50)).await;
        Event::from_display(n)
    })
    .at_most_per_second(0);
    let mut page = Page::begun(connect(None, None).watch(&view));
    let first = runtime();
    first.block_on(async {
        view.update(|n| *n = 1);
        sleep(Duration::from_millis(10)).await;
    });
    drop(first);
    let second = runtime();
    second.block_on(async {
        for _ in 0..100 {
            sleep(Duration::from_millis(20)).await;
            if page.read().last().map(String::as_str) == Some("1") {
                return;
            }
        }
        panic!("the last change was not shown");
    });
}

/// Without any runtime, on a thread.
#[test]
fn a_view_needs_no_runtime() {
    let (view, _) = view();
    let mut page = Page::begun(connect(None, None).watch(&view));
    view.update(|n| *n = 1);
    for _ in 0..200 {
        std::thread::sleep(Duration::from_millis(10));
        if page.read().last().map(String::as_str) == Some("1") {
            return;
        }
    }
    panic!("the last change was not shown");
}

#[tokio::test(start_paused = true)]
async fn a_change_that_panics_is_a_change() {
    let (view, _) = view();
    let mut page = Page::begun(connect(None, None).watch(&view));
    settle().await;
    page.read();
    let other = view.clone();
    let panicked = std::thread::spawn(move || {
        other.update(|n| {
            *n = 9;
            panic!("a panic of the test's");
        })
    });
    assert!(panicked.join().is_err());
    advance(Duration::from_millis(100)).await;
    for _ in 0..100 {
        settle().await;
        std::thread::sleep(Duration::from_millis(5));
        if page.read() == ["9"] {
            return;
        }
    }
    panic!("the change was not shown");
}

#[tokio::test(start_paused = true)]
async fn those_who_poll_share_one_chunk() {
    let view = View::new(0, |_: &u32| Event::new("x".repeat(5000)));
    let _watcher = Page::begun(connect(None, None).watch(&view));
    settle().await;
    for codec in CODECS.into_iter().flatten() {
        let packings = Arc::new(Mutex::new(Vec::new()));
        struct Record(Arc<Mutex<Vec<Packing>>>);
        impl sidereal_sse::Observer for Record {
            fn wrote(&self, _: &sidereal_sse::Client, wrote: &sidereal_sse::Wrote) {
                self.0.lock().unwrap().push(wrote.packing());
            }
        }
        let observer = packings.clone();
        let sse = connect(Some(codec), None)
            .once(&view)
            .configure(|options| options.observer(Record(observer)));
        assert_eq!(Page::new(sse).read(), ["x".repeat(5000)]);
        assert_eq!(*packings.lock().unwrap(), [Packing::Whole]);
    }
}

#[tokio::test(start_paused = true)]
async fn once_keeps_the_order_of_publishing_as_watch_does() {
    let (a, b) = (
        View::new(0, |n: &u32| Event::new(format!("a{n}"))).at_most_per_second(0),
        View::new(0, |n: &u32| Event::new(format!("b{n}"))).at_most_per_second(0),
    );
    let _page = Page::begun(connect(None, None).watch((&a, &b)));
    settle().await;
    a.update(|n| *n += 1);
    settle().await;
    let mut watched = Page::new(connect(None, None).watch((&a, &b)));
    assert_eq!(watched.read(), ["b0", "a1"]);
    let mut once = Page::new(connect(None, None).once((&a, &b)));
    assert_eq!(once.read(), ["b0", "a1"]);
}

#[tokio::test(start_paused = true)]
async fn variants_that_nobody_watches_go_away_and_there_are_only_so_many() {
    let view = View::by(0, |n: &u32, key: &u32| Event::new(format!("{n} for {key}")));
    let mut page = Page::begun(connect(None, None).watch(view.variant(1)));
    let many: Vec<_> = (1..=10_000).map(|key| view.variant(key)).collect();
    let one_more = connect(None, None).watch(view.variant(10_001)).into_http();
    assert_eq!(one_more.status(), 503);
    drop(many);
    sleep(Duration::from_secs(130)).await;
    page.read();
    view.update(|n| *n = 1);
    settle().await;
    assert_eq!(page.read(), ["1 for 1"]);
    let mut other = Page::begun(connect(None, None).watch(view.variant(10_001)));
    settle().await;
    assert_eq!(other.read(), ["1 for 10001"]);
}

/// A room that is in a user's list twice.
#[test]
fn who_follows_something_twice_gets_it_once() {
    let topic = Hub::new().topic("t");
    let view = View::new(0, |n: &u32| Event::from_display(n));
    let mut page = Page::begun(connect(None, None).watch((&topic, &view, [&topic, &topic], &view)));
    topic.publish(Event::new("x")).unwrap();
    // The view is rendered on a thread, by now or later.
    let read = page.read();
    let count = |text: &str| read.iter().filter(|event| *event == text).count();
    assert_eq!(count("x"), 1, "{read:?}");
    assert!(count("0") <= 1, "{read:?}");
    assert_eq!((topic.subscribers(), view.watchers()), (1, 1));
}
