//! A chat, a board and who is here, on several nodes: processes of this program that share a broker, behind any load
//! balancer. Each page says which node it is from. Kill that one, and it goes on at another.
//!
//! `cargo xtask nodes` runs three of them, with a broker and nginx, and lets you kill what you like. By hand:
//!
//! ```console
//! $ BROKER=nats://127.0.0.1:4222 NODE=1 cargo run -p examples --bin nodes -- --port 3001
//! ```
//!
//! `BROKER` may be `redis://…` as well. NATS must have JetStream (`nats-server -js`).

mod store;

use std::{env::var, error::Error, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::Html,
    routing::{get, post},
};
use examples::{
    board::{Board, SIDE},
    chat::{self, Said},
    nodes,
};
use serde_json::json;
use sidereal::{
    BodyError, Connect, Hub, Loaded, PatchElements, Presence, Signals, Sse, Ticker, Topic, View,
    broker::{BrokerOptions, Nats, Redis},
    serve::{Listener, stop_signal},
};
use store::Store;
use tokio::time::timeout;

/// How long who writes a line waits for the broker.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Clone)]
struct App {
    node: Arc<str>,
    hub: Hub,
    store: Store,
    /// A topic with history: the same lines on every node, in the same order.
    chat: Topic,
    /// Loaded from the store, by each node for those who watch it there.
    board: View<Loaded<Board>>,
    /// Who is here, on all nodes.
    here: View<Presence>,
    /// What this node knows.
    state: Ticker,
}

impl App {
    async fn new(node: String, broker: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let options = BrokerOptions::new();
        let hub = match broker.starts_with("redis") {
            true => Hub::new().with_broker(Redis::new(broker)?, options),
            false => Hub::new().with_broker(Nats::new(broker), options),
        };
        let store = Store::open(broker).await?;
        let load = {
            let store = store.clone();
            move || {
                let store = store.clone();
                async move { store.board().await.map_err(BodyError::new) }
            }
        };
        let board = View::load(load, |board: &Board| PatchElements::new(board.render()))
            .at_most_per_second(20)
            .named(&hub, "board");
        let presence = hub.presence("here");
        let here = View::new(presence.clone(), |here: &Presence| {
            PatchElements::new(nodes::here(here))
        })
        .depends_on(&presence);
        let state = {
            let hub = hub.clone();
            let show = move || PatchElements::new(nodes::state(hub.nodes(), hub.is_connected()));
            Hub::new().every(Duration::from_secs(1), show)
        };
        Ok(Self {
            node: node.into(),
            chat: hub.topic_with("chat", chat::LINES),
            hub,
            store,
            board,
            here,
            state,
        })
    }
}

/// All of it, on one stream.
async fn live(connect: Connect, State(app): State<App>) -> Result<Sse, StatusCode> {
    let here = app.hub.presence("here").entry(app.node.clone());
    // A name of more than 4 KiB.
    let here = here.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let stream = connect.watch((&app.chat, &app.board, &app.here, &app.state, here));
    Ok(stream.on_connect(async move |tx| {
        tx.patch_elements(nodes::node(&app.node)).await?;
        // Resumed, whichever node the page was at before: it has the lines up to its Last-Event-ID, and is sent the rest. While
        // the broker is away a node may not know what came after that id. The page then keeps the lines that it shows, and
        // begins anew when the broker is back.
        if !tx.is_resumed() && app.hub.is_connected() {
            tx.patch_elements(chat::no_lines()).await?;
        }
        Ok(())
    }))
}

/// A line. Who wrote it is told where it did not go through, and keeps the text.
async fn say(connect: Connect, State(app): State<App>, Signals(said): Signals<Said>) -> Sse {
    let said = match said.line() {
        Some(line) => timeout(PATIENCE, app.chat.publish_confirmed(line)).await,
        None => Ok(Ok(())),
    };
    let (is_taken, problem) = match said {
        Ok(Ok(())) => (true, String::new()),
        Ok(Err(error)) => (false, nodes::not_said(error)),
        Err(_late) => (true, nodes::PERHAPS.to_owned()),
    };
    connect.respond(async move |tx| {
        tx.patch_elements(nodes::problem(&problem)).await?;
        if is_taken {
            tx.patch_signals(&json!({ "text": "" })).await?;
        }
        Ok(())
    })
}

/// A click. First the change, then the word that there is one.
async fn set(
    connect: Connect,
    State(app): State<App>,
    Path((cell, on)): Path<(usize, bool)>,
) -> Result<Sse, StatusCode> {
    if cell >= SIDE * SIDE {
        return Err(StatusCode::NOT_FOUND);
    }
    let problem = match app.store.set(cell, on).await {
        Ok(()) => {
            app.hub.invalidate("board");
            ""
        }
        Err(error) => {
            eprintln!("the board could not be changed: {error}");
            "The broker is away: your click may not have come through."
        }
    };
    Ok(connect.reply(PatchElements::new(nodes::problem(problem))))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let [address] = examples::start_with([("--port", 3000)]);
    let broker = var("BROKER").unwrap_or_else(|_| "nats://127.0.0.1:4222".to_owned());
    let listener = Listener::bind(address).await?;
    let address = listener.local_addr()?;
    let node = var("NODE").unwrap_or_else(|_| address.port().to_string());
    let state = App::new(node, &broker).await?;
    let hub = state.hub.clone();
    let app = Router::new()
        .route("/", get(async || Html(nodes::page())))
        .route("/live", get(live))
        .route("/say", post(say))
        .route("/cells/{cell}/{on}", post(set))
        .route(
            "/datastar.js",
            get(async || ([(CONTENT_TYPE, "text/javascript")], examples::DATASTAR_JS)),
        )
        .with_state(state);
    println!("node on http://{address}");
    // Its streams are broken off, and their pages go to other nodes.
    sidereal::serve(listener, app)
        .shutdown_on(stop_signal())
        .grace(Duration::from_secs(5))
        .await?;
    // What was said last may not be with the broker yet.
    let _late = timeout(PATIENCE, hub.flush()).await;
    Ok(())
}
