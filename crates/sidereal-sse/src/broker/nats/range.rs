//! Reading a part of the log.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use async_nats::jetstream::{
    Context,
    consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull},
    stream::ConsumerErrorKind,
};
use bytes::Bytes;
use futures_util::StreamExt as _;

use super::log::answered;
use crate::broker::BrokerError;

/// How many messages are read at a time.
const BATCH: usize = 256;

/// How often it is begun anew where the last time gave nothing.
const TRIES: usize = 3;

/// The last messages of a subject, after one number and up to another or beyond it.
pub(super) struct Range {
    until: u64,
    most: usize,
    /// Everything up to this number was read.
    reached: u64,
    pub(super) entries: VecDeque<(u64, Bytes)>,
    /// How many there were.
    pub(super) count: usize,
    /// The number of the last one that was left out, since there were more than asked for.
    pub(super) left_out: u64,
}

impl Range {
    pub(super) const fn new(after: u64, until: u64, most: usize) -> Self {
        Self {
            until,
            most,
            reached: after,
            entries: VecDeque::new(),
            count: 0,
            left_out: 0,
        }
    }

    pub(super) async fn read(
        &mut self,
        context: &Context,
        stream: String,
        subject: String,
    ) -> Result<(), BrokerError> {
        let mut tries = 0;
        while self.reached < self.until {
            let before = self.reached;
            let config = pull::Config {
                deliver_policy: DeliverPolicy::ByStartSequence {
                    start_sequence: before + 1,
                },
                ack_policy: AckPolicy::None,
                filter_subject: subject.clone(),
                inactive_threshold: Duration::from_secs(10),
                num_replicas: 1,
                memory_storage: true,
                ..pull::Config::default()
            };
            let consumer = context.create_consumer_on_stream(config, &stream).await;
            let consumer = consumer.map_err(|error| match error.kind() {
                ConsumerErrorKind::JetStream(error) => answered(&error),
                _ => BrokerError::lost(error),
            })?;
            self.consume(&consumer).await?;
            let consumer = &consumer.cached_info().name;
            let done = format!("CONSUMER.DELETE.{stream}.{consumer}");
            let done = context.send_request(done, async_nats::Request::new());
            // It goes by itself if this fails.
            let _ = done.await;
            tries = match self.reached == before {
                true => tries + 1,
                false => 0,
            };
            if tries == TRIES {
                return Err(BrokerError::lost("the log could not be read"));
            }
        }
        Ok(())
    }

    /// Reads on, to the end or to the first message that does not come: a consumer sends each once.
    async fn consume(&mut self, consumer: &PullConsumer) -> Result<(), BrokerError> {
        let mut pending = usize::try_from(consumer.cached_info().num_pending).unwrap_or(BATCH);
        let mut next = 1;
        let mut early = BTreeMap::new();
        while self.reached < self.until {
            let batch = consumer.batch().max_messages(pending.clamp(1, BATCH));
            let batch = batch.expires(Duration::from_secs(2)).messages().await;
            let mut batch = batch.map_err(BrokerError::lost)?;
            while let Some(message) = batch.next().await {
                let message = message.map_err(BrokerError::lost)?;
                let info = message.info().map_err(BrokerError::lost)?;
                let (turn, number) = (info.consumer_sequence, info.stream_sequence);
                early.insert(turn, (number, message.message.payload));
            }
            let before = next;
            while let Some((number, payload)) = early.remove(&next) {
                self.take(number, payload);
                next += 1;
                pending = pending.saturating_sub(1);
            }
            if next == before || !early.is_empty() {
                break;
            }
        }
        Ok(())
    }

    fn take(&mut self, number: u64, payload: Bytes) {
        self.reached = number;
        self.count += 1;
        self.entries.push_back((number, payload));
        if self.entries.len() > self.most {
            self.left_out = self.entries.pop_front().map_or(0, |(number, _)| number);
        }
    }
}
