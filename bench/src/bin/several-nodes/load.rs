//! How many view how much, how often.

use std::fmt;

use bench::order::Kind;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Load {
    pub(crate) what: What,
    pub(crate) kind: Kind,
    pub(crate) viewers: usize,
    /// Events a second.
    pub(crate) rate: f64,
    /// Events before those that are measured.
    pub(crate) warm_up: u64,
    /// Events that are measured.
    pub(crate) events: u64,
}

/// What it is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// How long events take, with so few viewers that nobody is busy.
    Latency,
    /// What deliveries cost.
    Deliveries,
    /// What an event costs that hardly anybody sees: one viewer on each node.
    Events,
}

impl Load {
    /// All of them, for a contestant with so many nodes.
    pub(crate) fn all(nodes: usize, is_quick: bool) -> Vec<Self> {
        let of = |kind| {
            let load = |what, viewers: usize, rate: f64| Self {
                what,
                kind,
                viewers: if is_quick { viewers.min(30) } else { viewers },
                rate,
                warm_up: (rate / 5.0) as u64,
                events: (rate * if is_quick { 0.2 } else { 1.5 }) as u64,
            };
            [
                load(What::Latency, 300, 40.0),
                load(What::Deliveries, 900, 20.0),
                load(What::Events, nodes, 20.0),
            ]
        };
        Kind::ALL.into_iter().flat_map(of).collect()
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (viewers, rate, kind) = (self.viewers, self.rate, self.kind);
        write!(f, "{kind}, {viewers} viewers, {rate} events/s")
    }
}
