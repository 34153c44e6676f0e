//! A browser's side of an event stream: it comes back when the stream ends or breaks, with the id of the last event.

use std::{
    fmt,
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::{HeaderName, HeaderValue, Request, Uri, header};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use sidereal::testing::{EventStream, Item, StreamError};
use tokio::{
    net::TcpStream,
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};

/// How long is waited for what a test waits for.
const LIMIT: Duration = Duration::from_secs(20);

/// What is visited, and how: see [`Viewer::at`].
#[derive(Clone, Debug)]
#[must_use = "nothing is visited before it is opened"]
pub struct Visit {
    urls: Vec<Uri>,
    headers: Vec<(HeaderName, HeaderValue)>,
    last_id: String,
    pause: Duration,
    patience: Option<Duration>,
}

impl Visit {
    /// Another URL, such as that of another node. Every further connection goes to the next of them, in turn.
    ///
    /// # Panics
    ///
    /// When it is none.
    pub fn or(mut self, url: impl AsRef<str>) -> Self {
        self.urls.push(uri(url.as_ref()));
        self
    }

    /// A header of all its requests.
    ///
    /// # Panics
    ///
    /// When it cannot be one.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let (Ok(name), Ok(value)) = (name.parse(), value.parse()) else {
            panic!("{name}: {value} is no header");
        };
        self.headers.push((name, value));
        self
    }

    /// The `Last-Event-ID` of its first request, as if it had seen that event before.
    pub fn last_id(mut self, id: &str) -> Self {
        self.last_id = id.to_owned();
        self
    }

    /// How long it waits before it comes back, 20 ms if nothing else is said. What the stream says of this (`retry`) is
    /// not heard.
    pub fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// A stream on which nothing comes for so long, not even a comment, is given up, and counts as broken. Without this
    /// it waits for ever, as a browser does.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// Begins, as a task of this runtime.
    ///
    /// # Panics
    ///
    /// Outside of a runtime of tokio.
    pub fn open(self) -> Viewer {
        let seen = Arc::new(Shared {
            seen: Mutex::new(Seen {
                last_id: self.last_id.clone(),
                ..Seen::default()
            }),
            changes: watch::Sender::new(()),
        });
        let task = tokio::spawn(visit(self, Arc::clone(&seen)));
        Viewer { shared: seen, task }
    }
}

/// An event that has come.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Received {
    /// Its type, such as `datastar-patch-elements`.
    pub event: String,
    /// Its lines of data, joined with `\n`.
    pub data: String,
    /// Its id, if it has one of its own.
    pub id: Option<String>,
    /// By which connection it came: 1 for the first.
    pub connection: u64,
    /// From which of the URLs: 0 for the first.
    pub url: usize,
}

/// How it went with its connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Visits {
    /// Event streams that have begun.
    pub streams: u64,
    /// Streams that have come to a proper end.
    pub ended: u64,
    /// Streams that broke off, or on which nothing came for too long.
    pub broken: u64,
    /// Connections that were refused, or lost before there was an answer.
    pub failed: u64,
    /// Answers that were no event stream, with the reason.
    pub refused: Vec<String>,
    /// Lines that a browser ignores, and no server should send.
    pub ignored: Vec<String>,
    /// Comments, such as heartbeats.
    pub comments: u64,
}

/// One viewer, until it is stopped or dropped.
///
/// ```no_run
/// # async fn test() {
/// use nodes::Viewer;
///
/// let viewer = Viewer::at("http://127.0.0.1:8080/events").or("http://127.0.0.1:8081/events").open();
/// viewer.wait_for("hello").await;
/// assert_eq!(viewer.texts().len(), 1);
/// assert_eq!(viewer.reconnects(), 0);
/// # }
/// ```
#[derive(Debug)]
pub struct Viewer {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    seen: Mutex<Seen>,
    changes: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Seen {
    events: Vec<Received>,
    visits: Visits,
    last_id: String,
    is_open: bool,
}

impl Viewer {
    /// One that asks this URL, `http://…`, by GET.
    ///
    /// # Panics
    ///
    /// When it is none.
    pub fn at(url: impl AsRef<str>) -> Visit {
        Visit {
            urls: vec![uri(url.as_ref())],
            headers: Vec::new(),
            last_id: String::new(),
            pause: Duration::from_millis(20),
            patience: None,
        }
    }

    /// All events so far.
    #[must_use]
    pub fn events(&self) -> Vec<Received> {
        self.seen().events.clone()
    }

    /// The data of all events so far.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        let seen = self.seen();
        seen.events.iter().map(|event| event.data.clone()).collect()
    }

    /// The id that it will come back with: empty, if there is none.
    #[must_use]
    pub fn last_id(&self) -> String {
        self.seen().last_id.clone()
    }

    /// How often it has come back: streams that have begun, after the first.
    #[must_use]
    pub fn reconnects(&self) -> u64 {
        self.seen().visits.streams.saturating_sub(1)
    }

    /// How it went with its connections.
    #[must_use]
    pub fn visits(&self) -> Visits {
        self.seen().visits.clone()
    }

