//! The connection to the broker: made, used, lost, made again.

use std::{
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use super::{
    BrokerError, Carrier, Channel, History, Link, Message, NODES_TARGET, Nodes, Receiver, Standing,
    State,
    announcement::{ALL, Announcement},
    deliver::Hex,
    random,
    wire::{Envelope, Kind, Outgoing},
};
use crate::background;

/// How long a broker may take for an answer.
const ANSWER: Duration = Duration::from_secs(5);

/// How many logs are read at a time.
const READERS: usize = 16;

/// How often a node says that it is there.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// How often channels are looked at that nobody may follow any more.
const SWEEP: Duration = Duration::from_secs(5);

/// Looks after the connection as long as the hub is there.
pub(super) fn start(nodes: Arc<Nodes>) {
    match background::broker_runtime() {
        Some(runtime) => {
            runtime.spawn(look(Arc::downgrade(&nodes)));
            runtime.spawn(drive(nodes));
        }
        None => {
            let error = BrokerError::lost("there is no thread to serve it");
            nodes.is_away(&error);
        }
    }
}

/// Looks after the other nodes, whether the broker is there or not.
async fn look(nodes: Weak<Nodes>) {
    loop {
        sleep(HEARTBEAT).await;
        match nodes.upgrade() {
            Some(nodes) if !nodes.is_closing() => nodes.look_after_peers(),
            _ => return,
        }
    }
}

async fn drive(nodes: Arc<Nodes>) {
    let mut failures = 0;
    while !nodes.is_closing() {
        // One that panics is away too.
        let mut connection = JoinSet::new();
        connection.spawn(connect(nodes.clone()));
        let (error, has_served) = match connection.join_next().await {
            Some(Ok(ended)) => ended,
            Some(Err(panicked)) => (BrokerError::lost(panicked), false),
            None => (BrokerError::lost("there is no thread to serve it"), false),
        };
        if has_served {
            failures = 0;
        }
        if nodes.is_closing() {
            return;
        }
        nodes.is_away(&error);
        // That this connection was lost is known, and does not make the pause shorter.
        let _ = timeout(Duration::ZERO, nodes.is_over.notified()).await;
        if nodes.is_closing() {
            return;
        }
        // Whoever closes the hub meanwhile need not wait.
        let _ = timeout(pause(failures), nodes.is_over.notified()).await;
        failures += 1;
    }
}

/// Makes a connection, and uses it. Says why it ended, and whether it was of use for some time.
async fn connect(nodes: Arc<Nodes>) -> (BrokerError, bool) {
    let deliver = nodes.next_connection();
    match within(nodes.broker.connect(deliver)).await {
        Ok(link) => {
            let began = Instant::now();
            let error = serve(&nodes, link).await;
            (error, began.elapsed() > ANSWER)
        }
        Err(error) => (error, false),
    }
}

/// How long to wait before the next attempt: from 100 ms to 10 s, and half of it by chance, so that
/// nodes which lost the broker together do not come back together.
fn pause(failures: u32) -> Duration {
    let longest = Duration::from_millis(100) * 2_u32.pow(failures.min(7));
    let longest = longest.min(Duration::from_secs(10));
    longest / 2 + (longest / 2).mul_f64((random() >> 11) as f64 / (1_u64 << 53) as f64)
}

fn no_answer() -> BrokerError {
    BrokerError::lost(format!("no answer within {} s", ANSWER.as_secs()))
}

async fn within<T>(future: impl Future<Output = Result<T, BrokerError>>) -> Result<T, BrokerError> {
    timeout(ANSWER, future)
        .await
        .unwrap_or_else(|_| Err(no_answer()))
}

/// Uses a connection until it is lost, or the hub is gone; says why.
async fn serve(nodes: &Arc<Nodes>, link: Arc<dyn Link>) -> BrokerError {
    nodes.longest.store(link.max_message(), Ordering::Relaxed);
    nodes.state().peers.begin(Instant::now());
    let followed = nodes.followed();
    let all = vec![Channel::plain(ALL)];
    let subscribed = async {
        within(link.subscribe(all)).await?;
        subscribe(&*link, &followed, true).await
    };
    if let Err(error) = subscribed.await {
        return error;
    }
    nodes.state().peers.hears_all(Instant::now());
    nodes.is_here();
    let mut tasks = JoinSet::new();
    tasks.spawn(read_all(link.clone(), followed));
    tasks.spawn(send(nodes.clone(), link.clone()));
    tasks.spawn(append(nodes.clone(), link.clone()));
    tasks.spawn(subscribe_as_wished(nodes.clone(), link.clone()));
    tasks.spawn(live(nodes.clone(), link.clone()));
    tasks.spawn({
        let nodes = nodes.clone();
        async move {
            nodes.is_over.notified().await;
            Err(nodes.why_lost())
        }
    });
    while let Some(ended) = tasks.join_next().await {
        let error = match ended {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => error,
            Err(panicked) => BrokerError::lost(panicked),
        };
        drop(tasks);
        if nodes.is_closing() {
            let _ = timeout(Duration::from_secs(1), link.send(nodes.last_words())).await;
        }
        return error;
    }
    BrokerError::lost("nothing looks after it")
}

/// Subscribes to the channels of these carriers. Of those with a log, what comes in waits until
/// that was read.
async fn subscribe(
    link: &dyn Link,
    carriers: &[Arc<Carrier>],
    is_new_link: bool,
) -> Result<(), BrokerError> {
    for carrier in carriers {
        match carrier.is_log() {
            true => drop(carrier.begin_reading()),
            false => carrier.begin_hearing(is_new_link),
        }
    }
    for some in carriers.chunks(1000) {
        let channels = some.iter().map(|carrier| carrier.channel().clone());
        match within(link.subscribe(channels.collect())).await {
            Err(error) if error.is_refused() => {}
            subscribed => {
                subscribed?;
                are_subscribed(some);
                continue;
            }
        }
        // One of them is refused, or some.
        for carrier in some {
            match within(link.subscribe(vec![carrier.channel().clone()])).await {
                Err(error) if error.is_refused() => carrier.refused(&error),
                subscribed => {
                    subscribed?;
                    are_subscribed(std::slice::from_ref(carrier));
                }
            }
        }
    }
    Ok(())
}

fn are_subscribed(carriers: &[Arc<Carrier>]) {
    for carrier in carriers.iter().filter(|carrier| !carrier.is_log()) {
        carrier.is_subscribed();
    }
}

/// Reads the logs of those that have one.
async fn read_all(link: Arc<dyn Link>, carriers: Vec<Arc<Carrier>>) -> Result<(), BrokerError> {
    let mut reading = JoinSet::new();
    for carrier in carriers.into_iter().filter(|carrier| carrier.is_log()) {
        if reading.len() == READERS {
            joined(reading.join_next().await)?;
        }
        let link = link.clone();
        reading.spawn(async move {
            match history(&*link, &carrier).await {
                Ok(history) => carrier.was_read(history),
                Err(error) if error.is_refused() => carrier.refused(&error),
                Err(error) => return Err(error),
            }
            Ok(())
        });
    }
    while let Some(ended) = reading.join_next().await {
        joined(Some(ended))?;
    }
    Ok(())
}

/// What a carrier does not have yet of its log.
async fn history(link: &dyn Link, carrier: &Carrier) -> Result<History, BrokerError> {
    let known = carrier.begin_reading();
    let after = known.map_or(0, |place| place.number);
    let (channel, keep) = (carrier.channel().clone(), carrier.keep());
    let history = within(link.read(channel.clone(), after, keep)).await?;
    // Numbers of another log say nothing about this one.
    match known.is_some_and(|place| place.log != history.log) {
        true => within(link.read(channel, 0, keep)).await,
        false => Ok(history),
    }
}

fn joined(
    ended: Option<Result<Result<(), BrokerError>, tokio::task::JoinError>>,
) -> Result<(), BrokerError> {
    match ended {
        Some(Ok(result)) => result,
        Some(Err(panicked)) => Err(BrokerError::lost(panicked)),
        None => Ok(()),
    }
}

/// Sends what waits, as it comes.
async fn send(nodes: Arc<Nodes>, link: Arc<dyn Link>) -> Result<(), BrokerError> {
    loop {
        let batch = nodes.messages();
        if batch.is_empty() {
            let _ = timeout(HEARTBEAT, nodes.has_messages.notified()).await;
            continue;
        }
        let count = batch.len();
        match within(link.send(batch.clone())).await {
            Err(error) if error.is_refused() => {}
            sent => {
                sent?;
                nodes.messages_done(count, &Ok(()));
                continue;
            }
        }
        // One of them is refused, or some.
        for message in batch {
            match within(link.send(vec![message])).await {
                Err(error) if error.is_refused() => {
                    tracing::warn!(target: NODES_TARGET, %error, "a message was refused");
                    nodes.messages_done(1, &Err(error));
                }
                sent => {
                    sent?;
                    nodes.messages_done(1, &Ok(()));
                }
            }
        }
    }
}

/// Appends what waits, as it comes.
async fn append(nodes: Arc<Nodes>, link: Arc<dyn Link>) -> Result<(), BrokerError> {
    loop {
        let batch = nodes.entries();
        if batch.is_empty() {
            nodes.has_entries.notified().await;
            continue;
        }
        for result in within(link.append(batch)).await? {
            match result {
                Ok(()) => nodes.entry_done(Ok(())),
                Err(error) if error.is_refused() => {
                    tracing::warn!(target: NODES_TARGET, %error, "an event was refused by the log");
                    nodes.entry_done(Err(error));
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// Subscribes to what somebody here begins to follow, and lets go of what nobody does any more.
async fn subscribe_as_wished(nodes: Arc<Nodes>, link: Arc<dyn Link>) -> Result<(), BrokerError> {
    let mut swept = Instant::now();
    loop {
        let wished = nodes.wished();
        if !wished.is_empty() {
            subscribe(&*link, &wished, false).await?;
            read_all(link.clone(), wished).await?;
        }
        let due = swept + SWEEP;
        if Instant::now() < due {
            let wait = due.saturating_duration_since(Instant::now());
            let _ = timeout(wait, nodes.has_wishes.notified()).await;
            continue;
        }
        swept = Instant::now();
        let left = nodes.left();
        for some in left.chunks(1000) {
            within(link.unsubscribe(some.to_vec())).await?;
        }
    }
}

/// Says that this node is there, asks what it has missed, and listens for what it said itself: that it
/// comes back says that the broker is there, and has passed on all that came before it.
async fn live(nodes: Arc<Nodes>, link: Arc<dyn Link>) -> Result<(), BrokerError> {
    let mut echoes = nodes.echoes();
    let mut silent = 0;
    loop {
        nodes.look_at_answers();
        nodes.answer();
        within(link.send(nodes.signs_of_life())).await?;
        sleep(HEARTBEAT).await;
        let heard = nodes.echoes();
        silent = match heard == echoes {
            true => silent + 1,
            false => 0,
        };
        echoes = heard;
        if silent * HEARTBEAT >= ANSWER {
            return Err(BrokerError::lost("what is sent does not come back"));
        }
    }
}

impl State {
    fn was_not_sent(&mut self, message: Message) {
        if Announcement::is_skipped(&message) {
            self.may_tell = Some(Instant::now() + HEARTBEAT);
            self.has_skipped_many = true;
        }
        if let Ok(envelope) = Envelope::decode(&message.payload)
            && envelope.sequence > 0
        {
            // What says that something was not sent is said again, but not at once.
            if envelope.kind == Kind::Skipped {
                self.may_tell = Some(Instant::now() + HEARTBEAT);
            }
            self.skip(message.channel, envelope.sequence);
        }
    }

    /// What tells the others that the message with this sequence was not sent.
    pub(super) fn notice(&mut self, id: u64, channel: &Channel, before: u64) -> Message {
        let sequence = self.next_sequence();
        self.sent.note(channel, sequence);
        let notice = Outgoing {
            kind: Kind::Skipped,
            node: id,
            sequence,
            before,
            body: &[],
        };
        Message {
            channel: channel.clone(),
            payload: notice.encode(),
        }
    }

    /// Has the others told what was not sent; `false` if there was nothing.
    fn tell_skipped(&mut self, id: u64) -> bool {
        if self.may_tell.is_some_and(|from| Instant::now() < from) {
            return false;
        }
        let skipped = std::mem::take(&mut self.skipped);
        let has_skipped_many = std::mem::take(&mut self.has_skipped_many);
        let is_some = has_skipped_many || !skipped.is_empty();
        for (channel, before) in skipped {
            let notice = self.notice(id, &channel, before);
            self.messages.push(notice, None);
        }
        if has_skipped_many {
            self.messages.push(Announcement::Skipped.to_all(id), None);
        }
        is_some
    }
}

impl Nodes {
    fn is_closing(&self) -> bool {
        self.state().is_closing
    }

    /// The carriers that somebody here follows.
    fn followed(&self) -> Vec<Arc<Carrier>> {
        self.state().wishes = Vec::new();
        let mut carriers = self.carriers();
        carriers.retain(|carrier| carrier.is_followed());
        carriers
    }

    /// Those that are to be subscribed to, or read.
    fn wished(&self) -> Vec<Arc<Carrier>> {
        let wishes = std::mem::take(&mut self.state().wishes);
        wishes.iter().filter_map(|it| it.upgrade()).collect()
    }

    /// Channels that nobody here follows any more.
    fn left(&self) -> Vec<Channel> {
        let mut left = Vec::new();
        let mut state = self.state();
        state.channels.retain(|channel, carrier| {
            let is_there = carrier.strong_count() > 0;
            if !is_there {
                left.push(channel.clone());
            }
            is_there
        });
        if state.channels.is_empty() {
            state.channels = std::collections::HashMap::new();
        }
        drop(state);
        let carriers = self.carriers();
        let idle = carriers.iter().filter(|carrier| carrier.is_left());
        left.extend(idle.map(|carrier| carrier.channel().clone()));
        left
    }

    fn is_here(&self) {
        let was = std::mem::replace(&mut self.state().standing, Standing::Here);
        if was == Standing::Away {
            tracing::info!(target: NODES_TARGET, "the broker is there again");
        } else {
            tracing::info!(target: NODES_TARGET, "connected to the broker");
        }
    }

    fn is_away(&self, error: &BrokerError) {
        let mut state = self.state();
        let was = std::mem::replace(&mut state.standing, Standing::Away);
        // What still comes in by the connection that was lost is not waited for, and does not count.
        state.generation += 1;
        state.why_lost = None;
        state.peers.end(Instant::now(), self.options.node_timeout);
        drop(state);
        match was {
            Standing::Away => {
                tracing::debug!(target: NODES_TARGET, %error, "the broker is still away");
            }
            Standing::Unknown | Standing::Here => {
                tracing::warn!(target: NODES_TARGET, %error, "the broker is away");
            }
        }
        self.carriers().iter().for_each(|it| it.give_up());
    }

    fn why_lost(&self) -> BrokerError {
        let error = self.state().why_lost.take();
        error.unwrap_or_else(|| BrokerError::lost("the hub is gone"))
    }

    /// What is to be sent next.
    fn messages(&self) -> Vec<Message> {
        let longest = self.longest.load(Ordering::Relaxed);
        let mut state = self.state();
        let state = &mut *state;
        let mut refused = Vec::new();
        let batch = state
            .messages
            .batch(longest, |message| refused.push(message.clone()));
        if !refused.is_empty() {
            self.has_gone.notify_waiters();
        }
        for message in refused {
            state.was_not_sent(message);
        }
        if !batch.is_empty() || !state.tell_skipped(self.id) {
            return batch;
        }
        state.messages.batch(longest, |_| {})
    }

    fn messages_done(&self, count: usize, result: &Result<(), BrokerError>) {
        let mut state = self.state();
        for _ in 0..count {
            let message = state.messages.first_done(result.clone());
            if let (Some(message), Err(_)) = (message, result) {
                state.was_not_sent(message);
            }
        }
        drop(state);
        self.has_gone.notify_waiters();
    }

    fn entries(&self) -> Vec<super::Append> {
        let longest = self.longest.load(Ordering::Relaxed);
        let mut state = self.state();
        let seen = state.seen;
        let mut batch = state
            .entries
            .batch(longest, |_| self.has_gone.notify_waiters());
        for entry in &mut batch {
            entry.seen = seen;
        }
        batch
    }

    fn entry_done(&self, result: Result<(), BrokerError>) {
        self.state().entries.first_done(result);
        self.has_gone.notify_waiters();
    }

    fn echoes(&self) -> u64 {
        self.state().peers.echoes
    }

    fn look_after_peers(&self) {
        let mut state = self.state();
        let looked = state.peers.look(Instant::now(), self.options.node_timeout);
        drop(state);
        for node in looked.gone {
            tracing::warn!(target: NODES_TARGET, node = %Hex(node), "a node is gone");
            self.to_receivers(|receiver| receiver.node_went(node));
        }
        if looked.is_in_doubt {
            self.stays_in_doubt();
        }
        if looked.forgotten.is_empty() {
            return;
        }
        for carrier in self.carriers() {
            let forgotten = looked.forgotten.iter();
            forgotten.for_each(|node| carrier.forget(*node));
        }
    }

    pub(super) fn carriers(&self) -> Vec<Arc<Carrier>> {
        let state = self.state();
        let carriers = state.channels.values().filter_map(|it| it.upgrade());
        carriers.collect()
    }

    pub(super) fn to_receivers(&self, tell: impl Fn(&dyn Receiver)) {
        let carriers = self.carriers();
        let receivers = carriers.iter().filter_map(|carrier| carrier.receiver());
        receivers.for_each(|receiver| tell(&*receiver));
    }
}
