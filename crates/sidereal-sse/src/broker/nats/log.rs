//! The log: one stream of JetStream.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use async_nats::jetstream::{
    Context, ErrorCode,
    context::{CreateStreamErrorKind, PublishErrorKind, RequestErrorKind},
    message::PublishMessage,
    response::Response,
    stream::{
        Config, DiscardPolicy, Info, LastRawMessageErrorKind, Republish, RetentionPolicy,
        StorageType,
    },
};
use futures_util::future::join_all;
use tokio::{
    sync::Mutex,
    time::{Instant, interval, timeout},
};

use super::{incoming::Incoming, link::too_long, names::Subjects, range::Range};
use crate::broker::{Append, BrokerError, Channel, History, Place};

/// How many events of each topic a new stream keeps.
const KEEP: i64 = 64;

/// How long a message that is appended again is known as one that is there.
const DUPLICATES: Duration = Duration::from_secs(120);

/// How often the stream is looked at: whether it is still the same.
const LOOK: Duration = Duration::from_secs(5);

/// For how long appending goes on to the next messages of a channel; what is left is appended later.
const APPENDING: Duration = Duration::from_millis(1500);

/// The settings of the stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogSettings {
    pub(super) age: Duration,
    pub(super) bytes: i64,
    pub(super) replicas: usize,
    pub(super) in_memory: bool,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            age: Duration::from_secs(24 * 3600),
            bytes: 256 << 20,
            replicas: 1,
            in_memory: false,
        }
    }
}

#[derive(Clone)]
pub(super) struct Log {
    context: Context,
    subjects: Subjects,
    settings: LogSettings,
    incoming: Arc<Incoming>,
    known: Arc<Mutex<Option<Known>>>,
}

/// What is known of the stream.
#[derive(Clone, Copy)]
struct Known {
    log: u32,
    /// How many messages it keeps of each subject.
    keep: i64,
    /// Everything with a higher number comes in by this connection.
    begun: u64,
}

impl Log {
    /// How long a single answer may take, so that all of a batch are within the hub's patience.
    pub(super) const ANSWER: Duration = Duration::from_secs(3);

    pub(super) fn new(
        context: Context,
        subjects: &Subjects,
        settings: LogSettings,
        incoming: Arc<Incoming>,
    ) -> Self {
        Self {
            context,
            subjects: subjects.clone(),
            settings,
            incoming,
            known: Arc::default(),
        }
    }

    fn config(&self, keep: i64) -> Config {
        let settings = self.settings;
        Config {
            name: self.subjects.stream(),
            description: Some("The log of a Sidereal hub".to_owned()),
            subjects: vec![self.subjects.all_of_log()],
            max_messages: -1,
            max_messages_per_subject: keep,
            max_bytes: settings.bytes,
            max_age: settings.age,
            duplicate_window: DUPLICATES.min(settings.age),
            discard: DiscardPolicy::Old,
            retention: RetentionPolicy::Limits,
            storage: match settings.in_memory {
                true => StorageType::Memory,
                false => StorageType::File,
            },
            num_replicas: settings.replicas,
            republish: Some(self.republish()),
            ..Config::default()
        }
    }

    fn republish(&self) -> Republish {
        Republish {
            source: self.subjects.all_of_log(),
            destination: self.subjects.all_stored(),
            headers_only: false,
        }
    }

    /// The stream as it is; `None` if there is none.
    async fn info(&self) -> Result<Option<Info>, BrokerError> {
        let subject = format!("STREAM.INFO.{}", self.subjects.stream());
        let answer: Result<Response<Info>, _> = self.context.request(subject, &()).await;
        match answer {
            Ok(Response::Ok(info)) => Ok(Some(info)),
            Ok(Response::Err { error }) if error.code() == 404 => Ok(None),
            Ok(Response::Err { error }) => Err(answered(&error)),
            Err(error) if error.kind() == RequestErrorKind::NoResponders => Err(no_jetstream()),
            Err(error) => Err(BrokerError::lost(error)),
        }
    }

