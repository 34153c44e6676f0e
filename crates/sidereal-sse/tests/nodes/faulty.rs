//! Brokers by way of the one in this process, with faults of their own.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use sidereal_sse::broker::{
    Append, Broker, BrokerError, BrokerFuture, Channel, Deliver, History, Link, Message,
};
use tokio::sync::Notify;

use crate::exchange::Exchange;

/// A broker that is there when it is told to be.
pub(crate) struct Late(pub(crate) Exchange, pub(crate) Arc<Notify>);

impl Broker for Late {
    fn connect(&self, deliver: Deliver) -> BrokerFuture<'_, Arc<dyn Link>> {
        Box::pin(async move {
            self.1.notified().await;
            self.0.connect(deliver).await
        })
    }
}

/// One with these faults.
#[derive(Clone)]
pub(crate) struct Faulty(pub(crate) Exchange, pub(crate) Arc<Faults>);

#[derive(Default)]
pub(crate) struct Faults {
    /// Subscribing to anything but the channel of all nodes waits.
    pub(crate) holds_subscribe: AtomicBool,
    pub(crate) go_on: Notify,
    pub(crate) is_held: AtomicBool,
    /// Answers (tag 5) are refused.
    pub(crate) refuses_answers: AtomicBool,
    pub(crate) refused: AtomicU32,
    pub(crate) connected: AtomicU32,
}

struct FaultyLink(Arc<dyn Link>, Arc<Faults>);

impl Broker for Faulty {
    fn connect(&self, deliver: Deliver) -> BrokerFuture<'_, Arc<dyn Link>> {
        Box::pin(async move {
            let link = self.0.connect(deliver).await?;
            self.1.connected.fetch_add(1, Ordering::SeqCst);
            let link: Arc<dyn Link> = Arc::new(FaultyLink(link, self.1.clone()));
            Ok(link)
        })
    }
}

impl Link for FaultyLink {
    fn max_message(&self) -> usize {
        self.0.max_message()
    }

    fn subscribe(&self, channels: Vec<Channel>) -> BrokerFuture<'_, ()> {
        Box::pin(async move {
            if self.1.holds_subscribe.load(Ordering::SeqCst)
                && channels.iter().any(|it| it.name() == "topic/news")
            {
                self.1.is_held.store(true, Ordering::SeqCst);
                self.1.go_on.notified().await;
            }
            self.0.subscribe(channels).await
        })
    }

    fn unsubscribe(&self, channels: Vec<Channel>) -> BrokerFuture<'_, ()> {
        self.0.unsubscribe(channels)
    }

    fn send(&self, messages: Vec<Message>) -> BrokerFuture<'_, ()> {
        Box::pin(async move {
            let is_answer =
                |it: &Message| it.channel.name() == "nodes" && it.payload.get(26) == Some(&5);
            if self.1.refuses_answers.load(Ordering::SeqCst) && messages.iter().any(is_answer) {
                self.1.refused.fetch_add(1, Ordering::SeqCst);
                return Err(BrokerError::refused("no answers"));
            }
            if self.1.refuses_answers.load(Ordering::SeqCst)
                && messages.iter().any(|it| it.channel.name() == "topic/slow")
            {
                tokio::time::sleep(Duration::from_millis(1500)).await;
            }
            self.0.send(messages).await
        })
    }

    fn append(&self, entries: Vec<Append>) -> BrokerFuture<'_, Vec<Result<(), BrokerError>>> {
        self.0.append(entries)
    }

    fn read(&self, channel: Channel, after: u64, most: usize) -> BrokerFuture<'_, History> {
        self.0.read(channel, after, most)
    }
}
