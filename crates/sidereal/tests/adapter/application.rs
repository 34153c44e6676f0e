//! The application that each framework serves: its settings, and what its handlers answer.

use std::{
    collections::HashMap,
    sync::{
        LazyLock, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde::Deserialize;
use serde_json::json;
use sidereal::{
    Config, Connect, End, EndReason, ExecuteScript, HtmlReply, IsDatastar, LastEventId,
    PatchElements, PatchSignals, Signals, SignalsError, SignalsRejection, SignalsReply, Sse, TabId,
    selector,
};

/// The limit for bodies in the [`settings`], in bytes.
pub(crate) const OWN_LIMIT: usize = 100;

/// The time between two heartbeats in the [`settings`].
pub(crate) const KEEP_ALIVE: Duration = Duration::from_millis(400);

/// The settings of `/configured`.
pub(crate) fn settings() -> Config {
    Config::new()
        .signals_limit(OWN_LIMIT)
        .reject_with(|rejection| {
            PatchElements::from_display(rejection.error().is_absent()).inner(selector!("#problem"))
        })
        // What is set after it holds for its events too.
        .retry(Duration::from_secs(5))
        .keep_alive(KEEP_ALIVE)
}

/// The signals.
#[derive(Debug, Deserialize)]
pub(crate) struct Form {
    pub(crate) name: String,
}

/// The answer of `/strict`.
pub(crate) fn strict(Signals(form): Signals<Form>) -> PatchElements {
    PatchElements::new(format!("<p id=name>{}</p>", form.name))
}

/// The answer of `/optional`.
pub(crate) fn optional(form: Option<Signals<Form>>) -> String {
    lenient(form.map(|Signals(form)| form))
}

/// The answer of `/lenient`.
pub(crate) fn lenient(form: Option<Form>) -> String {
    format!("{:?}", form.map(|form| form.name))
}

/// The answer of `/result`.
pub(crate) fn result(form: Result<Signals<Form>, SignalsRejection>) -> String {
    match form {
        Ok(Signals(form)) => form.name,
        Err(rejection) => format!("mine: {rejection}"),
    }
}

/// The answer of `/form` and `/form-first`.
pub(crate) fn form(signals: Option<Signals<Form>>, form: Form) -> String {
    let signals = lenient(signals.map(|Signals(signals)| signals));
    format!("{signals} and a form of {:?}", form.name)
}

/// The answer of `/twice`.
pub(crate) fn twice(Signals(one): Signals<Form>, Signals(two): Signals<Form>) -> String {
    format!("{} and {}", one.name, two.name)
}

/// The answer of `/head`.
pub(crate) fn head(
    IsDatastar(is_datastar): IsDatastar,
    LastEventId(id): LastEventId,
    tab: Option<TabId>,
    connect: &Connect,
) -> String {
    assert_eq!(connect.is_datastar(), is_datastar);
    assert_eq!(connect.last_event_id(), id.as_ref());
    let id = id.map(|id| id.to_string());
    format!("{is_datastar} {id:?} {:?}", tab.map(|tab| tab.to_string()))
}

/// The answer of `/configured/connected`: a stream.
pub(crate) fn connected(connect: Connect) -> Sse {
    connect.respond(async |tx| {
        tx.patch_elements("<p id=x></p>").await?;
        tx.patch_elements(PatchElements::new("<p id=y></p>").retry(Duration::from_secs(9)))
            .await?;
        Ok(())
    })
}

/// The answer of `/configured/settings`: several events at once.
pub(crate) fn connected_by(config: &Config) -> Sse {
    Connect::new().with_config(config).reply((
        PatchElements::new("<p id=x></p>"),
        Some(PatchElements::remove(selector!("#y")).retry(Duration::from_secs(9))),
        vec![PatchSignals::new(&json!({ "a": 1 })).unwrap()],
    ))
}

/// What `/event`, `/script`, `/html`, `/json` and `/error` return.
pub(crate) fn event() -> PatchSignals {
    PatchSignals::new(&json!({ "a": 1 })).unwrap()
}

pub(crate) fn script() -> ExecuteScript {
    ExecuteScript::new("go()")
}

pub(crate) fn html() -> HtmlReply {
    HtmlReply::new("<p>x</p>").append(selector!("#feed"))
}

pub(crate) fn json() -> SignalsReply {
    SignalsReply::new(&json!({ "a": 1 })).unwrap()
}

pub(crate) fn error() -> Result<PatchSignals, SignalsError> {
    PatchSignals::new(&[1, 2])
}

/// The time between the events of [`slow`].
pub(crate) const PAUSE: Duration = Duration::from_millis(300);

/// Two events.
pub(crate) fn slow(connect: Connect) -> Sse {
    connect.respond(async |tx| {
        tx.patch_elements("<p id=one></p>").await?;
        tokio::time::sleep(PAUSE).await;
        tx.patch_elements("<p id=two></p>").await?;
        Ok(())
    })
}

/// An event, and then heartbeats for ever.
pub(crate) fn silent(connect: Connect) -> Sse {
    let name = name_of(&connect);
    let ended = told(&name);
    connect
        .run(async move |tx| {
            NAMED.lock().unwrap().insert(name, None);
            tx.patch_elements("<p id=one></p>").await?;
            std::future::pending().await
        })
        .on_disconnect(move |_, end| ended(end.reason()))
}

/// An event, and an end that makes the page come back.
pub(crate) fn broken(connect: Connect) -> Sse {
    let ended = told(&name_of(&connect));
    connect
        .respond(async |tx| {
            tx.patch_elements("<p id=one></p>").await?;
            Ok(())
        })
        .end_with(EndReason::Finished, End::Broken)
        .on_disconnect(move |_, end| ended(end.reason()))
}

/// As [`silent`], for a while; the page is to come back then.
pub(crate) fn old(connect: Connect) -> Sse {
    silent(connect).max_age(PAUSE)
}

/// Why a stream ended, and when.
type Ended = (EndReason, Instant);

/// The streams by their names, as far as they have ended.
static NAMED: LazyLock<Mutex<HashMap<String, Option<Ended>>>> = LazyLock::new(Mutex::default);

/// A name that no other stream has.
pub(crate) fn new_name() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("stream-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Streams are named by their `Last-Event-ID`.
fn name_of(connect: &Connect) -> String {
    connect.last_event_id().unwrap().to_string()
}

fn told(name: &str) -> impl FnOnce(EndReason) + Send + 'static {
    let name = name.to_owned();
    move |reason| {
        let end = (reason, Instant::now());
        NAMED.lock().unwrap().insert(name, Some(end));
    }
}

/// Whether a stream of this name has begun, or ended.
pub(crate) fn has_begun(name: &str) -> bool {
    NAMED.lock().unwrap().contains_key(name)
}

/// Whether the stream of this name has ended.
pub(crate) fn has_ended(name: &str) -> bool {
    NAMED.lock().unwrap().get(name).is_some_and(Option::is_some)
}

/// Why and when the stream of this name ended, or ends soon.
pub(crate) fn ended(name: &str) -> Ended {
    let asked = Instant::now();
    loop {
        if let Some(Some(end)) = NAMED.lock().unwrap().get(name) {
            return *end;
        }
        assert!(asked.elapsed() < Duration::from_secs(10), "{name} goes on");
        thread::sleep(Duration::from_millis(1));
    }
}
