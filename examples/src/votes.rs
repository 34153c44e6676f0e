//! `behind-nginx`: votes, which one server counts and another one shows.

use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sidereal::{PatchElements, PatchSignals, SignalsError};

const MOONS: [&str; 4] = ["Enceladus", "Europa", "Titan", "Triton"];

/// How many votes each moon has.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub struct Votes([u64; MOONS.len()]);

impl Votes {
    /// One more for this moon; `false` if there is none of that name.
    pub fn add(&mut self, moon: &str) -> bool {
        let Some(place) = MOONS.iter().position(|name| *name == moon) else {
            return false;
        };
        self.0[place] += 1;
        true
    }

    fn total(self) -> u64 {
        self.0.iter().sum()
    }

    /// The moons, their votes and their buttons.
    pub fn render(self) -> Markup {
        html! {
            ul #votes {
                @for (moon, votes) in MOONS.iter().zip(self.0) {
                    li id=(moon) {
                        button data-on:click={ "@post('/api/votes/" (moon) "')" } { (moon) }
                        meter value=(votes) max=(self.total().max(1)) {}
                        b { (votes) }
                    }
                }
            }
        }
    }

    /// The page as it is now. It is right before the first event comes, and where none ever does.
    pub fn page(self) -> String {
        crate::page(include_str!("../pages/votes.html"))
            .replace("{{votes}}", &self.render().into_string())
            .replace("{{total}}", &self.total().to_string())
    }
}

/// What is on show: the votes, as far as they are known, and how many pages are looking.
#[derive(Clone, Copy, Debug, Default)]
pub struct Show {
    /// The newest votes that came.
    pub votes: Option<Votes>,
    /// How many streams are open.
    pub pages: usize,
}

impl Show {
    /// What pages are sent. They have the total in their title too, where it is seen of a tab that is hidden.
    ///
    /// # Errors
    ///
    /// None: a number is always JSON.
    pub fn picture(self) -> Result<(PatchElements, Option<PatchSignals>), SignalsError> {
        let live = html! {
            p.dim #live { "Live: " b { (self.pages) } " pages, by process " b { (std::process::id()) } "." }
        };
        let Some(votes) = self.votes else {
            return Ok((PatchElements::new(live), None));
        };
        let total = PatchSignals::new(&json!({ "total": votes.total() }))?;
        let votes = html! { (live) (votes.render()) };
        Ok((PatchElements::new(votes), Some(total)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vote_is_for_a_moon_that_is_there() {
        let mut votes = Votes::default();
        assert!(votes.add("Titan"));
        assert!(!votes.add("Luna"));
        assert_eq!(votes.total(), 1);
    }
}