    /// Whether there is a stream now, as far as it knows.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.seen().is_open
    }

    /// Waits for an event with this in its data, which may have come already: the first of them.
    ///
    /// # Panics
    ///
    /// When it does not come.
    pub async fn wait_for(&self, text: &str) -> Received {
        self.wait(
            |seen| {
                let mut events = seen.events.iter();
                events.find(|event| event.data.contains(text)).cloned()
            },
            format_args!("no event with {text:?}"),
        )
        .await
    }

    /// Waits until this is so of all events.
    ///
    /// # Panics
    ///
    /// When it does not come to that.
    pub async fn wait_until(&self, what: &str, is_so: impl Fn(&[Received]) -> bool) {
        self.wait(
            |seen| is_so(&seen.events).then_some(()),
            format_args!("not so: {what}"),
        )
        .await;
    }

    /// Waits until so many streams have begun, of which the last is open.
    ///
    /// # Panics
    ///
    /// When they do not.
    pub async fn wait_for_streams(&self, count: u64) {
        self.wait(
            |seen| (seen.is_open && seen.visits.streams >= count).then_some(()),
            format_args!("not {count} streams"),
        )
        .await;
    }

    /// Leaves: all events that have come.
    pub async fn stop(mut self) -> Vec<Received> {
        self.task.abort();
        let _ = (&mut self.task).await;
        self.events()
    }

    async fn wait<T>(&self, look: impl Fn(&Seen) -> Option<T>, else_: fmt::Arguments<'_>) -> T {
        let mut changes = self.shared.changes.subscribe();
        let found = timeout(LIMIT, async {
            loop {
                changes.mark_unchanged();
                let found = look(&self.seen());
                if let Some(found) = found {
                    return found;
                }
                // It changes no more when the task has ended, which it does only by a panic.
                let _ = changes.changed().await;
            }
        });
        match found.await {
            Ok(found) => found,
            Err(_) => panic!("{else_}, but {:#?}", self.seen()),
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.shared.seen()
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.seen());
        self.changes.send_replace(());
    }
}

fn uri(url: &str) -> Uri {
    match url.parse::<Uri>() {
        Ok(uri) if uri.scheme_str() == Some("http") && uri.authority().is_some() => uri,
        _ => panic!("{url} is no http://…"),
    }
}

/// Goes from one URL to the next for ever.
async fn visit(visit: Visit, shared: Arc<Shared>) {
    for url in (0..visit.urls.len()).cycle() {
        if follow(&visit, url, &shared).await.is_none() {
            shared.change(|seen| seen.visits.failed += 1);
        }
        sleep(visit.pause).await;
    }
}

/// One connection, to its end. `None` if there was no answer.
async fn follow(visit: &Visit, url: usize, shared: &Shared) -> Option<()> {
    let uri = &visit.urls[url];
    let authority = uri.authority()?.as_str();
    let answered = async {
        let socket = TcpStream::connect(authority).await.ok()?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await.ok()?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let mut request = Request::get(path)
            .header(header::HOST, authority)
            .header(header::ACCEPT, "text/event-stream");
        let last_id = shared.seen().last_id.clone();
        if !last_id.is_empty() {
            request = request.header("last-event-id", last_id);
        }
        for (name, value) in &visit.headers {
            request = request.header(name, value);
        }
        let request = request.body(String::new()).ok()?;
        let mut connection = Box::pin(connection);
        let response = tokio::select! {
            response = sender.send_request(request) => response.ok()?,
            _ = &mut connection => return None,
        };
        // The connection goes on as long as its sender is there.
        Some((response, sender, connection))
    };
    let (response, _sender, connection) = or_patience(visit.patience, answered).await??;
    let mut stream = EventStream::new(response);
    let number = shared.seen().visits.streams + 1;
    let content_type = stream.headers().get(header::CONTENT_TYPE);
    let is_stream = stream.status() == http::StatusCode::OK
        && content_type.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    if is_stream {
        shared.change(|seen| {
            seen.visits.streams = number;
            seen.is_open = true;
        });
    }
    let connection = async {
        let _ = connection.await;
        // What it has read before its end is still to be seen.
        pending::<()>().await;
    };
    let read = async {
        loop {
            let item = or_patience(visit.patience, stream.next_item()).await;
            match item {
                Some(Some(Ok(item))) => shared.change(|seen| take(seen, item, number, url)),
                Some(Some(Err(StreamError::Head(why)))) => {
                    return shared.change(|seen| seen.visits.refused.push(why.to_string()));
                }
                // Nothing comes, or it broke off; in the middle of an event too, which says so before its end.
                None | Some(Some(Err(_))) => return shared.change(|seen| seen.visits.broken += 1),
                Some(None) if is_stream => {
                    return shared.change(|seen| seen.visits.ended += 1);
                }
                Some(None) => {
                    let status = stream.status().to_string();
                    return shared.change(|seen| seen.visits.refused.push(status));
                }
            }
        }
    };
    tokio::select! {
        () = read => {}
        () = connection => {}
    }
    shared.change(|seen| seen.is_open = false);
    Some(())
}

fn take(seen: &mut Seen, item: Item, connection: u64, url: usize) {
    match item {
        Item::Event(event) => {
            if let Some(id) = event.id() {
                id.clone_into(&mut seen.last_id);
            }
            seen.events.push(Received {
                event: event.event().to_owned(),
                data: event.data().to_owned(),
                id: event.id().map(str::to_owned),
                connection,
                url,
            });
        }
        Item::Comment(_) => seen.visits.comments += 1,
        Item::Ignored(line) => seen.visits.ignored.push(line),
        _ => {}
    }
}

/// `None` when it takes longer.
async fn or_patience<T>(patience: Option<Duration>, future: impl Future<Output = T>) -> Option<T> {
    match patience {
        Some(patience) => timeout(patience, future).await.ok(),
        None => Some(future.await),
    }
}
