//! The pages that the end-to-end tests open, and the handlers behind them, one file for each theme.
//!
//! It prints its address on the first line, and ends gracefully on SIGTERM.

use std::{error::Error, net::Ipv4Addr, process::ExitCode};

use axum::{Extension, Router, http::header, routing::get};
use sidereal::{
    Config, Shutdown,
    serve::{Listener, with_transport},
};
use tokio::net::TcpListener;

use crate::{
    arguments::{Arguments, Serve},
    counts::Counts,
};

mod arguments;
mod board;
mod chat;
mod counts;
mod echo;
mod forms;
mod leaving;
mod page;
mod patches;
mod run;
mod scripts;
mod signals;
mod streams;
mod texts;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    match listen().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("e2e-server: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn listen() -> Result<(), Box<dyn Error>> {
    let Arguments { port, serve } = arguments::parse(std::env::args().skip(1))?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    println!("http://{}", listener.local_addr()?);
    match serve {
        Serve::Axum => {
            let shutdown = Shutdown::new();
            let app = app(Config::new().shutdown(shutdown.clone()));
            axum::serve(listener, app)
                .with_graceful_shutdown(streams_ended(shutdown))
                .await?;
        }
        Serve::Listener => {
            let shutdown = Shutdown::new();
            let app = app(Config::new().shutdown(shutdown.clone()));
            axum::serve(Listener::from(listener), with_transport(app))
                .with_graceful_shutdown(streams_ended(shutdown))
                .await?;
        }
        Serve::Sidereal => {
            sidereal::serve(listener, app(Config::new()))
                .shutdown_on(sidereal::serve::stop_signal())
                .await?;
        }
    }
    eprintln!("e2e-server: has stopped");
    Ok(())
}

fn app(config: Config) -> Router {
    Router::new()
        .merge(board::routes())
        .merge(chat::routes())
        .merge(echo::routes())
        .merge(forms::routes())
        .merge(leaving::routes())
        .merge(patches::routes())
        .merge(scripts::routes())
        .merge(signals::routes())
        .merge(streams::routes())
        .merge(texts::routes())
        .route("/datastar.js", get(datastar))
        .route("/counts", get(counts::all))
        .layer(Extension(config))
        .with_state(Counts::default())
}

async fn datastar() -> ([(header::HeaderName, &'static str); 1], &'static [u8]) {
    let script = datastar_client::JS.unwrap_or(b"throw new Error('this build has no client')");
    ([(header::CONTENT_TYPE, "text/javascript")], script)
}

/// An open stream would block axum's graceful shutdown for ever, so streams end before that begins.
async fn streams_ended(shutdown: Shutdown) {
    sidereal::serve::stop_signal().await;
    shutdown.trigger();
}
