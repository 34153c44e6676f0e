//! What belongs to Sidereal: one topic, and a handler that follows it.

use std::{io, sync::Arc};

use bench::publisher::Publisher;
use sidereal::{Hub, PatchElements};
use tokio::net::TcpListener;

use crate::stack::Stack;

pub(crate) async fn run(
    port: u16,
    stack: Stack,
    threads: usize,
    publisher: Publisher,
    waits: bool,
) -> io::Result<()> {
    let topic = Hub::new().topic("events");
    let followed = topic.clone();
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("{}", listener.local_addr()?);
    let publishing = publisher.obey(waits, async |elements: &Arc<str>| {
        topic
            .publish(PatchElements::new(&**elements))
            .map_err(io::Error::other)
    });
    tokio::select! {
        served = stack.serve(listener, followed, threads) => served,
        published = publishing => published,
    }
}
