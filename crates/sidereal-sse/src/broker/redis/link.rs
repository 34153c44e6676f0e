//! One connection to Redis.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use redis::{Cmd, RedisError, RedisResult, Value, aio::MultiplexedConnection};

use super::{
    super::{Append, BrokerError, BrokerFuture, Channel, History, Link, Message, Place},
    Incoming, Log, Names, lost, lost_or_refused,
};

/// Within the default of `client-output-buffer-limit` for those who subscribe, twice over.
const MAX_MESSAGE: usize = (16 << 20) - (64 << 10);

const PRELUDE: &str = include_str!("log.lua");
const BEGIN: &str = include_str!("begin.lua");
const APPEND: &str = include_str!("append.lua");
const READ: &str = include_str!("read.lua");

/// How much longer than the messages of a channel its last number is known.
const LAST_NUMBERS: u32 = 7;

pub(super) struct RedisLink {
    connection: MultiplexedConnection,
    names: Names,
    /// How long messages are kept, and last numbers, in milliseconds.
    log_for: u64,
    window: u64,
    log: Arc<Log>,
    run: Arc<str>,
    append: Script,
    read: Script,
    incoming: Arc<Incoming>,
}

/// A script that the server has.
struct Script {
    text: String,
    hash: String,
}

impl RedisLink {
    /// Begins to use a connection. Says also what the server does when its memory is full, where it has a
    /// limit.
    pub(super) async fn begin(
        mut connection: MultiplexedConnection,
        names: Names,
        log_for: Duration,
        log: Arc<Log>,
        incoming: Arc<Incoming>,
    ) -> Result<(Self, Option<String>), BrokerError> {
        let renewed = format!("{}renewed", names.channels);
        connection
            .subscribe(renewed)
            .await
            .map_err(lost_or_refused)?;
        let [begin, append, read] = [BEGIN, APPEND, READ].map(|text| [PRELUDE, text].concat());
        let mut setup = redis::pipe();
        setup.cmd("INFO").arg("server");
        setup.cmd("INFO").arg("memory");
        for script in [&begin, &append, &read] {
            setup.cmd("SCRIPT").arg("LOAD").arg(script);
        }
        setup.ignore_errors();
        let answers: Vec<RedisResult<String>> = setup
            .query_async(&mut connection)
            .await
            .map_err(lost_or_refused)?;
        let mut answers = answers.into_iter();
        let mut next = || answers.next().unwrap_or_else(|| Err(unexpected()));
        // Not everyone may ask.
        let [server, memory] = [next(), next()].map(Result::unwrap_or_default);
        let [begin, append, read] = [begin, append, read].map(|text| {
            let hash = next().map_err(lost_or_refused)?;
            Ok(Script { text, hash })
        });
        let run: Arc<str> = field(&server, "run_id").unwrap_or_default().into();
        incoming.begin(run.clone());
        let log_for = u64::try_from(log_for.as_millis()).unwrap_or(u64::MAX);
        let link = Self {
            connection,
            names,
            log_for,
            window: log_for.saturating_mul(LAST_NUMBERS.into()),
            log,
            run,
            append: append?,
            read: read?,
            incoming,
        };
        link.know_log(&begin?).await?;
        let policy = match field(&memory, "maxmemory") {
            None | Some("0") => None,
            Some(_) => field(&memory, "maxmemory_policy").map(str::to_owned),
        };
        Ok((link, policy))
    }

    /// Learns the log's identity, which becomes another one if it has lost anything that this node
    /// has seen.
    async fn know_log(&self, begin: &Script) -> Result<(), BrokerError> {
        let seen = self.log.seen();
        let answer = self
            .run(begin, |command| match &seen {
                Some(seen) => {
                    command.arg(seen.place.log);
                    command.arg(&*seen.run).arg(seen.place.number);
                }
                None => {
                    command.arg("").arg("").arg(0);
                }
            })
            .await?;
        let log = number(&answer).ok_or_else(|| lost(unexpected()))?;
        if let Some(seen) = seen.filter(|seen| seen.place.log == log) {
            // Nothing of it is missing in this run.
            self.log.sees(seen.place, &self.run);
        }
        match self.incoming.knows(log) {
            true => Ok(()),
            false => Err(BrokerError::lost("the log has become another")),
        }
    }

