//! Filters and replies on warp, over a real socket.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![cfg(feature = "warp")]

mod adapters;

use std::net::SocketAddr;

use adapters::Form;
use sidereal::{
    Config, Connect, IsDatastar, LastEventId, LenientSignals, TabId,
    warp::{
        connect, is_datastar, last_event_id, lenient_signals, optional_signals, optional_tab_id,
        recover, signals, tab_id, try_signals, with,
    },
};
use warp::{Filter, Rejection, Reply};

adapters::tests!(start);
adapters::tests!(start: a_broken_end_is_broken);

async fn start() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(warp::serve(routes()).incoming(listener).run());
    address
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
    let taking = any!("strict", signals().map(adapters::strict))
        .or(any!("optional", optional_signals().map(adapters::optional)))
        .or(any!("result", try_signals().map(adapters::result)))
        .or(any!(
            "lenient",
            lenient_signals().map(|LenientSignals::<Form>(form)| match form {
                Some(form) => form.name,
                None => "None".to_owned(),
            }),
        ))
        .or(any!(
            "limited",
            with(adapters::limited()).signals().map(adapters::strict),
        ))
        .or(any!(
            "framework",
            warp::body::content_length_limit(100)
                .and(signals())
                .map(adapters::strict),
        ))
        .or(any!(
            "rejecting",
            with(adapters::rejecting()).signals().map(adapters::strict),
        ));
    let head = is_datastar()
        .and(last_event_id())
        .and(optional_tab_id())
        .and(connect())
        .map(|is: IsDatastar, id: LastEventId, tab, connect: Connect| {
            adapters::head(is, id, tab, &connect)
        });
    let settings = with(adapters::config());
    let heads = any!("head", head)
        .or(any!("tab", tab_id().map(|tab: TabId| tab.to_string())))
        .or(any!("connected", settings.connect().map(adapters::event)))
        .or(any!(
            "configured",
            settings
                .config()
                .map(|config: Config| adapters::configured(&config)),
        ));
    let returning = any!("event", warp::any().map(adapters::signals_event))
        .or(any!("script", warp::any().map(adapters::script)))
        .or(any!("html", warp::any().map(adapters::html)))
        .or(any!("json", warp::any().map(adapters::json)))
        .or(any!("error", warp::any().map(adapters::error)));
    let streams = any!("slow", connect().map(adapters::slow))
        .or(any!("silent", connect().map(adapters::silent)))
        .or(any!("broken", connect().map(adapters::broken)));
    taking.or(heads).or(returning).or(streams).recover(recover)
}
