//! The endpoints that a page talks to. This is where Data SPICE uses Sidereal.

use std::sync::Arc;
use std::time::SystemTime;

use serde::Deserialize;
use sidereal::http::StatusCode;
use sidereal::{
    BodyError, Config, Connect, Following, Hub, PatchElements, PatchSignals, Signals,
    SignalsRejection, Sse, Ticker, View, Watch,
};

use crate::body::Body;
use crate::command::Command;
use crate::log::Line;
use crate::meter::{Meter, Mode};
use crate::render;
use crate::show::{LOAD_PERIOD, PERIOD, Seen, Show, TABLE_PERIOD};
use crate::site::Whole;

/// What the endpoints share. All clones are the same.
#[derive(Clone)]
pub(crate) struct App {
    show: Arc<Show>,
    meter: Arc<Meter>,
    /// By [`Seen`].
    skies: [Skies; 2],
    /// How many push streams are open: it changes when one begins or ends.
    streams: View<usize>,
    /// What is served, and what it costs.
    load: Ticker,
}

impl App {
    pub(crate) fn new(hub: &Hub, show: Show) -> App {
        let (show, meter) = (Arc::new(show), Arc::new(Meter::default()));
        let streams = View::new(0, |count| PatchSignals::new(&render::streams(*count))).in_hub(hub);
        let skies = [Seen::Now, Seen::Earth].map(|seen| Skies::new(hub, &show, seen));
        let measured = Arc::clone(&meter);
        let load = hub.every(LOAD_PERIOD, move || {
            PatchSignals::new(&render::load(&measured.measure(), SystemTime::now()))
        });
        App {
            show,
            meter,
            skies,
            streams,
            load,
        }
    }

    /// The settings of all streams: the meter is told of what they send.
    pub(crate) fn config(&self) -> Config {
        Config::new().observer(Arc::clone(&self.meter))
    }

    pub(crate) fn show(&self) -> &Show {
        &self.show
    }
}

/// The mission as it is now, or as it is seen from Earth.
#[derive(Clone)]
struct Skies {
    /// It changes with time.
    picture: Ticker,
    /// What has happened of late: it changes when something does.
    log: View<Vec<Line>>,
    /// All bodies as a table, for those who see no map; less often.
    bodies: Ticker,
}

impl Skies {
    fn new(hub: &Hub, show: &Arc<Show>, seen: Seen) -> Skies {
        let log = View::new(Vec::new(), |lines: &Vec<Line>| {
            PatchElements::new(render::log(lines))
        });
        let log = log.in_hub(hub);
        let (shown, told) = (Arc::clone(show), log.clone());
        let picture = hub.every(PERIOD, move || {
            let (picture, lines) = shown.present(seen)?;
            told.update_if(|told| {
                let is_new = *told != lines;
                *told = lines;
                is_new
            });
            Ok::<_, BodyError>(picture)
        });
        let shown = Arc::clone(show);
        let bodies = hub.every(TABLE_PERIOD, move || shown.bodies(seen));
        Skies {
            picture,
            log,
            bodies,
        }
    }
}

/// What a page shows: made once for all pages, and the same whether it is pushed or pulled.
///
/// One stream has all of it, log included: a browser has six connections to a server over HTTP/1.1, for all its tabs, and what
/// comes on one stream comes in order.
struct Shown<'a>(&'a App, Seen);

impl Watch for Shown<'_> {
    fn follow(&self, following: &mut Following) {
        let Shown(app, seen) = self;
        let Skies {
            picture,
            log,
            bodies,
        } = &app.skies[*seen as usize];
        (picture, log, &app.streams, &app.load, bodies).follow(following);
    }
}

/// The signals of the page that its requests carry.
#[derive(Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Page {
    mode: Mode,
    seen: Seen,
    body: String,
    tab_id: String,
}

impl Default for Page {
    fn default() -> Page {
        Page {
            mode: Mode::Push,
            seen: Seen::Now,
            body: Body::Cassini.id().to_owned(),
            tab_id: String::new(),
        }
    }
}

/// `GET /stream`: pictures of the mission, pushed for as long as the page stays, or one that it pulls.
pub(crate) fn stream(app: &App, connect: Connect, page: Option<Signals<Page>>) -> Sse {
    let Signals(page) = page.unwrap_or_default();
    let connect = connect.with_data(page.mode);
    match page.mode {
        Mode::Push => push(app, connect, page.seen),
        Mode::Pull => pull(app, connect, &page),
    }
}

fn push(app: &App, connect: Connect, seen: Seen) -> Sse {
    let (begun, ended) = (app.streams.clone(), app.streams.clone());
    connect
        .watch(Shown(app, seen))
        .on_connect(async move |_| {
            begun.update(|count| *count += 1);
            Ok(())
        })
        .on_disconnect(move |_, _| ended.update(|count| *count -= 1))
}

fn pull(app: &App, connect: Connect, page: &Page) -> Sse {
    app.meter.pulled(&page.tab_id);
    connect.once(Shown(app, page.seen))
}

/// `GET /details`: one body in words, in two patches.
pub(crate) fn details(app: &App, connect: Connect, page: Option<Signals<Page>>) -> Sse {
    let Signals(page) = page.unwrap_or_default();
    match page.body.parse() {
        Ok(body) => tell_of(app.clone(), connect, body, page.seen),
        Err(problem) => connect.reply(PatchElements::new(render::details_problem(&problem))),
    }
}