    /// Runs a script, which the server may have forgotten.
    async fn run(
        &self,
        script: &Script,
        arguments: impl Fn(&mut Cmd),
    ) -> Result<Value, BrokerError> {
        let call = |command: &str, script: &str| {
            let mut command = redis::cmd(command);
            command.arg(script).arg(1).arg(&self.names.log);
            command.arg(fresh()).arg(&*self.run);
            command.arg(&self.names.channels);
            arguments(&mut command);
            command
        };
        let mut connection = self.connection.clone();
        let called = call("EVALSHA", &script.hash);
        match called.query_async(&mut connection).await {
            Err(error) if error.code() == Some("NOSCRIPT") => {
                let called = call("EVAL", &script.text);
                called.query_async(&mut connection).await
            }
            answer => answer,
        }
        .map_err(lost_or_refused)
    }

    fn names(&self, channels: &[Channel]) -> Vec<String> {
        let names = channels.iter().map(|channel| self.name(channel));
        names.collect()
    }

    fn name(&self, channel: &Channel) -> String {
        let kind = match channel.is_log() {
            true => "live",
            false => "plain",
        };
        format!("{}{kind}:{}", self.names.channels, channel.name())
    }

    async fn publish(&self, messages: &[Message]) -> Result<(), BrokerError> {
        let mut commands = redis::pipe();
        for message in messages {
            let command = commands.cmd("PUBLISH");
            command
                .arg(self.name(&message.channel))
                .arg(&message.payload[..]);
        }
        commands.ignore_errors();
        let mut connection = self.connection.clone();
        let answers: Vec<RedisResult<Value>> = commands
            .query_async(&mut connection)
            .await
            .map_err(lost_or_refused)?;
        let errors = answers.into_iter().filter_map(Result::err);
        let mut refused = Ok(());
        for error in errors.map(lost_or_refused) {
            if !error.is_refused() {
                return Err(error);
            }
            refused = Err(error);
        }
        refused
    }

    async fn put(&self, entries: &[Append]) -> Result<Vec<Result<(), BrokerError>>, BrokerError> {
        let seen = entries.iter().rev().find_map(|entry| entry.seen);
        let answer = self.run(&self.append, |command| {
            match seen {
                Some(place) => command.arg(place.log).arg(place.number),
                None => command.arg("").arg(0),
            };
            command.arg(self.log_for).arg(self.window);
            for entry in entries {
                command.arg(entry.channel.name()).arg(entry.origin);
                command
                    .arg(entry.sequence)
                    .arg(entry.keep.clamp(1, 1 << 31));
                command.arg(&entry.payload[..]);
            }
        });
        let answer = match answer.await {
            // It is one script, and nothing of it was done.
            Err(error) if error.is_refused() => {
                return Ok(entries.iter().map(|_| Err(error.clone())).collect());
            }
            answer => list(answer?)?,
        };
        let [log, results] = answer.try_into().map_err(|_| lost(unexpected()))?;
        let log = number(&log).ok_or_else(|| lost(unexpected()))?;
        let results = list(results)?;
        if results.len() != entries.len() {
            return Err(lost(unexpected()));
        }
        let results = results.into_iter().map(|result| match result {
            Value::Int(number) => {
                let number = number.unsigned_abs();
                if number > 0 {
                    self.log.sees(Place { log, number }, &self.run);
                }
                Ok(())
            }
            Value::BulkString(text) => Err(BrokerError::refused(
                String::from_utf8_lossy(&text).into_owned(),
            )),
            _ => Err(BrokerError::refused(unexpected())),
        });
        Ok(results.collect())
    }

    async fn history(
        &self,
        channel: &Channel,
        after: u64,
        most: usize,
    ) -> Result<History, BrokerError> {
        let mut pages = Pages::default();
        // An answer is held against what a client who subscribes may be behind by.
        while !pages.is_all {
            let left = most.saturating_sub(pages.count);
            let answer = self.run(&self.read, |command| {
                command
                    .arg(channel.name())
                    .arg(after)
                    .arg(left.min(1 << 31));
                command.arg(pages.from.as_deref().unwrap_or("+"));
                command.arg(self.window);
            });
            pages
                .add(list(answer.await?)?)
                .ok_or_else(|| lost(unexpected()))?;
        }
        let history = pages.history(after).ok_or_else(|| lost(unexpected()))?;
        if let Some((number, _)) = history.entries.last() {
            let place = Place {
                log: history.log,
                number: *number,
            };
            self.log.sees(place, &self.run);
        }
        Ok(history)
    }
}

