//! The endpoints that a page talks to. This is where Data SPICE uses Sidereal.

use std::sync::Arc;

use serde::Deserialize;
use sidereal::{
    Connect, Following, Hub, PatchElements, PatchSignals, Signals, Sse, Ticker, View, Watch,
};

use crate::body::Body;
use crate::render;
use crate::show::{PERIOD, Show};

/// What the endpoints share. All clones are the same.
#[derive(Clone)]
pub(crate) struct App {
    show: Arc<Show>,
    /// The mission as it is now: it changes with time.
    picture: Ticker,
    /// How many push streams are open: it changes when one begins or ends.
    streams: View<usize>,
}

impl App {
    pub(crate) fn new(hub: &Hub, show: Show) -> App {
        let show = Arc::new(show);
        let shown = Arc::clone(&show);
        App {
            show,
            picture: hub.every(PERIOD, move || shown.picture()),
            streams: View::new(0, |count| PatchSignals::new(&render::streams(*count))).in_hub(hub),
        }
    }
}

/// What a page shows: made once for all pages, and the same whether it is pushed or pulled.
impl Watch for App {
    fn follow(&self, following: &mut Following) {
        (&self.picture, &self.streams).follow(following);
    }
}

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
pub(crate) fn stream(app: &App, connect: Connect, page: Option<Signals<Page>>) -> Sse {
    let Signals(page) = page.unwrap_or_default();
    match page.mode {
        Mode::Push => push(app, connect),
        Mode::Pull => pull(app, connect),
    }
}

fn push(app: &App, connect: Connect) -> Sse {
    let (begun, ended) = (app.streams.clone(), app.streams.clone());
    connect
        .watch(app)
        .on_connect(async move |_| {
            begun.update(|count| *count += 1);
            Ok(())
        })
        .on_disconnect(move |_, _| ended.update(|count| *count -= 1))
}

fn pull(app: &App, connect: Connect) -> Sse {
    app.show.pulled();
    connect.once(app)
}

/// `/details`: one body in words, in two patches.
pub(crate) fn details(app: &App, connect: Connect, page: Option<Signals<Page>>) -> Sse {
    let Signals(page) = page.unwrap_or_default();
    match page.body.parse() {
        Ok(body) => tell(app.clone(), connect, body),
        Err(problem) => connect.reply(PatchElements::new(render::details_problem(&problem))),
    }
}

fn tell(app: App, connect: Connect, body: Body) -> Sse {
    connect.respond(async move |tx| {
        let fetching = render::details_fetching(body);
        tx.patch_elements(PatchElements::new(fetching)).await?;
        let details = render::details(body, &app.show.sky()?);
        tx.patch_elements(PatchElements::new(details)).await?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use serde_json::{Value, json};
    use sidereal::SseBody;
    use sidereal::testing::{Event, EventStream};

    use super::*;
    use crate::cassini::Mission;
    use crate::clock::{MissionClock, Speed};

    type Stream = EventStream<SseBody>;

    fn app() -> App {
        let mission = Mission::load().unwrap();
        let (start, end) = (mission.start(), mission.end());
        let clock = MissionClock::new(start, end, Speed::DEFAULT, Instant::now());
        App::new(&Hub::new(), Show::new(mission, clock))
    }

    async fn asked(app: &App, page: Value) -> Stream {
        let page = serde_json::from_value(page).unwrap();
        let sse = stream(app, Connect::new(), Some(Signals(page)));
        EventStream::new(sse.into_http())
    }

    /// The next event that patches this signal; there is one of some kind in every period.
    async fn next(stream: &mut Stream, signal: &str) -> Event {
        loop {
            let event = stream.next_within(PERIOD * 2).await.unwrap().unwrap();
            if event.signals().unwrap().get(signal).is_some() {
                return event;
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn all_pages_are_sent_the_same_pictures() {
        let app = app();
        let (mut one, mut other) = (asked(&app, json!({})).await, asked(&app, json!({})).await);
        let mut before = None;
        for _ in 0..5 {
            let picture = next(&mut one, "_sky").await;
            // The mission goes on while it is told, so what is equal was made once.
            assert_eq!(picture, next(&mut other, "_sky").await);
            assert_ne!(Some(&picture), before.as_ref());
            before = Some(picture);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_that_pulls_is_sent_what_is_pushed() {
        let app = app();
        let mut pushed = asked(&app, json!({ "mode": "push" })).await;
        let pushed = pushed.take(2).await.unwrap();
        assert_eq!(pushed[1].signals(), Some(&json!({ "_streams": 1 })));

        let mut pulled = asked(&app, json!({ "mode": "pull" })).await;
        let pulled = pulled.collect().await.unwrap();
        assert_eq!(pulled.events(), pushed);
        assert!(pulled.end().is_clean());
    }

    #[tokio::test(start_paused = true)]
    async fn counts_who_is_served() {
        let app = app();
        let mut stays = asked(&app, json!({})).await;
        let mut leaves = asked(&app, json!({})).await;
        next(&mut leaves, "_sky").await;
        next(&mut stays, "_sky").await;
        assert_eq!(*app.streams.state(), 2);
        drop(leaves);
        let streams = next(&mut stays, "_streams").await;
        assert_eq!(streams.signals(), Some(&json!({ "_streams": 1 })));

        asked(&app, json!({ "mode": "pull" })).await;
        next(&mut stays, "_sky").await;
        let picture = next(&mut stays, "_sky").await;
        assert_eq!(picture.signals().unwrap()["_pulls"], 1);
        assert_eq!(*app.streams.state(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_stands_still_is_told_all_the_same() {
        let mission = Mission::load().unwrap();
        let launch = mission.start();
        let clock = MissionClock::new(launch, launch, Speed::DEFAULT, Instant::now());
        let app = App::new(&Hub::new(), Show::new(mission, clock));
        let mut stream = asked(&app, json!({})).await;
        let picture = next(&mut stream, "_sky").await;
        for _ in 0..3 {
            assert_eq!(next(&mut stream, "_sky").await, picture);
        }
    }

    #[tokio::test]
    async fn details_come_in_two_patches_or_say_what_is_wrong() {
        for (body, patches) in [("saturn", 2), ("vulcan", 1)] {
            let page = serde_json::from_value(json!({ "body": body })).unwrap();
            let sse = details(&app(), Connect::new(), Some(Signals(page)));
            let told = EventStream::new(sse.into_http()).collect().await.unwrap();
            assert_eq!(told.events().len(), patches, "{body}");
            assert!(told.end().is_clean());
        }
    }
}
