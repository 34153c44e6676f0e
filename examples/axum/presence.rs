//! Presence: who is here, for all to see, and a message for one of them.
//!
//! `cargo run -p examples --bin axum-presence`, then open the address that it prints, in more than one window. A hidden
//! tab is not here: its page ends the stream, and asks again when it shows.

use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::Html,
    routing::{get, post},
};
use examples::presence::{self, Guests};
use sidereal::{ClientId, Connect, Hub, PatchElements, Signals, Sse, View};
use tokio::net::TcpListener;

#[derive(Clone)]
struct App {
    hub: Hub,
    guests: View<Guests>,
}

/// Who has this stream open is here. A page that asks again under another name ends the stream that it had: the client
/// aborts a request where the next one goes to the same address.
async fn here(
    connect: Connect,
    State(App { guests, .. }): State<App>,
    Signals(page): Signals<presence::Signals>,
) -> Sse {
    let (arrived, left) = (guests.clone(), guests.clone());
    connect
        .watch(&guests)
        .on_connect(async move |tx| {
            // A stream may end at any await: what on_disconnect takes back is done before the first.
            arrived.update(|guests| guests.arrive(tx.client().id(), page.name()));
            tx.patch_elements("<p id='poked'></p>").await?;
            Ok(())
        })
        // Exactly once, whatever ended the stream, and only where on_connect has begun.
        .on_disconnect(move |client, _| left.update(|guests| guests.leave(client.id())))
}

/// A message for one connection, in between what it follows.
async fn poke(
    State(App { hub, .. }): State<App>,
    Path(client): Path<String>,
    Signals(by): Signals<presence::Signals>,
) -> StatusCode {
    // Text of the page's, and so of anyone's.
    let Ok(client) = client.parse::<ClientId>() else {
        return StatusCode::NOT_FOUND;
    };
    match hub.send(client, PatchElements::new(presence::poked(&by))) {
        Ok(()) => StatusCode::NO_CONTENT,
        // It has left since, or reads nothing.
        Err(_) => StatusCode::GONE,
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let hub = Hub::new();
    let guests = View::new(Guests::default(), |guests: &Guests| {
        PatchElements::new(guests.render())
    })
    // So that who watches can be reached through the hub.
    .in_hub(&hub);
    let app = Router::new()
        .route("/", get(async || Html(presence::page())))
        .route("/here", get(here))
        .route("/poke/{client}", post(poke))
        .route(
            "/datastar.js",
            get(async || ([(CONTENT_TYPE, "text/javascript")], examples::DATASTAR_JS)),
        )
        .with_state(App { hub, guests });
    let listener = TcpListener::bind(examples::start()).await?;
    println!("presence on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await
}
