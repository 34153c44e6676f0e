//! Who is there, and how they are reached.

use std::time::{Duration, Instant};

use nodes::{Kind, Viewer};
use tokio::time::sleep;

use crate::cluster::{Cluster, LIMIT, Node, post};

async fn all_have(nodes: &[Node], members: &[&str]) -> Duration {
    let start = Instant::now();
    for node in nodes {
        node.has_members("lobby", members).await;
    }
    start.elapsed()
}

/// They come, they leave, and their node dies.
pub(crate) async fn who_is_there_is_known_on_all_nodes(kind: Kind) {
    let Some(cluster) = Cluster::start(kind).await else {
        return;
    };
    let nodes = cluster.three().await;
    let open = |node: usize, name: &str| {
        let path = format!("/presence/lobby?name={name}");
        Viewer::at(nodes[node].url(&path)).open()
    };
    all_have(&nodes, &[]).await;
    let ada = open(0, "Ada");
    let bob = open(1, "Bob");
    let cleo = open(2, "Cleo");
    let came = all_have(&nodes, &["Ada", "Bob", "Cleo"]).await;
    drop(bob);
    let left = all_have(&nodes, &["Ada", "Cleo"]).await;
    let dan = open(2, "Dan");
    all_have(&nodes, &["Ada", "Cleo", "Dan"]).await;
    nodes[2].kill();
    let killed = all_have(&nodes[..2], &["Ada"]).await;
    println!("{kind:?}: come {came:?}, left {left:?}, killed {killed:?}");
    assert!(killed > Duration::from_secs(3), "{killed:?}");
    assert!(killed < Duration::from_secs(7), "{killed:?}");
    assert!(came < Duration::from_secs(2) && left < Duration::from_secs(2));
    // It comes back, with another number, and they with it.
    nodes[2].starts_again().await;
    let back = all_have(&nodes, &["Ada", "Cleo", "Dan"]).await;
    println!("{kind:?}: back after {back:?}");
    // One that goes in good order is gone at once.
    nodes[2].terminate();
    let start = Instant::now();
    all_have(&nodes[..2], &["Ada"]).await;
    println!("{kind:?}: ended after {:?}", start.elapsed());
    assert!(
        start.elapsed() < Duration::from_secs(3),
        "{:?}",
        start.elapsed()
    );
    assert!(nodes[2].ended().await.success());
    drop((ada, cleo, dan));
    all_have(&nodes[..2], &[]).await;
}

/// From any node, as long as its own is there.
pub(crate) async fn a_client_of_another_node_can_be_reached(kind: Kind) {
    let Some(cluster) = Cluster::start(kind).await else {
        return;
    };
    let nodes = cluster.three().await;
    let viewer = Viewer::at(nodes[2].url("/me")).open();
    let other = Viewer::at(nodes[2].url("/me")).open();
    let id = |text: &str| text.strip_prefix("elements ").unwrap().to_owned();
    let client = id(&viewer.wait_for("elements ").await.data);
    let others = id(&other.wait_for("elements ").await.data);
    assert_ne!(client, others);
    for (number, node) in nodes.iter().enumerate() {
        let url = node.url(&format!("/send/{client}"));
        let text = format!("hello from {number}");
        let answer = post(&url, &text).await.unwrap();
        assert_eq!(answer.0, 204, "{answer:?}");
        viewer.wait_for(&text).await;
    }
    for garbage in [
        "x",
        "0",
        "1-2",
        "ffffffffffffffff-1",
        "..%2f",
        "%00",
        "%F0%9F%A6%80",
    ] {
        let answer = post(&nodes[0].url(&format!("/send/{garbage}")), "hello").await;
        let status = answer.unwrap().0;
        assert!(status == 400 || status == 404, "{garbage}: {status}");
    }
    assert_eq!(viewer.texts().len(), 4, "nothing twice");
    assert_eq!(other.texts().len(), 1, "nobody else's");
    nodes[2].kill();
    let url = nodes[0].url(&format!("/send/{client}"));
    let start = Instant::now();
    loop {
        let (status, text) = post(&url, "hello").await.unwrap();
        match status {
            204 => assert!(start.elapsed() < LIMIT, "it counts as there"),
            _ => {
                assert_eq!(status, 404, "{text}");
                break;
            }
        }
        sleep(Duration::from_millis(50)).await;
    }
    println!("{kind:?}: unreachable after {:?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(7));
    // While the broker is away that is what is said.
    let viewer = Viewer::at(nodes[1].url("/me")).open();
    let client = id(&viewer.wait_for("elements ").await.data);
    cluster.server.kill();
    nodes[0]
        .says("/status", |status| status.contains("connected=false"))
        .await;
    let url = nodes[0].url(&format!("/send/{client}"));
    assert_eq!(post(&url, "hello").await.unwrap().0, 503);
}