    /// The stream, made if it is not there, and keeping at least so many messages of each subject.
    async fn known(&self, keep: usize) -> Result<Known, BrokerError> {
        let keep = i64::try_from(keep).unwrap_or(i64::MAX).max(KEEP);
        let mut known = self.known.lock().await;
        if let Some(known) = known.filter(|known| known.keep >= keep) {
            return Ok(known);
        }
        let info = match self.info().await? {
            Some(info) => info,
            None => {
                self.make(keep).await?;
                // As it is for all: what the server says to several who make it at the same time differs.
                self.info().await?.ok_or_else(gone)?
            }
        };
        if info.config.republish.as_ref() != Some(&self.republish()) {
            let name = self.subjects.stream();
            return Err(BrokerError::refused(format!(
                "the stream {name} is not the log of a hub"
            )));
        }
        self.kept(info, keep).await?;
        let info = self.whole().await?;
        self.is_same(&info)?;
        let log = identity(&info);
        let begun = self.incoming.knows_log(log, info.state.last_sequence);
        let it = Known {
            log,
            keep: keeps(&info),
            begun,
        };
        *known = Some(it);
        self.incoming.memory().sees(Place {
            log,
            number: info.state.last_sequence,
        });
        Ok(it)
    }

    async fn make(&self, keep: i64) -> Result<(), BrokerError> {
        match self.context.create_stream(self.config(keep)).await {
            Ok(_) => Ok(()),
            Err(error) => match error.kind() {
                // Somebody else was faster.
                CreateStreamErrorKind::JetStream(error)
                    if error.error_code() == ErrorCode::STREAM_NAME_EXIST =>
                {
                    Ok(())
                }
                CreateStreamErrorKind::JetStream(error) => Err(answered(&error)),
                CreateStreamErrorKind::JetStreamUnavailable => Err(no_jetstream()),
                _ => Err(BrokerError::lost(error)),
            },
        }
    }

    /// Has the stream keep at least so many messages of each subject.
    async fn kept(&self, info: Info, keep: i64) -> Result<(), BrokerError> {
        if keeps(&info) < keep {
            self.update(Config {
                max_messages_per_subject: keep,
                ..info.config
            })
            .await?;
        }
        Ok(())
    }

    async fn update(&self, config: Config) -> Result<Info, BrokerError> {
        let updated = self.context.update_stream(config).await;
        updated.map_err(|error| match error.kind() {
            CreateStreamErrorKind::JetStream(error) => answered(&error),
            CreateStreamErrorKind::NotFound => gone(),
            _ => BrokerError::lost(error),
        })
    }

    /// The stream, as another log if it has lost its end.
    async fn whole(&self) -> Result<Info, BrokerError> {
        for is_last in [false, true] {
            // First what was seen: more comes in at any time.
            let (seen, went_back) = {
                let memory = self.incoming.memory();
                (memory.seen, memory.went_back)
            };
            let info = self.info().await?.ok_or_else(gone)?;
            let seen = seen.filter(|seen| seen.log == identity(&info));
            let lost_its_end =
                seen.is_some_and(|seen| went_back || info.state.last_sequence < seen.number);
            match (lost_its_end, is_last) {
                (false, _) => return Ok(info),
                (true, true) => return self.renamed(info).await,
                // A server that has just taken the log over may be behind.
                (true, false) => tokio::time::sleep(Duration::from_millis(500)).await,
            }
        }
        Err(gone())
    }

