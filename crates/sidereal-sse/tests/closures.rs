//! Every closure shape that the API promises, with captured state and with `?` on foreign errors.
//! That it compiles is most of the test.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{io, sync::Arc, time::Duration};

use sidereal_sse::{BodyError, Connect, Event, Sender, Sse};

#[derive(Clone)]
struct App {
    name: Arc<str>,
}

impl App {
    async fn probe(&self) -> Result<String, io::Error> {
        Ok(self.name.to_string())
    }
}

#[derive(Debug)]
struct Own;

impl std::fmt::Display for Own {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("own")
    }
}

impl std::error::Error for Own {}

fn fails() -> Result<(), Own> {
    Err(Own)
}

fn boxed() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    Err("boxed".into())
}

async fn function(tx: Sender) -> Result<(), BodyError> {
    tx.send(Event::new("x")).await?;
    Ok(())
}

fn shapes(app: App) -> Vec<Sse> {
    let connect = Connect::new;
    let borrowed = String::from("captured");
    let mut counter = 0;
    vec![
        // One-shot: an async closure that owns what it captured, and borrows it across awaits.
        connect().respond({
            let app = app.clone();
            async move |tx| {
                let text = app.probe().await?;
                let _: u8 = text.parse()?;
                fails()?;
                boxed().map_err(BodyError::new)?;
                tx.send(Event::new(&borrowed)).await?;
                Ok(())
            }
        }),
        // A closure that returns an async block.
        connect().respond(move |tx| async move {
            tx.send(Event::new("x")).await?;
            Ok(())
        }),
        // A function.
        connect().respond(function),
        connect().every(Duration::ZERO, function),
        connect().run(function).on_connect(function),
        // Repeated, with state that is cloned for each run …
        connect().every(Duration::from_secs(1), {
            let app = app.clone();
            move |tx| {
                let app = app.clone();
                async move {
                    tx.send(Event::new(app.probe().await?)).await?;
                    Ok(())
                }
            }
        }),
        // … and with state that it changes.
        connect().every(Duration::from_secs(1), move |tx| {
            counter += 1;
            async move {
                tx.send(Event::from_display(counter)).await?;
                Ok(())
            }
        }),
        // Repeated, an async closure that captures nothing.
        connect().every(Duration::from_secs(1), async |tx| {
            tx.send(Event::new("x")).await?;
            Ok(())
        }),
        // A loop of its own that never ends by itself.
        connect().run(async move |tx| {
            loop {
                tx.send(Event::new(app.probe().await?)).await?;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }),
        // Hooks.
        connect()
            .run(async |tx| {
                tx.closed().await;
                Ok(())
            })
            .on_connect(async |tx| {
                tx.keep_alive().await?;
                Ok(())
            })
            .on_disconnect(|client, ended| {
                println!("{} {}", client.id(), ended.reason());
            }),
    ]
}

#[test]
fn every_shape_compiles() {
    let app = App { name: "x".into() };
    assert_eq!(shapes(app).len(), 10);
}

#[test]
fn a_send_error_is_found_again_in_a_body_error() {
    let sse = Connect::new().respond(async |tx| {
        tx.close();
        let error: BodyError = tx.send(Event::new("x")).await.unwrap_err().into();
        assert!(error.send_error().is_some_and(|error| error.is_ended()));
        assert!(BodyError::new("text").send_error().is_none());
        Ok(())
    });
    let body = sse.into_http().into_body();
    let read = http_body_util::BodyExt::collect(body);
    assert!(futures_util::FutureExt::now_or_never(read).unwrap().is_ok());
}
