//! `ticker`: the time for all, and for each how long it has been there.

use std::time::Instant;

use maud::{Markup, html};

/// When somebody came: data of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Arrived(Instant);

impl Arrived {
    /// Just now.
    pub fn now() -> Self {
        Self(Instant::now())
    }

    /// The element that tells one viewer how long it has been there.
    pub fn stay(self) -> Markup {
        html! { p.dim #stay { "You have been here for " (self.0.elapsed().as_secs()) " s." } }
    }
}

/// The element that shows the time, and how often it was made.
pub fn now(times: u64) -> Markup {
    html! {
        (crate::clock::now())
        p.dim #times { "Made " (times) " times, however many watch." }
    }
}

/// The page.
pub fn page() -> String {
    crate::page(include_str!("../pages/ticker.html"))
}
