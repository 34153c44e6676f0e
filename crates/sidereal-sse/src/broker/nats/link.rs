//! One connection.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_nats::{Client, ConnectOptions, connection::State, jetstream};
use tokio::task::AbortHandle;

use super::{
    Nats,
    engine::Engine,
    incoming::{Incoming, lock},
    log::Log,
    names::Subjects,
    servers::Server,
};
use crate::broker::{Append, BrokerError, BrokerFuture, Channel, Deliver, History, Link, Message};

/// The room that headers take: of what goes into the log, and of what the server adds to it.
const HEADERS: usize = 1024;

pub(super) struct NatsLink {
    engine: Engine,
    client: Client,
    subjects: Subjects,
    incoming: Arc<Incoming>,
    log: Log,
    /// The tasks that read what comes in, of each channel without a log.
    readers: Mutex<HashMap<String, AbortHandle>>,
    /// What only this connection hears, and the number of what was sent there last.
    inbox: String,
    sent: AtomicU64,
}

impl NatsLink {
    pub(super) async fn connect(
        nats: &Nats,
        server: &Server,
        deliver: Deliver,
    ) -> Result<Self, BrokerError> {
        let engine = Engine::start().await.map_err(BrokerError::lost)?;
        let subjects = nats.subjects();
        let incoming = Incoming::new(deliver, subjects.clone(), nats.memory.clone());
        let incoming = Arc::new(incoming);
        let options = server.options(&nats.options);
        let options = once(options, &incoming);
        let address = server.address.clone();
        let connecting = engine.runtime().spawn(async move {
            let client = options.connect(address).await?;
            let context = jetstream::ContextBuilder::new().timeout(Log::ANSWER);
            Ok((context.build(client.clone()), client))
        });
        let connected = connecting.await.map_err(BrokerError::lost)?;
        let (context, client) =
            connected.map_err(|error: async_nats::ConnectError| BrokerError::lost(error))?;
        let link = Self {
            log: Log::new(context, &subjects, nats.log, incoming.clone()),
            inbox: client.new_inbox(),
            engine,
            client,
            subjects,
            incoming,
            readers: Mutex::default(),
            sent: AtomicU64::new(0),
        };
        link.begin().await?;
        Ok(link)
    }

    /// Subscribes to what every connection needs.
    async fn begin(&self) -> Result<(), BrokerError> {
        let runtime = self.engine.runtime();
        let echoes = self.subscriber(self.inbox.clone()).await?;
        runtime.spawn(self.incoming.clone().read(echoes, Incoming::echo));
        let stored = self.subscriber(self.subjects.all_stored()).await?;
        runtime.spawn(self.incoming.clone().read_stored(stored));
        self.round_trip().await?;
        self.incoming.check(&self.inbox)?;
        runtime.spawn(self.log.clone().watch());
        self.incoming.is_used();
        match self.client.connection_state() {
            State::Connected => Ok(()),
            State::Pending | State::Disconnected => {
                Err(BrokerError::lost("the connection was closed at once"))
            }
        }
    }

    async fn subscriber(&self, subject: String) -> Result<async_nats::Subscriber, BrokerError> {
        let subscriber = self.client.subscribe(subject).await;
        subscriber.map_err(BrokerError::lost)
    }

    /// Ready when the server has done everything that was sent to it before.
    async fn round_trip(&self) -> Result<(), BrokerError> {
        let number = self.sent.fetch_add(1, Ordering::Relaxed) + 1;
        let echo = self.incoming.expect(number);
        let payload = number.to_be_bytes().to_vec();
        let sent = self.client.publish(self.inbox.clone(), payload.into());
        sent.await.map_err(BrokerError::lost)?;
        echo.await.map_err(BrokerError::lost)
    }

    fn plain(&self, channel: &Channel) -> Result<String, BrokerError> {
        let subject = self.subjects.plain(channel.name());
        subject.ok_or_else(too_long)
    }

    async fn subscribe(&self, channels: Vec<Channel>) -> Result<(), BrokerError> {
        let mut subjects = Vec::new();
        for channel in channels {
            if channel.is_log() {
                self.incoming.follow(channel.name());
                continue;
            }
            let name = channel.name().to_owned();
            if lock(&self.readers).contains_key(&name) {
                continue;
            }
            let subject = self.plain(&channel)?;
            let subscriber = self.subscriber(subject.clone()).await?;
            subjects.push((name.clone(), subject));
            let reading = self.incoming.clone().read(subscriber, {
                let name = name.clone();
                move |incoming, message| incoming.plain(&name, &message)
            });
            let reader = self.engine.runtime().spawn(reading).abort_handle();
            if let Some(double) = lock(&self.readers).insert(name, reader) {
                double.abort();
            }
        }
        self.round_trip().await?;
        for (name, subject) in subjects {
            if let Err(error) = self.incoming.check(&subject) {
                self.leave(&name);
                return Err(error);
            }
        }
        Ok(())
    }

    fn leave(&self, name: &str) {
        if let Some(reader) = lock(&self.readers).remove(name) {
            reader.abort();
        }
    }

    fn unsubscribe(&self, channels: &[Channel]) {
        for channel in channels {
            match channel.is_log() {
                true => self.incoming.leave(channel.name()),
                false => self.leave(channel.name()),
            }
        }
    }

    async fn send(&self, messages: Vec<Message>) -> Result<(), BrokerError> {
        let mut subjects = Vec::with_capacity(messages.len());
        for message in messages {
            let subject = self.plain(&message.channel)?;
            let sent = self.client.publish(subject.clone(), message.payload);
            sent.await.map_err(BrokerError::lost)?;
            subjects.push(subject);
        }
        self.round_trip().await?;
        subjects
            .iter()
            .try_for_each(|subject| self.incoming.check(subject))
    }
}

/// Connects once: when the connection is lost, it is the hub that makes another one.
fn once(options: ConnectOptions, incoming: &Arc<Incoming>) -> ConnectOptions {
    let told = incoming.clone();
    let asked = incoming.clone();
    options
        .event_callback(move |event| {
            let told = told.clone();
            async move { told.event(event) }
        })
        .reconnect_to_server_callback(|_, _| async { None })
        .reconnect_delay_callback(move |_| match asked.was_connected() {
            true => Duration::MAX,
            false => Duration::ZERO,
        })
        .max_reconnects(None)
}

pub(super) fn too_long() -> BrokerError {
    BrokerError::refused("the name is too long for NATS")
}

impl Link for NatsLink {
    fn max_message(&self) -> usize {
        self.client.max_payload().saturating_sub(HEADERS)
    }

    fn subscribe(&self, channels: Vec<Channel>) -> BrokerFuture<'_, ()> {
        Box::pin(self.subscribe(channels))
    }

    fn unsubscribe(&self, channels: Vec<Channel>) -> BrokerFuture<'_, ()> {
        self.unsubscribe(&channels);
        Box::pin(std::future::ready(Ok(())))
    }

    fn send(&self, messages: Vec<Message>) -> BrokerFuture<'_, ()> {
        Box::pin(self.send(messages))
    }

    fn append(&self, entries: Vec<Append>) -> BrokerFuture<'_, Vec<Result<(), BrokerError>>> {
        Box::pin(self.log.append(entries))
    }

    fn read(&self, channel: Channel, after: u64, most: usize) -> BrokerFuture<'_, History> {
        Box::pin(self.log.read(channel, after, most))
    }
}
