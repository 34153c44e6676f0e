//! Nodes that are killed, or stand still.

use std::time::{Duration, Instant};

use nodes::{Kind, Viewer};
use tokio::time::sleep;

use crate::cluster::{
    Cluster, LIMIT, Persistence, Publisher, beginnings, has_last, has_no_silent_hole, is_whole,
    log, post,
};

const PAUSE: Duration = Duration::from_millis(4);
const KILLS: usize = 6;

/// They go on at another node with the id of the last event that they have seen.
pub(crate) async fn viewers_of_killed_nodes_miss_nothing_of_a_log(kind: Kind) {
    kills(kind, "/logs/a", &["a"]).await;
}

/// One id stands for all logs of a connection.
pub(crate) async fn viewers_of_killed_nodes_miss_nothing_of_several_logs(kind: Kind) {
    kills(kind, "/both?logs=a,b,c", &["a", "b", "c"]).await;
}

async fn kills(kind: Kind, path: &str, logs: &[&str]) {
    let Some(cluster) = Cluster::start(kind).await else {
        return;
    };
    let [publishing, one, two] = cluster.three().await;
    let publishers: Vec<_> = logs
        .iter()
        .map(|name| {
            let url = publishing.url(&format!("/logs/{name}"));
            Publisher::start(url, name, PAUSE, Persistence::Again)
        })
        .collect();
    let mut viewers = Vec::new();
    for start in [&one, &two] {
        let other = if std::ptr::eq(start, &one) {
            &two
        } else {
            &one
        };
        for _ in 0..3 {
            viewers.push(Viewer::at(start.url(path)).or(other.url(path)).open());
        }
    }
    // Of these nobody ever loses a connection.
    let witness = Viewer::at(publishing.url(path)).open();
    for viewer in &viewers {
        viewer.wait_for_streams(1).await;
    }
    let mut slowest = Duration::ZERO;
    for turn in 0..KILLS {
        let node = [&one, &two][turn % 2];
        publishers[0].more(20).await;
        let streams: Vec<_> = viewers
            .iter()
            .map(|viewer| viewer.visits().streams)
            .collect();
        node.kill();
        let killed = Instant::now();
        // Those that had a stream from it have one from the other.
        publishers[0].more(5).await;
        let last = publishers[0].count();
        for viewer in &viewers {
            has_last(viewer, &[(logs[0], last)]).await;
        }
        slowest = slowest.max(killed.elapsed());
        let moved = viewers
            .iter()
            .zip(streams)
            .filter(|(viewer, before)| viewer.visits().streams > *before);
        assert!(moved.count() >= 3, "nobody had to go elsewhere");
        node.starts_again().await;
    }
    println!("{kind:?} {path}: caught up at most {slowest:?} after a kill");
    let mut lasts = Vec::new();
    for (publisher, name) in publishers.into_iter().zip(logs) {
        lasts.push((*name, publisher.stop().await));
    }
    is_whole(&witness, &lasts).await;
    assert_eq!(witness.reconnects(), 0);
    for viewer in &viewers {
        is_whole(viewer, &lasts).await;
        assert_eq!(log(viewer), log(&witness));
        let visits = viewer.visits();
        assert!(visits.broken > 0 && visits.ended == 0, "{visits:?}");
        assert_eq!(beginnings(viewer).0, 1, "only the first is new");
    }
}

/// It has missed a lot, and shows what is so now; while it stood it was not there for others.
pub(crate) async fn a_node_that_stood_still_for_a_minute_comes_back(kind: Kind) {
    let Some(cluster) = Cluster::start(kind).await else {
        return;
    };
    let [here, other, still] = cluster.three().await;
    let pause = Duration::from_millis(100);
    let chat = Publisher::start(here.url("/logs/chat"), "chat", pause, Persistence::Again);
    let news = Publisher::start(here.url("/topics/news"), "news", pause, Persistence::Once);
    let its_log = Viewer::at(still.url("/logs/chat")).open();
    let its_news = Viewer::at(still.url("/topics/news")).open();
    let its_view = Viewer::at(still.url("/view")).open();
    let _ada = Viewer::at(still.url("/presence/lobby?name=Ada")).open();
    let _bob = Viewer::at(other.url("/presence/lobby?name=Bob")).open();
    its_view.wait_for("elements 0").await;
    for node in [&here, &other, &still] {
        node.has_members("lobby", &["Ada", "Bob"]).await;
    }
    chat.more(5).await;
    news.more(5).await;
    // It is stopped in between two heartbeats, so it is gone after 4 to 5 s, and a look each second.
    still.stop();
    let stopped = Instant::now();
    let gone = here.has_members("lobby", &["Bob"]).await;
    other.has_members("lobby", &["Bob"]).await;
    println!("{kind:?}: who was there by a node that stands still is gone after {gone:?}");
    assert!(stopped.elapsed() < Duration::from_secs(7));
    assert!(gone > Duration::from_secs(3), "it is only late");
    here.knows(2).await;
    assert_eq!(post(&other.url("/view"), "1").await.unwrap().0, 204);
    while stopped.elapsed() < Duration::from_secs(60) {
        sleep(Duration::from_secs(1)).await;
    }
    chat.more(1).await;
    let (log_then, news_then) = (chat.count(), news.count());
    let continued = Instant::now();
    still.cont();
    // What it had sent before it stood, and all that came meanwhile.
    has_last(&its_log, &[("chat", log_then)]).await;
    let log_took = continued.elapsed();
    its_view.wait_for("elements 1").await;
    let view_took = continued.elapsed();
    for node in [&here, &other, &still] {
        node.has_members("lobby", &["Ada", "Bob"]).await;
    }
    let presence_took = continued.elapsed();
    println!(
        "{kind:?}: after a minute: the log {log_took:?}, the view {view_took:?}, presence {presence_took:?}"
    );
    assert!(continued.elapsed() < LIMIT);
    // Of its own it goes on to publish.
    let back = Publisher::start(still.url("/logs/chat"), "back", PAUSE, Persistence::Again);
    back.more(20).await;
    news.more(10).await;
    chat.more(5).await;
    let lasts = [("chat", chat.stop().await), ("back", back.stop().await)];
    is_whole(&its_log, &lasts).await;
    let witness = Viewer::at(here.url("/logs/chat")).open();
    is_whole(&witness, &lasts).await;
    assert_eq!(log(&witness), log(&its_log));
    let news = [("news", news.stop().await)];
    assert!(news[0].1 > news_then);
    has_no_silent_hole(&its_news, &news).await;
}
