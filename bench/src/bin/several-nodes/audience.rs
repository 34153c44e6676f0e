//! The viewers, each on a connection of its own: all check what arrives, and note when.

use std::{cell::RefCell, convert::Infallible, io, net::SocketAddr, rc::Rc, time::Duration};

use bench::{decode::Dechunker, stamped};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::spawn_local,
    time::{Instant, sleep},
};

/// How long nothing may come of what is to come.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long is looked whether more comes than should.
const QUIET: Duration = Duration::from_millis(100);

/// An event that has arrived at one viewer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) event: u64,
    /// The node that the viewer is connected to.
    pub(crate) node: usize,
    /// Since it was published.
    pub(crate) took: Duration,
}

/// All viewers of one topic.
pub(crate) struct Audience {
    shared: Rc<Shared>,
    viewers: usize,
}

#[derive(Default)]
struct Shared {
    /// To which node each viewer is connected that follows.
    following: RefCell<Vec<usize>>,
    arrivals: RefCell<Vec<Arrival>>,
    failure: RefCell<Option<io::Error>>,
}

impl Audience {
    /// Connects them all, and waits until all follow.
    pub(crate) async fn connect(
        address: SocketAddr,
        path: &str,
        topic: &str,
        viewers: usize,
    ) -> io::Result<Self> {
        let shared = Rc::new(Shared::default());
        for _ in 0..viewers {
            let mut socket = TcpStream::connect(address).await?;
            let request = format!(
                "GET {path} HTTP/1.1\r\nhost: bench\r\naccept: text/event-stream\r\naccept-encoding: identity\r\n\r\n"
            );
            socket.write_all(request.as_bytes()).await?;
            let viewer = Viewer {
                topic: topic.to_owned(),
                next: 0,
                shared: shared.clone(),
            };
            spawn_local(viewer.run(socket));
        }
        let audience = Self { shared, viewers };
        let following = || audience.shared.following.borrow().len();
        audience.wait(viewers, following, "viewers follow").await?;
        Ok(audience)
    }

    /// How many are connected to each of so many nodes.
    pub(crate) fn at_nodes(&self, nodes: usize) -> Vec<usize> {
        let mut counts = vec![0; nodes];
        for node in &*self.shared.following.borrow() {
            if let Some(count) = counts.get_mut(*node) {
                *count += 1;
            }
        }
        counts
    }

    /// Waits until so many events have arrived at each.
    pub(crate) async fn have(&self, events: u64) -> io::Result<()> {
        let arrived = || self.shared.arrivals.borrow().len();
        let expected = events as usize * self.viewers;
        self.wait(expected, arrived, "events have arrived").await
    }

    async fn wait(&self, wanted: usize, count: impl Fn() -> usize, what: &str) -> io::Result<()> {
        let mut last = (count(), Instant::now());
        loop {
            if let Some(failure) = self.shared.failure.take() {
                return Err(failure);
            }
            let now = count();
            if now >= wanted {
                return Ok(());
            }
            if now > last.0 {
                last = (now, Instant::now());
            }
            if last.1.elapsed() > PATIENCE {
                return Err(io::Error::other(format!("only {now} of {wanted} {what}")));
            }
            sleep(Duration::from_millis(2)).await;
        }
    }

    /// What has arrived: so many events, each once at everyone and in their order, or there is an error.
    pub(crate) async fn arrivals(&self, events: u64) -> io::Result<Vec<Arrival>> {
        sleep(QUIET).await;
        self.have(events).await?;
        let mut viewers = vec![0; events as usize];
        let arrivals = self.shared.arrivals.borrow();
        for arrival in &*arrivals {
            match viewers.get_mut(arrival.event as usize) {
                Some(viewers) => *viewers += 1,
                None => return Err(io::Error::other("more events than were published")),
            }
        }
        // Each viewer takes them in their order only, so it has had each at most once.
        match viewers.iter().all(|&viewers| viewers == self.viewers) {
            true => Ok(arrivals.clone()),
            false => Err(io::Error::other("some have not had every event")),
        }
    }
}

struct Viewer {
    topic: String,
    /// The number of the event that is to come.
    next: u64,
    shared: Rc<Shared>,
}

impl Viewer {
    async fn run(mut self, socket: TcpStream) {
        let Err(error) = self.read(socket).await;
        self.shared.failure.borrow_mut().get_or_insert(error);
    }

    async fn read(&mut self, mut socket: TcpStream) -> io::Result<Infallible> {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            if socket.read_buf(&mut bytes).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        };
        let node = node(&String::from_utf8_lossy(&bytes[..end]))?;
        bytes.drain(..end);
        let (mut dechunker, mut text) = (Dechunker::new(), Vec::new());
        let mut is_following = false;
        loop {
            dechunker.take(&bytes, |piece| text.extend_from_slice(piece));
            while let Some(end) = text.windows(2).position(|window| window == b"\n\n") {
                let event = std::str::from_utf8(&text[..end]).map_err(io::Error::other)?;
                match stamped::patched(event).map_err(io::Error::other)? {
                    None => {}
                    Some(elements) if is_following => self.take(elements, node)?,
                    Some(_) => {
                        is_following = true;
                        self.shared.following.borrow_mut().push(node);
                    }
                }
                text.drain(..end + 2);
            }
            bytes.clear();
            if socket.read_buf(&mut bytes).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    fn take(&mut self, elements: &str, node: usize) -> io::Result<()> {
        let took = stamped::took(elements, &self.topic, self.next);
        self.shared.arrivals.borrow_mut().push(Arrival {
            event: self.next,
            node,
            took: took.map_err(io::Error::other)?,
        });
        self.next += 1;
        Ok(())
    }
}

/// Which node has answered.
fn node(head: &str) -> io::Result<usize> {
    let head = head.to_ascii_lowercase();
    let mut lines = head.lines();
    let is_stream = head.starts_with("http/1.1 200") && head.contains("transfer-encoding: chunked");
    let node = lines.find_map(|line| line.strip_prefix("x-node: ")?.parse().ok());
    node.filter(|_| is_stream)
        .ok_or_else(|| io::Error::other(format!("no stream: {head}")))
}
