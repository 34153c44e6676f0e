//! Filters and replies on warp, over a real socket.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![cfg(feature = "warp")]

mod adapter;

use adapter::{Body, Enforced, Form, Framework, Server};
use sidereal::{
    Config, Connect, IsDatastar, LastEventId, LenientSignals, Shutdown, TabId,
    warp::{
        connect, is_datastar, last_event_id, lenient_signals, optional_signals, optional_tab_id,
        recover, signals, tab_id, try_signals, with,
    },
};
use tokio::sync::oneshot;
use warp::{Filter, Rejection, Reply};

adapter::tests!(Warp);

struct Warp;

impl Framework for Warp {
    const FORMS: &[&str] = &["/form", "/form-first"];
    const BODY: Body = Body::Once;
    const LIMIT_ENFORCED_BY: Enforced = Enforced::ByFramework;

    fn start() -> Server {
        Server::at(adapter::on_tokio(async |listener| {
            warp::serve(routes()).incoming(listener).run().await;
        }))
    }
}

/// A route of this name, for any method.
macro_rules! any {
    ($name:literal, $filter:expr $(,)?) => {
        warp::path($name)
            .and(warp::path::end())
            .and($filter)
            .map(Reply::into_response)
    };
}

fn routes() -> impl Filter<Extract = (impl Reply,), Error = Rejection> + Clone {
    let taking = any!("strict", signals().map(adapter::strict))
        .or(any!("optional", optional_signals().map(adapter::optional)))
        .or(any!("result", try_signals().map(adapter::result)))
        .or(any!(
            "lenient",
            lenient_signals().map(|LenientSignals::<Form>(form)| adapter::lenient(form)),
        ))
        .or(any!(
            "framework",
            warp::body::content_length_limit(adapter::FRAMEWORK_LIMIT as u64)
                .and(signals())
                .map(adapter::strict),
        ));
    let beside = any!(
        "form",
        optional_signals()
            .and(warp::body::form())
            .map(adapter::form),
    )
    .or(any!(
        "form-first",
        warp::body::form()
            .and(optional_signals())
            .map(|form, signals| adapter::form(signals, form)),
    ))
    .or(any!("twice", signals().and(signals()).map(adapter::twice),));
    let head = is_datastar()
        .and(last_event_id())
        .and(optional_tab_id())
        .and(connect())
        .map(|is: IsDatastar, id: LastEventId, tab, connect: Connect| {
            adapter::head(is, id, tab, &connect)
        });
    let heads = any!("head", head).or(any!("tab", tab_id().map(|tab: TabId| tab.to_string())));
    let returning = any!("event", warp::any().map(adapter::event))
        .or(any!("script", warp::any().map(adapter::script)))
        .or(any!("html", warp::any().map(adapter::html)))
        .or(any!("json", warp::any().map(adapter::json)))
        .or(any!("error", warp::any().map(adapter::error)));
    let streams = any!("slow", connect().map(adapter::slow))
        .or(any!("silent", connect().map(adapter::silent)))
        .or(any!("broken", connect().map(adapter::broken)))
        .or(any!("old", connect().map(adapter::old)));
    let settings = with(adapter::settings());
    let configured = any!("strict", settings.signals().map(adapter::strict))
        .or(any!("silent", settings.connect().map(adapter::silent)))
        .or(any!(
            "connected",
            settings.connect().map(adapter::connected)
        ))
        .or(any!(
            "settings",
            settings
                .config()
                .map(|config: Config| adapter::connected_by(&config)),
        ));
    taking
        .or(beside)
        .or(heads)
        .or(returning)
        .or(streams)
        .or(warp::path("configured").and(configured))
        .recover(recover)
}

#[test]
fn a_graceful_stop_does_not_wait_for_open_streams() {
    let (stop, told) = oneshot::channel();
    let server = adapter::on_tokio_until_done(async move |listener| {
        let shutdown = Shutdown::new();
        let settings = with(Config::new().shutdown(shutdown.clone()));
        let routes = any!("silent", settings.connect().map(adapter::silent));
        let signal = async move {
            told.await.unwrap();
            shutdown.trigger();
        };
        let server = warp::serve(routes).incoming(listener);
        server.graceful(signal).run().await;
    });
    let stop = || stop.send(()).unwrap();
    let is_broken = adapter::streams::a_graceful_stop_does_not_wait_for_open_streams(server, stop);
    // A page comes back by itself then.
    assert!(is_broken);
}
