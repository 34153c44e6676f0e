//! warp.

use std::{io, net::SocketAddr};

use serde_json::value::RawValue;
use sidereal::{Connect, LenientSignals, Signals, Sse};
use tokio::net::TcpListener;
use warp::{
    Filter, Reply,
    http::StatusCode,
    path,
    reply::{Response, with, with_status},
};

use crate::{
    announce, config,
    suite::{self, Form},
    test_case,
};

#[tokio::main]
pub(crate) async fn serve(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    announce(listener.local_addr()?);
    let datastar = sidereal::warp::with(config());
    let test = path!("test")
        .and(datastar.connect())
        .and(datastar.signals())
        .then(test)
        .recover(sidereal::warp::recover)
        // What is not negotiated, a refusal for one, might have been: a cache must not give it to others.
        .with(with::header("vary", "accept-encoding"));
    let stream = |name: &'static str, handler: fn(Connect) -> Sse| {
        let route = warp::get().and(path(name)).and(path::end());
        route.and(datastar.connect()).map(handler)
    };
    let streams = stream("once", suite::once)
        .or(stream("slow", suite::slow))
        .unify()
        .or(stream("stream", suite::stream))
        .unify()
        .or(stream("view", suite::view))
        .unify()
        .or(stream("poll", suite::poll))
        .unify()
        .or(stream("topic", suite::topic))
        .unify();
    let signals = path!("signals")
        .and(datastar.signals())
        .map(|Signals(form)| suite::greeting(Some(form)))
        .or(path!("optional")
            .and(datastar.optional_signals())
            .map(|form: Option<Signals<Form>>| suite::greeting(form.map(|Signals(form)| form))))
        .unify()
        .or(path!("lenient")
            .and(datastar.lenient_signals())
            .map(|LenientSignals(form)| suite::greeting(form)))
        .unify()
        .or(path!("head")
            .and(datastar.is_datastar())
            .and(datastar.last_event_id())
            .map(suite::head))
        .unify()
        .or(path!("event").map(|| suite::element("event", 1)))
        .unify();
    let done = |name: &'static str, act: fn()| {
        let route = warp::post().and(path(name)).and(path::end());
        route.map(move || {
            act();
            StatusCode::NO_CONTENT
        })
    };
    let others = path!("html")
        .map(suite::html)
        .or(path!("fails").map(|| match suite::fails() {
            Ok(event) => event.into_response(),
            Err(error) => error.into_response(),
        }))
        .or(path!("ends").map(suite::ends))
        .or(path!("plain").map(|| "plain"))
        .or(done("publish", suite::publish))
        .or(done("shutdown", suite::shutdown));
    let routes = test
        .or(streams)
        .or(signals)
        .or(others)
        .recover(sidereal::warp::recover);
    warp::serve(routes).incoming(listener).run().await;
    Ok(())
}

async fn test(connect: Connect, Signals(case): Signals<Box<RawValue>>) -> Response {
    match test_case::frames(case.get()) {
        Ok(frames) => connect.reply(frames).into_response(),
        Err(refused) => with_status(refused.to_string(), StatusCode::BAD_REQUEST).into_response(),
    }
}
