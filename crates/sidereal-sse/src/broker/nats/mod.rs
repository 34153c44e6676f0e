//! NATS.
//!
//! ```text
//! <namespace>.plain.<name>    messages without a log
//! <namespace>.log.<name>      messages for the log, a stream that takes these subjects
//! <namespace>.live.<name>     what came into the log, sent on by the stream, with its number and
//!                             that of the message before it on the same subject
//! ```

mod engine;
mod incoming;
mod link;
mod log;
mod names;
mod order;
mod range;
mod servers;

use std::{
    fmt,
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, Mutex},
    time::Duration,
};

/// The client, of the version whose [`ConnectOptions`](async_nats::ConnectOptions) are taken.
pub use async_nats;
use async_nats::ConnectOptions;

use self::{link::NatsLink, log::LogSettings, names::Subjects, servers::Server};
use super::{Broker, BrokerError, BrokerFuture, Deliver, Link, Place};

/// How long connecting may take, on all servers together.
const CONNECT: Duration = Duration::from_millis(4500);

/// NATS, from version 2.9 on.
///
/// Topics without history need a server as it comes, those with history need JetStream: all their
/// events are in one stream, which is made when it is first needed.
///
/// | setting | default |
/// |---|---|
/// | [`namespace`](Self::namespace) | `sidereal` |
/// | [`log_for`](Self::log_for) | a day |
/// | [`log_bytes`](Self::log_bytes) | 256 MiB |
/// | [`log_replicas`](Self::log_replicas) | 1 |
/// | [`log_in_memory`](Self::log_in_memory) | no, in files |
///
/// The settings of the log are those of the stream when it is made. One that is there keeps its own;
/// only the number of events that it keeps of each topic, from 64 on, is raised when a topic is to keep
/// more.
///
/// A user of the server needs permission to publish and to subscribe on `sidereal.>` (or what the
/// namespace is) and `_INBOX.>`, and to publish on `$JS.API.>` where there are topics with history.
///
/// ```no_run
/// use sidereal_sse::{Hub, broker::{BrokerOptions, Nats}};
///
/// let hub = Hub::new().with_broker(Nats::new("nats://localhost:4222"), BrokerOptions::new());
/// # let _ = hub;
/// ```
#[derive(Clone)]
#[must_use]
pub struct Nats {
    servers: Vec<Server>,
    /// How many addresses were none.
    wrong: usize,
    options: ConnectOptions,
    namespace: String,
    log: LogSettings,
    memory: Arc<Mutex<Memory>>,
}

/// What is known of the log from earlier connections.
#[derive(Debug, Default)]
struct Memory {
    seen: Option<Place>,
    /// A number came that had come before.
    went_back: bool,
}

impl Memory {
    fn sees(&mut self, place: Place) {
        match &mut self.seen {
            Some(seen) if seen.log == place.log => seen.number = seen.number.max(place.number),
            seen => {
                *seen = Some(place);
                self.went_back = false;
            }
        }
    }
}

impl Nats {
    /// Servers of one cluster, with commas between them: `nats://host:4222`, `tls://host`, with a user
    /// and password, or a token, as in `nats://user:password@host`. Of several, any one is taken.
    pub fn new(servers: impl AsRef<str>) -> Self {
        Self::with_options(servers, ConnectOptions::new().name("sidereal"))
    }

    /// The same, with other credentials, certificates, and whatever else [`async_nats`] offers.
    ///
    /// Its callbacks for events and reconnecting are not called, as it is the hub that connects
    /// again, and it must not be told not to [echo](ConnectOptions::no_echo).
    pub fn with_options(servers: impl AsRef<str>, options: ConnectOptions) -> Self {
        let (servers, wrong) = servers::parse(servers.as_ref());
        Self {
            servers,
            wrong,
            options,
            namespace: "sidereal".to_owned(),
            log: LogSettings::default(),
            memory: Arc::default(),
        }
    }

    /// What all subjects begin with, and the stream: hubs with different ones do not hear each other.
    /// Letters, digits, `-` and `_`; anything else is escaped.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// How long events stay in the log. Default a day, at least a second.
    pub fn log_for(mut self, age: Duration) -> Self {
        self.log.age = age.max(Duration::from_secs(1));
        self
    }

    /// How large the log may become, of all topics together: the oldest events leave it. Default 256
    /// MiB.
    pub fn log_bytes(mut self, bytes: u64) -> Self {
        self.log.bytes = bytes.try_into().unwrap_or(i64::MAX);
        self
    }

    /// On how many servers of a cluster the log is. Default 1.
    pub fn log_replicas(mut self, replicas: usize) -> Self {
        self.log.replicas = replicas.max(1);
        self
    }

    /// Keeps the log in the memory of the servers, not in files: it is gone when they are restarted, and
    /// clients that come back then begin as new ones.
    pub fn log_in_memory(mut self) -> Self {
        self.log.in_memory = true;
        self
    }

    async fn link(&self, deliver: Deliver) -> Result<NatsLink, BrokerError> {
        if self.wrong > 0 || self.servers.is_empty() {
            return Err(BrokerError::refused(format!(
                "{} of {} addresses of NATS servers are none",
                self.wrong,
                self.wrong + self.servers.len()
            )));
        }
        let mut servers: Vec<_> = self.servers.iter().collect();
        let chance = RandomState::new();
        servers.sort_by_cached_key(|server| chance.hash_one(server.address.as_url_str()));
        let each = CONNECT / u32::try_from(servers.len()).unwrap_or(u32::MAX);
        let mut error = None;
        for server in servers {
            let each = each.max(Duration::from_secs(1));
            let link = NatsLink::connect(self, server, deliver.clone());
            match tokio::time::timeout(each, link).await {
                Ok(Ok(link)) => return Ok(link),
                Ok(Err(it)) => error = Some(it),
                Err(_) => error = Some(BrokerError::lost(format!("{server:?} does not answer"))),
            }
        }
        Err(error.unwrap_or_else(|| BrokerError::lost("there is no server")))
    }

    fn subjects(&self) -> Subjects {
        Subjects::new(&self.namespace)
    }
}

impl Broker for Nats {
    fn connect(&self, deliver: Deliver) -> BrokerFuture<'_, Arc<dyn Link>> {
        Box::pin(async move {
            let link: Arc<dyn Link> = Arc::new(self.link(deliver).await?);
            Ok(link)
        })
    }
}

/// Without the credentials.
impl fmt::Debug for Nats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nats")
            .field("servers", &self.servers)
            .field("namespace", &self.namespace)
            .field("log", &self.log)
            .finish_non_exhaustive()
    }
}
