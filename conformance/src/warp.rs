//! `/test` on warp.

use std::{io, net::SocketAddr};

use serde_json::value::RawValue;
use sidereal::{Connect, Signals};
use tokio::net::TcpListener;
use warp::{
    Filter, Reply,
    http::StatusCode,
    reply::{Response, with, with_status},
};

use crate::{announce, config, test_case};

#[tokio::main]
pub(crate) async fn serve(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    announce(listener.local_addr()?);
    let datastar = sidereal::warp::with(config());
    let routes = warp::path!("test")
        .and(datastar.connect())
        .and(datastar.signals())
        .then(test)
        .recover(sidereal::warp::recover)
        // What is not negotiated, a refusal for one, might have been: a cache must not give it to others.
        .with(with::header("vary", "accept-encoding"));
    warp::serve(routes).incoming(listener).run().await;
    Ok(())
}

async fn test(connect: Connect, Signals(case): Signals<Box<RawValue>>) -> Response {
    match test_case::frames(case.get()) {
        Ok(frames) => connect.reply(frames).into_response(),
        Err(refused) => with_status(refused.to_string(), StatusCode::BAD_REQUEST).into_response(),
    }
}
