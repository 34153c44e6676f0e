//! `/test` on axum.

use std::{io, net::SocketAddr};

use axum::{
    Router,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::any,
};
use serde_json::value::RawValue;
use sidereal::{Connect, Signals};
use tokio::net::TcpListener;

use crate::test_case;

pub async fn serve(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, router()).await
}

fn router() -> Router {
    Router::new().route("/test", any(test))
}

async fn test(connect: Connect, Signals(case): Signals<Box<RawValue>>) -> Response {
    match test_case::frames(case.get()) {
        Ok(frames) => connect.reply(frames).into_response(),
        Err(refused) => (StatusCode::BAD_REQUEST, refused.to_string()).into_response(),
    }
}
