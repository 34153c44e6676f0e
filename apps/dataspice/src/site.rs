//! Everything that a browser or a program asks for by name and gets whole: the page, its files, the scene, the Datastar client, and
//! what is said to programs.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use sidereal::http::StatusCode;

use crate::handlers::App;
use crate::page::{FILES, Page, SCRIPT};
use crate::state;

/// Where the page finds the Datastar client, if it came with this program.
pub(crate) const DATASTAR: &str = "/datastar.js";

/// An answer that is no stream of events.
#[derive(Clone, Debug)]
pub(crate) struct Whole {
    pub(crate) status: StatusCode,
    pub(crate) content_type: &'static str,
    pub(crate) body: Bytes,
}

/// What `Cache-Control` says of all of them: files are part of the program, and a browser asks for them again each time, so that a
/// new program never meets an old file.
pub(crate) const CACHING: &str = "no-cache";

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

impl Whole {
    /// There is nothing to say.
    pub(crate) fn nothing() -> Whole {
        Whole::text(StatusCode::NO_CONTENT, String::new())
    }

    /// Nothing is done by this method here.
    pub(crate) fn not_allowed() -> Whole {
        let status = StatusCode::METHOD_NOT_ALLOWED;
        Whole::text(status, status.to_string())
    }

    pub(crate) fn text(status: StatusCode, text: String) -> Whole {
        Whole {
            status,
            content_type: TEXT,
            body: text.into(),
        }
    }

    fn found(content_type: &'static str, body: impl Into<Bytes>) -> Whole {
        Whole {
            status: StatusCode::OK,
            content_type,
            body: body.into(),
        }
    }
}

/// All that is answered whole. All clones are the same.
#[derive(Clone)]
pub(crate) struct Site {
    app: App,
    page: Arc<Page>,
    scene: Bytes,
}

impl Site {
    pub(crate) fn new(app: App, page: Page, scene: Vec<u8>) -> Site {
        Site {
            app,
            page: Arc::new(page),
            scene: scene.into(),
        }
    }

    /// The answer to a GET.
    pub(crate) fn answer(&self, path: &str, query: Option<&str>) -> Whole {
        match path {
            "/" => Whole::found("text/html; charset=utf-8", self.page.for_a_tab()),
            "/scene.json" => Whole::found(JSON, self.scene.clone()),
            "/api/state" => match state::answer(self.app.show(), query) {
                Ok(json) => Whole::found(JSON, json),
                Err(problem) => Whole::text(StatusCode::BAD_REQUEST, problem.to_string()),
            },
            // Milliseconds since 1970, so that a page can tell how old a picture is.
            "/api/time" => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH);
                Whole::found(JSON, now.unwrap_or_default().as_millis().to_string())
            }
            _ => self.file(path),
        }
    }

    fn file(&self, path: &str) -> Whole {
        if let (DATASTAR, Some(client)) = (path, datastar_client::JS) {
            return Whole::found(SCRIPT, client);
        }
        let file = FILES.iter().find(|(address, ..)| *address == path);
        match file {
            Some((_, content_type, contents)) => Whole::found(content_type, *contents),
            None => Whole::text(StatusCode::NOT_FOUND, format!("there is no {path}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use maud::html;
    use sidereal::Hub;

    use super::*;
    use crate::cassini::Mission;
    use crate::clock::{MissionClock, Speed};
    use crate::show::Show;

    fn site() -> Site {
        let mission = Mission::load().unwrap();
        let (start, end) = (mission.start(), mission.end());
        let clock = MissionClock::new(start, end, Speed::DEFAULT, Instant::now());
        let app = App::new(&Hub::new(), Show::new(mission, clock));
        Site::new(app, Page::new(DATASTAR, html! {}, html! {}), b"{}".to_vec())
    }

    #[test]
    fn has_what_a_browser_asks_for_and_nothing_else() {
        let site = site();
        for path in [
            "/",
            "/scene.json",
            "/assets/style.css",
            "/api/state",
            "/api/time",
        ] {
            let answer = site.answer(path, None);
            assert_eq!(answer.status, 200, "{path}");
            assert!(!answer.body.is_empty(), "{path}");
        }
        assert_eq!(site.answer("/assets/", None).status, 404);
    }

    #[test]
    fn what_cannot_be_answered_is_said() {
        let answer = site().answer("/api/state", Some("at=soon"));
        assert_eq!(answer.status, 400);
        let text = String::from_utf8(answer.body.to_vec()).unwrap();
        assert!(text.starts_with("\"soon\" is not a time in UTC"), "{text}");
    }
}
