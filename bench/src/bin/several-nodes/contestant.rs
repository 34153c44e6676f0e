//! Who is measured.

use std::fmt;

use nodes::Kind as Broker;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Contestant {
    /// What is between the nodes; without it the hub is in the one process.
    pub(crate) broker: Option<Broker>,
    pub(crate) nodes: usize,
    /// Whether nginx is in front of them.
    pub(crate) has_front: bool,
}

impl Contestant {
    /// What all others are compared with.
    pub(crate) const ALONE: Self = Self {
        broker: None,
        nodes: 1,
        has_front: false,
    };

    /// The one with nginx and without a broker shows how much of the last two is nginx's.
    pub(crate) const ALL: [Self; 6] = [
        Self::ALONE,
        Self::ALONE.behind_nginx(),
        Self::ALONE.with(Broker::Nats),
        Self::ALONE.with(Broker::Redis),
        Self::ALONE.with(Broker::Nats).three().behind_nginx(),
        Self::ALONE.with(Broker::Redis).three().behind_nginx(),
    ];

    /// With those who follow in the nodes themselves.
    pub(crate) const GROWING: [Self; 3] = [
        Self::ALONE,
        Self::ALONE.with(Broker::Nats).three(),
        Self::ALONE.with(Broker::Redis).three(),
    ];

    const fn with(mut self, broker: Broker) -> Self {
        self.broker = Some(broker);
        self
    }

    const fn three(mut self) -> Self {
        self.nodes = 3;
        self
    }

    const fn behind_nginx(mut self) -> Self {
        self.has_front = true;
        self
    }
}

impl fmt::Display for Contestant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.nodes {
            1 => "one node",
            _ => "three nodes",
        })?;
        if self.has_front {
            f.write_str(", nginx")?;
        }
        match self.broker {
            None => f.write_str(", no broker"),
            Some(Broker::Nats) => f.write_str(", NATS"),
            Some(Broker::Redis) => f.write_str(", Redis"),
        }
    }
}
