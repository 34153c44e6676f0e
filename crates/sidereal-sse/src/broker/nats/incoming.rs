//! What comes in by one connection.

use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_nats::{
    ClientError, Event, HeaderMap, Message, ServerError, Subscriber,
    header::{HeaderName, NATS_LAST_SEQUENCE, NATS_SEQUENCE},
};
use futures_util::StreamExt as _;
use tokio::{
    sync::{oneshot, watch},
    time::{Instant, timeout_at},
};

use super::{
    Memory,
    names::Subjects,
    order::{Came, Order},
};
use crate::broker::{BrokerError, Deliver, NODES_TARGET, Place, Stored};

/// How many subjects are remembered that the server does not allow.
const DENIED: usize = 1000;

/// How long is waited for a message of the log when one with a higher number is there.
const PATIENCE: Duration = Duration::from_millis(500);

pub(super) struct Incoming {
    deliver: Deliver,
    subjects: Subjects,
    memory: Arc<Mutex<Memory>>,
    /// The hub has the connection, and is to be told when it is lost: once.
    is_used: AtomicBool,
    is_lost: AtomicBool,
    /// Who waits for a message to itself, by its number.
    echoes: Mutex<HashMap<u64, oneshot::Sender<()>>>,
    /// What the server does not allow.
    denied: Mutex<HashSet<String>>,
    /// Whose messages of the log are to be passed on.
    followed: Mutex<HashSet<String>>,
    /// The identity of the log, once it is known.
    log: OnceLock<u32>,
    order: Mutex<Order<Message>>,
    /// The last number of the log that was passed on.
    arrived: watch::Sender<u64>,
}

impl Incoming {
    pub(super) fn new(deliver: Deliver, subjects: Subjects, memory: Arc<Mutex<Memory>>) -> Self {
        Self {
            deliver,
            subjects,
            memory,
            is_used: AtomicBool::new(false),
            is_lost: AtomicBool::new(false),
            echoes: Mutex::default(),
            denied: Mutex::default(),
            followed: Mutex::default(),
            log: OnceLock::new(),
            order: Mutex::new(Order::new()),
            arrived: watch::Sender::new(0),
        }
    }

    /// From now on the hub is told when the connection is lost.
    pub(super) fn is_used(&self) {
        self.is_used.store(true, Ordering::Release);
    }

    /// Whether the connection was made once. It is not made again.
    pub(super) fn was_connected(&self) -> bool {
        self.is_used.load(Ordering::Acquire)
    }

    pub(super) fn lost(&self, error: BrokerError) {
        if self.was_connected() && !self.is_lost.swap(true, Ordering::AcqRel) {
            self.deliver.lost(error);
        }
    }

    /// Something has happened to the connection.
    pub(super) fn event(&self, event: Event) {
        match event {
            Event::Disconnected | Event::Closed => {
                self.lost(BrokerError::lost("the connection was closed"));
            }
            Event::SlowConsumer(_) | Event::ServerError(ServerError::SlowConsumer(_)) => {
                self.lost(BrokerError::lost("messages were dropped"));
            }
            Event::ServerError(ServerError::Other(text)) => self.server_said(&text),
            Event::ClientError(ClientError::MaxReconnects) => {}
            Event::ServerError(error) => {
                tracing::warn!(target: NODES_TARGET, %error, "the server complains");
            }
            _ => {}
        }
    }

    fn server_said(&self, text: &str) {
        tracing::warn!(target: NODES_TARGET, error = text, "the server complains");
        // Permissions Violation for Publish to "subject"
        let subject = text.split('"').nth(1);
        if let Some(subject) = subject.filter(|_| text.to_lowercase().contains("permissions")) {
            let mut denied = lock(&self.denied);
            if denied.len() < DENIED {
                denied.insert(subject.to_owned());
            }
        }
    }

    /// What the server has said to this subject, if it does not allow it. Said once.
    pub(super) fn check(&self, subject: &str) -> Result<(), BrokerError> {
        match lock(&self.denied).remove(subject) {
            true => Err(BrokerError::refused(format!(
                "the server does not allow {subject}"
            ))),
            false => Ok(()),
        }
    }

    /// Reads one subscription to its end.
    pub(super) async fn read(self: Arc<Self>, mut from: Subscriber, take: impl Fn(&Self, Message)) {
        while let Some(message) = from.next().await {
            take(&self, message);
        }
        self.lost(BrokerError::lost("a subscription has ended"));
    }

