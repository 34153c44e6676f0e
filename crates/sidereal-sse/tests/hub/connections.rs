//! Who is connected.

use std::sync::{Arc, Mutex};

use sidereal_sse::{Codec, EndReason, Event, Hub, View};

use crate::{
    content::Random,
    page::{CODECS, Page, connect},
};

#[derive(Clone, Debug, PartialEq)]
struct User(u32);

#[test]
fn counts_snapshots_and_events_for_one() {
    let hub = Hub::new();
    let topic = hub.topic("t");
    let sse = |user| connect(None, None).with_data(User(user)).subscribe(&topic);
    let (mut ada, mut bob) = (Page::begun(sse(1)), Page::begun(sse(2)));
    let unread = Page::new(sse(3));
    assert_eq!(
        hub.connections(),
        2,
        "one that was never polled has not begun"
    );
    let mut users: Vec<_> = hub
        .clients()
        .iter()
        .map(|client| client.data::<User>().unwrap().0)
        .collect();
    users.sort();
    assert_eq!(users, [1, 2]);
    assert_eq!(topic.clients().len(), 2);
    for client in hub.clients() {
        let &User(n) = client.data().unwrap();
        hub.send(client.id(), Event::new(format!("for {n}")))
            .unwrap();
    }
    assert_eq!(ada.read(), ["for 1"]);
    assert_eq!(bob.read(), ["for 2"]);
    let gone = hub
        .clients()
        .into_iter()
        .find(|client| client.data() == Some(&User(2)))
        .unwrap();
    assert_eq!(hub.disconnect(|client| client.data() == Some(&User(2))), 1);
    assert_eq!(bob.read(), [""; 0]);
    assert_eq!(bob.ended(), Some(Ok(())));
    assert_eq!(hub.connections(), 1);
    let error = hub.send(gone.id(), Event::new("x")).unwrap_err();
    assert_eq!(error.reason(), Some(EndReason::Disconnected));
    drop((ada, bob, unread));
    assert_eq!((hub.connections(), topic.subscribers()), (0, 0));
}

#[test]
fn any_stream_can_be_one_of_the_hubs() {
    let hub = Hub::new();
    let mut page = Page::begun(
        connect(Some(Codec::Zstd), None)
            .run(async |_| std::future::pending().await)
            .watch(&hub),
    );
    let client = hub.clients().remove(0).id();
    hub.sender(client)
        .unwrap()
        .try_send(Event::new("hello"))
        .unwrap();
    assert_eq!(page.read(), ["hello"]);
}

#[test]
fn one_connection_more_than_there_may_be() {
    let hub = Hub::new().max_connections(2);
    let topic = hub.topic("t");
    let subscribe = || connect(None, None).subscribe(&topic).into_http();
    let (one, two) = (subscribe(), subscribe());
    let refused = subscribe();
    assert_eq!(
        (one.status(), two.status()),
        (http::StatusCode::OK, http::StatusCode::OK)
    );
    assert_eq!(refused.status(), 503);
    let text = Page::of(http::Response::new(refused.into_body()))
        .chunk()
        .unwrap();
    assert_eq!(
        text,
        "The server has no room for another event stream of this kind now.\n"
    );
    drop(one);
    assert_eq!(
        subscribe().status(),
        200,
        "a response that was never polled had its place too"
    );
}

/// `on_disconnect` finds the hub without the stream, whatever ended it.
#[test]
fn nothing_of_a_connection_outlives_its_body() {
    let hub = Hub::new();
    let topic = hub.topic("t");
    let counts = Arc::new(Mutex::new(Vec::new()));
    let page = || {
        let (hub, topic, counts) = (hub.clone(), topic.clone(), counts.clone());
        Page::begun(
            connect(None, None)
                .subscribe(&topic)
                .on_disconnect(move |_, ended| {
                    let counted = (ended.reason(), hub.connections(), topic.subscribers());
                    counts.lock().unwrap().push(counted);
                }),
        )
    };
    drop(page());
    let mut closed = page();
    hub.disconnect(|_| true);
    closed.read();
    let expected = [(EndReason::Disconnected, 0, 0), (EndReason::Closed, 0, 0)];
    assert_eq!(*counts.lock().unwrap(), expected);
}

/// 10,000 connects and disconnects in random order, some in the middle of an event.
#[tokio::test(start_paused = true)]
async fn ten_thousand_come_and_go_and_the_hub_ends_empty() {
    let hub = Hub::new();
    let view = View::new(0, |n: &u32| Event::new(format!("view {n}"))).in_hub(&hub);
    let ticker = hub.every(std::time::Duration::from_secs(1), || Event::new("tick"));
    let mut random = Random::new(7);
    let mut open: Vec<Page> = Vec::new();
    let (mut came, mut most) = (0, 0);
    while came < 10_000 || !open.is_empty() {
        let comes = came < 10_000 && (random.below(1000) > open.len() || random.one_in(2));
        if comes {
            came += 1;
            let connect = connect(random.of(&CODECS), None);
            let topics: Vec<_> = (0..random.below(4))
                .map(|_| hub.topic(format!("{}", random.below(20))))
                .collect();
            let mut page = Page::new(match random.below(4) {
                0 => connect.watch((&view, &topics)),
                1 => connect.watch((&ticker, &topics)),
                2 => connect
                    .run(async |_| std::future::pending().await)
                    .watch((&hub, &topics)),
                _ => connect.watch(&topics),
            });
            if !random.one_in(10) {
                page.chunk();
            }
            open.push(page);
        } else {
            let mut page = open.swap_remove(random.below(open.len()));
            if random.one_in(2) {
                page.chunk();
            }
        }
        if random.one_in(20) {
            let topic = hub.topic(format!("{}", random.below(20)));
            topic
                .publish(Event::new("x".repeat(random.below(2000))))
                .unwrap();
            view.update(|n| *n += 1);
        }
        if random.one_in(50) && !open.is_empty() {
            let page = random.below(open.len());
            open[page].read();
            tokio::task::yield_now().await;
        }
        most = most.max(hub.connections());
    }
    assert!(most > 100, "{most}");
    assert_eq!(
        (hub.connections(), hub.topics(), view.watchers()),
        (0, 0, 0)
    );
}

/// An id that a page sent back, or made up.
#[test]
fn an_id_as_text_finds_its_client_and_no_other_does() {
    let hub = Hub::new();
    let mut page = Page::begun(connect(None, None).subscribe(&hub.topic("t")));
    let text = hub.clients()[0].id().to_string();
    hub.send(text.parse().unwrap(), Event::new("found"))
        .unwrap();
    assert_eq!(page.read(), ["found"]);
    // The same number, of another process.
    let first = if text.starts_with('0') { '1' } else { '0' };
    let other = format!("{first}{}", &text[1..]).parse().unwrap();
    assert!(hub.sender(other).is_none());
    assert!(hub.send(other, Event::new("lost")).is_err());
    assert_eq!(page.read(), [""; 0]);
}
