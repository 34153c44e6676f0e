//! Tickers: one timer and one event for all, or one timer and a body for each.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use sidereal_sse::{BodyError, EndReason, Event, Hub, Ticker, View};
use tokio::time::{Instant, sleep};

use crate::page::{CODECS, Page, connect};

fn counter(hub: &Hub, period: Duration) -> (Ticker, Arc<AtomicUsize>) {
    let made = Arc::new(AtomicUsize::new(0));
    let ticker = hub.every(period, {
        let made = made.clone();
        move || Event::from_display(made.fetch_add(1, Ordering::SeqCst))
    });
    (ticker, made)
}

async fn settle() {
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_event_for_all_and_the_first_at_once() {
    let hub = Hub::new();
    let (ticker, made) = counter(&hub, Duration::from_secs(1));
    let mut pages = CODECS.map(|codec| Page::begun(connect(codec, None).watch(&ticker)));
    settle().await;
    for page in &mut pages {
        assert_eq!(page.read(), ["0"]);
    }
    sleep(Duration::from_millis(2500)).await;
    let mut late = Page::new(connect(None, None).watch(&ticker));
    for page in pages.iter_mut().chain([&mut late]) {
        assert_eq!(page.read(), ["2"], "the newest only");
    }
    assert_eq!(made.load(Ordering::SeqCst), 3);
    assert_eq!(hub.connections(), 4);
}

#[tokio::test(start_paused = true)]
async fn it_stops_when_nobody_watches_and_begins_anew() {
    let (ticker, made) = counter(&Hub::new(), Duration::from_secs(1));
    sleep(Duration::from_secs(5)).await;
    assert_eq!(made.load(Ordering::SeqCst), 0);
    let page = Page::begun(connect(None, None).watch(&ticker));
    sleep(Duration::from_millis(3500)).await;
    drop(page);
    let made_by_now = made.load(Ordering::SeqCst);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(made.load(Ordering::SeqCst), made_by_now);
    let mut page = Page::begun(connect(None, None).watch(&ticker));
    assert_eq!(
        page.read(),
        [""; 0],
        "what was made a minute ago is not shown"
    );
    settle().await;
    assert_eq!(page.read(), [made_by_now.to_string()]);
}

#[tokio::test(start_paused = true)]
async fn it_does_not_drift_and_leaves_out_what_is_too_late() {
    let began = Instant::now();
    let ticks = Arc::new(std::sync::Mutex::new(Vec::new()));
    let ticker = Hub::new().every_async(Duration::from_millis(100), {
        let ticks = ticks.clone();
        move || {
            let ticks = ticks.clone();
            async move {
                let at = began.elapsed().as_millis() as u64;
                ticks.lock().unwrap().push(at);
                // The third takes two periods and a half, the others a third of one.
                sleep(Duration::from_millis(if at == 200 { 250 } else { 33 })).await;
                Event::from_display(at)
            }
        }
    });
    let mut page = Page::begun(connect(None, None).watch(&ticker));
    sleep(Duration::from_millis(950)).await;
    assert_eq!(page.read(), ["900"]);
    assert_eq!(
        *ticks.lock().unwrap(),
        [0, 100, 200, 500, 600, 700, 800, 900]
    );
}

#[tokio::test(start_paused = true)]
async fn zero_is_a_tenth_of_a_second_and_the_shortest_a_hundredth() {
    for (period, ticks) in [(0, 11), (1, 101), (10, 101), (250, 5)] {
        let (ticker, made) = counter(&Hub::new(), Duration::from_millis(period));
        let _page = Page::begun(connect(None, None).watch(&ticker));
        sleep(Duration::from_millis(1005)).await;
        assert_eq!(made.load(Ordering::SeqCst), ticks, "{period} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn a_tick_that_fails_is_followed_by_the_next() {
    let mut n = 0;
    let ticker = Hub::new().every(Duration::from_secs(1), move || {
        n += 1;
        match n {
            2 => Err(BodyError::new("broken")),
            3 => panic!("a panic of the test's"),
            n => Ok(Event::from_display(n)),
        }
    });
    let mut page = Page::begun(connect(None, None).watch(&ticker));
    let mut seen = Vec::new();
    for _ in 0..4 {
        settle().await;
        seen.extend(page.read());
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(seen, ["1", "4"]);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_polls_gets_the_last_event() {
    let (ticker, made) = counter(&Hub::new(), Duration::from_secs(1));
    for _ in 0..5 {
        let mut page = Page::new(connect(None, None).once(&ticker));
        let mut events = page.read();
        settle().await;
        events.extend(page.read());
        assert_eq!(events, ["0"]);
        assert_eq!(page.ended(), Some(Ok(())));
    }
    assert_eq!(made.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_body_for_each_by_one_timer_and_one_that_fails_ends_its_own_stream() {
    let hub = Hub::new();
    let each = hub.every_for(Duration::from_secs(1), async |tx| {
        let &n = tx.client().data::<u32>().unwrap();
        if n == 13 {
            return Err(BodyError::new("thirteen"));
        }
        tx.send(Event::new(format!("for {n}"))).await?;
        Ok(())
    });
    let mut pages =
        [1, 2, 13].map(|n: u32| Page::begun(connect(None, None).with_data(n).watch(&each)));
    assert_eq!(pages[2].ended(), Some(Ok(())));
    assert_eq!(pages[0].wakes(), 0);
    for _ in 0..3 {
        sleep(Duration::from_millis(1001)).await;
        for (page, n) in pages.iter_mut().zip([1, 2]) {
            assert_eq!(page.read(), [format!("for {n}")]);
        }
    }
    assert_eq!(hub.connections(), 2);
    drop(pages);
    assert_eq!(hub.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_body_for_each_beside_a_topic_and_another_body() {
    let hub = Hub::new();
    let topic = hub.topic("t");
    let body = |name: &'static str, period| {
        hub.every_for(Duration::from_millis(period), move |tx| async move {
            tx.send(Event::new(name)).await?;
            Ok(())
        })
    };
    let (fast, slow) = (body("fast", 400), body("slow", 1000));
    let mut page = Page::new(connect(None, None).watch((&fast, &slow, &topic)));
    assert_eq!(page.read(), ["fast", "slow"]);
    topic.publish(Event::new("t")).unwrap();
    assert_eq!(page.read(), ["t"]);
    let mut seen = Vec::new();
    for _ in 0..21 {
        sleep(Duration::from_millis(100)).await;
        seen.extend(page.read());
    }
    let count = |name| seen.iter().filter(|seen| *seen == name).count();
    assert_eq!((count("fast"), count("slow")), (5, 2), "{seen:?}");
}

/// A body that takes longer than the period runs again when it is done, and not beside itself.
#[tokio::test(start_paused = true)]
async fn a_slow_body_is_not_run_twice_at_a_time() {
    let each = Hub::new().every_for(Duration::from_millis(100), async |tx| {
        tx.send(Event::new("begin")).await?;
        sleep(Duration::from_millis(250)).await;
        tx.send(Event::new("end")).await?;
        Ok(())
    });
    let mut page = Page::new(connect(None, None).watch(&each));
    let mut seen = Vec::new();
    for _ in 0..100 {
        sleep(Duration::from_millis(10)).await;
        seen.extend(page.read());
    }
    let pairs: Vec<_> = seen.chunks_exact(2).collect();
    assert!(
        pairs.len() >= 3 && pairs.iter().all(|pair| *pair == ["begin", "end"]),
        "{seen:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_failing_page_ends_as_it_is_set() {
    let each = Hub::new().every_for(Duration::from_secs(1), async |_| Err(BodyError::new("no")));
    let mut page = Page::new(
        connect(None, None)
            .watch(&each)
            .end_with(EndReason::Failed, sidereal_sse::End::Broken),
    );
    page.read();
    sleep(Duration::from_secs(1)).await;
    page.read();
    assert_eq!(page.ended(), Some(Err(EndReason::Failed)));
}

/// All that a page is sent that asks once.
async fn once(what: impl sidereal_sse::Watch) -> Vec<String> {
    let mut page = Page::new(connect(None, None).once(what));
    let mut events = page.read();
    settle().await;
    events.extend(page.read());
    events
}

#[tokio::test(start_paused = true)]
async fn a_page_that_polls_at_the_period_of_a_ticker_gets_a_new_event_each_time() {
    let made = AtomicUsize::new(0);
    let ticker = Hub::new().every(Duration::from_millis(100), move || {
        Event::from_display(made.fetch_add(1, Ordering::SeqCst))
    });
    let mut seen = Vec::new();
    // A browser's timer of 100 ms, as exact as such timers are.
    for wait in [99, 100, 99, 101, 99, 99] {
        seen.extend(once(&ticker).await);
        sleep(Duration::from_millis(wait)).await;
    }
    assert_eq!(seen, ["0", "1", "2", "3", "4", "5"]);
}

#[tokio::test(start_paused = true)]
async fn a_ticker_keeps_the_limits_of_its_hub() {
    let period = Duration::from_secs(1);
    let each = Hub::new()
        .max_connections(0)
        .every_for(period, async |_| Ok(()));
    assert_eq!(connect(None, None).watch(&each).into_http().status(), 503);
    let view =
        View::new(0, |n: &u32| Event::from_display(n)).in_hub(&Hub::new().max_connections(0));
    assert_eq!(connect(None, None).watch(&view).into_http().status(), 503);
    let ticker = Hub::new()
        .max_connections(0)
        .every(period, || Event::new("x"));
    assert_eq!(connect(None, None).watch(&ticker).into_http().status(), 503);
}