impl Drop for RedisLink {
    fn drop(&mut self) {
        self.incoming.close();
    }
}

impl Link for RedisLink {
    fn max_message(&self) -> usize {
        MAX_MESSAGE
    }

    fn subscribe(&self, channels: Vec<Channel>) -> BrokerFuture<'_, ()> {
        Box::pin(async move {
            if channels.is_empty() {
                return Ok(());
            }
            let mut connection = self.connection.clone();
            let subscribed = connection.subscribe(self.names(&channels)).await;
            subscribed.map_err(lost_or_refused)
        })
    }

    fn unsubscribe(&self, channels: Vec<Channel>) -> BrokerFuture<'_, ()> {
        Box::pin(async move {
            // Without names it would be from all.
            if channels.is_empty() {
                return Ok(());
            }
            let mut connection = self.connection.clone();
            let unsubscribed = connection.unsubscribe(self.names(&channels)).await;
            unsubscribed.map_err(lost_or_refused)
        })
    }

    fn send(&self, messages: Vec<Message>) -> BrokerFuture<'_, ()> {
        Box::pin(async move {
            match messages.is_empty() {
                true => Ok(()),
                false => self.publish(&messages).await,
            }
        })
    }

    fn append(&self, entries: Vec<Append>) -> BrokerFuture<'_, Vec<Result<(), BrokerError>>> {
        Box::pin(async move {
            match entries.is_empty() {
                true => Ok(Vec::new()),
                false => self.put(&entries).await,
            }
        })
    }

    fn read(&self, channel: Channel, after: u64, most: usize) -> BrokerFuture<'_, History> {
        Box::pin(async move { self.history(&channel, after, most).await })
    }
}

/// What was read of a log so far, newest first.
#[derive(Debug, Default)]
struct Pages {
    log: Option<u32>,
    /// A number that none of the channel's messages is over.
    last: u64,
    /// The number before the oldest one.
    before: u64,
    is_all: bool,
    /// Where to read on, and how many were looked at.
    from: Option<String>,
    count: usize,
    entries: Vec<(u64, Bytes)>,
}

impl Pages {
    /// `None` where that is no answer of the script, or the log has become another in between.
    fn add(&mut self, answer: Vec<Value>) -> Option<()> {
        let [log, last, before, is_all, from, count, entries] = answer.try_into().ok()?;
        let log = number(&log)?;
        if *self.log.get_or_insert(log) != log {
            return None;
        }
        if self.from.is_none() {
            self.last = number(&last)?;
        }
        self.is_all = number::<u8>(&is_all)? == 1;
        let Value::BulkString(from) = from else {
            return None;
        };
        self.from = Some(String::from_utf8(from).ok()?);
        self.count += number::<usize>(&count)?;
        let Value::Array(entries) = entries else {
            return None;
        };
        if !entries.is_empty() {
            self.before = number(&before)?;
        }
        let mut entries = entries.into_iter();
        while let (Some(id), Some(payload)) = (entries.next(), entries.next()) {
            let (Value::BulkString(id), Value::BulkString(payload)) = (id, payload) else {
                return None;
            };
            let id = std::str::from_utf8(&id).ok()?.split('-').next()?;
            self.entries.push((id.parse().ok()?, payload.into()));
        }
        Some(())
    }

    fn history(mut self, after: u64) -> Option<History> {
        let known = match self.entries.is_empty() {
            true => self.last,
            false => self.before,
        };
        self.entries.reverse();
        Some(History {
            log: self.log?,
            dropped: if known > after { known } else { 0 },
            entries: self.entries,
        })
    }
}

/// What follows this name in an answer to `INFO`.
fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
}

fn list(value: Value) -> Result<Vec<Value>, BrokerError> {
    match value {
        Value::Array(values) => Ok(values),
        _ => Err(lost(unexpected())),
    }
}

/// A number, which scripts give as text too.
fn number<N: std::str::FromStr>(value: &Value) -> Option<N> {
    match value {
        Value::Int(number) => number.to_string().parse().ok(),
        Value::BulkString(text) => std::str::from_utf8(text).ok()?.parse().ok(),
        _ => None,
    }
}

/// An identity for a log.
fn fresh() -> u32 {
    let random = RandomState::new().hash_one(std::process::id());
    ((random >> 32) as u32).max(1)
}

fn unexpected() -> RedisError {
    let kind = redis::ErrorKind::UnexpectedReturnType;
    (kind, "the server's answer is not as it should be").into()
}
