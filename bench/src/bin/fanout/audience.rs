//! The subscribers: all count what arrives and when, and some keep all of it.

use std::{
    cell::{Cell, RefCell},
    io,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use bench::publisher::now;
use sidereal::Codec;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, ReadBuf},
    net::{TcpSocket, TcpStream},
    task::spawn_local,
    time::{Instant, sleep, timeout},
};

use crate::{
    contestant::Contestant,
    counter::Counter,
    http2::{Events, Session, TO_A_CONNECTION},
    load::Load,
    request,
};

/// How many subscribers are recorded.
const RECORDED: usize = 8;

/// How many connections from one address: there are 28,000 ports.
const FROM_ONE_ADDRESS: usize = 10_000;

/// How long the last events may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// An event that has arrived at one subscriber.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    /// The number of the event.
    pub(crate) event: u32,
    /// As [`now`] has it.
    pub(crate) at: u64,
}

/// All subscribers of one server.
pub(crate) struct Audience {
    shared: Rc<Shared>,
    subscribers: usize,
    /// HTTP/2's connections.
    sessions: Vec<Session>,
}

#[derive(Default)]
struct Shared {
    /// What each reads into in its turn, so that a connection takes no memory here.
    buffer: RefCell<Vec<u8>>,
    /// How many have the head of their response.
    answered: Cell<usize>,
    /// What comes before is no event: a comment, the head of a compressed stream.
    has_begun: Cell<bool>,
    bytes: Cell<u64>,
    arrivals: RefCell<Vec<Arrival>>,
    recordings: RefCell<Vec<Vec<u8>>>,
    failure: RefCell<Option<io::Error>>,
}

impl Audience {
    /// Connects them all, and waits until what is sent without an event has come.
    pub(crate) async fn connect(
        address: SocketAddr,
        contestant: Contestant,
        load: &Load,
        deliveries: usize,
    ) -> io::Result<Self> {
        let subscribers = load.subscribers;
        let mut sessions = Vec::new();
        let shared = Rc::new(Shared::default());
        shared.buffer.borrow_mut().resize(256 << 10, 0);
        shared.arrivals.borrow_mut().reserve(deliveries);
        let every = subscribers.div_ceil(RECORDED).max(1);
        for n in 0..subscribers {
            let mut subscriber = Subscriber::new(contestant, shared.clone())?;
            if n % every == 0 {
                subscriber.record();
            }
            if load.is_http2 {
                if n % TO_A_CONNECTION == 0 {
                    sessions.push(Session::connect(address).await?);
                }
                let session = &sessions[n / TO_A_CONNECTION];
                let events = session.ask(contestant.codec).await?;
                spawn_local(subscriber.run_http2(events));
            } else {
                let socket = connect(n, address, contestant.codec).await?;
                spawn_local(subscriber.run(socket));
            }
        }
        let audience = Self {
            shared,
            subscribers,
            sessions,
        };
        audience.settle().await?;
        audience.shared.has_begun.set(true);
        audience.shared.bytes.set(0);
        Ok(audience)
    }

