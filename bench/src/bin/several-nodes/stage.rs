//! A contestant that runs: nodes, what is between them and what is in front of them, all on one core.

use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use bench::{
    child::{ChildServer, beside_this},
    nginx::Nginx,
    order::{Batch, Order, Topics},
    process::{self, SERVER_CORE, pin, pinned},
};
use nodes::{Kind as Broker, Server};

use crate::contestant::Contestant;

/// As users have it, but for the addresses, and more connections than it is made for.
const CONFIGURATION: &str = include_str!("../../../../examples/nodes/nginx.conf");
const FRONT: &str = "127.0.0.1:8080";
const NODES: [&str; 3] = ["127.0.0.1:3001", "127.0.0.1:3002", "127.0.0.1:3003"];
const CONNECTIONS: &str = "worker_connections 1024";

/// The one that publishes.
pub(crate) const PUBLISHING: usize = 0;

/// Its fields end in this order.
pub(crate) struct Stage {
    nginx: Option<Nginx>,
    nodes: Vec<ChildServer>,
    broker: Option<Server>,
}

/// The CPU time of all processes, in user and kernel mode.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    at: Instant,
    /// The core was busy, with these or with others.
    core: Duration,
    /// The node that publishes.
    pub(crate) publishing: Duration,
    /// All others.
    pub(crate) receiving: Duration,
    pub(crate) broker: Duration,
    pub(crate) nginx: Duration,
}

/// The CPU time of all processes from one moment to another.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spent {
    pub(crate) publishing: Duration,
    pub(crate) receiving: Duration,
    pub(crate) broker: Duration,
    pub(crate) nginx: Duration,
    /// The share of the core's time that others had.
    pub(crate) others: f64,
}

impl Times {
    pub(crate) fn since(self, before: Self) -> Spent {
        let of = |time: fn(&Self) -> Duration| time(&self).saturating_sub(time(&before));
        let spent = Spent {
            publishing: of(|times| times.publishing),
            receiving: of(|times| times.receiving),
            broker: of(|times| times.broker),
            nginx: of(|times| times.nginx),
            others: 0.0,
        };
        let others = of(|times| times.core).saturating_sub(spent.all());
        Spent {
            others: others.as_secs_f64() / self.at.duration_since(before.at).as_secs_f64(),
            ..spent
        }
    }
}

impl Spent {
    pub(crate) fn nodes(self) -> Duration {
        self.publishing + self.receiving
    }

    pub(crate) fn all(self) -> Duration {
        self.nodes() + self.broker + self.nginx
    }
}

impl Stage {
    pub(crate) async fn start(contestant: Contestant) -> io::Result<Self> {
        let settings = contestant.broker.map(|broker| match broker {
            Broker::Nats => Server::nats(),
            Broker::Redis => Server::redis(),
        });
        let broker = match settings {
            Some(settings) => Some(settings.try_start().await.map_err(io::Error::other)?),
            None => None,
        };
        if let Some(pid) = broker.as_ref().and_then(Server::pid) {
            pin(pid, SERVER_CORE)?;
        }
        let nodes = (0..contestant.nodes).map(|number| node(number, broker.as_ref()));
        let mut nodes = nodes.collect::<io::Result<Vec<_>>>()?;
        for node in &mut nodes {
            Order::Connect.give(node)?;
        }
        let nginx = match contestant.has_front {
            true => Some(Nginx::start(|front| configuration(front, &nodes)).await?),
            false => None,
        };
        Ok(Self {
            nginx,
            nodes,
            broker,
        })
    }

    /// Where viewers come to.
    pub(crate) fn address(&self) -> SocketAddr {
        match &self.nginx {
            Some(nginx) => nginx.address(),
            None => self.nodes[PUBLISHING].address(),
        }
    }

    pub(crate) fn nodes(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn times(&self) -> io::Result<Times> {
        let mut times = Times {
            at: Instant::now(),
            core: process::busy(SERVER_CORE)?,
            publishing: Duration::ZERO,
            receiving: Duration::ZERO,
            broker: Duration::ZERO,
            nginx: Duration::ZERO,
        };
        for (number, node) in self.nodes.iter().enumerate() {
            let ran = process::time(node.pid())?.ran;
            match number {
                PUBLISHING => times.publishing = ran,
                _ => times.receiving += ran,
            }
        }
        if let Some(pid) = self.broker.as_ref().and_then(Server::pid) {
            times.broker = process::time(pid)?.ran;
        }
        if let Some(nginx) = &self.nginx {
            times.nginx = process::time(nginx.worker())?.ran;
        }
        Ok(times)
    }

    /// The memory of a node that receives; of the only one, where there is no other.
    pub(crate) fn memory(&self) -> io::Result<u64> {
        process::memory(self.nodes[self.nodes.len() - 1].pid())
    }

    /// Has one node publish.
    pub(crate) fn publish(&mut self, batch: Batch) -> io::Result<()> {
        Order::Publish(batch)
            .give(&mut self.nodes[PUBLISHING])
            .map(drop)
    }

    /// Waits until all is published.
    pub(crate) fn published(&mut self) -> io::Result<()> {
        Order::Published.give(&mut self.nodes[PUBLISHING]).map(drop)
    }

    /// Has each node follow topics by itself, all at the same time: how long that took at each.
    pub(crate) fn follow(&mut self, topics: Topics) -> io::Result<Vec<Duration>> {
        let ready = self.all(&Order::Follow(topics))?;
        Ok(ready.into_iter().flatten().collect())
    }

    /// Waits until each node has had so many events: how long those took that are new, at each.
    pub(crate) fn followed(&mut self, count: u64) -> io::Result<Vec<Vec<Duration>>> {
        self.all(&Order::Followed(count))
    }

    fn all(&mut self, order: &Order) -> io::Result<Vec<Vec<Duration>>> {
        std::thread::scope(|scope| {
            let give = |node| scope.spawn(|| order.give(node));
            let given: Vec<_> = self.nodes.iter_mut().map(give).collect();
            let answers = given.into_iter().map(|given| {
                given
                    .join()
                    .unwrap_or_else(|_| Err(io::Error::other("no answer")))
            });
            answers.collect()
        })
    }
}

fn node(number: usize, broker: Option<&Server>) -> io::Result<ChildServer> {
    let program = beside_this("several-nodes-server")?;
    let mut command = pinned(SERVER_CORE, program)?;
    command.args(["--node", &number.to_string()]);
    if let Some(broker) = broker {
        let name = match broker.kind() {
            Broker::Nats => "--nats",
            Broker::Redis => "--redis",
        };
        command.args([name, &broker.url()]);
    }
    ChildServer::start(&mut command)
}

fn configuration(front: SocketAddr, nodes: &[ChildServer]) -> String {
    let text = CONFIGURATION.replace(FRONT, &front.to_string());
    let text = text.replace(CONNECTIONS, "worker_connections 4096");
    let mut nodes = nodes.iter();
    NODES.iter().fold(text, |text, example| match nodes.next() {
        Some(node) => text.replace(example, &node.address().to_string()),
        // One that is not there is none of nginx's either.
        None => {
            let lines = text.lines().filter(|line| !line.contains(example));
            lines.collect::<Vec<_>>().join("\n")
        }
    })
}