    /// Gives the log another identity: those of its messages that were lost are not to be taken for
    /// those that have their numbers now.
    async fn renamed(&self, info: Info) -> Result<Info, BrokerError> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let last = info.state.last_sequence;
        let description = format!(
            "The log of a Sidereal hub, which lost what came after number {last}: {}",
            now.unwrap_or_default().as_nanos()
        );
        self.update(Config {
            description: Some(description),
            ..info.config
        })
        .await
    }

    /// Whether it is the log that this connection began with.
    fn is_same(&self, info: &Info) -> Result<(), BrokerError> {
        match self.incoming.log() {
            Some(log) if log != identity(info) => Err(BrokerError::lost("the log is another one")),
            _ => Ok(()),
        }
    }

    /// Looks after the stream as long as the connection is there.
    pub(super) async fn watch(self) {
        let mut look = interval(LOOK);
        let mut is_behind = 0;
        loop {
            look.tick().await;
            if self.incoming.log().is_none() {
                continue;
            }
            let seen = self.incoming.memory().seen;
            let error = match self.info().await {
                Ok(Some(info)) => match self.is_same(&info) {
                    Ok(()) => {
                        let seen = seen.filter(|seen| seen.log == identity(&info));
                        is_behind = match seen {
                            Some(seen) if info.state.last_sequence < seen.number => is_behind + 1,
                            _ => 0,
                        };
                        // A server that has just taken the log over may be behind.
                        if is_behind > 1 {
                            self.incoming.went_back();
                        }
                        if let Some(known) = &mut *self.known.lock().await {
                            known.keep = keeps(&info);
                        }
                        continue;
                    }
                    Err(error) => error,
                },
                Ok(None) => gone(),
                // Whoever uses the log hears of it.
                Err(_) => continue,
            };
            self.incoming.lost(error);
        }
    }

    /// Appends, those of one channel one after the other: if one is lost, none after it may be there.
    /// Answers for the first of them only, where it takes long.
    pub(super) async fn append(
        &self,
        entries: Vec<Append>,
    ) -> Result<Vec<Result<(), BrokerError>>, BrokerError> {
        let keep = entries.iter().map(|entry| entry.keep).max().unwrap_or(0);
        let log = match self.known(keep).await {
            Ok(known) => known.log,
            Err(error) if error.is_refused() => {
                return Ok(entries.iter().map(|_| Err(error.clone())).collect());
            }
            Err(error) => return Err(error),
        };
        let count = entries.len();
        let mut channels: HashMap<Channel, Vec<(usize, Append)>> = HashMap::new();
        for (index, entry) in entries.into_iter().enumerate() {
            let waiting = channels.entry(entry.channel.clone()).or_default();
            waiting.push((index, entry));
        }
        let until = Instant::now() + APPENDING;
        let appending = channels.into_values().map(|entries| async move {
            let mut results = Vec::new();
            for (index, entry) in entries {
                if !results.is_empty() && Instant::now() > until {
                    break;
                }
                let result = self.append_one(log, entry).await;
                let is_lost = result.as_ref().is_err_and(|error| !error.is_refused());
                results.push((index, result));
                if is_lost {
                    break;
                }
            }
            results
        });
        let mut results: Vec<_> = std::iter::repeat_with(|| None).take(count).collect();
        for (index, result) in join_all(appending).await.into_iter().flatten() {
            results[index] = Some(result);
        }
        Ok(results.into_iter().map_while(|result| result).collect())
    }

    async fn append_one(&self, log: u32, entry: Append) -> Result<(), BrokerError> {
        let subject = self.subjects.log(entry.channel.name());
        let subject = subject.ok_or_else(too_long)?;
        let message = PublishMessage::build()
            .payload(entry.payload)
            .message_id(format!("{:016x}-{}", entry.origin, entry.sequence));
        let sent = async {
            self.context
                .send_publish(subject.clone(), message)
                .await?
                .await
        };
        let stored = sent.await.map_err(|error| {
            if let Err(denied) = self.incoming.check(&subject) {
                return denied;
            }
            match error.kind() {
                PublishErrorKind::StreamNotFound => gone(),
                PublishErrorKind::MaxPayloadExceeded => BrokerError::refused(error),
                _ => match source(&error) {
                    Some(error) => answered(error),
                    None => BrokerError::lost(error),
                },
            }
        })?;
        let number = stored.sequence;
        let seen = entry.seen.filter(|seen| seen.log == log);
        if !stored.duplicate && seen.is_some_and(|seen| number <= seen.number) {
            self.incoming.went_back();
            return Err(BrokerError::lost("the log has lost its end"));
        }
        self.incoming.memory().sees(Place { log, number });
        Ok(())
    }

    pub(super) async fn read(
        &self,
        channel: Channel,
        after: u64,
        most: usize,
    ) -> Result<History, BrokerError> {
        let most = most.max(1);
        let known = self.known(most).await?;
        let subject = self.subjects.log(channel.name()).ok_or_else(too_long)?;
        // Both ask the server that leads the log: others may be behind.
        let stream = self
            .context
            .get_stream_no_info(self.subjects.stream())
            .await;
        let stream = stream.map_err(BrokerError::lost)?;
        let newest = stream.get_last_raw_message_by_subject(&subject);
        let (newest, info) = futures_util::future::join(newest, self.info()).await;
        let info = info?.ok_or_else(gone)?;
        self.is_same(&info)?;
        // Everything before the first message of the stream may have been dropped.
        let gone_before = match info.state.messages {
            0 => info.state.last_sequence,
            _ => info.state.first_sequence.saturating_sub(1),
        };
        let mut history = History {
            log: known.log,
            dropped: gone_before,
            entries: Vec::new(),
        };
        let newest = match newest {
            Ok(newest) => newest,
            Err(error) => {
                return match error.kind() {
                    LastRawMessageErrorKind::NoMessageFound => Ok(history),
                    LastRawMessageErrorKind::JetStream(error) => Err(answered(&error)),
                    _ => Err(BrokerError::lost(error)),
                };
            }
        };
        if newest.sequence <= after {
            return Ok(history);
        }
        let until = newest.sequence;
        if most == 1 && after == 0 {
            history.dropped = until - 1;
            history.entries.push((until, newest.payload));
        } else {
            let mut range = Range::new(after, until, most);
            range
                .read(&self.context, self.subjects.stream(), subject)
                .await?;
            history.entries = range.entries.into();
            let first = history.entries.first().map_or(until, |(number, _)| *number);
            // A subject of which messages were dropped has as many as are kept of it. Who was here
            // before has seen to it that these are `most`.
            let full = match after {
                0 => usize::try_from(KEEP).unwrap_or(most).min(most),
                _ => most,
            };
            history.dropped = match range.left_out {
                0 if range.count >= full => first - 1,
                0 => gone_before,
                left_out => left_out,
            };
        }
        let last = history.entries.last().map_or(0, |(number, _)| *number);
        if last > known.begun {
            let arrived = timeout(Self::ANSWER, self.incoming.has_arrived(last)).await;
            arrived.map_err(|_| BrokerError::lost("what is in the log does not come in"))?;
        }
        Ok(history)
    }
}

