//! `upload`: files as the page sends them, and the list that it gets back.

use maud::{Markup, html};
use serde::Deserialize;

/// The largest signals that are taken, in bytes: files in base64 and the JSON around them.
pub const LIMIT: usize = 1024 * 1024;

/// The signals of the page.
#[derive(Debug, Deserialize)]
pub struct Signals {
    files: Vec<File>,
}

/// A file of a bound `<input type="file">`.
#[derive(Debug, Deserialize)]
struct File {
    name: String,
    /// In base64.
    contents: String,
    mime: String,
}

impl Signals {
    /// The list, with a picture of what is one. Names come from the user; maud escapes them.
    pub fn list(&self) -> Markup {
        html! {
            ul #files {
                @for file in &self.files {
                    li {
                        @if file.is_picture() {
                            img alt="" src={ "data:" (file.mime) ";base64," (file.contents) };
                        }
                        span { (file.name) br; span.dim { (file.size()) " bytes, " (file.mime) } }
                    }
                }
            }
        }
    }
}

impl File {
    /// How many bytes it has: three for every four characters, less what the padding stands for.
    fn size(&self) -> usize {
        let text = self.contents.trim_end_matches('=');
        text.len() * 3 / 4
    }

    /// Whether a browser shows it without running anything in it. A type that is the user's to say is compared with a
    /// list.
    fn is_picture(&self) -> bool {
        ["image/png", "image/jpeg", "image/gif", "image/webp"].contains(&self.mime.as_str())
    }
}

/// The page.
pub fn page() -> String {
    crate::page(include_str!("../pages/upload.html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_is_that_of_the_file() {
        for (contents, size) in [
            ("", 0),
            ("aA==", 1),
            ("aGk=", 2),
            ("aGV5", 3),
            ("aGVsbG8=", 5),
        ] {
            let file = File {
                name: String::new(),
                contents: contents.into(),
                mime: String::new(),
            };
            assert_eq!(file.size(), size, "{contents}");
        }
    }
}
