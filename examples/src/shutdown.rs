//! `shutdown`: which server answers, and for how long it has been there.

use std::{process, time::Duration};

use maud::{Markup, html};

/// The page.
pub fn page() -> String {
    crate::page(include_str!("../pages/shutdown.html"))
}

/// The element that shows the server's process and its age.
pub fn status(age: Duration) -> Markup {
    html! { p.big #status { "process " (process::id()) br; "for " (age.as_secs()) " s" } }
}

/// The element that shows how far a save is, in thirds.
pub fn saving(thirds: u32) -> Markup {
    html! {
        span #saved .dim[thirds < 3] .good[thirds == 3] {
            @if thirds < 3 { "Saving… " (thirds) "/3" } @else { "Saved by process " (process::id()) "." }
        }
    }
}
