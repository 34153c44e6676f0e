//! Views that are known by a name: who invalidates it invalidates them all, and nothing else.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use sidereal_sse::{Event, Hub, TopicName, View};
use tokio::time::sleep;

use crate::page::{Page, connect};

/// What the views show, which is no state of theirs.
#[derive(Clone, Default)]
struct Number(Arc<AtomicU32>);

impl Number {
    fn set(&self, number: u32) {
        self.0.store(number, Ordering::SeqCst);
    }

    fn view(&self) -> View<()> {
        let number = self.0.clone();
        View::new((), move |()| {
            Event::from_display(number.load(Ordering::SeqCst))
        })
    }
}

fn watch(view: &View<()>) -> Page {
    Page::begun(connect(None, None).watch(view))
}

async fn read(pages: &mut [Page]) -> Vec<String> {
    sleep(Duration::from_millis(60)).await;
    let last = |page: &mut Page| page.read().pop().unwrap_or_default();
    pages.iter_mut().map(last).collect()
}

#[tokio::test(start_paused = true)]
async fn all_views_of_a_name_and_no_others() {
    let (hub, other_hub, number) = (Hub::new(), Hub::new(), Number::default());
    let room = |n: u32| TopicName::new("room").with(n);
    let views = [
        number.view().named(&hub, room(1)),
        number.view().named(&hub, room(1)),
        number.view().named(&hub, room(10)),
        number.view().named(&hub, "room/1"), // one part
        number.view().named(&other_hub, room(1)),
        number.view().in_hub(&hub),
    ];
    let mut pages: Vec<_> = views.iter().map(watch).collect();
    assert_eq!(read(&mut pages).await, ["0"; 6]);
    assert_eq!(hub.connections(), 5, "who has a name in a hub is in it");
    number.set(1);
    hub.invalidate(room(1));
    hub.invalidate(room(3));
    assert_eq!(read(&mut pages).await, ["1", "1", "", "", "", ""]);
    // By one of them, whichever it is.
    number.set(2);
    views[1].invalidate();
    assert_eq!(read(&mut pages).await, ["2", "2", "", "", "", ""]);
    number.set(3);
    views[5].invalidate();
    assert_eq!(read(&mut pages).await, ["", "", "", "", "", "3"]);
    number.set(4);
    hub.invalidate_all();
    assert_eq!(read(&mut pages).await, ["4", "4", "4", "4", "", ""]);
}

#[tokio::test(start_paused = true)]
async fn the_second_name_takes_the_place_of_the_first() {
    let (hub, number) = (Hub::new(), Number::default());
    let view = number.view().named(&hub, "a").named(&hub, "b");
    let mut page = [watch(&view)];
    read(&mut page).await;
    number.set(1);
    hub.invalidate("a");
    assert_eq!(read(&mut page).await, [""]);
    hub.invalidate("b");
    assert_eq!(read(&mut page).await, ["1"]);
}

/// A change of one view's own state is no news of another's.
#[tokio::test(start_paused = true)]
async fn an_update_is_of_one_view() {
    let hub = Hub::new();
    let renders = Arc::new(AtomicU32::new(0));
    let view = || {
        let renders = renders.clone();
        let render = move |n: &u32| {
            renders.fetch_add(1, Ordering::SeqCst);
            Event::from_display(n)
        };
        View::new(0, render).named(&hub, "a")
    };
    let views = [view(), view()];
    let mut pages = views
        .each_ref()
        .map(|view| Page::begun(connect(None, None).watch(view)));
    read(&mut pages).await;
    views[0].update(|n| *n = 1);
    assert_eq!(read(&mut pages).await, ["1", ""]);
    assert_eq!(renders.load(Ordering::SeqCst), 3);
}
