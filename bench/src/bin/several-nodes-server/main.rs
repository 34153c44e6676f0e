//! One node with a hub, alone or with others by way of a broker: the server of `several-nodes`.
//!
//! ```text
//! several-nodes-server --node N [--nats URL | --redis URL]
//! ```
//!
//! `/plain/NAME` and `/history/NAME` are streams of a topic's events; each begins with one that says that it
//! follows, and its head has the node's number as `x-node`. What else it does it is told line by line on
//! its input, see [`Order`]: each is answered with `ok`, or with what went wrong. It ends with its input.

mod followers;
mod node;

use std::{io, process::ExitCode, thread};

use bench::{arguments::Arguments, order::Order};
use node::Node;
use sidereal::{
    Hub,
    broker::{BrokerOptions, Nats, Redis},
    serve::serve,
};
use tokio::{
    net::TcpListener,
    runtime::Builder,
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    task::{LocalSet, spawn_local},
};

fn main() -> ExitCode {
    match run(Arguments::new(std::env::args().skip(1))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("several-nodes-server: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: Arguments) -> io::Result<()> {
    let number = arguments.value("--node").map_err(io::Error::other)?;
    let nats = arguments.value::<String>("--nats");
    let nats = nats.map_err(io::Error::other)?;
    let redis = arguments.value::<String>("--redis");
    let redis = redis.map_err(io::Error::other)?;
    arguments.end().map_err(io::Error::other)?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let hub = Hub::new();
        let hub = match (nats, redis) {
            (Some(url), _) => hub.with_broker(Nats::new(url), BrokerOptions::new()),
            (None, Some(url)) => {
                let redis = Redis::new(url).map_err(io::Error::other)?;
                hub.with_broker(redis, BrokerOptions::new())
            }
            (None, None) => hub,
        };
        let node = Node::new(hub, number.unwrap_or(0));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        let server = serve(listener, node.router());
        spawn_local(obey(node, orders()));
        server.max_connections(100_000).await.map(|_| ())
    })
}

/// The lines of the input. Who gives them is another program, and this ends with it.
fn orders() -> UnboundedReceiver<String> {
    let (order, orders) = unbounded_channel();
    thread::spawn(move || {
        for line in io::stdin().lines().map_while(Result::ok) {
            let _ = order.send(line);
        }
        std::process::exit(0);
    });
    orders
}

async fn obey(mut node: Node, mut orders: UnboundedReceiver<String>) {
    while let Some(line) = orders.recv().await {
        let done = match line.parse::<Order>() {
            Ok(order) => node.obey(order).await,
            Err(error) => Err(error),
        };
        match done {
            Ok(numbers) => {
                let numbers = numbers.iter().map(|time| format!(" {}", time.as_nanos()));
                println!("ok{}", numbers.collect::<String>());
            }
            Err(error) => println!("failed: {error}"),
        }
    }
}
