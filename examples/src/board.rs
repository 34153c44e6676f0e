//! `board`: checkboxes that all who look at them share.

use maud::{Markup, html};

/// Cells in a row, and rows.
pub const SIDE: usize = 40;

/// Which cells are on.
#[derive(Clone, Debug)]
pub struct Board(Vec<bool>);

impl Board {
    /// All cells are off.
    pub fn new() -> Self {
        Self(vec![false; SIDE * SIDE])
    }

    /// Switches a cell on or off; `None` if there is no such cell, or else whether it was otherwise before.
    pub fn set(&mut self, cell: usize, on: bool) -> Option<bool> {
        let before = self.0.get_mut(cell)?;
        Some(std::mem::replace(before, on) != on)
    }

    /// The whole board. What of it is new, the client finds out.
    pub fn render(&self) -> Markup {
        html! {
            div #board {
                @for (cell, on) in self.0.iter().enumerate() {
                    input type="checkbox" value=(cell) checked[*on];
                }
            }
        }
    }
}

impl Default for Board {
    fn default() -> Self {
        Self::new()
    }
}

/// The page that is told of every change.
pub fn page() -> String {
    crate::page(include_str!("../pages/board.html"))
        .replace("{{ask}}", "data-init=\"@get('/updates')\"")
}

/// The same page, which asks every second.
pub fn polling_page() -> String {
    crate::page(include_str!("../pages/board.html")).replace(
        "{{ask}}",
        "data-init=\"@get('/poll')\" data-on-interval__duration.1s=\"@get('/poll')\"",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_set_once_and_no_other_is_there() {
        let mut board = Board::new();
        assert_eq!(board.set(7, true), Some(true));
        assert_eq!(board.set(7, true), Some(false));
        assert_eq!(board.set(SIDE * SIDE, true), None);
        assert_eq!(board.render().into_string().matches("checked").count(), 1);
    }
}
