//! Everything that a browser asks for by name: the page, its files, the scene, the Datastar client.

use std::sync::Arc;

use bytes::Bytes;

use crate::page::{FILES, Page, SCRIPT};

/// Where the page finds the Datastar client, if it came with this program.
pub(crate) const DATASTAR: &str = "/datastar.js";

/// A file that is part of the program; a browser asks for it again each time, so that a new program never meets an old file.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) content_type: &'static str,
    pub(crate) body: Bytes,
}

/// What `Cache-Control` says of each file.
pub(crate) const CACHING: &str = "no-cache";

/// All files by their paths. All clones are the same.
#[derive(Clone)]
pub(crate) struct Site {
    page: Arc<Page>,
    scene: Bytes,
}

impl Site {
    pub(crate) fn new(page: Page, scene: Vec<u8>) -> Site {
        Site {
            page: Arc::new(page),
            scene: scene.into(),
        }
    }

    pub(crate) fn file(&self, path: &str) -> Option<File> {
        let file = |content_type, body: Bytes| File { content_type, body };
        match path {
            "/" => Some(file(
                "text/html; charset=utf-8",
                self.page.for_a_tab().into(),
            )),
            "/scene.json" => Some(file("application/json", self.scene.clone())),
            DATASTAR => datastar_client::JS.map(|client| file(SCRIPT, client.into())),
            _ => FILES
                .iter()
                .find(|(address, ..)| *address == path)
                .map(|(_, content_type, contents)| file(content_type, (*contents).into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use maud::html;

    use super::*;

    #[test]
    fn has_what_a_browser_asks_for_and_nothing_else() {
        let site = Site::new(Page::new(DATASTAR, html! {}), b"{}".to_vec());
        for path in ["/", "/scene.json", "/assets/style.css"] {
            assert!(!site.file(path).unwrap().body.is_empty(), "{path}");
        }
        assert!(site.file("/assets/").is_none());
    }
}
