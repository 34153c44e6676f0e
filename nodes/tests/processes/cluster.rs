//! A broker, and processes that are nodes by it.

use std::{
    fmt::Write as _,
    ops::Deref,
    path::PathBuf,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use http::{Request, Uri};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use nodes::{Kind, Port, Program, Proxy, Server, Settings, Viewer};
use tokio::{
    net::TcpStream,
    task::JoinHandle,
    time::{sleep, timeout},
};

pub(crate) const LIMIT: Duration = Duration::from_secs(20);

pub(crate) struct Cluster {
    pub(crate) server: Server,
}

/// A node, which is where it was after a restart too.
pub(crate) struct Node {
    program: Program,
    _port: Port,
}

impl Deref for Node {
    type Target = Program;

    fn deref(&self) -> &Program {
        &self.program
    }
}

pub(crate) fn settings(kind: Kind) -> Settings {
    match kind {
        Kind::Nats => Server::nats(),
        Kind::Redis => Server::redis(),
    }
}

impl Cluster {
    pub(crate) async fn start(kind: Kind) -> Option<Self> {
        let server = settings(kind).start().await?;
        let cluster = Self { server };
        std::fs::write(cluster.number(), "0").unwrap();
        Some(cluster)
    }

    fn number(&self) -> PathBuf {
        self.server.folder().join("number")
    }

    /// The command of a node that reaches the broker by this URL.
    pub(crate) fn command(&self, url: &str, port: &Port) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_node"));
        let broker = match self.server.kind() {
            Kind::Nats => "nats",
            Kind::Redis => "redis",
        };
        command.args([broker, url, "tests", &port.address().to_string()]);
        command
            .arg(self.number())
            .env("RUST_LOG", "sidereal=debug,info");
        command
    }

    pub(crate) async fn node_by(&self, url: &str) -> Node {
        let port = Port::free().unwrap();
        let program = Program::start(&mut self.command(url, &port)).await;
        let node = Node {
            program,
            _port: port,
        };
        node.is_connected().await;
        node
    }

    pub(crate) async fn node(&self) -> Node {
        self.node_by(&self.server.url()).await
    }

    pub(crate) async fn node_behind(&self, proxy: &Proxy) -> Node {
        self.node_by(&self.server.url_at(proxy.address())).await
    }

    /// Three nodes that know of each other.
    pub(crate) async fn three(&self) -> [Node; 3] {
        let nodes = [self.node().await, self.node().await, self.node().await];
        for node in &nodes {
            node.knows(3).await;
        }
        nodes
    }
}

impl Node {
    /// Waits until it has the broker.
    pub(crate) async fn is_connected(&self) {
        self.says("/status", |status| status.contains("connected=true"))
            .await;
    }

    /// Waits until it knows of so many nodes.
    pub(crate) async fn knows(&self, count: usize) {
        let text = format!("connected=true nodes={count} ");
        self.says("/status", |status| status.contains(&text)).await;
    }

