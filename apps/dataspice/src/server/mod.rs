//! The servers that it runs on: the same handlers and the same files, in the words of each.

mod actix;
mod axum;
mod blocking;
mod hyper;

use std::io;
use std::net::SocketAddr;
use std::str::FromStr;

use tokio::runtime::{Builder, Runtime};

use crate::handlers::App;
use crate::site::Site;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    /// actix-web.
    Actix,
    /// `axum::serve`.
    Axum,
    /// The same router on `sidereal::serve`.
    Hyper,
    /// tiny_http, a thread for each request.
    Blocking,
}

impl FromStr for Server {
    type Err = ();

    fn from_str(name: &str) -> Result<Server, ()> {
        match name {
            "actix" => Ok(Server::Actix),
            "axum" => Ok(Server::Axum),
            "hyper" => Ok(Server::Hyper),
            "blocking" => Ok(Server::Blocking),
            _ => Err(()),
        }
    }
}

impl Server {
    /// Serves until the process is told to stop.
    ///
    /// `workers`: how many threads serve, where the server has such; all cores by default.
    pub(crate) fn run(
        self,
        address: SocketAddr,
        workers: Option<usize>,
        app: App,
        site: Site,
    ) -> io::Result<()> {
        match self {
            Server::Actix => actix::serve(address, workers, app, site),
            Server::Axum => runtime(workers)?.block_on(axum::serve(address, app, site)),
            Server::Hyper => runtime(None)?.block_on(hyper::serve(address, workers, app, site)),
            Server::Blocking => blocking::serve(address, app, site),
        }
    }
}

fn runtime(workers: Option<usize>) -> io::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    if let Some(workers) = workers {
        builder.worker_threads(workers.max(1));
    }
    builder.enable_all().build()
}

fn announce(address: impl std::fmt::Display) {
    println!("Data SPICE on http://{address}");
}

fn cannot_listen(address: SocketAddr, error: impl std::fmt::Display) -> io::Error {
    io::Error::other(format!("cannot listen on {address}: {error}"))
}
