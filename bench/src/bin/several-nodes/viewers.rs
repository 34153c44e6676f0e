//! One contestant under one load.

use std::{io, time::Duration};

use bench::{
    order::{Batch, Topics},
    quantiles::Quantiles,
};
use tokio::{runtime::Builder, task::LocalSet};

use crate::{
    audience::{Arrival, Audience},
    load::{Load, What},
    report::{micros, millis},
    stage::{PUBLISHING, Spent, Stage},
};

/// How long the load sleeps, whatever comes, once it has nothing to do.
///
/// Were it woken by each delivery, the servers' core would have to do that, as `fanout` says. Not where
/// it is measured how long events take: so much later they would be seen.
const NAP: Duration = Duration::from_micros(500);

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Measured {
    /// From publish to arrival, for all viewers.
    pub(crate) all: Quantiles,
    /// For those of the node that publishes.
    pub(crate) here: Quantiles,
    /// For those of other nodes.
    pub(crate) elsewhere: Quantiles,
    /// CPU for all events.
    pub(crate) spent: Spent,
}

impl Measured {
    pub(crate) fn summary(&self, load: &Load) -> String {
        let each = |time: Duration| micros(time) / (load.events as f64 * load.viewers as f64);
        format!(
            "p50 {:.2} ms, p99 {:.2} ms; CPU for a delivery: nodes {:.2} µs, broker {:.2} µs, nginx {:.2} µs; others had {:.0} % of the core",
            millis(self.all.p50),
            millis(self.all.p99),
            each(self.spent.nodes()),
            each(self.spent.broker),
            each(self.spent.nginx),
            self.spent.others * 100.0,
        )
    }
}

/// # Errors
///
/// Whatever keeps it from being measured, and every wrong answer.
pub(crate) fn measure(stage: &mut Stage, load: &Load) -> io::Result<Measured> {
    let mut builder = Builder::new_current_thread();
    if load.what != What::Latency {
        builder.on_thread_park(|| std::thread::sleep(NAP));
    }
    let runtime = builder.enable_all().build()?;
    LocalSet::new().block_on(&runtime, run(stage, load))
}

async fn run(stage: &mut Stage, load: &Load) -> io::Result<Measured> {
    let topics = Topics {
        kind: load.kind,
        word: format!("{:?}-{}", load.what, load.kind).to_lowercase(),
        count: 1,
    };
    let topic = topics.names().next().unwrap_or_default();
    let path = format!("/{}/{topic}", load.kind);
    let audience = Audience::connect(stage.address(), &path, &topic, load.viewers).await?;
    let at_nodes = audience.at_nodes(stage.nodes());
    if at_nodes.contains(&0) {
        let problem = format!("a node has no viewers: {at_nodes:?}");
        return Err(io::Error::other(problem));
    }
    let (warm_up, events) = (load.warm_up, load.events);
    let batch = |from, count| Batch {
        topics: topics.clone(),
        from,
        count,
        rate: load.rate,
    };
    stage.publish(batch(0, warm_up))?;
    audience.have(warm_up).await?;
    stage.published()?;
    let before = stage.times()?;
    stage.publish(batch(warm_up, events))?;
    audience.have(warm_up + events).await?;
    stage.published()?;
    let spent = stage.times()?.since(before);
    let mut arrivals = audience.arrivals(warm_up + events).await?;
    arrivals.retain(|arrival| arrival.event >= warm_up);
    let of = |is_wanted: fn(&&Arrival) -> bool| {
        let wanted = arrivals.iter().filter(is_wanted);
        Quantiles::new(wanted.map(|arrival| arrival.took).collect())
    };
    Ok(Measured {
        all: of(|_| true),
        here: of(|arrival| arrival.node == PUBLISHING),
        elsewhere: of(|arrival| arrival.node != PUBLISHING),
        spent,
    })
}
