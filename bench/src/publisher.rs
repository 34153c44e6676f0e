//! The one who publishes: at a steady rate, and with a log of when that was and how long it took.

use std::{
    collections::VecDeque,
    fmt, io,
    str::FromStr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};

use crate::{content::Content, quantiles::Quantiles};

/// How many events the log goes back.
const KEPT: usize = 4096;

/// One event that was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// When publishing began: nanoseconds by the machine's clock, which all its processes share.
    pub at: u64,
    /// How long it took.
    pub took: Duration,
}

/// Nanoseconds since 1970.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_nanos() as u64)
}

/// What was published last. Clones are the same log.
///
/// Its text has all of that in one line, so that a server can tell the load.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    events: VecDeque<Published>,
    count: u64,
}

impl Log {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, event: Published) {
        let mut kept = self.kept();
        if kept.events.len() == KEPT {
            kept.events.pop_front();
        }
        kept.events.push_back(event);
        kept.count += 1;
    }

    /// The last events, oldest first.
    pub fn events(&self) -> Vec<Published> {
        self.kept().events.iter().copied().collect()
    }

    /// Statistics, for people.
    pub fn summary(&self) -> String {
        let took = Quantiles::new(self.events().iter().map(|event| event.took).collect());
        format!(
            "published {} events; publishing took p50 {:.1} µs, p99 {:.1} µs, max {:.1} µs",
            self.kept().count,
            took.p50.as_secs_f64() * 1e6,
            took.p99.as_secs_f64() * 1e6,
            took.max.as_secs_f64() * 1e6,
        )
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for event in self.events() {
            write!(f, "{}+{} ", event.at, event.took.as_nanos())?;
        }
        Ok(())
    }
}

impl FromStr for Log {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let log = Self::default();
        for word in text.split_whitespace() {
            let event = word.split_once('+').and_then(|(at, took)| {
                Some(Published {
                    at: at.parse().ok()?,
                    took: Duration::from_nanos(took.parse().ok()?),
                })
            });
            log.push(event.ok_or_else(|| format!("no event: {word}"))?);
        }
        Ok(log)
    }
}

/// Publishes on command.
#[derive(Debug)]
pub struct Publisher {
    content: Content,
    rate: f64,
    log: Log,
    next: u64,
}

impl Publisher {
    /// One that has published nothing yet, and will so many times a second.
    pub fn new(content: Content, rate: f64) -> Self {
        Self {
            content,
            rate,
            log: Log::default(),
            next: 0,
        }
    }

    /// What it has published.
    pub fn log(&self) -> Log {
        self.log.clone()
    }

    /// Publishes so many events, the first one at once.
    ///
    /// # Errors
    ///
    /// As `publish` has it.
    pub async fn publish(
        &mut self,
        count: u64,
        mut publish: impl AsyncFnMut(&Arc<str>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut ticks = interval(Duration::from_secs_f64(1.0 / self.rate));
        // A server that cannot keep up is asked for less, and not for all at once.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut elements: Arc<str> = self.content.elements(self.next).into();
        for _ in 0..count {
            ticks.tick().await;
            if self.content == Content::Page {
                elements = self.content.elements(self.next).into();
            }
            let (at, begun) = (now(), Instant::now());
            publish(&elements).await?;
            let took = begun.elapsed();
            self.log.push(Published { at, took });
            self.next += 1;
        }
        Ok(())
    }

    /// Publishes whenever the standard input says `start N`, so many events; where it does not
    /// wait for that, from now on for ever. `times` has the log printed, and any other line its
    /// summary.
    ///
    /// One that waits is another program's, and ends with it.
    ///
    /// # Errors
    ///
    /// As `publish` has it.
    pub async fn obey(
        mut self,
        waits: bool,
        mut publish: impl AsyncFnMut(&Arc<str>) -> io::Result<()>,
    ) -> io::Result<()> {
        let (order, mut orders) = mpsc::unbounded_channel();
        if !waits {
            let _ = order.send(u64::MAX);
        }
        let log = self.log();
        std::thread::spawn(move || {
            for line in io::stdin().lines().map_while(Result::ok) {
                match line.split_once(' ') {
                    Some(("start", count)) => {
                        let _ = order.send(count.parse().unwrap_or(0));
                    }
                    None if line == "times" => println!("{log}"),
                    _ => println!("{}", log.summary()),
                }
            }
            if waits {
                std::process::exit(0);
            }
        });
        while let Some(count) = orders.recv().await {
            self.publish(count, &mut publish).await?;
        }
        // Nobody is left to order more, but those who are connected stay.
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_read_as_it_is_written() {
        let log = Log::default();
        for n in 0..3 {
            log.push(Published {
                at: n,
                took: Duration::from_nanos(n * 7),
            });
        }
        let read: Result<Log, _> = log.to_string().parse();
        assert_eq!(read.map(|read| read.events()), Ok(log.events()));
    }
}
