//! The load: many connections that read, of which some are recorded.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bench::{
    child::ChildServer,
    process::{self, SERVER_CORE},
    recording,
};
use sidereal::Codec;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::sleep,
};

use crate::{load::Load, server::Contestant};

pub(crate) struct Plan {
    pub(crate) streams: usize,
    pub(crate) warm_up: Duration,
    pub(crate) window: Duration,
}

/// For each connection, or each event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) memory: f64,
    pub(crate) cpu: Duration,
    pub(crate) bytes: f64,
    pub(crate) events: u64,
}

/// How many streams are recorded from their beginning.
const RECORDED: usize = 3;

pub(crate) fn measure(contestant: Contestant, plan: &Plan) -> io::Result<Measured> {
    let mut server = start(contestant)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let measured = runtime.block_on(watch(&mut server, contestant, plan));
    drop(runtime);
    measured
}

async fn watch(
    server: &mut ChildServer,
    contestant: Contestant,
    plan: &Plan,
) -> io::Result<Measured> {
    let before = process::memory(server.pid())?;
    let bytes = Arc::new(AtomicU64::new(0));
    let mut recorded = Vec::new();
    for n in 0..plan.streams {
        let viewer = Viewer::connect(server.address(), contestant.codec).await?;
        let bytes = bytes.clone();
        if n < RECORDED {
            recorded.push(tokio::spawn(viewer.record(bytes, plan.warm_up)));
        } else {
            tokio::spawn(viewer.read(bytes));
        }
        // They do not begin all at once.
        if n % 50 == 49 {
            sleep(Duration::from_millis(50)).await;
        }
    }
    sleep(plan.warm_up).await;
    let (cpu, events, read) = (
        process::time(server.pid())?.ran,
        events_of(server)?,
        bytes.load(Ordering::Relaxed),
    );
    sleep(plan.window).await;
    let cpu = process::time(server.pid())?.ran - cpu;
    let events = events_of(server)? - events;
    let read = bytes.load(Ordering::Relaxed) - read;
    let memory = process::memory(server.pid())?.saturating_sub(before);
    for recording in recorded {
        let recording = recording.await.map_err(io::Error::other)??;
        check(contestant.load, contestant.codec, &recording)?;
    }
    if events == 0 {
        return Err(io::Error::other("no events"));
    }
    Ok(Measured {
        memory: memory as f64 / plan.streams as f64,
        cpu: Duration::from_secs_f64(cpu.as_secs_f64() / events as f64),
        bytes: read as f64 / events as f64,
        events,
    })
}

fn start(contestant: Contestant) -> io::Result<ChildServer> {
    let mut command = process::pinned(SERVER_CORE, std::env::current_exe()?)?;
    ChildServer::start(command.args(["serve", &contestant.to_string()]))
}

fn events_of(server: &mut ChildServer) -> io::Result<u64> {
    server.ask("events")?.parse().map_err(io::Error::other)
}

struct Viewer {
    socket: TcpStream,
}

impl Viewer {
    async fn connect(address: SocketAddr, codec: Option<Codec>) -> io::Result<Self> {
        let mut socket = TcpStream::connect(address).await?;
        let accept = codec.map_or("identity", Codec::as_str);
        let request = format!("GET / HTTP/1.1\r\nhost: bench\r\naccept-encoding: {accept}\r\n\r\n");
        socket.write_all(request.as_bytes()).await?;
        Ok(Self { socket })
    }

    async fn read(mut self, bytes: Arc<AtomicU64>) -> io::Result<()> {
        let mut buffer = vec![0; 32 << 10];
        loop {
            match self.socket.read(&mut buffer).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => bytes.fetch_add(read as u64, Ordering::Relaxed),
            };
        }
    }

    /// Keeps what comes in this time, and goes on reading.
    async fn record(mut self, bytes: Arc<AtomicU64>, time: Duration) -> io::Result<Vec<u8>> {
        let mut recording = Vec::new();
        let recorded = tokio::time::timeout(time, async {
            loop {
                let before = recording.len();
                if self.socket.read_buf(&mut recording).await? == 0 {
                    return Err::<(), _>(io::Error::from(io::ErrorKind::UnexpectedEof));
                }
                bytes.fetch_add((recording.len() - before) as u64, Ordering::Relaxed);
            }
        });
        if let Ok(result) = recorded.await {
            result?;
        }
        tokio::spawn(self.read(bytes));
        Ok(recording)
    }
}

/// A recording says, from its first tick on, what was to be sent.
fn check(load: Load, codec: Option<Codec>, recording: &[u8]) -> io::Result<()> {
    let events = recording::elements(codec, recording)?;
    // The last one may be cut off.
    let whole = events.len().saturating_sub(1);
    if whole < 3 {
        return Err(io::Error::other(format!("only {whole} events")));
    }
    for (tick, event) in events[..whole].iter().enumerate() {
        if event.trim_end() != load.elements(tick as u64).trim_end() {
            return Err(io::Error::other(format!(
                "tick {tick} is not what was sent"
            )));
        }
    }
    Ok(())
}
