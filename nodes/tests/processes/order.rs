//! When nothing fails.

use std::time::Duration;

use nodes::{Kind, Viewer};

use crate::cluster::{
    Cluster, Persistence, Publisher, all_hear, beginnings, has_no_silent_hole, is_whole, log, said,
};

/// All of it, in the order of each publisher; of a log all in one order, with the same ids.
pub(crate) async fn viewers_on_all_nodes_see_the_same(kind: Kind) {
    let Some(cluster) = Cluster::start(kind).await else {
        return;
    };
    let nodes = cluster.three().await;
    let mut plain = Vec::new();
    let mut logs = Vec::new();
    for node in &nodes {
        plain.push(Viewer::at(node.url("/topics/news")).open());
        plain.push(Viewer::at(node.url("/topics/news")).open());
        logs.push(Viewer::at(node.url("/logs/chat")).open());
    }
    for viewer in plain.iter().chain(&logs) {
        viewer.wait_for_streams(1).await;
    }
    all_hear(&plain, &nodes[0].url("/topics/news")).await;
    let pause = Duration::from_millis(1);
    let publish = |path: &str| {
        ["one", "two", "three"]
            .iter()
            .zip(&nodes)
            .map(|(name, node)| Publisher::of(250, node.url(path), name, pause, Persistence::Once))
            .collect::<Vec<_>>()
    };
    for (path, viewers) in [("/topics/news", &plain), ("/logs/chat", &logs)] {
        let publishers = publish(path);
        let mut lasts = Vec::new();
        for (publisher, name) in publishers.into_iter().zip(["one", "two", "three"]) {
            publisher.reaches(250).await;
            assert_eq!(publisher.refused(), 0);
            lasts.push((name, publisher.stop().await));
        }
        for viewer in viewers {
            is_whole(viewer, &lasts).await;
            has_no_silent_hole(viewer, &lasts).await;
            assert_eq!(viewer.reconnects(), 0);
        }
    }
    let first = log(&logs[0]);
    let numbers: Vec<_> = first.iter().map(|(id, ..)| id.clone()).collect();
    let mut once = numbers.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), numbers.len(), "an id twice");
    for viewer in &logs[1..] {
        assert_eq!(log(viewer), first);
    }
    // Who comes later sees the same.
    let late = Viewer::at(nodes[2].url("/logs/chat")).open();
    late.wait_until("all of it", |events| events.len() > first.len())
        .await;
    assert_eq!(log(&late), first);
    assert_eq!(beginnings(&late), (1, 0));
    // A publisher that waits for the broker is answered too.
    let url = nodes[0].url("/logs/chat?confirmed");
    assert_eq!(crate::cluster::post(&url, "last:1").await.unwrap().0, 204);
    late.wait_for("last:1").await;
    assert!(said(&late).len() == first.len() + 1);
}
