//! Views whose state is elsewhere.

use std::time::{Duration, Instant};

use nodes::{Kind, Viewer};

use crate::cluster::{Cluster, post};

/// Whoever changes it, and wherever it is looked at.
pub(crate) async fn all_nodes_show_the_newest_state(kind: Kind) {
    let Some(cluster) = Cluster::start(kind).await else {
        return;
    };
    let nodes = cluster.three().await;
    let viewers: Vec<_> = nodes
        .iter()
        .map(|node| Viewer::at(node.url("/view")).open())
        .collect();
    for viewer in &viewers {
        viewer.wait_for("elements 0").await;
    }
    let mut slowest = Duration::ZERO;
    for number in 1..=30_usize {
        let node = &nodes[number % 3];
        let text = number.to_string();
        assert_eq!(post(&node.url("/view"), &text).await.unwrap().0, 204);
        // Sometimes the next change comes while the last is on its way.
        if number % 3 == 0 {
            let start = Instant::now();
            let text = format!("elements {number}");
            for viewer in &viewers {
                viewer
                    .wait_until("the newest", |events| {
                        events.last().is_some_and(|event| event.data == text)
                    })
                    .await;
            }
            slowest = slowest.max(start.elapsed());
        }
    }
    println!("{kind:?}: the newest is everywhere after {slowest:?} at most");
    // Nobody goes back, and nobody was told to come again.
    for viewer in &viewers {
        let numbers: Vec<u32> = viewer
            .texts()
            .iter()
            .filter_map(|text| text.strip_prefix("elements ")?.parse().ok())
            .collect();
        assert!(numbers.is_sorted(), "{numbers:?}");
        assert_eq!(viewer.reconnects(), 0);
    }
    // One that is away is told when it is back.
    nodes[1].kill();
    assert_eq!(post(&nodes[0].url("/view"), "99").await.unwrap().0, 204);
    nodes[1].starts_again().await;
    for viewer in &viewers {
        viewer.wait_for("elements 99").await;
    }
}
