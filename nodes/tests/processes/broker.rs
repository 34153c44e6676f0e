//! A broker that is killed, or stands still.

use std::time::{Duration, Instant};

use nodes::{Kind, Viewer};
use tokio::time::sleep;

use crate::cluster::{
    Cluster, Persistence, Publisher, all_hear, beginnings, has_last, has_no_silent_hole, is_whole,
    log, post,
};

/// Whether there is a broker for a while, and how it goes away.
async fn outages(kind: Kind, is_killed: bool) {
    let Some(cluster) = Cluster::start(kind).await else {
        return;
    };
    let nodes = cluster.three().await;
    let mut chats = Vec::new();
    let mut news = Vec::new();
    let mut views = Vec::new();
    let mut quiet = Vec::new();
    for node in &nodes {
        quiet.push(Viewer::at(node.url("/topics/quiet")).open());
        chats.push(Viewer::at(node.url("/logs/chat")).open());
        news.push(Viewer::at(node.url("/topics/news")).open());
        views.push(Viewer::at(node.url("/view")).open());
    }
    for viewer in chats.iter().chain(&news).chain(&views).chain(&quiet) {
        viewer.wait_for_streams(1).await;
    }
    // What waits for a broker that stands still, of which is not known yet that it does, is less than a log keeps.
    let between = Duration::from_millis(if is_killed { 10 } else { 50 });
    all_hear(&quiet, &nodes[2].url("/topics/quiet")).await;
    let start = |name: &str, node: usize, path, persistence| {
        Publisher::start(nodes[node].url(path), name, between, persistence)
    };
    let chatters = [
        start("a", 0, "/logs/chat", Persistence::Again),
        start("b", 1, "/logs/chat", Persistence::Again),
    ];
    let tellers = [
        start("a", 0, "/topics/news", Persistence::Once),
        start("b", 1, "/topics/news", Persistence::Once),
    ];
    let (times, pause) = match is_killed {
        true => (3, Duration::from_millis(700)),
        false => (1, Duration::from_secs(20)),
    };
    let mut back = Duration::ZERO;
    for turn in 1..=times {
        tellers[1].more(30).await;
        chatters[1].more(30).await;
        match is_killed {
            true => cluster.server.kill(),
            false => cluster.server.stop(),
        }
        sleep(pause / 2).await;
        // Whoever changes something meanwhile cannot tell the others.
        assert_eq!(
            post(&nodes[2].url("/view"), &turn.to_string())
                .await
                .unwrap()
                .0,
            204
        );
        sleep(pause / 2).await;
        match is_killed {
            true => cluster.server.restart().await,
            false => cluster.server.cont(),
        }
        let there = Instant::now();
        for node in &nodes {
            node.knows(3).await;
        }
        let text = format!("elements {turn}");
        for view in &views {
            view.wait_until("the newest", |events| {
                events.last().is_some_and(|event| event.data == text)
            })
            .await;
        }
        for publisher in &chatters {
            publisher.more(1).await;
        }
        let lasts = [("a", chatters[0].count()), ("b", chatters[1].count())];
        for viewer in &chats {
            has_last(viewer, &lasts).await;
        }
        back = back.max(there.elapsed());
    }
    println!("{kind:?}, killed: {is_killed}: all is as it was {back:?} after the broker was");
    let refused: u64 = chatters.iter().map(Publisher::refused).sum();
    assert!(refused > 0, "nobody knew that the broker was away");
    let mut ends = Vec::new();
    for (publisher, name) in chatters.into_iter().zip(["a", "b"]) {
        publisher.more(10).await;
        ends.push((name, publisher.stop().await));
    }
    for viewer in &chats {
        is_whole(viewer, &ends).await;
        assert_eq!(log(viewer), log(&chats[0]));
        assert_eq!(beginnings(viewer).0, 1, "only the first is new");
    }
    let mut ends = Vec::new();
    for (publisher, name) in tellers.into_iter().zip(["a", "b"]) {
        publisher.more(10).await;
        ends.push((name, publisher.stop().await));
    }
    for viewer in &news {
        has_no_silent_hole(viewer, &ends).await;
        assert!(viewer.reconnects() >= times, "{:?}", viewer.visits());
    }
    // Where nothing was sent, nothing was missed.
    for (viewer, node) in quiet.iter().zip(&nodes) {
        assert_eq!(viewer.reconnects(), 0, "{:?}", viewer.visits());
        let text = node.url("");
        let sent = post(&node.url("/topics/quiet"), &text).await;
        assert_eq!(sent.unwrap().0, 204);
    }
    for (viewer, node) in quiet
        .iter()
        .flat_map(|it| nodes.iter().map(move |node| (it, node)))
    {
        viewer.wait_for(&node.url("")).await;
        assert_eq!(viewer.reconnects(), 0, "{:?}", viewer.visits());
    }
}

/// And whoever has perhaps missed something of a topic without history is told.
pub(crate) async fn a_killed_broker_loses_nothing_that_was_taken(kind: Kind) {
    outages(kind, true).await;
}

/// The same where connections stay, and nothing is answered.
pub(crate) async fn a_broker_that_stands_still_loses_nothing_that_was_taken(kind: Kind) {
    outages(kind, false).await;
}
