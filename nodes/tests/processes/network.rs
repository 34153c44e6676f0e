//! The network between one node and the broker.

use std::time::{Duration, Instant};

use nodes::{Faults, Kind, Proxy, Viewer, Way};

use crate::cluster::{
    Cluster, LIMIT, Node, Persistence, Publisher, beginnings, has_last, has_no_silent_hole,
    is_whole, log, post,
};

const PAUSE: Duration = Duration::from_millis(5);
/// So that a log keeps all that comes while a node is cut off.
const SLOW: Duration = Duration::from_millis(40);

struct Pair {
    _cluster: Cluster,
    proxy: Proxy,
    /// One with a good connection, and one behind the proxy.
    good: Node,
    bad: Node,
}

async fn pair(kind: Kind, seed: u64) -> Option<Pair> {
    let cluster = Cluster::start(kind).await?;
    let proxy = Proxy::before(&cluster.server, seed);
    let good = cluster.node().await;
    let bad = cluster.node_behind(&proxy).await;
    good.knows(2).await;
    bad.knows(2).await;
    Some(Pair {
        _cluster: cluster,
        proxy,
        good,
        bad,
    })
}

impl Pair {
    async fn viewers(&self, path: &str) -> [Viewer; 2] {
        let viewers = [&self.good, &self.bad].map(|node| Viewer::at(node.url(path)).open());
        for viewer in &viewers {
            viewer.wait_for_streams(1).await;
        }
        viewers
    }

    /// One at each node.
    fn publishers(&self, pause: Duration, path: &str, persistence: Persistence) -> [Publisher; 2] {
        [("good", &self.good), ("bad", &self.bad)]
            .map(|(name, node)| Publisher::start(node.url(path), name, pause, persistence))
    }
}

