//! What is below the router.

use std::{io, str::FromStr};

use axum::{Router, routing::get};
use sidereal::{Connect, Topic, serve::serve};
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
    task::spawn_blocking,
};

use crate::threads;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stack {
    /// `axum::serve`.
    Axum,
    /// `sidereal::serve`.
    Hyper,
    /// A thread for each connection.
    Blocking,
}

impl FromStr for Stack {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "axum" => Ok(Self::Axum),
            "hyper" => Ok(Self::Hyper),
            "blocking" => Ok(Self::Blocking),
            _ => Err(()),
        }
    }
}

impl Stack {
    /// The runtime on which it is awaited. `sidereal::serve` makes those of its threads itself.
    pub(crate) fn runtime(self, threads: usize) -> io::Result<Runtime> {
        let mut builder = match (self, threads) {
            (Self::Axum, 1..) => Builder::new_multi_thread(),
            _ => Builder::new_current_thread(),
        };
        builder.worker_threads(threads.max(1)).enable_all().build()
    }

    pub(crate) async fn serve(
        self,
        listener: TcpListener,
        topic: Topic,
        threads: usize,
    ) -> io::Result<()> {
        match self {
            Self::Axum => axum::serve(listener, router(topic)).await,
            Self::Hyper => serve(listener, router(topic))
                .threads(threads)
                .max_connections(100_000)
                .await
                .map(|_| ()),
            Self::Blocking => {
                let listener = listener.into_std()?;
                listener.set_nonblocking(false)?;
                spawn_blocking(move || threads::serve(&listener, &topic)).await?
            }
        }
    }
}

fn router(topic: Topic) -> Router {
    let handler = async move |connect: Connect| connect.subscribe(&topic);
    Router::new().route("/events", get(handler))
}
