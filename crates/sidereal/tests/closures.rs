//! Every closure shape that the API promises, in handlers as a user writes them: with captured
//! state, and with `?` on foreign errors. That it compiles is the test.
#![cfg(feature = "axum")]

use std::{io, sync::Arc, time::Duration};

use axum::{Router, extract::State, routing::get};
use serde::Deserialize;
use serde_json::json;
use sidereal::{
    BodyError, Connect, Event, ExecuteScript, Frame, IntoFrame, PatchElements, PatchSignals,
    Sender, Signals, Sse, selector,
};

#[derive(Clone)]
struct App {
    name: Arc<str>,
}

impl App {
    async fn probe(&self) -> Result<String, io::Error> {
        Ok(self.name.to_string())
    }
}

#[derive(Deserialize)]
struct Form {
    age: String,
}

async fn one_shot(connect: Connect, State(app): State<App>, Signals(form): Signals<Form>) -> Sse {
    let greeting = String::from("Hello");
    connect.respond(async move |tx| {
        let age: u8 = form.age.parse()?;
        let name = app.probe().await?;
        tx.patch_elements(PatchElements::new(format!(
            "<p id=x>{greeting} {name} {age}</p>"
        )))
        .await?;
        tx.patch_elements("<p id=y></p>").await?;
        tx.patch_signals(&json!({ "saving": false })).await?;
        tx.execute_script("done()").await?;
        tx.remove(selector!("#busy")).await?;
        tx.redirect("/next").await?;
        Ok(())
    })
}

async fn repeated(connect: Connect, State(app): State<App>) -> Sse {
    let mut count = 0;
    connect
        .every(Duration::from_millis(100), move |tx| {
            let app = app.clone();
            count += 1;
            async move {
                let probe = app.probe().await?;
                tx.patch_signals(&json!({ "probe": probe, "count": count }))
                    .await?;
                Ok(())
            }
        })
        .keep_alive(Duration::from_secs(15))
        .max_age(Duration::from_secs(3600))
        .on_connect(async |tx| {
            tx.send(ExecuteScript::console_log("here")).await?;
            Ok(())
        })
        .on_disconnect(|client, ended| println!("{} {:?}", client.id(), ended.error()))
}

async fn own_loop(connect: Connect, State(app): State<App>) -> Sse {
    connect.with_data(app).run(async |tx| {
        let app = tx.client().data::<App>().cloned();
        let app = app.ok_or_else(|| BodyError::new("no app"))?;
        loop {
            tx.send(PatchElements::new(app.probe().await?)).await?;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    })
}

async fn function(tx: Sender) -> Result<(), BodyError> {
    tx.keep_alive().await?;
    Ok(())
}

async fn functions(connect: Connect) -> Sse {
    connect.every(Duration::ZERO, function).on_connect(function)
}

async fn streams(connect: Connect) -> Sse {
    let events = futures_util::stream::iter([PatchElements::new("<p id=x></p>")]);
    connect.stream(events)
}

async fn failing_streams(connect: Connect) -> Sse {
    let events = ["{}", "x"].map(PatchSignals::from_json);
    connect.try_stream(futures_util::stream::iter(events))
}

/// An event of one's own, made of the crate's.
struct Toast(&'static str);

impl IntoFrame for Toast {
    fn into_frame(self) -> Frame {
        PatchElements::new(self.0)
            .append(selector!("#toasts"))
            .into_frame()
    }
}

impl Event for Toast {}

async fn own_events(connect: Connect) -> Sse {
    connect.reply((
        Toast("<p>one</p>"),
        vec![Toast("<p>two</p>")],
        None::<Toast>,
    ))
}

#[test]
fn handlers_of_every_shape_are_handlers() {
    let _: Router = Router::new()
        .route("/one-shot", get(one_shot))
        .route("/repeated", get(repeated))
        .route("/own-loop", get(own_loop))
        .route("/functions", get(functions))
        .route("/streams", get(streams))
        .route("/failing-streams", get(failing_streams))
        .route("/own-events", get(own_events))
        .with_state(App { name: "x".into() });
}