async fn stop(publishers: [Publisher; 2]) -> [(&'static str, u64); 2] {
    let [good, bad] = publishers;
    [("good", good.stop().await), ("bad", bad.stop().await)]
}

/// What is sent to it does not come, and its connection is as if all were well.
pub(crate) async fn a_node_that_hears_nothing_knows_it(kind: Kind) {
    black_hole(kind, Way::ToClient).await;
}

/// What it sends does not come out.
pub(crate) async fn a_node_that_is_not_heard_knows_it(kind: Kind) {
    black_hole(kind, Way::ToServer).await;
}

async fn black_hole(kind: Kind, way: Way) {
    let Some(pair) = pair(kind, 3).await else {
        return;
    };
    let news = pair.viewers("/topics/news").await;
    let chat = pair.viewers("/logs/chat").await;
    let view = pair.viewers("/view").await;
    let tellers = pair.publishers(SLOW, "/topics/news", Persistence::Once);
    let chatters = pair.publishers(SLOW, "/logs/chat", Persistence::Again);
    chatters[1].more(20).await;
    tellers[1].more(20).await;
    pair.proxy.black_hole_one_way(way, true);
    let start = Instant::now();
    pair.bad
        .says("/status", |status| status.contains("connected=false"))
        .await;
    let noticed = start.elapsed();
    pair.good
        .says("/status", |status| status.contains(" nodes=1 "))
        .await;
    assert_eq!(post(&pair.good.url("/view"), "7").await.unwrap().0, 204);
    pair.proxy.black_hole_one_way(way, false);
    let healed = Instant::now();
    for viewer in &view {
        viewer.wait_for("elements 7").await;
    }
    pair.good.knows(2).await;
    pair.bad.knows(2).await;
    let lasts = [("good", chatters[0].count()), ("bad", chatters[1].count())];
    for viewer in &chat {
        has_last(viewer, &lasts).await;
    }
    println!(
        "{kind:?} {way:?}: known after {noticed:?}, all is well {:?} after the end of it",
        healed.elapsed()
    );
    assert!(noticed < Duration::from_secs(12), "{noticed:?}");
    chatters[1].more(20).await;
    tellers[1].more(20).await;
    let lasts = stop(chatters).await;
    for viewer in &chat {
        is_whole(viewer, &lasts).await;
        assert_eq!(beginnings(viewer).0, 1);
    }
    assert_eq!(log(&chat[0]), log(&chat[1]));
    let lasts = stop(tellers).await;
    for viewer in &news {
        has_no_silent_hole(viewer, &lasts).await;
    }
    assert!(news[1].reconnects() > 0, "it was not told");
    assert!(pair.proxy.counts().black_holed > 0);
}

/// Twice what is delivered, and what is published; late; passed by what comes after it.
pub(crate) async fn messages_twice_late_and_in_another_order_change_nothing(kind: Kind) {
    let Some(pair) = pair(kind, 11).await else {
        return;
    };
    let news = pair.viewers("/topics/news").await;
    let chat = pair.viewers("/logs/chat").await;
    let view = pair.viewers("/view").await;
    pair.proxy.faults(Faults {
        duplicate: 0.1,
        delay: 0.05,
        delay_for: Duration::ZERO..=Duration::from_millis(30),
        hold: 0.05,
        publish_twice: 0.1,
        ..Faults::default()
    });
    let tellers = pair.publishers(PAUSE, "/topics/news", Persistence::Once);
    let chatters = pair.publishers(PAUSE, "/logs/chat", Persistence::Again);
    let start = Instant::now();
    for number in 1..=5 {
        chatters[0].more(60).await;
        chatters[1].more(60).await;
        let node = [&pair.good, &pair.bad][number % 2];
        let written = post(&node.url("/view"), &number.to_string()).await;
        assert_eq!(written.unwrap().0, 204);
    }
    let counts = pair.proxy.counts();
    println!("{kind:?}: {:?} of {counts:?}", start.elapsed());
    pair.proxy.heal();
    for count in [
        counts.duplicated,
        counts.delayed,
        counts.held,
        counts.reordered,
        counts.published_twice,
    ] {
        assert!(count > 5, "{counts:?}");
    }
    assert_eq!(counts.unreadable, 0, "{counts:?}");
    // Whoever is told ends, and has come back for the end.
    tellers[0].more(200).await;
    tellers[1].more(20).await;
    chatters[1].more(20).await;
    let lasts = stop(chatters).await;
    for viewer in &chat {
        is_whole(viewer, &lasts).await;
        assert_eq!(beginnings(viewer).0, 1);
    }
    assert_eq!(log(&chat[0]), log(&chat[1]));
    let lasts = stop(tellers).await;
    for viewer in &news {
        has_no_silent_hole(viewer, &lasts).await;
    }
    for viewer in &view {
        viewer.wait_for("elements 5").await;
    }
}

/// No broker may do that. The next message says that one is missing.
pub(crate) async fn messages_that_do_not_come_are_missed(kind: Kind) {
    let Some(pair) = pair(kind, 5).await else {
        return;
    };
    let only = match kind {
        Kind::Nats => ["tests.plain.topic", "tests.live"],
        Kind::Redis => ["{tests}:plain:topic", "{tests}:live"],
    };
    let news = pair.viewers("/topics/news").await;
    let chat = pair.viewers("/logs/chat").await;
    for (only, path) in only.iter().zip(["/topics/news", "/logs/chat"]) {
        let before = pair.proxy.counts().dropped;
        let url = pair.good.url(path);
        let publisher = Publisher::start(url, "good", PAUSE, Persistence::Once);
        publisher.more(20).await;
        pair.proxy.faults(Faults {
            drop: 0.03,
            only: Some((*only).to_owned()),
            ..Faults::default()
        });
        let start = Instant::now();
        while pair.proxy.counts().dropped < before + 10 {
            assert!(start.elapsed() < LIMIT, "{:?}", pair.proxy.counts());
            publisher.more(10).await;
        }
        pair.proxy.heal();
        publisher.more(50).await;
        let lasts = [("good", publisher.stop().await)];
        if path == "/logs/chat" {
            is_whole(&chat[1], &lasts).await;
            is_whole(&chat[0], &lasts).await;
            assert_eq!(log(&chat[0]), log(&chat[1]));
        } else {
            has_no_silent_hole(&news[0], &lasts).await;
            assert_eq!(news[0].reconnects(), 0);
            has_no_silent_hole(&news[1], &lasts).await;
            assert!(news[1].reconnects() > 3, "{:?}", news[1].visits());
        }
    }
}
