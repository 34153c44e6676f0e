//! `chat`: what is said, and how it looks.

use maud::{Markup, html};
use serde::Deserialize;
use sidereal::{PatchElements, StartAt, TopicOptions, selector};

/// Who comes sees the last hundred lines, and who comes back those that it missed.
pub const LINES: TopicOptions = TopicOptions::new()
    .keep(100)
    .start_at(StartAt::Oldest)
    .replay(true);

/// The signals of the page.
#[derive(Debug, Deserialize)]
pub struct Said {
    name: String,
    text: String,
}

impl Said {
    /// The line for everyone, at the end of those before; `None` where nothing was said. What the user typed is escaped,
    /// by maud, and cut: it is the page's to ask for a length and the server's to see to it.
    pub fn line(&self) -> Option<PatchElements> {
        let text = short(&self.text, 500);
        let name = match short(&self.name, 30) {
            name if name.is_empty() => "Somebody".to_owned(),
            name => name,
        };
        let line = html! { li { b { (name) } span { (text) } } };
        (!text.is_empty()).then(|| PatchElements::new(line).append(selector!("#lines")))
    }
}

/// A list without lines: what a page begins with that does not go on where it left off.
pub fn no_lines() -> Markup {
    html! { ul #lines {} }
}

/// A text without what is around it, and no longer than this.
fn short(text: &str, letters: usize) -> String {
    text.trim().chars().take(letters).collect()
}

/// The page.
pub fn page() -> String {
    crate::page(include_str!("../pages/chat.html"))
}

#[cfg(test)]
mod tests {
    use sidereal::IntoFrame as _;

    use super::*;

    fn line(name: &str, text: &str) -> Option<String> {
        let said = Said {
            name: name.into(),
            text: text.into(),
        };
        let frame = said.line()?.into_frame();
        Some(String::from_utf8_lossy(frame.as_bytes()).into_owned())
    }

    #[test]
    fn what_is_typed_is_text_and_not_too_long() {
        assert_eq!(line("Ada", " \n"), None);
        let line_of = |name, text| line(name, text).unwrap_or_default();
        assert!(line_of(" ", "hello").contains("<b>Somebody</b><span>hello</span>"));
        assert!(line_of("<i>", "<script>").contains("<b>&lt;i&gt;</b><span>&lt;script&gt;</span>"));
        assert!(
            line_of("Ada", &"é".repeat(1000))
                .contains(&format!("<span>{}</span>", "é".repeat(500)))
        );
    }
}
