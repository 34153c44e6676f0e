//! A contestant that runs.

use std::{io, net::SocketAddr, sync::Arc};

use bench::{
    child::ChildServer,
    nginx::Nginx,
    process::{self, Time},
    publisher::{Log, Publisher},
};
use tokio::task::{JoinHandle, spawn_local};

use crate::{
    contestant::{Contestant, Who},
    load::Load,
    nchan::{self, Posting},
};

/// A server, and the way to have it publish.
pub(crate) enum Subject {
    /// Publishes by itself, when it is told to.
    Own(ChildServer),
    /// Is sent the events by us.
    Nchan(Nginx, Posted),
}

/// Those of us who send.
pub(crate) struct Posted {
    log: Log,
    /// Not while it publishes.
    idle: Option<(Publisher, Posting)>,
    busy: Option<JoinHandle<io::Result<(Publisher, Posting)>>>,
}

impl Subject {
    pub(crate) async fn start(
        contestant: Contestant,
        load: &Load,
        open_files: usize,
    ) -> io::Result<Self> {
        if contestant.who != Who::Nchan {
            let mut command = contestant.command(load)?;
            return ChildServer::start(&mut command).map(Self::Own);
        }
        let nginx = nchan::start(open_files).await?;
        let posting = Posting::connect(nginx.address()).await?;
        let publisher = Publisher::new(load.content, load.rate);
        let posted = Posted {
            log: publisher.log(),
            idle: Some((publisher, posting)),
            busy: None,
        };
        Ok(Self::Nchan(nginx, posted))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        match self {
            Self::Own(server) => server.address(),
            Self::Nchan(nginx, _) => nginx.address(),
        }
    }

    fn pid(&self) -> u32 {
        match self {
            Self::Own(server) => server.pid(),
            Self::Nchan(nginx, _) => nginx.worker(),
        }
    }

    pub(crate) fn time(&self) -> io::Result<Time> {
        process::time(self.pid())
    }

    pub(crate) fn memory(&self) -> io::Result<u64> {
        process::memory(self.pid())
    }

    /// Begins to publish so many events.
    pub(crate) async fn publish(&mut self, count: u64) -> io::Result<()> {
        match self {
            Self::Own(server) => server.tell(&format!("start {count}")),
            Self::Nchan(_, posted) => {
                posted.finish().await?;
                let (mut publisher, mut posting) = posted.idle.take().ok_or_else(lost)?;
                posted.busy = Some(spawn_local(async move {
                    publisher
                        .publish(count, async |elements: &Arc<str>| {
                            posting.publish(elements).await
                        })
                        .await?;
                    Ok((publisher, posting))
                }));
                Ok(())
            }
        }
    }

    /// What it has published, all of which has arrived.
    pub(crate) async fn log(&mut self) -> io::Result<Log> {
        match self {
            Self::Own(server) => server.ask("times")?.parse().map_err(io::Error::other),
            Self::Nchan(_, posted) => {
                posted.finish().await?;
                Ok(posted.log.clone())
            }
        }
    }
}

impl Posted {
    async fn finish(&mut self) -> io::Result<()> {
        if let Some(busy) = self.busy.take() {
            self.idle = Some(busy.await.map_err(io::Error::other)??);
        }
        Ok(())
    }
}

fn lost() -> io::Error {
    io::Error::other("publishing has failed before")
}
