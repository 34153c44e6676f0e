//! The application of the recipes: a handler is the same on every server.

use std::{error::Error, net::TcpListener, time::Duration};

use serde::Deserialize;
use sidereal::{Config, Connect, DATASTAR_CDN, Shutdown, Signals, Sse, script_tag};
use tokio::time::sleep;

const MESSAGE: &str = "Hello from Saturn, 79 light minutes away.";

/// The page's signals.
#[derive(Debug, Deserialize)]
pub struct Page {
    delay: u64,
}

/// `/`
pub fn page() -> String {
    let datastar = script_tag(DATASTAR_CDN);
    include_str!("page.html").replace("{{datastar}}", &datastar.to_string())
}

/// `/hello`: one-shot, a text letter by letter.
pub async fn hello(connect: Connect, Signals(page): Signals<Page>) -> Sse {
    connect.respond(async move |tx| {
        for (end, letter) in MESSAGE.char_indices() {
            let text = &MESSAGE[..end + letter.len_utf8()];
            tx.patch_elements(format!("<p id='message'>{text}</p>"))
                .await?;
            sleep(Duration::from_millis(page.delay.min(1000))).await;
        }
        Ok(())
    })
}

/// `/live`: stays open, and is silent but for heartbeats.
pub async fn live(connect: Connect) -> Sse {
    connect
        .run(async |tx| {
            tx.patch_elements("<p id='live'>Connected</p>").await?;
            std::future::pending().await
        })
        .on_disconnect(|client, ended| println!("client {}: {}", client.id(), ended.reason()))
}

/// The settings, and the switch that ends open streams.
pub fn config() -> (Config, Shutdown) {
    let shutdown = Shutdown::new();
    let config = Config::new()
        .keep_alive(Duration::from_secs(2))
        .signals_limit(64 * 1024)
        .shutdown(shutdown.clone());
    (config, shutdown)
}

/// Listens on the port that the command line names, or on 3000.
pub fn listen() -> Result<TcpListener, Box<dyn Error + Send + Sync>> {
    let port = match std::env::args().nth(1) {
        Some(port) => port.parse()?,
        None => 3000,
    };
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    listener.set_nonblocking(true)?;
    println!("http://{}", listener.local_addr()?);
    Ok(listener)
}