/// A number that is another one for each stream ever made, of any name.
fn identity(info: &Info) -> u32 {
    let created = SystemTime::from(info.created).duration_since(SystemTime::UNIX_EPOCH);
    let created = created.unwrap_or_default().as_nanos().to_be_bytes();
    let description = info.config.description.as_deref().unwrap_or_default();
    // FNV-1a: the same on every node, whatever it was built with.
    let hash = created
        .iter()
        .chain(description.as_bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
        });
    (hash >> 32) as u32 ^ hash as u32
}

/// How many messages the stream keeps of each subject.
fn keeps(info: &Info) -> i64 {
    match info.config.max_messages_per_subject {
        ..=0 => i64::MAX,
        keep => keep,
    }
}

fn source<K>(error: &async_nats::error::Error<K>) -> Option<&async_nats::jetstream::Error>
where
    async_nats::error::Error<K>: std::error::Error,
    K: Clone + std::fmt::Debug + std::fmt::Display + PartialEq,
{
    std::error::Error::source(error)?.downcast_ref()
}

/// What JetStream has said.
pub(super) fn answered(error: &async_nats::jetstream::Error) -> BrokerError {
    let is_away = matches!(error.code(), 404 | 408 | 503)
        && !matches!(
            error.error_code(),
            ErrorCode::JETSTREAM_NOT_ENABLED
                | ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT
                | ErrorCode::INSUFFICIENT_RESOURCES
                | ErrorCode::STORAGE_RESOURCES_EXCEEDED
                | ErrorCode::MEMORY_RESOURCES_EXCEEDED
                | ErrorCode::STREAM_STORE_FAILED
        );
    match is_away {
        true => BrokerError::lost(error.to_string()),
        false => BrokerError::refused(error.to_string()),
    }
}

fn gone() -> BrokerError {
    BrokerError::lost("the log is gone")
}

fn no_jetstream() -> BrokerError {
    BrokerError::refused("topics with history need JetStream, which this server does not have")
}
