//! The streams of `examples/behind-nginx`: what the site knows, live, for every page that is open.
//!
//! It is told by the site, under a path that nginx does not pass on, and has nothing of its own: started anew, it has
//! all of it within a second. See README.md on how to start both, and nginx.

use std::thread::available_parallelism;

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, put},
};
use examples::votes::{Show, Votes};
use sidereal::{
    Connect, Sse, View,
    serve::{Listener, stop_signal},
};

/// For pages.
async fn live(connect: Connect, State(show): State<View<Show>>) -> Sse {
    let (arrived, left) = (show.clone(), show.clone());
    connect
        .watch(&show)
        .on_connect(async move |_| {
            arrived.update(|show| show.pages += 1);
            Ok(())
        })
        .on_disconnect(move |_, _| left.update(|show| show.pages -= 1))
}

/// For the site.
async fn news(State(show): State<View<Show>>, Json(votes): Json<Votes>) -> StatusCode {
    show.update(|show| show.votes = Some(votes));
    StatusCode::NO_CONTENT
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let [address] = examples::start_with([("--port", 3002)]);
    // However many vote: votes that come faster are shown together.
    let show = View::new(Show::default(), |show: &Show| show.picture()).at_most_per_second(20);
    let app = Router::new()
        .route("/live/votes", get(live))
        .route("/internal/votes", put(news))
        .with_state(show);
    let listener = Listener::bind(address).await?;
    println!("streams on http://{}", listener.local_addr()?);
    sidereal::serve(listener, app)
        .threads(available_parallelism()?.get())
        // Its streams are broken off, and their pages come back to whatever is started in its place.
        .shutdown_on(stop_signal())
        .await
        .map(|_| ())
}
