//! One contestant under one load.

use std::{cmp::Ordering, fmt, io, time::Duration};

use bench::{publisher::Published, quantiles::Quantiles, recording};
use sidereal::Codec;
use tokio::task::LocalSet;

use crate::{
    audience::{Arrival, Audience},
    contestant::Contestant,
    load::Load,
    stalled::Stalled,
    subject::Subject,
};

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Measured {
    /// For each delivery.
    pub(crate) cpu: Duration,
    /// Bytes for each subscriber.
    pub(crate) memory: f64,
    /// For each delivery, on the wire.
    pub(crate) bytes: f64,
    /// From publish to arrival.
    pub(crate) latency: Quantiles,
    /// How long publishing took.
    pub(crate) publish: Quantiles,
    /// How many events one missed that stalled.
    pub(crate) missed: u64,
    /// How much of the time the server's core ran others' work while it could have run this.
    pub(crate) disturbed: f64,
}

/// How long the load sleeps, whatever comes, once it has nothing to do.
///
/// Were it woken by each delivery, the server's core would have to do that, within its write: some
/// 3 µs, or nothing where the load happens to be busy. Subscribers elsewhere cost a server nothing
/// of the kind. The price: an arrival may be seen so much later.
const NAP: Duration = Duration::from_micros(500);

impl Measured {
    /// Of some rounds, in each respect by itself.
    pub(crate) fn median(rounds: &[Self]) -> Self {
        let quantiles = |of: fn(&Self) -> Quantiles| Quantiles {
            p50: middle(rounds, |round| of(round).p50),
            p99: middle(rounds, |round| of(round).p99),
            max: middle(rounds, |round| of(round).max),
        };
        Self {
            cpu: middle(rounds, |round| round.cpu),
            memory: middle(rounds, |round| round.memory),
            bytes: middle(rounds, |round| round.bytes),
            latency: quantiles(|round| round.latency),
            publish: quantiles(|round| round.publish),
            missed: middle(rounds, |round| round.missed),
            disturbed: middle(rounds, |round| round.disturbed),
        }
    }
}

/// The one in the middle; of an even number, the smaller.
fn middle<T: PartialOrd + Default>(rounds: &[Measured], of: impl Fn(&Measured) -> T) -> T {
    let mut values: Vec<T> = rounds.iter().map(of).collect();
    values.sort_by(|one, other| one.partial_cmp(other).unwrap_or(Ordering::Equal));
    let place = values.len().saturating_sub(1) / 2;
    values.into_iter().nth(place).unwrap_or_default()
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.2} µs, {:.1} KiB, {:.0} B, p99 {:.1} ms, others had {:.0} % of its time",
            self.cpu.as_secs_f64() * 1e6,
            self.memory / 1024.0,
            self.bytes,
            self.latency.p99.as_secs_f64() * 1e3,
            self.disturbed * 100.0,
        )
    }
}

/// # Errors
///
/// Whatever keeps it from being measured, and every wrong answer.
pub(crate) fn measure(
    contestant: Contestant,
    load: &Load,
    open_files: usize,
) -> io::Result<Measured> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .on_thread_park(|| std::thread::sleep(NAP))
        .build()?;
    LocalSet::new().block_on(&runtime, run(contestant, load, open_files))
}

async fn run(contestant: Contestant, load: &Load, open_files: usize) -> io::Result<Measured> {
    let mut subject = Subject::start(contestant, load, open_files).await?;
    let memory = subject.memory()?;
    let (warm_up, events) = (load.warm_up(), load.events());
    let subscribers = load.subscribers;
    let audience = Audience::connect(
        subject.address(),
        contestant,
        load,
        (warm_up + events) as usize * subscribers,
    )
    .await?;
    let stalled = match (load.one_stalls, audience.session()) {
        (false, _) => None,
        (true, Some(session)) => Some(Stalled::http2(session).await?),
        (true, None) => Some(Stalled::http1(subject.address()).await?),
    };

    subject.publish(warm_up).await?;
    audience.have(warm_up).await?;
    let (time, bytes) = (subject.time()?, audience.bytes());
    subject.publish(events).await?;
    audience.have(warm_up + events).await?;
    let (time_after, bytes_after) = (subject.time()?, audience.bytes());

    let memory = subject.memory()?.saturating_sub(memory);
    let arrivals = audience.arrivals(warm_up + events).await?;
    let published = subject.log().await?.events();
    for recording in audience.recordings() {
        check(load, contestant.codec, warm_up + events, &recording)?;
    }
    let missed = match stalled {
        Some(stalled) => stalled.read_on(load, warm_up + events).await?,
        None => 0,
    };
    let deliveries = events as f64 * subscribers as f64;
    let ran = time_after.ran - time.ran;
    let waited = time_after.waited.saturating_sub(time.waited);
    Ok(Measured {
        cpu: Duration::from_secs_f64(ran.as_secs_f64() / deliveries),
        memory: memory as f64 / subscribers as f64,
        bytes: (bytes_after - bytes) as f64 / deliveries,
        latency: latency(warm_up, &published, &arrivals)?,
        publish: Quantiles::new(
            published
                .iter()
                .skip(warm_up as usize)
                .map(|event| event.took)
                .collect(),
        ),
        missed,
        disturbed: waited.as_secs_f64() / (ran + waited).as_secs_f64(),
    })
}

/// Of all events but those to warm up.
fn latency(warm_up: u64, published: &[Published], arrivals: &[Arrival]) -> io::Result<Quantiles> {
    let measured = arrivals
        .iter()
        .filter(|arrival| u64::from(arrival.event) >= warm_up);
    let times = measured.map(|arrival| {
        let published = published.get(arrival.event as usize)?;
        Some(Duration::from_nanos(
            arrival.at.saturating_sub(published.at),
        ))
    });
    times
        .collect::<Option<Vec<_>>>()
        .map(Quantiles::new)
        .ok_or_else(|| io::Error::other("an event that was not published has arrived"))
}

/// A recording says what was to be sent, all of it, and nothing else.
fn check(load: &Load, codec: Option<Codec>, events: u64, recording: &[u8]) -> io::Result<()> {
    let elements = match load.is_http2 {
        true => recording::of_body(codec, recording)?,
        false => recording::elements(codec, recording)?,
    };
    if elements.len() as u64 != events {
        let decoded = elements.len();
        return Err(io::Error::other(format!(
            "{decoded} events are decoded, of {events}"
        )));
    }
    match (0..)
        .zip(&elements)
        .find(|(tick, elements)| **elements != load.content.elements(*tick))
    {
        None => Ok(()),
        Some((tick, _)) => Err(io::Error::other(format!(
            "event {tick} is not what was sent"
        ))),
    }
}
