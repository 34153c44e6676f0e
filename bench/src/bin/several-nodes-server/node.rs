//! What a node does.

use std::time::{Duration, Instant};

use axum::{
    Router,
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use bench::{
    order::{Batch, Kind, Order, Topics},
    stamped::stamped,
};
use sidereal::{Connect, Hub, PatchElements, Topic, TopicOptions};
use tokio::{
    task::{JoinHandle, spawn_local},
    time::{interval, sleep, timeout},
};

use crate::followers::Followers;

/// How long something may take.
const LIMIT: Duration = Duration::from_secs(60);

/// How many events a topic keeps: more than a second of them, so that nobody lags for a machine that
/// stands still for a moment.
const KEPT: usize = 2048;

pub(crate) struct Node {
    hub: Hub,
    number: usize,
    followers: Followers,
    publishing: Option<JoinHandle<Result<(), String>>>,
}

impl Node {
    pub(crate) fn new(hub: Hub, number: usize) -> Self {
        Self {
            hub,
            number,
            followers: Followers::default(),
            publishing: None,
        }
    }

    pub(crate) fn router(&self) -> Router {
        let (hub, number) = (self.hub.clone(), self.number);
        let events = async move |connect: Connect, Path((kind, name)): Path<(String, String)>| {
            let Ok(kind) = kind.parse() else {
                return StatusCode::NOT_FOUND.into_response();
            };
            follow(connect, &topic(&hub, kind, &name), number)
        };
        Router::new().route("/{kind}/{name}", get(events))
    }

    /// Does it, and says what was asked for.
    pub(crate) async fn obey(&mut self, order: Order) -> Result<Vec<Duration>, String> {
        match order {
            Order::Connect => self.connect().await.map(|()| Vec::new()),
            Order::Follow(topics) => {
                let begun = Instant::now();
                let following = self.followers.follow(self.topics(&topics));
                timeout(LIMIT, following).await.map_err(|_| "not ready")?;
                Ok(vec![begun.elapsed()])
            }
            Order::Followed(count) => self.followers.have(count).await,
            Order::Publish(batch) => {
                let topics = self.topics(&batch.topics);
                self.publishing = Some(spawn_local(publish(topics, batch)));
                Ok(Vec::new())
            }
            Order::Published => {
                let publishing = self.publishing.take().ok_or("nothing is published")?;
                let published = timeout(LIMIT, publishing).await.map_err(|_| "too slow")?;
                published.map_err(|error| error.to_string())??;
                Ok(Vec::new())
            }
        }
    }

    async fn connect(&self) -> Result<(), String> {
        let begun = Instant::now();
        while !self.hub.is_connected() {
            if begun.elapsed() > LIMIT {
                return Err("no broker".to_owned());
            }
            sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    fn topics(&self, topics: &Topics) -> Vec<Topic> {
        let names = topics.names();
        names
            .map(|name| topic(&self.hub, topics.kind, &name))
            .collect()
    }
}

fn topic(hub: &Hub, kind: Kind, name: &str) -> Topic {
    let options = TopicOptions::new().keep(KEPT);
    hub.topic_with(name, options.replay(kind == Kind::History))
}

fn follow(connect: Connect, topic: &Topic, number: usize) -> Response {
    let stream = connect.subscribe(topic).on_connect(async |tx| {
        tx.patch_elements("<p id=\"news\"></p>").await?;
        Ok(())
    });
    ([("x-node", number.to_string())], stream).into_response()
}

/// A server that cannot keep up publishes what it missed at once: the load is the same.
async fn publish(topics: Vec<Topic>, batch: Batch) -> Result<(), String> {
    let mut ticks = interval(Duration::from_secs_f64(1.0 / batch.rate));
    // The first is at once, when the order may not yet be answered.
    ticks.tick().await;
    for event in batch.from..batch.from + batch.count {
        ticks.tick().await;
        let topic = &topics[(event % batch.topics.count) as usize];
        let elements = stamped(topic.name().as_str(), event / batch.topics.count);
        let published = topic.publish(PatchElements::new(elements));
        published.map_err(|error| format!("event {event}: {error}"))?;
    }
    Ok(())
}
