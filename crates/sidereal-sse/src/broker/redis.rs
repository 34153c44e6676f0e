//! Redis between the nodes.

mod incoming;
mod link;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use redis::{AsyncConnectionConfig, Client, ConnectionInfo, ProtocolVersion, RedisError};

use self::{
    incoming::{Incoming, Log},
    link::RedisLink,
};
use super::{Broker, BrokerError, BrokerFuture, Deliver, Link, NODES_TARGET};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// [Redis](https://redis.io) from 7.0, or Valkey: pub/sub for topics without history, and a stream for
/// each topic with history.
///
/// ```no_run
/// use sidereal_sse::{
///     Hub,
///     broker::{BrokerOptions, Redis},
/// };
///
/// let redis = Redis::new("redis://app:secret@redis.internal:6379")?.namespace("shop");
/// let hub = Hub::new().with_broker(redis, BrokerOptions::new());
/// # let _ = hub;
/// # Ok::<(), sidereal_sse::broker::BrokerError>(())
/// ```
///
/// # TLS
///
/// For `rediss://` an application turns on a feature of the crate `redis` 1: `tokio-rustls-comp`, and with
/// it one of rustls' providers, such as the feature `ring` of `rustls`; or `tokio-native-tls-comp`. Its
/// own certificates it gives to a `redis::Client`, see [`with_client`](Self::with_client).
///
/// # What the server needs
///
/// - One primary. After a failover behind the same address nodes find the new one by themselves. Of a
///   Redis Cluster, one node: redirections are not followed, though all keys of a namespace are in one
///   slot.
/// - `maxmemory-policy noeviction`, or another one that leaves these keys alone: an event that was
///   evicted is missing in the log without anybody knowing.
/// - A user with the keys `~{shop}:*`, the channels `&{shop}:*`, and these commands: `+eval +evalsha
///   +script|load +publish +subscribe +unsubscribe +info +del +exists +get +hmget +hset +lindex +lpush
///   +lrange +ltrim +pexpire +set +time +xadd +xrevrange +zadd +zrangebyscore +zremrangebyscore
///   +zrevrange`. Without `INFO` a log that has lost its end is not always known for that.
/// - `client-output-buffer-limit pubsub` of at least twice the largest event: the default of 32 MB
///   does for events of 16 MiB.
///
/// # What is kept
///
/// The last events of each topic with history, as many as the topic keeps, until nothing was published
/// on it for [`log_for`](Self::log_for). Nodes that share a topic should give it the same
/// [`keep`](crate::TopicOptions::keep): whoever publishes trims.
///
/// An event is as safe as the server makes it: with `appendonly yes` it outlives most crashes of the
/// server, of which one with a slow disk has not yet written the last second or two; with `appendfsync
/// always` it outlives those, and crashes of the machine. A server that comes back without what it had is
/// noticed, unless no node is left that has seen more: the log becomes another one, and whoever follows
/// is told that it has missed something.
#[derive(Clone)]
pub struct Redis {
    client: Client,
    namespace: String,
    log_for: Duration,
    log: Arc<Log>,
    has_warned: Arc<AtomicBool>,
}

impl Redis {
    /// Redis at this URL: `redis://[user[:password]@]host[:port][/database]`, `rediss://…` or
    /// `unix:///path`. It is not connected to yet.
    ///
    /// # Errors
    ///
    /// When the URL is none of Redis.
    pub fn new(url: impl AsRef<str>) -> Result<Self, BrokerError> {
        let client = Client::open(url.as_ref()).map_err(BrokerError::refused)?;
        Ok(Self::with_client(client))
    }

    /// Redis as this client reaches it: with its address, credentials and certificates. The version of
    /// the protocol is always RESP3.
    pub fn with_client(client: Client) -> Self {
        Self {
            client,
            namespace: "sidereal".to_owned(),
            log_for: DAY,
            log: Arc::default(),
            has_warned: Arc::default(),
        }
    }

