//! Where the board is: with the broker, since each node would have another one in its own memory. An application has a
//! database for that.

use std::{error::Error, time::Duration};

use async_nats::{
    ConnectOptions,
    connection::State,
    jetstream::{
        self,
        kv::{self, UpdateErrorKind},
        stream,
    },
};
use examples::board::Board;
use redis::aio::MultiplexedConnection;
use tokio::time::timeout;

pub(crate) type Failed = Box<dyn Error + Send + Sync>;

/// How long a user waits to be told that it has not worked.
const PATIENCE: Duration = Duration::from_secs(2);

/// One bit for each cell, under one key.
#[derive(Clone)]
pub(crate) enum Store {
    /// A bucket of NATS.
    Nats(async_nats::Client),
    /// A string of Redis.
    Redis(redis::Client),
}

impl Store {
    /// The store of the broker at this address. It need not be there yet, and may go away and come back.
    pub(crate) async fn open(broker: &str) -> Result<Self, Failed> {
        if !broker.starts_with("redis") {
            let options = ConnectOptions::new()
                .retry_on_initial_connect()
                .request_timeout(Some(PATIENCE));
            return Ok(Self::Nats(options.connect(broker).await?));
        }
        Ok(Self::Redis(redis::Client::open(broker)?))
    }

    /// The board as it is.
    pub(crate) async fn board(&self) -> Result<Board, Failed> {
        timeout(PATIENCE, async {
            let bits = match self.clone() {
                Self::Nats(nats) => bucket(nats).await?.get("cells").await?,
                Self::Redis(redis) => {
                    let bits: Vec<u8> = redis::cmd("GET")
                        .arg("board")
                        .query_async::<Option<_>>(&mut connection(&redis).await?)
                        .await?
                        .unwrap_or_default();
                    Some(bits.into())
                }
            };
            Ok(Board::from_bits(&bits.unwrap_or_default()))
        })
        .await?
    }

    /// Switches a cell on or off. Others may do so at the same time, on any node.
    pub(crate) async fn set(&self, cell: usize, on: bool) -> Result<(), Failed> {
        timeout(PATIENCE, async {
            match self.clone() {
                Self::Nats(nats) => set_in_bucket(&bucket(nats).await?, cell, on).await,
                Self::Redis(redis) => redis::cmd("SETBIT")
                    .arg("board")
                    .arg(cell)
                    .arg(u8::from(on))
                    .exec_async(&mut connection(&redis).await?)
                    .await
                    .map_err(Failed::from),
            }
        })
        .await?
    }
}

/// One for each question. What keeps a connection finds out by a question that fails that Redis was away; where that is
/// the load after it is back, nobody asks again.
async fn connection(redis: &redis::Client) -> Result<MultiplexedConnection, redis::RedisError> {
    redis.get_multiplexed_async_connection().await
}

async fn bucket(nats: async_nats::Client) -> Result<kv::Store, Failed> {
    // It would keep what it is told for when the server is back, and the user has been told otherwise.
    if nats.connection_state() != State::Connected {
        return Err("NATS is away".into());
    }
    let context = jetstream::new(nats);
    if let Ok(bucket) = context.get_key_value("board").await {
        return Ok(bucket);
    }
    // What a bucket is. `create_key_value` first asks for something that it does not understand of NATS 2.9.
    let stream = stream::Config {
        name: "KV_board".to_owned(),
        subjects: vec!["$KV.board.>".to_owned()],
        max_messages_per_subject: 1,
        allow_direct: true,
        allow_rollup: true,
        deny_delete: true,
        ..stream::Config::default()
    };
    context.get_or_create_stream(stream).await?;
    Ok(context.get_key_value("board").await?)
}

/// NATS has no bits. So the whole board is written, if nobody else has written since it was read.
async fn set_in_bucket(bucket: &kv::Store, cell: usize, on: bool) -> Result<(), Failed> {
    loop {
        let entry = bucket.entry("cells").await?;
        let (bits, revision) = entry.map_or_else(Default::default, |it| (it.value, it.revision));
        let mut board = Board::from_bits(&bits);
        board.set(cell, on);
        match bucket.update("cells", board.bits().into(), revision).await {
            Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => {}
            other => return Ok(other.map(drop)?),
        }
    }
}