    /// Who waits for the message with this number to itself.
    pub(super) fn expect(&self, number: u64) -> oneshot::Receiver<()> {
        let (tell, told) = oneshot::channel();
        lock(&self.echoes).insert(number, tell);
        told
    }

    /// A message to itself.
    pub(super) fn echo(&self, message: Message) {
        let number = message.payload[..].try_into().map(u64::from_be_bytes);
        let waiting = number.ok().and_then(|it| lock(&self.echoes).remove(&it));
        if let Some(waiting) = waiting {
            let _ = waiting.send(());
        }
    }

    /// A message of a channel without a log.
    pub(super) fn plain(&self, channel: &str, message: &Message) {
        self.deliver.message(channel, &message.payload);
    }

    pub(super) fn follow(&self, channel: &str) {
        lock(&self.followed).insert(channel.to_owned());
    }

    pub(super) fn leave(&self, channel: &str) {
        lock(&self.followed).remove(channel);
    }

    /// Which log it is, and its last number. Whatever has come in until now, or is on its way with a
    /// lower number, is nothing to the hub, which has yet to read the log. Says after which number
    /// everything comes in.
    pub(super) fn knows_log(&self, log: u32, last: u64) -> u64 {
        self.log.get_or_init(|| log);
        lock(&self.order).begin(last)
    }

    pub(super) fn log(&self) -> Option<u32> {
        self.log.get().copied()
    }

    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        lock(&self.memory)
    }

    /// Waits until everything of the log has come in up to this number.
    pub(super) async fn has_arrived(&self, number: u64) {
        let _ = self.arrived.subscribe().wait_for(|it| *it >= number).await;
    }

    /// Reads what comes into the log, and passes it on in the order of its numbers.
    pub(super) async fn read_stored(self: Arc<Self>, mut from: Subscriber) {
        let mut patience = Instant::now();
        loop {
            let waits = lock(&self.order).waits();
            let message = match waits {
                true => timeout_at(patience, from.next()).await,
                false => Ok(from.next().await),
            };
            match message {
                Ok(Some(message)) => self.stored(message),
                Ok(None) => break,
                // Nobody sends it any more. Whoever follows its channel learns it by the next one.
                Err(_) => lock(&self.order).skip(),
            }
            let mut is_first = true;
            while let Some((number, message)) = self.next_stored() {
                self.pass_on(number, message);
                is_first = false;
            }
            if !waits || !is_first {
                patience = Instant::now() + PATIENCE;
            }
        }
        self.lost(BrokerError::lost("a subscription has ended"));
    }

    /// A message has come into the log.
    fn stored(&self, message: Message) {
        let headers = message.headers.as_ref();
        let Some(number) = headers.and_then(|headers| number(headers, NATS_SEQUENCE)) else {
            tracing::debug!(target: NODES_TARGET, "a message that did not come by the log");
            return;
        };
        let mut mark = DefaultHasher::new();
        message.subject.as_str().hash(&mut mark);
        message.payload.hash(&mut mark);
        if lock(&self.order).put(number, mark.finish(), message) == Came::Again {
            self.went_back();
        }
    }

    fn next_stored(&self) -> Option<(u64, Message)> {
        lock(&self.order).pop()
    }

    /// It is the turn of this message.
    fn pass_on(&self, number: u64, message: Message) {
        let headers = message.headers.as_ref();
        let before = headers.and_then(|headers| self::number(headers, NATS_LAST_SEQUENCE));
        let name = self.subjects.of_stored(&message.subject);
        if let (Some(log), Some(before), Some(name)) = (self.log(), before, name) {
            let place = Place { log, number };
            self.memory().sees(place);
            if lock(&self.followed).contains(&name) {
                let stored = Stored {
                    place,
                    before,
                    payload: message.payload,
                };
                self.deliver.stored(&name, stored);
            }
        }
        self.arrived.send_replace(number);
    }

    /// The log has numbers again that it had before.
    pub(super) fn went_back(&self) {
        self.memory().went_back = true;
        self.lost(BrokerError::lost("the log has lost its end"));
    }
}

fn number(headers: &HeaderMap, name: HeaderName) -> Option<u64> {
    headers.get(name)?.as_str().parse().ok()
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while one of these is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