    /// Waits until it answers so; says how long that took.
    pub(crate) async fn says(&self, path: &str, is_so: impl Fn(&str) -> bool) -> Duration {
        let start = Instant::now();
        loop {
            let answer = get(&self.url(path)).await;
            if answer
                .as_ref()
                .is_some_and(|(status, text)| *status == 200 && is_so(text))
            {
                return start.elapsed();
            }
            assert!(start.elapsed() < LIMIT, "{path} says {answer:?}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Who is in this room, as soon as it is these.
    pub(crate) async fn has_members(&self, room: &str, members: &[&str]) -> Duration {
        let expected = members.join("\n");
        self.says(&format!("/members/{room}"), |text| text == expected)
            .await
    }

    pub(crate) async fn starts_again(&self) {
        self.restart().await;
        self.is_connected().await;
    }
}

pub(crate) async fn get(url: &str) -> Option<(u16, String)> {
    ask(Request::get(url).body(String::new()).unwrap()).await
}

pub(crate) async fn post(url: &str, text: &str) -> Option<(u16, String)> {
    ask(Request::post(url).body(text.to_owned()).unwrap()).await
}

/// `None` where there is no answer.
async fn ask(request: Request<String>) -> Option<(u16, String)> {
    let answered = async {
        let uri: Uri = request.uri().clone();
        let socket = TcpStream::connect(uri.authority()?.as_str()).await.ok()?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await.ok()?;
        let connection = tokio::spawn(connection);
        let (mut parts, body) = request.into_parts();
        parts
            .headers
            .insert("host", uri.authority()?.as_str().parse().ok()?);
        parts.uri = uri.path_and_query()?.as_str().parse().ok()?;
        let response = sender.send_request(Request::from_parts(parts, body)).await;
        let response = response.ok()?;
        let status = response.status().as_u16();
        let mut body = response.into_body();
        let mut text = Vec::new();
        while let Some(frame) = std::future::poll_fn(|cx| {
            hyper::body::Body::poll_frame(std::pin::Pin::new(&mut body), cx)
        })
        .await
        {
            if let Ok(data) = frame.ok()?.into_data() {
                text.extend_from_slice(&data);
            }
        }
        connection.abort();
        Some((status, String::from_utf8(text).ok()?))
    };
    timeout(Duration::from_secs(10), answered).await.ok()?
}

/// What somebody publishes who does it again until it is taken, or not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Persistence {
    /// Until it is taken, as for logs: nothing is sent of what was refused.
    Again,
    /// Never, as for topics without history: it was sent on one node.
    Once,
}

/// Publishes `name:1`, `name:2` and so on.
pub(crate) struct Publisher {
    task: JoinHandle<()>,
    is_over: Arc<AtomicBool>,
    count: Arc<AtomicU64>,
    refused: Arc<AtomicU64>,
}

impl Publisher {
    pub(crate) fn start(
        url: String,
        name: &str,
        pause: Duration,
        persistence: Persistence,
    ) -> Self {
        Self::of(u64::MAX, url, name, pause, persistence)
    }

    /// Publishes no more than so many.
    pub(crate) fn of(
        most: u64,
        url: String,
        name: &str,
        pause: Duration,
        persistence: Persistence,
    ) -> Self {
        let [count, refused] = [(); 2].map(|()| Arc::new(AtomicU64::new(0)));
        let is_over = Arc::new(AtomicBool::new(false));
        let name = name.to_owned();
        let task = tokio::spawn({
            let (count, refused, is_over) = (count.clone(), refused.clone(), is_over.clone());
            async move {
                while !is_over.load(SeqCst) && count.load(SeqCst) < most {
                    let number = count.load(SeqCst) + 1;
                    let text = format!("{name}:{number}");
                    loop {
                        let (status, why) = post(&url, &text)
                            .await
                            .expect("the publisher's node answers");
                        if status == 204 {
                            break;
                        }
                        assert!(why.contains("the broker"), "{status} {why}");
                        refused.fetch_add(1, SeqCst);
                        if persistence == Persistence::Once {
                            break;
                        }
                        sleep(Duration::from_millis(50)).await;
                    }
                    count.store(number, SeqCst);
                    sleep(pause).await;
                }
            }
        });
        Self {
            task,
            is_over,
            count,
            refused,
        }
    }

    pub(crate) fn count(&self) -> u64 {
        self.count.load(SeqCst)
    }

    /// How often it was refused.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(SeqCst)
    }

    /// Waits until it has published so many more.
    pub(crate) async fn more(&self, more: u64) {
        self.reaches(self.count() + more).await;
    }

    /// Waits until it has published so many.
    pub(crate) async fn reaches(&self, end: u64) {
        let start = Instant::now();
        while self.count() < end {
            assert!(start.elapsed() < LIMIT, "publishing goes on");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Ends: how many there were.
    pub(crate) async fn stop(self) -> u64 {
        self.is_over.store(true, SeqCst);
        timeout(LIMIT, self.task).await.unwrap().unwrap();
        self.count.load(SeqCst)
    }
}

/// Waits until whatever is published on this topic without history comes to all of them: the answer to a viewer begins
/// before its node hears the others.
pub(crate) async fn all_hear(viewers: &[Viewer], url: &str) {
    let start = Instant::now();
    while !viewers.iter().all(|viewer| !viewer.events().is_empty()) {
        assert!(start.elapsed() < LIMIT, "somebody hears nothing");
        assert_eq!(
            post(url, "begin").await.map(|(status, _)| status),
            Some(204)
        );
        sleep(Duration::from_millis(20)).await;
    }
}

/// An event `name:number`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub name: String,
    pub number: u64,
    pub id: Option<String>,
    pub connection: u64,
}

/// What has come to a viewer of what publishers publish.
pub(crate) fn said(viewer: &Viewer) -> Vec<Said> {
    let events = viewer.events();
    let said = events.into_iter().filter_map(|event| {
        let (name, number) = event.data.strip_prefix("elements ")?.split_once(':')?;
        Some(Said {
            name: name.to_owned(),
            number: number.parse().ok()?,
            id: event.id,
            connection: event.connection,
        })
    });
    said.collect()
}

/// How many connections were new, as their first event says, and how many have gone on.
pub(crate) fn beginnings(viewer: &Viewer) -> (usize, usize) {
    let texts = viewer.texts();
    let count = |text| texts.iter().filter(|it| *it == text).count();
    (count("elements new"), count("elements resumed"))
}

/// Waits until the last of each publisher has come.
pub(crate) async fn has_last(viewer: &Viewer, lasts: &[(&str, u64)]) -> Duration {
    let start = Instant::now();
    let ends: Vec<_> = lasts
        .iter()
        .map(|(name, last)| format!("elements {name}:{last}"))
        .collect();
    viewer
        .wait_until("all are at the end", |events| {
            ends.iter()
                .all(|end| events.iter().rev().any(|event| event.data == *end))
        })
        .await;
    start.elapsed()
}

/// Waits for the end, and then each publisher's events are all there, in its order, each once. All of them are one
/// after the other as their ids say.
pub(crate) async fn is_whole(viewer: &Viewer, lasts: &[(&str, u64)]) {
    has_last(viewer, lasts).await;
    let said = said(viewer);
    for (name, last) in lasts {
        let numbers: Vec<u64> = said
            .iter()
            .filter(|it| it.name == *name)
            .map(|it| it.number)
            .collect();
        if let Some(wrong) = wrong(&numbers, 1) {
            panic!("{name}: {wrong}; {:#?}; {said:#?}", viewer.visits());
        }
        assert_eq!(numbers.len() as u64, *last);
    }
    assert!(viewer.visits().refused.is_empty(), "{:?}", viewer.visits());
    assert!(viewer.visits().ignored.is_empty(), "{:?}", viewer.visits());
}

/// Waits for the end, and then there is no hole within any connection, and nothing twice.
pub(crate) async fn has_no_silent_hole(viewer: &Viewer, lasts: &[(&str, u64)]) {
    has_last(viewer, lasts).await;
    let said = said(viewer);
    for (name, _) in lasts {
        for connection in 1..=viewer.visits().streams {
            let its = said
                .iter()
                .filter(|it| it.name == *name && it.connection == connection);
            let numbers: Vec<u64> = its.map(|it| it.number).collect();
            if let Some(wrong) = numbers.first().and_then(|first| wrong(&numbers, *first)) {
                panic!(
                    "{name}, connection {connection}: {wrong}; {:#?}",
                    viewer.visits()
                );
            }
        }
    }
}

/// What is wrong, if it is not one after the other.
fn wrong(numbers: &[u64], first: u64) -> Option<String> {
    let mut text = String::new();
    for (index, number) in numbers.iter().enumerate() {
        let before = index
            .checked_sub(1)
            .map_or(first - 1, |index| numbers[index]);
        if *number != before + 1 {
            let _ = write!(text, "{number} after {before}, ");
        }
    }
    (!text.is_empty()).then_some(text)
}

/// The pairs of ids and texts, to be the same for all.
pub(crate) fn log(viewer: &Viewer) -> Vec<(String, String, u64)> {
    let said = said(viewer).into_iter();
    said.map(|it| (it.id.expect("an id"), it.name, it.number))
        .collect()
}

#[test]
fn holes_doubles_and_disorder_are_seen() {
    assert_eq!(wrong(&[1, 2, 3], 1), None);
    assert_eq!(wrong(&[2, 3], 2), None);
    for numbers in [&[2, 3][..], &[1, 3], &[1, 1], &[1, 3, 2]] {
        assert!(wrong(numbers, 1).is_some(), "{numbers:?}");
    }
}
