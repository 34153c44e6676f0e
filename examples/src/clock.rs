//! `clock`: the time, and how many are watching it.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use maud::{Markup, html};
use serde::Serialize;
use sidereal::ClientId;

/// How many streams are open.
#[derive(Debug, Default)]
pub struct Viewers(AtomicUsize);

/// The signals that are patched.
#[derive(Debug, Serialize)]
pub struct Signals {
    viewers: usize,
}

impl Viewers {
    /// One more.
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// One less.
    pub fn remove(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    /// The number, for the page.
    pub fn signals(&self) -> Signals {
        Signals {
            viewers: self.0.load(Ordering::Relaxed),
        }
    }
}

/// The page.
pub fn page() -> String {
    crate::page(include_str!("../pages/clock.html"))
}

/// The element that greets a new viewer.
pub fn welcome(client: ClientId) -> Markup {
    html! { p.dim #welcome { "Your stream is " code { (client) } "." } }
}

/// The element that shows the time, in UTC.
pub fn now() -> Markup {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs());
    let (hours, minutes) = (seconds / 3600 % 24, seconds / 60 % 60);
    html! { p.big #now { (format!("{hours:02}:{minutes:02}:{:02}", seconds % 60)) } }
}
