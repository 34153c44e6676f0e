//! Views of state that nodes share.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use sidereal_sse::View;

use super::*;

/// What all nodes show, and how often it was rendered.
#[derive(Clone, Default)]
struct Shared {
    value: Arc<AtomicU32>,
    renders: Arc<AtomicU32>,
}

fn view(hub: &Hub, shared: &Shared) -> View<Shared> {
    let render = |shared: &Shared| {
        shared.renders.fetch_add(1, Ordering::SeqCst);
        Event::from_display(shared.value.load(Ordering::SeqCst))
    };
    View::new(shared.clone(), render)
        .at_most_per_second(0)
        .named(hub, "board")
}

#[tokio::test]
async fn who_invalidates_a_name_does_so_on_every_node() {
    let exchange = Exchange::default();
    let hubs: [Hub; 3] = hubs(&exchange).await;
    let shared = Shared::default();
    let views = hubs.each_ref().map(|hub| view(hub, &shared));
    let mut watching = Vec::new();
    for view in &views {
        let mut subscription = Subscription::to(view);
        assert_eq!(texts(&mut subscription, 1).await, ["0"]);
        watching.push(subscription);
    }
    // The nodes and their own channels, and the view's.
    until(|| exchange.subscriptions() == 9).await;
    shared.renders.store(0, Ordering::SeqCst);
    for (value, hub) in (1..).zip(&hubs) {
        shared.value.store(value, Ordering::SeqCst);
        hub.invalidate("board");
        for subscription in &mut watching {
            assert_eq!(texts(subscription, 1).await, [value.to_string()]);
        }
    }
    assert_eq!(
        shared.renders.load(Ordering::SeqCst),
        9,
        "once on each node"
    );
    shared.value.store(9, Ordering::SeqCst);
    views[1].invalidate();
    for subscription in &mut watching {
        assert_eq!(texts(subscription, 1).await, ["9"]);
    }
    drop((views, watching));
    until(|| exchange.subscriptions() == 6).await;
}

#[tokio::test]
async fn views_show_the_newest_when_the_broker_is_back() {
    let exchange = Exchange::default();
    let [one, other] = hubs(&exchange).await;
    let shared = Shared::default();
    let view = view(&other, &shared);
    let mut watching = Subscription::to(&view);
    assert_eq!(texts(&mut watching, 1).await, ["0"]);
    until(|| exchange.subscriptions() == 5).await;
    exchange.go_down();
    until(|| !one.is_connected() && !other.is_connected()).await;
    shared.value.store(1, Ordering::SeqCst);
    one.invalidate("board");
    nothing(&mut watching).await;
    exchange.come_up();
    assert_eq!(texts(&mut watching, 1).await, ["1"]);
    // This one was down, and the other one was not.
    until(|| one.is_connected() && other.is_connected()).await;
    let late = hub(&exchange);
    until(|| late.is_connected()).await;
    shared.value.store(2, Ordering::SeqCst);
    late.invalidate("board");
    assert_eq!(texts(&mut watching, 1).await, ["2"]);
}
