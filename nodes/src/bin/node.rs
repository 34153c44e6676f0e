//! One node of an application on several, as a process: what tests kill, stop and cut off.
//!
//! `node <nats|redis> <its URL> <namespace> <where to listen> <a file with a number>`

use std::{
    collections::HashMap,
    env, fs, io,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::{Path, Query, RawQuery, State},
    http::StatusCode,
    routing::{get, post},
};
use sidereal::{
    ClientId, Connect, Hub, Loaded, PatchElements, Presence, PublishError, Sse, StartAt, Topic,
    TopicOptions, View,
    broker::{BrokerOptions, Nats, Redis},
    serve::{Listener, stop_signal},
};
use tracing_subscriber::EnvFilter;

#[derive(Clone)]
struct App {
    hub: Hub,
    view: View<Loaded<String>>,
    number: Arc<PathBuf>,
    /// Those that were asked for are kept.
    rooms: Arc<Mutex<HashMap<String, Presence>>>,
}

type Answer = (StatusCode, String);

fn log(hub: &Hub, name: &str) -> Topic {
    let start = match name.starts_with("next-") {
        true => StartAt::Next,
        false => StartAt::Oldest,
    };
    let options = TopicOptions::new().keep(1000).replay(true);
    hub.topic_with(format!("log-{name}"), options.start_at(start))
}

fn room(app: &App, name: String) -> Presence {
    let mut rooms = app.rooms.lock().unwrap_or_else(PoisonError::into_inner);
    let room = rooms
        .entry(name)
        .or_insert_with_key(|name| app.hub.presence(name.clone()));
    room.clone()
}

/// A stream of these, which begins with a line that says whether it goes on where another one has ended.
fn logs(connect: Connect, logs: Vec<Topic>) -> Sse {
    connect.watch(logs).on_connect(async |tx| {
        let text = match tx.is_resumed() {
            true => "resumed",
            false => "new",
        };
        tx.patch_elements(text).await?;
        Ok(())
    })
}

async fn publish(topic: Topic, query: Option<String>, text: String) -> Answer {
    let event = PatchElements::new(text);
    let published = match query.as_deref() {
        Some("confirmed") => topic.publish_confirmed(event).await,
        _ => topic.publish(event),
    };
    match published {
        Ok(()) => (StatusCode::NO_CONTENT, String::new()),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, why(error)),
    }
}

fn why(error: PublishError) -> String {
    error.to_string()
}

async fn follow_topic(connect: Connect, State(app): State<App>, Path(name): Path<String>) -> Sse {
    connect.subscribe(&app.hub.topic(name))
}

async fn publish_topic(
    State(app): State<App>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    text: String,
) -> Answer {
    publish(app.hub.topic(name), query, text).await
}

async fn follow_log(connect: Connect, State(app): State<App>, Path(name): Path<String>) -> Sse {
    logs(connect, vec![log(&app.hub, &name)])
}

async fn publish_log(
    State(app): State<App>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    text: String,
) -> Answer {
    publish(log(&app.hub, &name), query, text).await
}

async fn follow_logs(
    connect: Connect,
    State(app): State<App>,
    Query(query): Query<HashMap<String, String>>,
) -> Sse {
    let names = query.get("logs").map_or("", String::as_str).split(',');
    logs(connect, names.map(|name| log(&app.hub, name)).collect())
}

async fn change(State(app): State<App>, text: String) -> Result<StatusCode, Answer> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("{}-{count}", std::process::id());
    let new = app.number.with_extension(name);
    let written = fs::write(&new, text).and_then(|()| fs::rename(&new, &*app.number));
    written.map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    app.hub.invalidate("number");
    Ok(StatusCode::NO_CONTENT)
}

async fn be_present(
    connect: Connect,
    State(app): State<App>,
    Path(name): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Sse, Answer> {
    let text = query.get("name").map_or("", String::as_str);
    let entry = room(&app, name).entry(text);
    let entry = entry.map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
    Ok(connect.watch(entry))
}

async fn members(State(app): State<App>, Path(name): Path<String>) -> String {
    let members = room(&app, name).members();
    let mut texts: Vec<_> = members.iter().map(|member| member.text()).collect();
    texts.sort_unstable();
    texts.join("\n")
}

async fn me(connect: Connect, State(app): State<App>) -> Sse {
    // Whoever follows something of the hub can be reached through it.
    let nothing = app.hub.topic("nothing");
    connect.subscribe(&nothing).on_connect(async |tx| {
        tx.patch_elements(tx.client().id().to_string()).await?;
        Ok(())
    })
}

async fn send(State(app): State<App>, Path(client): Path<String>, text: String) -> Answer {
    let Ok(client) = client.parse::<ClientId>() else {
        return (StatusCode::BAD_REQUEST, "no client".to_owned());
    };
    match app.hub.send(client, PatchElements::new(text)) {
        Ok(()) => (StatusCode::NO_CONTENT, String::new()),
        Err(error) if error.is_away() || error.is_full() => {
            (StatusCode::SERVICE_UNAVAILABLE, error.to_string())
        }
        Err(error) => (StatusCode::NOT_FOUND, error.to_string()),
    }
}

async fn status(State(app): State<App>) -> String {
    let hub = &app.hub;
    format!(
        "connected={} nodes={} connections={}",
        hub.is_connected(),
        hub.nodes(),
        hub.connections()
    )
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::from_default_env())
        .with_writer(io::stderr)
        .with_ansi(false)
        .init();
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [broker, url, namespace, address, number] = &arguments[..] else {
        return Err("node <nats|redis> <URL> <namespace> <address> <file>".into());
    };
    let options = BrokerOptions::new();
    let hub = match broker.as_str() {
        "nats" => Hub::new().with_broker(Nats::new(url).namespace(namespace), options),
        _ => Hub::new().with_broker(Redis::new(url)?.namespace(namespace), options),
    };
    let number = Arc::new(PathBuf::from(number));
    let file = number.clone();
    let view = View::load(
        move || {
            let text = fs::read_to_string(&*file);
            async { text }
        },
        |text: &String| PatchElements::new(text),
    )
    .named(&hub, "number");
    let app = App {
        hub,
        view,
        number,
        rooms: Arc::default(),
    };
    let router = Router::new()
        .route("/topics/{name}", get(follow_topic).post(publish_topic))
        .route("/logs/{name}", get(follow_log).post(publish_log))
        .route("/both", get(follow_logs))
        .route(
            "/view",
            get(async |connect: Connect, State(app): State<App>| connect.watch(&app.view))
                .post(change),
        )
        .route("/presence/{room}", get(be_present))
        .route("/members/{room}", get(members))
        .route("/me", get(me))
        .route("/send/{client}", post(send))
        .route("/status", get(status))
        .with_state(app);
    let listener = Listener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    sidereal::serve(listener, router)
        .shutdown_on(stop_signal())
        .grace(Duration::from_secs(2))
        .await?;
    Ok(())
}
