//! What the events of a fan-out say: the same for us and for every rival.

use crate::page::page;

/// The elements that are sent to everyone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// The same text each time, of so many bytes.
    Text(usize),
    /// The page of 20 KB, which changes with each tick.
    Page,
}

impl Content {
    /// The elements of one tick. They end with `>`, and have no line break.
    pub fn elements(self, tick: u64) -> String {
        match self {
            Self::Text(bytes) => text(bytes),
            Self::Page => page(tick),
        }
    }
}

fn text(bytes: usize) -> String {
    const OPEN: &str = r#"<p id="news">"#;
    const CLOSE: &str = "</p>";
    let words = "Cassini has left for Saturn, by way of Venus, the Earth and Jupiter. ";
    let length = bytes.saturating_sub(OPEN.len() + CLOSE.len());
    let words: String = words.chars().cycle().take(length).collect();
    format!("{OPEN}{words}{CLOSE}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_the_length_that_was_asked_for() {
        assert_eq!(Content::Text(200).elements(0).len(), 200);
        assert_eq!(
            Content::Text(200).elements(0),
            Content::Text(200).elements(1)
        );
    }
}
