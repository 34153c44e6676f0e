//! The endpoints that a page talks to. This is where Data SPICE uses Sidereal.

use std::sync::Arc;

use axum::extract::State;
use serde::Deserialize;
use sidereal::{BodyError, Connect, PatchElements, Signals, Sse};

use crate::body::Body;
use crate::render;
use crate::show::{PERIOD, Show};

/// The signals of the page that its requests carry.
#[derive(Deserialize)]
#[serde(default)]
pub(crate) struct Page {
    mode: Mode,
    body: String,
}

impl Default for Page {
    fn default() -> Page {
        Page {
            mode: Mode::Push,
            body: Body::Cassini.id().to_owned(),
        }
    }
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Push,
    Pull,
}

/// `/stream`: pictures of the mission, pushed for as long as the page stays, or one that it pulls.
pub(crate) async fn stream(
    State(show): State<Arc<Show>>,
    connect: Connect,
    page: Option<Signals<Page>>,
) -> Sse {
    let Signals(page) = page.unwrap_or_default();
    match page.mode {
        Mode::Push => push(show, connect),
        Mode::Pull => pull(show, connect),
    }
}

fn push(show: Arc<Show>, connect: Connect) -> Sse {
    let (began, ended) = (Arc::clone(&show), Arc::clone(&show));
    connect
        .every(PERIOD, move |tx| {
            let picture = show.picture();
            async move {
                tx.send(picture.map_err(BodyError::new)?).await?;
                Ok(())
            }
        })
        .on_connect(async move |_| {
            began.push_began();
            Ok(())
        })
        .on_disconnect(move |_, _| ended.push_ended())
}

fn pull(show: Arc<Show>, connect: Connect) -> Sse {
    show.pulled();
    connect.respond(async move |tx| {
        tx.send(show.picture().map_err(BodyError::new)?).await?;
        Ok(())
    })
}

/// `/details`: one body in words, in two patches.
pub(crate) async fn details(
    State(show): State<Arc<Show>>,
    connect: Connect,
    page: Option<Signals<Page>>,
) -> Sse {
    let Signals(page) = page.unwrap_or_default();
    connect.respond(async move |tx| {
        let body: Body = match page.body.parse() {
            Ok(body) => body,
            Err(problem) => {
                let text = render::details_problem(&format!("{problem}"));
                tx.patch_elements(PatchElements::new(text)).await?;
                return Ok(());
            }
        };
        tx.patch_elements(PatchElements::new(render::details_fetching(body)))
            .await?;
        let sky = show.sky().map_err(BodyError::new)?;
        tx.patch_elements(PatchElements::new(render::details(body, &sky)))
            .await?;
        Ok(())
    })
}