fn tell_of(app: App, connect: Connect, body: Body, seen: Seen) -> Sse {
    connect.respond(async move |tx| {
        let fetching = render::details_fetching(body);
        tx.patch_elements(PatchElements::new(fetching)).await?;
        let details = render::details(body, &app.show.sky(seen)?);
        tx.patch_elements(PatchElements::new(details)).await?;
        Ok(())
    })
}

/// What a handler answers that is not always events.
pub(crate) enum Answer {
    Events(Box<Sse>),
    Whole(Whole),
}

impl From<Sse> for Answer {
    fn from(sse: Sse) -> Answer {
        Answer::Events(Box::new(sse))
    }
}

impl From<Whole> for Answer {
    fn from(whole: Whole) -> Answer {
        Answer::Whole(whole)
    }
}

/// `POST /clock`: sets the clock for everyone. What it changes comes on the streams, so there is nothing to answer; what is
/// refused is said to who asked.
pub(crate) fn clock(
    app: &App,
    connect: Connect,
    command: Result<Signals<Command>, SignalsRejection>,
) -> Answer {
    let (status, problem) = match command {
        Ok(Signals(command)) => match app.show.command(&command) {
            Ok(()) => return Whole::nothing().into(),
            Err(refused) => (StatusCode::BAD_REQUEST, refused.to_string()),
        },
        Err(rejection) => (rejection.error().status(), rejection.to_string()),
    };
    match PatchSignals::new(&render::problem(&problem)) {
        // A page shows nothing of a 400.
        Ok(said) if connect.is_datastar() => connect.reply(said).into(),
        _ => Whole::text(status, problem).into(),
    }
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
            if event
                .signals()
                .is_some_and(|signals| signals.get(signal).is_some())
            {
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
        let pushed = pushed.take(5).await.unwrap();
        assert!(pushed[1].elements().unwrap().starts_with("<ol id=\"log\">"));
        assert_eq!(pushed[2].signals(), Some(&json!({ "_streams": 1 })));

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

        assert_eq!(*app.streams.state(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_stands_still_is_told_all_the_same() {
        let mission = Mission::load().unwrap();
        let (start, end, now) = (mission.start(), mission.end(), Instant::now());
        let clock = MissionClock::new(start, end, Speed::DEFAULT, now);
        clock.play(false, now);
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

    fn told(app: &App, command: Value, is_datastar: bool) -> Answer {
        let mut request = sidereal::http::Request::new(());
        if is_datastar {
            let name = sidereal::http::HeaderName::from_static("datastar-request");
            let headers = request.headers_mut();
            headers.insert(name, sidereal::http::HeaderValue::from_static("true"));
        }
        let command = serde_json::from_value(command).unwrap();
        clock(app, Connect::from_request(&request), Ok(Signals(command)))
    }

    #[tokio::test(start_paused = true)]
    async fn what_one_sets_all_see() {
        let app = app();
        let mut stream = asked(&app, json!({})).await;
        next(&mut stream, "_sky").await;
        for command in [json!({ "at": "2004-07-01" }), json!({ "playing": false })] {
            match told(&app, command, true) {
                Answer::Whole(whole) => assert_eq!(whole.status, 204),
                Answer::Events(_) => panic!("it is refused"),
            }
        }
        next(&mut stream, "_sky").await;
        let picture = next(&mut stream, "_sky").await;
        let signals = picture.signals().unwrap();
        assert_eq!(signals["_now"]["date"], "2004-07-01");
        assert_eq!(signals["_clock"]["playing"], false);
    }

    #[tokio::test]
    async fn what_is_refused_is_said_and_changes_nothing() {
        let app = app();
        app.show().command(&Command::Playing(false)).unwrap();
        let before = app.show().now();
        let Answer::Events(sse) = told(&app, json!({ "speed": 1e9 }), true) else {
            panic!("a page sees no 400");
        };
        let said = EventStream::new(sse.into_http()).collect().await.unwrap();
        let problem = said.events()[0].signals().unwrap()["_problem"]
            .as_str()
            .unwrap();
        assert!(problem.starts_with("a speed is"), "{problem}");
        match told(&app, json!({ "at": "1990-01-01" }), false) {
            Answer::Whole(whole) => assert_eq!(whole.status, 400),
            Answer::Events(_) => panic!("a program gets no events"),
        }
        assert_eq!(app.show().now(), before);
    }

    #[tokio::test(start_paused = true)]
    async fn the_meter_counts_who_is_there_in_each_mode() {
        let app = app();
        let config = app.config();
        let open = |page: Value| {
            let page = serde_json::from_value(page).unwrap();
            let connect = Connect::new().with_config(&config);
            EventStream::new(stream(&app, connect, Some(Signals(page))).into_http())
        };
        let mut pushed = open(json!({}));
        for _ in 0..3 {
            next(&mut pushed, "_sky").await;
        }
        for tab in ["a", "b", "b"] {
            let mut pulled = open(json!({ "mode": "pull", "tabId": tab }));
            assert!(pulled.collect().await.unwrap().end().is_clean());
        }
        let measured = serde_json::to_value(app.meter.measure()).unwrap();
        assert_eq!(measured["pushed"], 1, "{measured}");
        assert_eq!(measured["pulled"], 2, "{measured}");
        drop(pushed);
        let measured = serde_json::to_value(app.meter.measure()).unwrap();
        assert_eq!(measured["pushed"], 0, "{measured}");
    }
}
