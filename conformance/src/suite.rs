//! What the cross-adapter suite asks for, beside `/test`: handlers that are the same on each adapter.
//!
//! | route | answers |
//! |---|---|
//! | `GET /once` | two events at hand |
//! | `GET /slow` | two events, 300 ms apart |
//! | `GET /stream` | one event, and then heartbeats |
//! | `GET /view`, `/poll`, `/topic` | what is pushed: a view, the view as it is now, a topic |
//! | `POST /publish` | 204; changes the view and publishes on the topic, from a plain thread |
//! | `GET`, `POST /signals` | the signals, which have to be there |
//! | `GET`, `POST /optional` | the signals, or that there are none |
//! | `POST /lenient` | the same, whatever is wrong with them |
//! | `GET /head` | whether it is Datastar's request, and its `Last-Event-ID` |
//! | `GET /html`, `/event`, `/fails` | a plain reply, an event as a response, an event that cannot be built |
//! | `GET /ends` | why streams of `/stream` ended, a line for each |
//! | `GET /plain` | a text of the framework's own |
//! | `POST /shutdown` | 204; ends the long-lived streams |

use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    thread,
    time::Duration,
};

use serde::Deserialize;
use sidereal::{
    Client, Connect, Ended, HtmlReply, Hub, IsDatastar, LastEventId, PatchElements, PatchSignals,
    PublishError, Selector, SelectorError, Shutdown, Sse, Topic, View,
};

/// How long `/stream` is silent before a heartbeat.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(2);

/// The time between the events of `/slow`.
pub(crate) const PAUSE: Duration = Duration::from_millis(300);

/// The state of the server.
pub(crate) struct App {
    pub(crate) view: View<u32>,
    pub(crate) topic: Topic,
    pub(crate) shutdown: Shutdown,
    ends: Mutex<Vec<String>>,
}

/// That of this process.
pub(crate) fn app() -> &'static Arc<App> {
    static APP: OnceLock<Arc<App>> = OnceLock::new();
    APP.get_or_init(|| {
        Arc::new(App {
            view: View::new(0, |count: &u32| element("view", count)),
            topic: Hub::new().topic("news"),
            shutdown: Shutdown::new(),
            ends: Mutex::default(),
        })
    })
}

impl App {
    fn ends(&self) -> MutexGuard<'_, Vec<String>> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The signals that are asked for.
#[derive(Deserialize)]
pub(crate) struct Form {
    name: String,
}

pub(crate) fn element(id: &str, text: impl std::fmt::Display) -> PatchElements {
    PatchElements::new(format!("<p id='{id}'>{text}</p>"))
}

pub(crate) fn once(connect: Connect) -> Sse {
    connect.reply((
        element("one", 1),
        PatchSignals::from_json(r#"{"two":2}"#).ok(),
    ))
}

pub(crate) fn slow(connect: Connect) -> Sse {
    connect.respond(async |tx| {
        tx.patch_elements(element("one", 1)).await?;
        tokio::time::sleep(PAUSE).await;
        tx.patch_elements(element("two", 2)).await?;
        Ok(())
    })
}

pub(crate) fn stream(connect: Connect) -> Sse {
    connect
        .run(async |tx| {
            tx.patch_elements(element("one", 1)).await?;
            std::future::pending().await
        })
        .keep_alive(KEEP_ALIVE)
        .on_disconnect(log_end)
}

pub(crate) fn log_end(_: &Client, ended: &Ended) {
    app().ends().push(format!("{:?}", ended.reason()));
}

pub(crate) fn view(connect: Connect) -> Sse {
    connect.watch(&app().view)
}

pub(crate) fn poll(connect: Connect) -> Sse {
    connect.once(&app().view)
}

pub(crate) fn topic(connect: Connect) -> Sse {
    connect.subscribe(&app().topic)
}

/// Whatever the server is, a plain thread does it.
pub(crate) fn publish() {
    let work = || -> Result<(), PublishError> {
        let app = app();
        let count = app.view.update(|count| {
            *count += 1;
            *count
        });
        app.topic.publish(element("topic", count))
    };
    match thread::spawn(work).join() {
        Ok(Ok(())) => {}
        Ok(Err(error)) => eprintln!("conformance: {error}"),
        Err(_) => eprintln!("conformance: publishing panicked"),
    }
}

pub(crate) fn greeting(form: Option<Form>) -> PatchElements {
    match form {
        Some(form) => element("name", form.name),
        None => element("name", "nobody"),
    }
}

pub(crate) fn head(is_datastar: IsDatastar, last_event_id: LastEventId) -> PatchElements {
    let id = last_event_id.0;
    let id = id.as_ref().map_or("none", |id| id.as_str());
    element("head", format_args!("{} {id}", is_datastar.0))
}

pub(crate) fn html() -> HtmlReply {
    HtmlReply::new("<p id='html'>plain</p>")
}

/// Not one that a page has.
pub(crate) fn fails() -> Result<PatchElements, SelectorError> {
    Ok(PatchElements::remove(Selector::new("#a\n#b")?))
}

pub(crate) fn ends() -> String {
    app().ends().join("\n")
}

pub(crate) fn shutdown() {
    app().shutdown.trigger();
}
