//! `hello`: a text that appears letter by letter.

use std::time::Duration;

use maud::{Markup, html};
use serde::Deserialize;

/// What is said.
pub const MESSAGE: &str = "Hello from Saturn, 79 light minutes away.";

/// The signals of the page.
#[derive(Debug, Deserialize)]
pub struct Signals {
    /// How long to wait after each letter, in milliseconds.
    delay: u64,
}

impl Signals {
    /// How long to wait after each letter: what the page says, but at most a second. It is the page's to ask and the
    /// server's to decide.
    pub fn delay(&self) -> Duration {
        Duration::from_millis(self.delay.min(1000))
    }
}

/// The page.
pub fn page() -> String {
    crate::page(include_str!("../pages/hello.html"))
}

/// The element that is patched, with the first letters of the message.
pub fn message(letters: usize) -> Markup {
    let text: String = MESSAGE.chars().take(letters).collect();
    html! { p.big #message { (text) } }
}
