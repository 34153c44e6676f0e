//! `presence`: who is here.

use std::collections::BTreeMap;

use maud::{Markup, html};
use serde::Deserialize;
use sidereal::ClientId;

/// The signals of the page.
#[derive(Debug, Deserialize)]
pub struct Signals {
    name: String,
}

impl Signals {
    /// The name to go by: what the user typed, if that is something, and no longer than a name.
    pub fn name(&self) -> String {
        match self.name.trim() {
            "" => "Somebody".to_owned(),
            name => name.chars().take(30).collect(),
        }
    }
}

/// Who is here, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub struct Guests(BTreeMap<ClientId, String>);

impl Guests {
    /// One more.
    pub fn arrive(&mut self, client: ClientId, name: String) {
        self.0.insert(client, name);
    }

    /// One less.
    pub fn leave(&mut self, client: ClientId) {
        self.0.remove(&client);
    }

    /// All of them, and how many. Names come from users; maud escapes them.
    pub fn render(&self) -> Markup {
        html! {
            div #guests {
                p.dim { b { (self.0.len()) } " here." }
                ul {
                    @for (client, name) in &self.0 {
                        li id={ "guest-" (client) } {
                            span { (name) }
                            button data-on:click={ "@post('/poke/" (client) "')" } { "Poke" }
                        }
                    }
                }
            }
        }
    }
}

/// What somebody sees who was poked.
pub fn poked(by: &Signals) -> Markup {
    html! { p.good #poked role="status" { (by.name()) " pokes you." } }
}

/// The page.
pub fn page() -> String {
    crate::page(include_str!("../pages/presence.html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_text_and_not_too_long() {
        let named = |name: &str| Signals { name: name.into() };
        assert_eq!(named(" \t").name(), "Somebody");
        assert_eq!(named(&"é".repeat(99)).name(), "é".repeat(30));
        assert!(
            poked(&named("<b>"))
                .into_string()
                .contains("&lt;b&gt; pokes")
        );
    }
}
