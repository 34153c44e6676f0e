//! Who is there, on all nodes.

use http_body_util::BodyExt as _;
use sidereal_sse::{Connect, Presence, SseBody, View};

use super::*;

/// A connection that is there as long as this is.
async fn enter(presence: &Presence, text: &str) -> SseBody {
    let entry = presence.entry(text).unwrap();
    let mut body = Connect::new().watch(&entry).into_http().into_body();
    // Its first poll makes it one.
    body.frame().await.unwrap().unwrap();
    body
}

fn names(presence: &Presence) -> Vec<String> {
    let members = presence.members();
    assert_eq!(members.len(), presence.count());
    let mut names: Vec<_> = members.iter().map(|it| it.text().to_owned()).collect();
    names.sort();
    names
}

async fn until_there(presences: &[Presence], expected: &[&str]) {
    for presence in presences {
        let began = Instant::now();
        while names(presence) != expected {
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "{:?} and not {expected:?}",
                names(presence)
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

#[tokio::test]
async fn without_other_nodes_too() {
    let hub = Hub::new();
    let lobby = hub.presence("lobby");
    let list = View::new(lobby.clone(), |lobby: &Presence| {
        Event::new(names(lobby).join(","))
    })
    .at_most_per_second(0)
    .depends_on(&lobby);
    let mut watching = Subscription::to(&list);
    let ada = enter(&lobby, "Ada").await;
    let bob = enter(&hub.presence("lobby"), "Bob").await;
    while next(&mut watching).await.unwrap().0 != "Ada,Bob" {}
    assert_eq!(names(&hub.presence("bar")), [""; 0]);
    drop(ada);
    assert_eq!(texts(&mut watching, 1).await, ["Bob"]);
    // A reply that does not stay is not there.
    let entry = lobby.entry("Eve").unwrap();
    let once = Connect::new().once(&entry).into_http().into_body();
    drop(once.collect().await.unwrap());
    drop(bob);
    assert_eq!(lobby.count(), 0);
    let long = lobby.entry("x".repeat(4097)).unwrap_err();
    assert_eq!(
        long.to_string(),
        "the text of an entry is 4097 bytes long; it may be 4096"
    );
}

#[tokio::test]
async fn every_node_knows_who_is_there() {
    let exchange = Exchange::default();
    let hubs: [Hub; 3] = hubs(&exchange).await;
    let lobbies = hubs.each_ref().map(|hub| hub.presence("lobby"));
    let list = View::new(lobbies[2].clone(), |lobby: &Presence| {
        Event::new(names(lobby).join(","))
    })
    .at_most_per_second(0)
    .depends_on(&lobbies[2]);
    let mut watching = Subscription::to(&list);
    let ada = enter(&lobbies[0], "Ada").await;
    let _bob = enter(&lobbies[1], "Bob").await;
    until_there(&lobbies, &["Ada", "Bob"]).await;
    while next(&mut watching).await.unwrap().0 != "Ada,Bob" {}
    // Who comes later learns who is there already.
    let [late] = super::hubs(&exchange).await;
    until_there(&[late.presence("lobby")], &["Ada", "Bob"]).await;
    drop(ada);
    until_there(&lobbies, &["Bob"]).await;
    while next(&mut watching).await.unwrap().0 != "Bob" {}
}

#[tokio::test]
async fn who_was_by_a_node_that_is_gone_is_gone() {
    let exchange = Exchange::default();
    let [one, other] = hubs(&exchange).await;
    let lobby = one.presence("lobby");
    let gone = other.presence("lobby");
    let _ada = enter(&lobby, "Ada").await;
    let bob = enter(&gone, "Bob").await;
    until_there(std::slice::from_ref(&lobby), &["Ada", "Bob"]).await;
    // It says so.
    drop((bob, gone, other));
    until_there(&[lobby], &["Ada"]).await;
}

#[tokio::test]
async fn it_is_as_it_is_after_any_faults() {
    let exchange = Exchange::default();
    let hubs: [Hub; 3] = hubs(&exchange).await;
    let lobbies = hubs.each_ref().map(|hub| hub.presence("lobby"));
    let mut there = Vec::new();
    for round in 0..6 {
        match round {
            1 => exchange.cut(),
            2 => exchange.break_after(2),
            3 => exchange.repeat(4),
            4 => exchange.go_down(),
            5 => exchange.come_up(),
            _ => {}
        }
        for (node, lobby) in lobbies.iter().enumerate() {
            let name = format!("{round}:{node}");
            there.push((enter(lobby, &name).await, name));
        }
        // Somebody goes, too.
        drop(there.remove(round));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut expected: Vec<_> = there.iter().map(|(_, name)| name.as_str()).collect();
    expected.sort();
    until_there(&lobbies, &expected).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    until_there(&lobbies, &expected).await;
}

/// More than fit into one message of the broker.
#[tokio::test]
async fn many_are_there() {
    let exchange = Exchange::default();
    let [one] = hubs(&exchange).await;
    let lobby = one.presence("lobby");
    let mut there = Vec::new();
    for number in 0..100 {
        there.push(enter(&lobby, &format!("{number:04000}")).await);
    }
    let [other] = hubs(&exchange).await;
    let elsewhere = other.presence("lobby");
    until(|| elsewhere.count() == 100).await;
    assert_eq!(names(&elsewhere), names(&lobby));
}
