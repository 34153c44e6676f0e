//! What the server has seen, for the tests to ask.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{Json, extract::State};
use serde::Serialize;
use sidereal::{Ended, Sse};

use crate::run::Run;

/// Counts of every run, by what was counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts(Arc<Mutex<BTreeMap<String, Count>>>);

/// What was counted under one name.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Count {
    requests: u64,
    /// What each request said of itself.
    notes: Vec<String>,
    open: u64,
    ended: Vec<End>,
    finished: u64,
    dropped: u64,
}

/// How one stream ended.
#[derive(Clone, Debug, Serialize)]
struct End {
    reason: String,
    /// Milliseconds since 1970.
    at: f64,
    error: Option<String>,
}

/// The name under which a handler counts.
#[derive(Clone, Debug)]
pub(crate) struct Counter {
    counts: Counts,
    name: String,
}

impl Counts {
    /// A request for `what` has come.
    pub(crate) fn request(&self, what: &str, Run(run): &Run) -> Counter {
        let counter = Counter {
            counts: self.clone(),
            name: format!("{what}/{run}"),
        };
        counter.change(|count| count.requests += 1);
        counter
    }
}

impl Counter {
    /// Counts this stream while it is open, and how it ends.
    pub(crate) fn follow(&self, sse: Sse) -> Sse {
        let opened = self.clone();
        let sse = sse.on_connect(async move |_| {
            opened.change(|count| count.open += 1);
            Ok(())
        });
        self.follow_end(sse)
    }

    /// Counts how this stream ends.
    pub(crate) fn follow_end(&self, sse: Sse) -> Sse {
        let ended = self.clone();
        sse.on_disconnect(move |_, how| ended.end(how))
    }

    pub(crate) fn note(&self, note: impl Into<String>) {
        self.change(|count| count.notes.push(note.into()));
    }

    /// Work that counts itself as finished or, where it is cut short, as dropped.
    pub(crate) fn work(&self) -> Work {
        self.change(|count| count.open += 1);
        Work {
            counter: self.clone(),
            finished: false,
        }
    }

    fn end(&self, ended: &Ended) {
        let end = End {
            reason: ended.reason().to_string(),
            at: milliseconds(),
            error: ended.error().map(ToString::to_string),
        };
        self.change(|count| {
            count.open = count.open.saturating_sub(1);
            count.ended.push(end);
        });
    }

    fn change(&self, change: impl FnOnce(&mut Count)) {
        let mut counts = self.counts.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(counts.entry(self.name.clone()).or_default());
    }
}

/// See [`Counter::work`].
#[derive(Debug)]
pub(crate) struct Work {
    counter: Counter,
    finished: bool,
}

impl Work {
    pub(crate) fn finish(mut self) {
        self.finished = true;
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let finished = self.finished;
        self.counter.change(|count| {
            count.open -= 1;
            count.finished += u64::from(finished);
            count.dropped += u64::from(!finished);
        });
    }
}

/// Milliseconds since 1970, with their fraction, as the browser's clock has them.
pub(crate) fn milliseconds() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64() * 1e3
}

/// `GET /counts`.
pub(crate) async fn all(State(counts): State<Counts>) -> Json<BTreeMap<String, Count>> {
    Json(
        counts
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone(),
    )
}