    /// What all keys and channels begin with, in braces: hubs with different namespaces do not know of
    /// each other. Default `sidereal`.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        // Another log.
        self.log = Arc::default();
        self
    }

    /// How long the events of a topic are kept after the last one. Default one day, at least a second.
    /// To be the same on all nodes.
    #[must_use]
    pub fn log_for(mut self, time: Duration) -> Self {
        self.log_for = time.clamp(Duration::from_secs(1), 3650 * DAY);
        self
    }

    /// The client, but it speaks RESP3 and sends at once.
    fn client(&self) -> Result<Client, RedisError> {
        let info: ConnectionInfo = self.client.get_connection_info().clone();
        let redis = info.redis_settings().clone();
        let tcp = info.tcp_settings().clone().set_nodelay(true);
        let redis = redis.set_protocol(ProtocolVersion::RESP3);
        Client::open(info.set_tcp_settings(tcp).set_redis_settings(redis))
    }

    async fn link(&self, deliver: Deliver) -> Result<RedisLink, BrokerError> {
        let names = Names::new(
            &self.namespace,
            self.client.get_connection_info().redis_settings().db(),
        );
        let incoming = Arc::new(Incoming::new(deliver, names.clone(), self.log.clone()));
        // How long it may take is the hub's business.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_push_sender(incoming::pushes(&incoming));
        let client = self.client().map_err(lost)?;
        let connection = client.get_multiplexed_async_connection_with_config(&config);
        let connection = connection.await.map_err(lost)?;
        let (link, policy) =
            RedisLink::begin(connection, names, self.log_for, self.log.clone(), incoming).await?;
        if policy.is_some_and(|policy| policy != "noeviction")
            && !self.has_warned.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(target: NODES_TARGET, "this Redis may evict events: its maxmemory-policy is not noeviction");
        }
        Ok(link)
    }
}

impl Broker for Redis {
    fn connect(&self, deliver: Deliver) -> BrokerFuture<'_, Arc<dyn Link>> {
        Box::pin(async move {
            let link: Arc<dyn Link> = Arc::new(self.link(deliver).await?);
            Ok(link)
        })
    }
}

/// Without credentials.
impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.client.get_connection_info().addr();
        f.debug_struct("Redis")
            .field("address", &format_args!("{address}"))
            .field("namespace", &self.namespace)
            .field("log_for", &self.log_for)
            .finish_non_exhaustive()
    }
}

/// What keys and channels are called.
#[derive(Clone, Debug)]
struct Names {
    /// The key of the log; those of its parts begin with it.
    log: String,
    /// What all channels begin with.
    channels: String,
}

impl Names {
    fn new(namespace: &str, database: i64) -> Self {
        // Braces say which slot of a cluster a key is in.
        let mut escaped = String::with_capacity(namespace.len());
        for char in namespace.chars() {
            match char {
                '%' => escaped.push_str("%25"),
                '{' => escaped.push_str("%7B"),
                '}' => escaped.push_str("%7D"),
                char => escaped.push(char),
            }
        }
        // Keys are in a database, channels are not.
        let channels = match database {
            0 => format!("{{{escaped}}}:"),
            _ => format!("{{{escaped}}}:{database}:"),
        };
        Self {
            log: format!("{{{escaped}}}:log"),
            channels,
        }
    }
}

/// What went wrong, as the hub wants to know it. Errors of the crate hold no credentials.
fn lost_or_refused(error: RedisError) -> BrokerError {
    let is_refused = match error.code() {
        Some("NOPERM" | "OOM" | "WRONGTYPE") => true,
        // From older servers, whatever goes wrong in a script.
        Some("ERR") => !error.detail().is_some_and(|detail| {
            ["READONLY", "LOADING", "MISCONF", "NOREPLICAS", "MASTERDOWN"]
                .iter()
                .any(|code| detail.contains(code))
        }),
        _ => false,
    };
    match is_refused {
        true => BrokerError::refused(error),
        false => BrokerError::lost(error),
    }
}

fn lost(error: RedisError) -> BrokerError {
    BrokerError::lost(error)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_shown_has_the_password() {
        let redis = Redis::new("redis://me:hunter2@example.net:7000/3").unwrap();
        let shown = format!("{redis:?}");
        assert!(shown.contains("example.net:7000"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
        for url in [
            "http://me:hunter2@x",
            "redis://me:hunter2@x/database",
            "hunter2",
        ] {
            let error = Redis::new(url).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn names_of_different_namespaces_are_different() {
        let names = Names::new("shop", 0);
        assert_eq!(names.log, "{shop}:log");
        assert_eq!(names.channels, "{shop}:");
        assert_eq!(Names::new("shop", 2).channels, "{shop}:2:");
        assert_eq!(Names::new("a}:log%", 0).log, "{a%7D:log%25}:log");
    }
}
