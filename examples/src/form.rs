//! `form`: what a booking must be, and how its notes look.

use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use sidereal::{PatchElements, SignalsRejection};

/// The signals of the page: they come with every request, and go back to empty the form.
#[derive(Debug, Deserialize, Serialize)]
pub struct Booking {
    name: String,
    email: String,
    seats: u32,
}

impl Booking {
    /// The form as it is in the beginning.
    pub fn empty() -> Self {
        Self {
            name: String::new(),
            email: String::new(),
            seats: 1,
        }
    }

    /// What is wrong, field by field.
    pub fn check(&self) -> Notes {
        let name = match self.name.trim().chars().count() {
            0 => Some("Who is coming?"),
            1..=40 => None,
            _ => Some("At most 40 characters, please."),
        };
        let email = match self.email.split_once('@') {
            Some((user, host)) if !user.is_empty() && host.contains('.') => None,
            _ => Some("An address such as ada@example.org."),
        };
        let seats = match self.seats {
            1..=4 => None,
            _ => Some("There are 1 to 4 seats for each booking."),
        };
        Notes { name, email, seats }
    }

    /// The element that says that it is done. What the user typed is escaped, by maud.
    pub fn thanks(&self) -> Markup {
        html! {
            p.good #outcome role="status" {
                "Booked: " (self.seats) " for " (self.name.trim()) ". The tickets go to " (self.email) "."
            }
        }
    }
}

/// The notes below the fields.
#[derive(Debug)]
pub struct Notes {
    name: Option<&'static str>,
    email: Option<&'static str>,
    seats: Option<&'static str>,
}

impl Notes {
    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.name.or(self.email).or(self.seats).is_none()
    }

    /// The notes as three elements, each of which finds its place by its id, and an empty outcome.
    pub fn elements(&self) -> Markup {
        html! {
            (note("name-note", self.name))
            (note("email-note", self.email))
            (note("seats-note", self.seats))
            p #outcome role="status" {}
        }
    }
}

fn note(id: &str, problem: Option<&str>) -> Markup {
    html! { small id=(id) .good[problem.is_none()] { (problem.unwrap_or("✓")) } }
}

/// What the page shows when its signals are no booking at all: -1 seats, or half a seat. Such a request does not reach
/// the handler.
pub fn rejected(rejection: &SignalsRejection) -> PatchElements {
    PatchElements::new(html! {
        @for id in ["name-note", "email-note", "seats-note"] { small id=(id) {} }
        p.problem #outcome role="status" { "The server could not read that: " (rejection.body_text()) "." }
    })
}

/// The page.
pub fn page() -> String {
    crate::page(include_str!("../pages/form.html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_its_note() {
        let booking = |name: &str, email: &str, seats| Booking {
            name: name.into(),
            email: email.into(),
            seats,
        };
        assert!(booking("Ada", "ada@example.org", 4).check().is_empty());
        assert!(booking(" ", "ada@example.org", 4).check().name.is_some());
        assert!(booking("Ada", "@example.org", 4).check().email.is_some());
        assert!(booking("Ada", "ada@example.org", 5).check().seats.is_some());
    }
}