    /// Waits until all are answered, and nothing more comes.
    async fn settle(&self) -> io::Result<()> {
        let begun = Instant::now();
        let mut before = None;
        loop {
            let now = (self.shared.answered.get(), self.bytes());
            if before == Some(now) && now.0 == self.subscribers {
                return Ok(());
            }
            before = Some(now);
            self.has_not_failed()?;
            if begun.elapsed() > PATIENCE {
                let answered = now.0;
                return Err(io::Error::other(format!("only {answered} are answered")));
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    fn has_not_failed(&self) -> io::Result<()> {
        self.shared.failure.take().map_or(Ok(()), Err)
    }

    /// A connection that carries some of them, where it is HTTP/2.
    pub(crate) fn session(&self) -> Option<&Session> {
        self.sessions.first()
    }

    /// How many bytes have arrived since all are connected.
    pub(crate) fn bytes(&self) -> u64 {
        self.shared.bytes.get()
    }

    /// Waits until so many events have arrived at each, and no more.
    pub(crate) async fn have(&self, events: u64) -> io::Result<()> {
        let expected = events as usize * self.subscribers;
        let arrived = || self.shared.arrivals.borrow().len();
        let mut last = (arrived(), Instant::now());
        while arrived() < expected {
            self.has_not_failed()?;
            if arrived() > last.0 {
                last = (arrived(), Instant::now());
            }
            if last.1.elapsed() > PATIENCE {
                let arrived = arrived();
                return Err(io::Error::other(format!(
                    "{arrived} of {expected} events have arrived"
                )));
            }
            sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }

    /// What has arrived: each event once at everyone, or there is an error.
    pub(crate) async fn arrivals(&self, events: u64) -> io::Result<Vec<Arrival>> {
        // Should there be more than was sent.
        sleep(Duration::from_millis(100)).await;
        self.has_not_failed()?;
        let mut arrived = vec![0; events as usize];
        let arrivals = self.shared.arrivals.borrow();
        for arrival in &*arrivals {
            match arrived.get_mut(arrival.event as usize) {
                Some(arrived) => *arrived += 1,
                None => return Err(io::Error::other("more events than were sent")),
            }
        }
        // A subscriber numbers them itself, so all have had them all.
        match arrived.iter().all(|&arrived| arrived == self.subscribers) {
            true => Ok(arrivals.clone()),
            false => Err(io::Error::other("some have not had every event")),
        }
    }

    /// All that some of them were sent.
    pub(crate) fn recordings(&self) -> Vec<Vec<u8>> {
        self.shared.recordings.borrow().clone()
    }
}

async fn connect(
    number: usize,
    address: SocketAddr,
    codec: Option<Codec>,
) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if let from @ 1.. = number / FROM_ONE_ADDRESS {
        let from = Ipv4Addr::new(127, 0, 0, 1 + from as u8);
        socket.bind((from, 0).into())?;
    }
    let mut socket = socket.connect(address).await?;
    socket.write_all(request::http1(codec).as_bytes()).await?;
    Ok(socket)
}

struct Subscriber {
    counter: Counter,
    events: u32,
    /// Its place among the recordings.
    recording: Option<usize>,
    shared: Rc<Shared>,
}

impl Subscriber {
    fn new(contestant: Contestant, shared: Rc<Shared>) -> io::Result<Self> {
        Ok(Self {
            counter: Counter::new(contestant)?,
            events: 0,
            recording: None,
            shared,
        })
    }

    fn record(&mut self) {
        let mut recordings = self.shared.recordings.borrow_mut();
        self.recording = Some(recordings.len());
        recordings.push(Vec::new());
    }

    async fn run(mut self, socket: TcpStream) {
        if let Err(error) = self.read(socket).await {
            self.shared.failure.borrow_mut().get_or_insert(error);
        }
    }

    async fn run_http2(mut self, mut events: Events) {
        self.shared.answered.set(self.shared.answered.get() + 1);
        let ended = loop {
            match events.next().await {
                Some(Ok(bytes)) => match self.take(&bytes) {
                    Ok(()) => {}
                    Err(error) => break error,
                },
                Some(Err(error)) => break error,
                None => break io::ErrorKind::UnexpectedEof.into(),
            }
        };
        self.shared.failure.borrow_mut().get_or_insert(ended);
    }

    async fn read(&mut self, mut socket: TcpStream) -> io::Result<()> {
        let mut head = Vec::new();
        let end = loop {
            if let Some(end) = head.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            if timeout(PATIENCE, socket.read_buf(&mut head)).await?? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        };
        if !head.starts_with(b"HTTP/1.1 200") {
            let head = String::from_utf8_lossy(&head).into_owned();
            return Err(io::Error::other(head));
        }
        if let Some(recording) = self.recording {
            self.shared.recordings.borrow_mut()[recording].extend_from_slice(&head[..end]);
        }
        self.shared.answered.set(self.shared.answered.get() + 1);
        self.take(&head[end..])?;
        drop(head);
        std::future::poll_fn(|cx| self.poll_all(&mut socket, cx)).await
    }

    fn poll_all(&mut self, socket: &mut TcpStream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let shared = self.shared.clone();
            let mut buffer = shared.buffer.borrow_mut();
            let mut buffer = ReadBuf::new(&mut buffer);
            std::task::ready!(Pin::new(&mut *socket).poll_read(cx, &mut buffer))?;
            match buffer.filled() {
                [] => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                bytes => self.take(bytes)?,
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        let shared = &self.shared;
        if let Some(recording) = self.recording {
            shared.recordings.borrow_mut()[recording].extend_from_slice(bytes);
        }
        shared.bytes.set(shared.bytes.get() + bytes.len() as u64);
        let events = self.counter.count(bytes)?;
        if events == 0 || !shared.has_begun.get() {
            return Ok(());
        }
        let at = now();
        let mut arrivals = shared.arrivals.borrow_mut();
        for _ in 0..events {
            arrivals.push(Arrival {
                event: self.events,
                at,
            });
            self.events += 1;
        }
        Ok(())
    }
}
