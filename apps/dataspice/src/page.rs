//! The page and its files, built into the program.

use maud::{Markup, html};
use sidereal::TabId;

const PAGE: &str = include_str!("../assets/page.html");

/// Address, content type and contents of each file that the page loads.
pub(crate) const FILES: [(&str, &str, &str); 4] = [
    (
        "/assets/style.css",
        "text/css; charset=utf-8",
        include_str!("../assets/style.css"),
    ),
    (
        "/assets/solar-canvas.js",
        SCRIPT,
        include_str!("../assets/solar-canvas.js"),
    ),
    (
        "/assets/solar-drawing.js",
        SCRIPT,
        include_str!("../assets/solar-drawing.js"),
    ),
    (
        "/assets/orbit.js",
        SCRIPT,
        include_str!("../assets/orbit.js"),
    ),
];

pub(crate) const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The page, but for what is of one tab.
#[derive(Clone)]
pub(crate) struct Page(String);

impl Page {
    /// With the address from which it loads the Datastar client, the mission's timeline, and its events to choose from.
    pub(crate) fn new(datastar: &str, timeline: Markup, events: Markup) -> Page {
        Page(
            PAGE.replace("{{datastar}}", &html! { (datastar) }.into_string())
                .replace("{{timeline}}", &timeline.into_string())
                .replace("{{events}}", &events.into_string()),
        )
    }

    /// With a name for the tab: of two windows at one address, Firefox would let the second wait.
    pub(crate) fn for_a_tab(&self) -> String {
        self.0.replace("{{tab}}", TabId::random().as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::Body;

    #[test]
    fn has_a_button_for_every_body() {
        for body in Body::ALL {
            assert!(
                PAGE.contains(&format!("value=\"{}\"", body.id())),
                "{body:?}"
            );
        }
    }

    #[test]
    fn has_every_file_that_it_names() {
        for (address, _, contents) in FILES {
            let name = address.rsplit('/').next().unwrap();
            let users = FILES.iter().map(|file| file.2).chain([PAGE]);
            assert!(
                users
                    .into_iter()
                    .any(|text| text.contains(&format!("/{name}\""))),
                "{address} is used"
            );
            assert!(!contents.is_empty());
        }
    }

    #[test]
    fn names_the_client_once_and_escaped() {
        let page = Page::new("/datastar.js?a=1&b=\"", html! { i {} }, html! { b {} }).for_a_tab();
        assert_eq!(
            page.matches("src=\"/datastar.js?a=1&amp;b=&quot;\"")
                .count(),
            1
        );
        assert!(!page.contains("{{"));
    }
}
