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

    /// The board of these bits, eight cells to a byte, the first one the highest. What they lack is off.
    pub fn from_bits(bits: &[u8]) -> Self {
        let is_on = |cell: usize| bits.get(cell / 8).is_some_and(|byte| byte & bit(cell) != 0);
        Self((0..SIDE * SIDE).map(is_on).collect())
    }

    /// Its bits.
    pub fn bits(&self) -> Vec<u8> {
        let mut bits = vec![0; self.0.len().div_ceil(8)];
        for (cell, _) in self.0.iter().enumerate().filter(|(_, on)| **on) {
            bits[cell / 8] |= bit(cell);
        }
        bits
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

/// Of a cell, in its byte.
const fn bit(cell: usize) -> u8 {
    128 >> (cell % 8)
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
    fn a_board_is_its_bits() {
        let mut board = Board::new();
        for cell in [0, 9, SIDE * SIDE - 1] {
            board.set(cell, true);
        }
        let bits = board.bits();
        assert_eq!((bits.len(), &bits[..2]), (200, &[0x80, 0x40][..]));
        assert_eq!(Board::from_bits(&bits).0, board.0);
        assert_eq!(Board::from_bits(&bits[..2]).set(9, true), Some(false));
    }

    #[test]
    fn a_cell_is_set_once_and_no_other_is_there() {
        let mut board = Board::new();
        assert_eq!(board.set(7, true), Some(true));
        assert_eq!(board.set(7, true), Some(false));
        assert_eq!(board.set(SIDE * SIDE, true), None);
        assert_eq!(board.render().into_string().matches("checked").count(), 1);
    }
}
