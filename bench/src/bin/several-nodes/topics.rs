//! How it grows with topics, each followed once in each node itself.

use std::{io, time::Duration};

use bench::{
    order::{Batch, Kind, Topics},
    quantiles::Quantiles,
};

use crate::{
    contestant::Contestant,
    report::{mebibytes, millis},
    stage::{Spent, Stage},
};

/// Events a second, on all topics together.
pub(crate) const RATE: f64 = 1000.0;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Growth {
    /// Events before those that are measured.
    pub(crate) warm_up: u64,
    /// Events that are measured.
    pub(crate) events: u64,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Grown {
    /// Until the last node had what others publish.
    pub(crate) ready: Duration,
    /// From publish to arrival, at the nodes that do not publish; where there is one only, at that.
    pub(crate) latency: Quantiles,
    /// CPU for all events.
    pub(crate) spent: Spent,
    /// Of a node that does not publish, in bytes; where there is one only, of that.
    pub(crate) memory: u64,
}

impl Grown {
    pub(crate) fn summary(&self) -> String {
        format!(
            "ready after {:.1} ms, p50 {:.2} ms, p99 {:.2} ms, {:.1} MiB; others had {:.0} % of the core",
            millis(self.ready),
            millis(self.latency.p50),
            millis(self.latency.p99),
            mebibytes(self.memory),
            self.spent.others * 100.0,
        )
    }
}

/// # Errors
///
/// Whatever keeps it from being measured, and every wrong answer.
pub(crate) async fn measure(
    contestant: Contestant,
    kind: Kind,
    count: u64,
    growth: Growth,
) -> io::Result<Grown> {
    let mut stage = Stage::start(contestant).await?;
    let topics = Topics {
        kind,
        word: "growth".to_owned(),
        count,
    };
    let ready = stage.follow(topics.clone())?;
    let batch = |from, count| Batch {
        topics: topics.clone(),
        from,
        count,
        rate: RATE,
    };
    let Growth { warm_up, events } = growth;
    stage.publish(batch(0, warm_up))?;
    stage.published()?;
    stage.followed(warm_up)?;
    let before = stage.times()?;
    stage.publish(batch(warm_up, events))?;
    stage.published()?;
    let times = stage.followed(warm_up + events)?;
    let spent = stage.times()?.since(before);
    // The node that publishes is the first.
    let others = times.len().min(2) - 1;
    Ok(Grown {
        ready: ready.into_iter().max().unwrap_or_default(),
        latency: Quantiles::new(times[others..].concat()),
        spent,
        memory: stage.memory()?,
    })
}
