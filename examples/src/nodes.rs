//! `nodes`: a chat, a board and who is here, on several nodes.

use std::collections::BTreeMap;

use maud::{Markup, html};
use sidereal::{Presence, PublishError};

/// Which node the page's stream is from.
pub fn node(name: &str) -> Markup {
    html! { b #node { "node " (name) } }
}

/// What that node knows of the others.
pub fn state(nodes: usize, is_connected: bool) -> Markup {
    html! {
        @match is_connected {
            true => p #state .good { "The broker is there, and " (nodes) (plural(nodes, " node")) "." }
            false => p #state .problem { "The broker is away." }
        }
    }
}

/// Who is here, by which node.
pub fn here(presence: &Presence) -> Markup {
    let mut nodes = BTreeMap::<_, usize>::new();
    let members = presence.members();
    for member in &members {
        *nodes.entry(member.text()).or_default() += 1;
    }
    html! {
        p #here .dim {
            b { (members.len()) } (plural(members.len(), " page")) " open:"
            @for (node, pages) in nodes { span { (pages) " at node " (node) } }
        }
    }
}

fn plural(count: usize, one: &str) -> String {
    format!("{one}{}", if count == 1 { "" } else { "s" })
}

/// What did not work; nothing where all did.
pub fn problem(text: &str) -> Markup {
    html! { p #problem .problem role="alert" { (text) } }
}

/// Why a line was not sent, for who wrote it.
pub fn not_said(error: PublishError) -> String {
    if error.is_away() {
        "The broker is away: your line was not sent. Send it again when it is back.".to_owned()
    } else if error.is_full() {
        "Too much waits for the broker: your line was not sent.".to_owned()
    } else {
        format!("Your line was not sent: {error}.")
    }
}

/// What is said where it is not known.
pub const PERHAPS: &str =
    "The broker does not answer. Your line is sent when it does, unless this node ends before.";

/// The page.
pub fn page() -> String {
    crate::page(include_str!("../pages/nodes.html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_how_many() {
        assert!(state(1, true).into_string().contains("and 1 node."));
        assert!(state(3, true).into_string().contains("and 3 nodes."));
        assert!(state(3, false).into_string().contains("away"));
    }
}
