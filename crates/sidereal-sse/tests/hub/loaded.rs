//! Views that load their state: once for all who show it, and never the last change lost.

use std::{
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};

use http_body_util::BodyExt as _;
use sidereal_sse::{BodyError, Event, Frame, Hub, Loaded, Subscription, View};
use tokio::{
    runtime::Runtime,
    time::{Instant, sleep},
};

use crate::{
    content::Random,
    page::{CODECS, Page, connect},
};

type Key = &'static str;

/// What is elsewhere: a number, that can be slow to load, and fail.
#[derive(Clone, Default)]
struct Store(Arc<Inner>);

#[derive(Default)]
struct Inner {
    number: AtomicU32,
    milliseconds: AtomicU32,
    fails: AtomicBool,
    /// When loads began, and whether they were to fail.
    loads: Mutex<Vec<(Instant, bool)>>,
    running: AtomicUsize,
    renders: AtomicUsize,
}

struct Running(Arc<Inner>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Store {
    fn set(&self, number: u32) {
        self.0.number.store(number, Ordering::SeqCst);
    }

    fn takes(&self, milliseconds: u32) {
        self.0.milliseconds.store(milliseconds, Ordering::SeqCst);
    }

    fn fails(&self, fails: bool) {
        self.0.fails.store(fails, Ordering::SeqCst);
    }

    fn loads(&self) -> usize {
        self.0.loads.lock().unwrap().len()
    }

    fn least_apart(&self) -> Duration {
        let loads = self.0.loads.lock().unwrap();
        let apart = loads.windows(2).map(|pair| pair[1].0 - pair[0].0);
        apart.min().unwrap_or(Duration::MAX)
    }

    /// What is there when the load begins.
    async fn load(self) -> Result<u32, BodyError> {
        let inner = self.0;
        let fails = inner.fails.load(Ordering::SeqCst);
        inner.loads.lock().unwrap().push((Instant::now(), fails));
        assert_eq!(inner.running.fetch_add(1, Ordering::SeqCst), 0);
        let running = Running(inner.clone());
        let number = inner.number.load(Ordering::SeqCst);
        let milliseconds = inner.milliseconds.load(Ordering::SeqCst);
        if milliseconds > 0 {
            sleep(Duration::from_millis(milliseconds.into())).await;
        }
        drop(running);
        match fails {
            true => Err(BodyError::new("the store is away")),
            false => Ok(number),
        }
    }

    fn view(&self) -> View<Loaded<u32>> {
        let store = self.clone();
        View::load(
            move || store.clone().load(),
            |n: &u32| Event::from_display(n),
        )
    }

    fn view_by(&self) -> View<Loaded<u32>, Key> {
        let (store, renders) = (self.clone(), self.0.clone());
        View::load_by(
            move || store.clone().load(),
            move |n: &u32, key: &Key| {
                renders.renders.fetch_add(1, Ordering::SeqCst);
                Event::new(format!("{key}{n}"))
            },
        )
    }

    fn renders(&self) -> usize {
        self.0.renders.load(Ordering::SeqCst)
    }
}

/// Lets what is due now run.
async fn settle() {
    for _ in 0..12 {
        tokio::task::yield_now().await;
    }
}

async fn after(milliseconds: u64) {
    sleep(Duration::from_millis(milliseconds)).await;
    settle().await;
}

fn watch(view: &View<Loaded<u32>, Key>, key: Key) -> Page {
    Page::begun(connect(None, None).watch(view.variant(key)))
}

#[tokio::test(start_paused = true)]
async fn one_load_for_all_variants_and_none_for_who_comes_late() {
    let store = Store::default();
    let view = store.view_by();
    let keys = ["a", "b", "c"];
    let mut pages = keys.map(|key| watch(&view, key));
    settle().await;
    for (page, key) in pages.iter_mut().zip(keys) {
        assert_eq!(page.read(), [format!("{key}0")]);
    }
    assert_eq!(store.loads(), 1);
    for codec in CODECS {
        let mut late = Page::new(connect(codec, None).watch(view.variant("a")));
        assert_eq!(late.read(), ["a0"]);
        let mut once = Page::new(connect(codec, None).once(view.variant("a")));
        assert_eq!(once.read(), ["a0"]);
    }
    // A variant that is new needs a render, and no load.
    after(60).await;
    store.set(1);
    let mut new = watch(&view, "d");
    settle().await;
    assert_eq!(new.read(), ["d0"]);
    assert_eq!(store.loads(), 1, "nobody told of the change");
    after(60).await;
    view.invalidate();
    settle().await;
    for (page, key) in pages.iter_mut().zip(keys) {
        assert_eq!(page.read(), [format!("{key}1")]);
    }
    assert_eq!(new.read(), ["d1"]);
    assert_eq!(store.loads(), 2);
    after(3_600_000).await;
    assert_eq!(store.loads(), 2, "nothing runs without a change");
}

/// Slow as the load may be, those who come while it runs wait for it.
#[tokio::test(start_paused = true)]
async fn who_comes_during_a_load_shares_it() {
    let store = Store::default();
    store.takes(300);
    let view = store.view_by();
    let mut pages = vec![watch(&view, "a")];
    for key in ["b", "c", "d"] {
        after(60).await;
        pages.push(watch(&view, key));
    }
    after(130).await;
    let read: Vec<_> = pages.iter_mut().flat_map(Page::read).collect();
    assert_eq!(read, ["a0", "b0", "c0", "d0"]);
    assert_eq!(store.loads(), 1);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_loaded_for_nobody_and_no_stale_picture_is_shown() {
    let store = Store::default();
    let view = store.view();
    view.invalidate();
    after(1000).await;
    assert_eq!(store.loads(), 0);
    let mut page = Page::begun(connect(None, None).watch(&view));
    settle().await;
    assert_eq!(page.read(), ["0"]);
    drop(page);
    for n in 1..=100 {
        store.set(n);
        view.invalidate();
        after(60).await;
    }
    assert_eq!(store.loads(), 1);
    store.takes(100);
    let mut page = Page::new(connect(None, None).watch(&view));
    assert_eq!(page.read(), [""; 0]);
    after(90).await;
    assert_eq!(page.read(), [""; 0], "the picture of before is not shown");
    after(20).await;
    assert_eq!(page.read(), ["100"]);
    assert_eq!(store.loads(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_invalidated_during_a_load_is_loaded_once_more() {
    let store = Store::default();
    store.takes(300);
    let view = store.view_by();
    let mut pages = ["a", "b"].map(|key| watch(&view, key));
    after(100).await;
    for n in 1..=5 {
        store.set(n);
        view.invalidate();
        after(10).await;
    }
    after(200).await;
    assert_eq!(pages[0].read(), ["a0"], "what was there when it began");
    assert_eq!(pages[1].read(), ["b0"]);
    after(400).await;
    assert_eq!(pages[0].read(), ["a5"]);
    assert_eq!(pages[1].read(), ["b5"]);
    after(2000).await;
    assert_eq!(store.loads(), 2);
}

/// However the variants stand to each other: the pace is the view's.
#[tokio::test(start_paused = true)]
async fn loads_are_as_often_as_the_view_may_be_rendered() {
    const KEYS: [Key; 5] = ["a", "b", "c", "d", "e"];
    let store = Store::default();
    let view = store.view_by().at_most_per_second(10);
    let mut pages = Vec::new();
    for n in 1..=1000 {
        // They come at different times.
        if n % 100 == 13
            && let Some(key) = KEYS.get(pages.len())
        {
            pages.push(watch(&view, key));
        }
        store.set(n);
        view.invalidate();
        after(3).await;
    }
    assert!(store.least_apart() >= Duration::from_millis(100));
    assert!((25..=31).contains(&store.loads()), "{}", store.loads());
    after(200).await;
    for (page, key) in pages.iter_mut().zip(KEYS) {
        let last = page.read().pop();
        assert_eq!(last, Some(format!("{key}1000")));
    }
}

/// One load after the other, each invalidated while it runs: every variant gets its pictures.
#[tokio::test(start_paused = true)]
async fn no_variant_starves_while_others_load() {
    let store = Store::default();
    store.takes(130);
    let view = store.view_by().at_most_per_second(10);
    let keys = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let mut pages = keys.map(|key| watch(&view, key));
    let mut seen = [0; 8];
    for n in 1..=1000 {
        store.set(n);
        view.invalidate();
        after(5).await;
        for (page, seen) in pages.iter_mut().zip(&mut seen) {
            *seen += page.read().len();
        }
    }
    let loads = store.loads();
    assert!((33..=40).contains(&loads), "{loads}");
    assert!(
        seen.iter().all(|seen| *seen + 4 >= loads),
        "{seen:?} of {loads}"
    );
}

/// The same, where a load takes no time, and there is a change between it and all who would take it.
#[tokio::test(start_paused = true)]
async fn no_variant_starves_where_each_load_is_followed_by_a_change() {
    let view = Arc::new(OnceLock::<View<Loaded<u32>, Key>>::new());
    let loads = Arc::new(AtomicU32::new(0));
    let load = {
        let (view, loads) = (view.clone(), loads.clone());
        move || {
            let n = loads.fetch_add(1, Ordering::SeqCst);
            view.get().unwrap().invalidate();
            async move { Ok::<_, BodyError>(n) }
        }
    };
    let render = |n: &u32, key: &Key| Event::new(format!("{key}{n}"));
    let view = view.get_or_init(|| View::load_by(load, render));
    let keys = ["a", "b", "c"];
    let mut pages = keys.map(|key| watch(view, key));
    let mut seen = [0; 3];
    for _ in 0..100 {
        after(20).await;
        for (page, seen) in pages.iter_mut().zip(&mut seen) {
            *seen += page.read().len();
        }
    }
    let loads = loads.load(Ordering::SeqCst);
    assert!((39..=41).contains(&loads), "{loads}");
    assert!(seen.iter().all(|seen| *seen >= 38), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn a_load_that_fails_is_tried_again_for_who_comes_and_all_get_what_it_brings() {
    let store = Store::default();
    let view = store.view_by();
    let keys = ["a", "b", "c"];
    let mut pages = keys.map(|key| watch(&view, key));
    settle().await;
    pages.iter_mut().for_each(|page| drop(page.read()));
    after(60).await;
    store.fails(true);
    store.takes(10);
    store.set(1);
    view.invalidate();
    after(1000).await;
    assert!(pages.iter_mut().all(|page| page.read().is_empty()));
    assert_eq!(
        store.loads(),
        2,
        "those who waited for it share the failure"
    );
    // A page that polls learns that there is nothing.
    let mut poll = Page::new(connect(None, None).once(view.variant("a")));
    poll.read();
    let wakes = poll.wakes();
    after(60).await;
    assert!(poll.wakes() > wakes);
    assert_eq!(poll.read(), [""; 0]);
    assert_eq!(poll.ended(), Some(Ok(())));
    assert_eq!(store.loads(), 3);
    store.fails(false);
    let mut poll = Page::new(connect(None, None).once(view.variant("a")));
    poll.read();
    after(100).await;
    assert_eq!(poll.read(), ["a1"]);
    assert_eq!(store.loads(), 4);
    // The others lacked the same.
    for (page, key) in pages.iter_mut().zip(keys) {
        assert_eq!(page.read(), [format!("{key}1")]);
        assert_eq!(page.ended(), None);
    }
    assert_eq!(store.renders(), 6);
    after(1000).await;
    assert_eq!(store.renders(), 6, "nothing runs without a change");
}

/// One that has just failed for want of the state, and waits for its next turn, renders once.
#[tokio::test(start_paused = true)]
async fn what_others_load_is_rendered_once() {
    let store = Store::default();
    store.fails(true);
    store.takes(100);
    let view = store.view_by();
    let _a = watch(&view, "a");
    after(90).await;
    let mut b = watch(&view, "b");
    after(15).await;
    store.fails(false);
    store.takes(0);
    let mut c = watch(&view, "c");
    settle().await;
    assert_eq!(c.read(), ["c0"]);
    assert_eq!(b.read(), [""; 0], "not before its pace");
    after(1000).await;
    assert_eq!(b.read(), ["b0"]);
    assert_eq!((store.loads(), store.renders()), (2, 3));
}

/// What was loaded long ago is not the news that a new picture begins with.
#[tokio::test(start_paused = true)]
async fn an_old_state_is_not_shown_after_a_load_that_failed() {
    let store = Store::default();
    let view = store.view_by();
    let _a = watch(&view, "a");
    after(3_600_000).await;
    store.set(1);
    store.fails(true);
    view.invalidate();
    after(10).await;
    store.fails(false);
    let mut b = watch(&view, "b");
    after(20).await;
    assert_eq!(b.read(), [""; 0]);
    after(60).await;
    assert_eq!(b.read(), ["b1"]);
}

/// A load that brings something is no failure, though the one before it was.
#[tokio::test(start_paused = true)]
async fn who_waits_for_the_load_after_a_failed_one_gets_what_it_brings() {
    let store = Store::default();
    let view = store.view_by();
    let (_a, b) = (watch(&view, "a"), watch(&view, "b"));
    after(60).await;
    drop(b);
    store.set(1);
    store.fails(true);
    view.invalidate();
    after(60).await;
    store.fails(false);
    store.takes(100);
    let mut polls = Vec::new();
    for key in ["a", "b"] {
        // Polled as soon as there is something to say, and not when the test looks.
        let body = connect(None, None).once(view.variant(key)).into_http();
        polls.push(tokio::spawn(body.into_body().collect()));
        after(10).await;
    }
    for (poll, want) in polls.into_iter().zip(["data: a1", "data: b1"]) {
        let bytes = poll.await.unwrap().unwrap().to_bytes();
        let text = std::str::from_utf8(&bytes).unwrap();
        assert!(text.contains(want), "{text:?}");
    }
    assert_eq!(store.loads(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_load_that_fails_is_tried_again_after_an_invalidation() {
    let store = Store::default();
    store.fails(true);
    let view = store.view();
    let mut page = Page::begun(connect(None, None).watch(&view));
    after(1000).await;
    assert_eq!(page.read(), [""; 0]);
    store.fails(false);
    view.invalidate();
    settle().await;
    assert_eq!(page.read(), ["0"]);
}

/// Before it returns a future, within it, and after.
#[tokio::test(start_paused = true)]
async fn a_load_that_panics_is_one_that_fails() {
    #[derive(Debug)]
    struct Number(u32);
    impl Drop for Number {
        fn drop(&mut self) {
            assert_ne!(self.0, 3, "a panic of the test's");
        }
    }
    let turn = Arc::new(AtomicU32::new(0));
    let view = View::load(
        {
            let turn = turn.clone();
            move || {
                let n = turn.fetch_add(1, Ordering::SeqCst);
                assert_ne!(n, 1, "a panic of the test's");
                async move {
                    sleep(Duration::from_millis(1)).await;
                    assert_ne!(n, 2, "a panic of the test's");
                    Ok::<_, BodyError>(Number(n))
                }
            }
        },
        |n: &Number| {
            assert_ne!(n.0, 5, "a panic of the test's");
            Event::new(format!("{n:?}"))
        },
    );
    let mut page = Page::begun(connect(None, None).watch(&view));
    after(10).await;
    assert_eq!(page.read(), ["Number(0)"]);
    for expected in ["", "", "Number(3)", "Number(4)", "", "Number(6)"] {
        view.invalidate();
        after(100).await;
        assert_eq!(page.read().pop().unwrap_or_default(), expected);
    }
    assert_eq!(turn.load(Ordering::SeqCst), 7);
    assert_eq!(page.ended(), None);
}

#[tokio::test(start_paused = true)]
async fn once_sees_what_was_true_before_the_request() {
    let store = Store::default();
    store.takes(100);
    let view = store.view_by();
    let _watcher = watch(&view, "a");
    let mut open = Vec::new();
    for n in 1..=100 {
        store.set(n);
        view.invalidate();
        let key = ["a", "b"][n as usize % 2];
        let mut page = Page::new(connect(None, None).once(view.variant(key)));
        page.read();
        open.push((n, page));
        after(7).await;
    }
    after(500).await;
    for (wants, mut page) in open {
        let events = page.read();
        assert_eq!(events.len(), 1, "{wants}");
        let n: u32 = events[0][1..].parse().unwrap();
        assert!(n >= wants, "{events:?} shows less than {wants}");
        assert_eq!(page.ended(), Some(Ok(())));
    }
    assert!(store.loads() <= 10, "{}", store.loads());
}

/// Of views of one name, each loads its own.
#[tokio::test(start_paused = true)]
async fn loaded_views_by_name() {
    let hub = Hub::new();
    let stores = [Store::default(), Store::default()];
    let views = stores.each_ref().map(|store| store.view().named(&hub, "n"));
    let mut pages = views
        .each_ref()
        .map(|view| Page::begun(connect(None, None).watch(view)));
    after(60).await;
    stores.iter().for_each(|store| store.set(1));
    hub.invalidate("n");
    settle().await;
    for page in &mut pages {
        assert_eq!(page.read().pop().as_deref(), Some("1"));
    }
    assert_eq!(stores.map(|store| store.loads()), [2, 2]);
}

/// A picture that needs the state and fails is tried again for who comes, without a load.
#[tokio::test(start_paused = true)]
async fn a_render_that_fails_costs_no_load() {
    let store = Store::default();
    let fails = Arc::new(AtomicBool::new(true));
    let view = View::load(
        {
            let store = store.clone();
            move || store.clone().load()
        },
        {
            let fails = fails.clone();
            move |n: &u32| match fails.load(Ordering::SeqCst) {
                true => Err(BodyError::new("broken")),
                false => Ok(Event::from_display(n)),
            }
        },
    );
    let mut page = Page::begun(connect(None, None).watch(&view));
    after(1000).await;
    assert_eq!(page.read(), [""; 0]);
    fails.store(false, Ordering::SeqCst);
    let _other = Page::begun(connect(None, None).watch(&view));
    after(60).await;
    assert_eq!(page.read(), ["0"]);
    assert_eq!(store.loads(), 1);
}

fn runtime() -> Runtime {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap()
}

/// Follows a variant on a runtime, which then stands still again.
fn follow_on(runtime: &Runtime, view: &View<Loaded<u32>, Key>, key: Key) -> Subscription {
    runtime.block_on(async {
        let pictures = Subscription::to(view.variant(key));
        sleep(Duration::from_millis(10)).await;
        pictures
    })
}

fn pictures(subscription: &mut Subscription) -> Vec<String> {
    let frames = std::iter::from_fn(|| subscription.try_next_frame());
    let text = |frame: Frame| {
        std::str::from_utf8(frame.as_bytes())
            .unwrap()
            .trim()
            .to_owned()
    };
    frames.map(|frame| text(frame.unwrap())).collect()
}

/// A load that goes down with its runtime is begun anew elsewhere, and those who wait for it, on
/// another runtime that nobody drives, hold up nobody.
#[test]
fn a_load_survives_its_runtime() {
    let store = Store::default();
    store.takes(50);
    let view = store.view_by().at_most_per_second(0);
    let (first, idle, second) = (runtime(), runtime(), runtime());
    let mut all = vec![follow_on(&first, &view, "a"), follow_on(&idle, &view, "b")];
    assert_eq!(store.loads(), 1);
    drop(first);
    all.push(follow_on(&second, &view, "c"));
    let mut shown = Vec::new();
    for _ in 0..100 {
        second.block_on(async { sleep(Duration::from_millis(20)).await });
        shown.extend(all.iter_mut().flat_map(pictures));
        shown.sort();
        if shown == ["data: a0", "data: c0"] {
            assert_eq!(store.loads(), 2);
            return;
        }
    }
    panic!("{shown:?}");
}

/// Who waited for it does not take what was there before, and waits for no pace.
#[test]
fn a_load_that_goes_down_has_not_been() {
    let store = Store::default();
    let view = store.view_by().at_most_per_second(0);
    let (first, second) = (runtime(), runtime());
    let mut a = follow_on(&first, &view, "a");
    assert_eq!(pictures(&mut a), ["data: a0"]);
    store.set(1);
    store.takes(1000);
    first.block_on(async {
        view.invalidate();
        sleep(Duration::from_millis(10)).await;
    });
    assert_eq!(store.loads(), 2);
    let view = view.at_most_every(Duration::from_secs(60));
    let mut b = follow_on(&second, &view, "b");
    store.takes(0);
    drop(first);
    for _ in 0..100 {
        second.block_on(async { sleep(Duration::from_millis(20)).await });
        let shown = pictures(&mut b);
        if !shown.is_empty() {
            assert_eq!(shown, ["data: b1"]);
            return;
        }
    }
    panic!("it was not loaded again");
}

/// Whatever the threads do, the last change is shown by every variant.
#[test]
fn no_change_is_lost_between_threads() {
    let keys = ["a", "b", "c"];
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap();
    for round in 0..50 {
        let store = Store::default();
        let view = store.view_by().at_most_every(Duration::from_micros(200));
        let _inside = runtime.enter();
        let mut pages = keys.map(|key| watch(&view, key));
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let _inside = runtime.enter();
                    for n in 0..200 {
                        store.0.number.fetch_add(1, Ordering::SeqCst);
                        store.fails(round % 2 == 1 && n % 8 > 0);
                        view.invalidate();
                        std::thread::yield_now();
                    }
                });
            }
        });
        let mut shown = keys.map(|_| String::new());
        let want = keys.map(|key| format!("{key}600"));
        let end = std::time::Instant::now() + Duration::from_secs(10);
        while shown != want {
            assert!(std::time::Instant::now() < end, "{round}: {shown:?}");
            std::thread::sleep(Duration::from_millis(1));
            if round % 2 == 1 {
                // The store is back, and somebody comes.
                store.fails(false);
                watch(&view, "a");
            }
            for (page, shown) in pages.iter_mut().zip(&mut shown) {
                if let Some(last) = page.read().pop() {
                    *shown = last;
                }
            }
        }
    }
}

/// Pages that come and go, changes, and a store that is slow, and away at times: at rest, all show
/// what is there.
struct World {
    random: Random,
    store: Store,
    view: View<Loaded<u32>, Key>,
    /// Each with what it shows.
    pages: Vec<(Page, Option<u32>)>,
    /// Those that ask once, when, and the number that was there then.
    polls: Vec<(Page, Instant, u32)>,
    failures: usize,
}

const KEYS: [Key; 4] = ["a", "b", "c", "d"];
const SLOWEST: u32 = 400;

fn number(picture: &str) -> u32 {
    picture[1..].parse().unwrap()
}

impl World {
    fn new(seed: u64) -> Self {
        let store = Store::default();
        Self {
            random: Random::new(seed),
            view: store.view_by(),
            store,
            pages: Vec::new(),
            polls: Vec::new(),
            failures: 0,
        }
    }

    fn change(&self) {
        self.store.0.number.fetch_add(1, Ordering::SeqCst);
        self.view.invalidate();
    }

    fn come(&mut self) {
        let key = self.random.of(&KEYS);
        let mut page = Page::new(connect(None, None).watch(self.view.variant(key)));
        page.chunk();
        self.pages.push((page, None));
    }

    async fn step(&mut self) {
        match self.random.below(12) {
            0..=3 => self.change(),
            4 => self.view.invalidate(),
            5 | 6 if self.pages.len() < 6 => self.come(),
            5..=7 if !self.pages.is_empty() => {
                let page = self.random.below(self.pages.len());
                self.pages.swap_remove(page);
            }
            8 => {
                let key = self.random.of(&KEYS);
                let sse = connect(None, None).once(self.view.variant(key));
                let there = self.store.0.number.load(Ordering::SeqCst);
                let mut page = Page::new(sse);
                page.chunk();
                self.polls.push((page, Instant::now(), there));
            }
            9 => self
                .store
                .takes(self.random.of(&[0, 0, 3, 20, 130, SLOWEST])),
            10 if self.random.one_in(3) => {
                let fails = self.random.one_in(2);
                self.store.fails(fails);
            }
            _ => {
                let milliseconds = self.random.of(&[0, 1, 10, 40, 50, 120]);
                self.pass(milliseconds).await;
            }
        }
    }

    async fn pass(&mut self, milliseconds: u64) {
        after(milliseconds).await;
        for (page, shown) in &mut self.pages {
            for picture in page.read() {
                let number = number(&picture);
                assert!(*shown < Some(number), "{shown:?}, and then {number}");
                *shown = Some(number);
            }
            assert_eq!(page.ended(), None);
        }
    }

    /// All that is under way comes to its end.
    async fn rest(&mut self) {
        self.pass(3000).await;
        for (mut page, since, there) in std::mem::take(&mut self.polls) {
            let pictures = page.read();
            assert_eq!(page.ended(), Some(Ok(())));
            match &pictures[..] {
                [picture] => assert!(number(picture) >= there, "{picture} for {there}"),
                pictures => {
                    assert_eq!(pictures, [""; 0]);
                    let slowest = Duration::from_millis(SLOWEST.into());
                    let loads = self.store.0.loads.lock().unwrap();
                    let mut since = loads.iter().filter(|(at, _)| *at + slowest >= since);
                    assert!(since.any(|(_, fails)| *fails), "nothing failed");
                    self.failures += 1;
                }
            }
        }
    }

    async fn end(mut self) -> usize {
        self.rest().await;
        // Nobody says that the store is back, but somebody comes.
        self.store.fails(false);
        self.come();
        self.rest().await;
        let there = self.store.0.number.load(Ordering::SeqCst);
        for (_, shown) in &self.pages {
            assert_eq!(*shown, Some(there));
        }
        self.pages.clear();
        let loads = self.store.loads();
        for _ in 0..3 {
            self.change();
            after(100).await;
        }
        assert_eq!(self.store.loads(), loads, "for nobody");
        assert!(self.store.least_apart() >= Duration::from_millis(50));
        self.failures
    }
}

#[tokio::test(start_paused = true)]
async fn at_rest_all_show_what_is_there() {
    let runs = std::env::var("SIDEREAL_RUNS").ok();
    let runs = runs.map_or(200, |runs| runs.parse().unwrap());
    let mut failures = 0;
    for seed in 0..runs {
        let mut world = World::new(seed);
        for _ in 0..100 {
            world.step().await;
        }
        failures += world.end().await;
    }
    assert!(failures > runs as usize / 10, "{failures}");
}
