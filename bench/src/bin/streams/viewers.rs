//! The load: many connections that read, of which some are recorded.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::SocketAddr,
    process::{Child, ChildStdin, ChildStdout, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sidereal::Codec;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::sleep,
};

use crate::{load::Load, proc, server::Contestant};

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
    let mut server = Server::start(contestant)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let measured = runtime.block_on(watch(&mut server, contestant, plan));
    drop(runtime);
    measured
}

async fn watch(server: &mut Server, contestant: Contestant, plan: &Plan) -> io::Result<Measured> {
    let before = proc::memory(server.pid())?;
    let bytes = Arc::new(AtomicU64::new(0));
    let mut recorded = Vec::new();
    for n in 0..plan.streams {
        let viewer = Viewer::connect(server.address, contestant.codec).await?;
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
        proc::cpu(server.pid())?,
        server.events()?,
        bytes.load(Ordering::Relaxed),
    );
    sleep(plan.window).await;
    let cpu = proc::cpu(server.pid())? - cpu;
    let events = server.events()? - events;
    let read = bytes.load(Ordering::Relaxed) - read;
    let memory = proc::memory(server.pid())?.saturating_sub(before);
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

struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl Server {
    fn start(contestant: Contestant) -> io::Result<Self> {
        let mut child = proc::pinned(0)?
            .args(["serve", &contestant.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (input, output) = pipes.ok_or_else(|| io::Error::other("no pipes"))?;
        let mut server = Self {
            child,
            input,
            output: BufReader::new(output),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
        };
        server.address = server.line()?.parse().map_err(io::Error::other)?;
        Ok(server)
    }

    fn pid(&self) -> u32 {
        self.child.id()
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }

    fn events(&mut self) -> io::Result<u64> {
        self.input.write_all(b"\n")?;
        self.line()?.parse().map_err(io::Error::other)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
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
    let split = recording
        .windows(4)
        .position(|window| window == b"\r\n\r\n");
    let (head, body) = recording.split_at(split.ok_or_else(|| io::Error::other("no head"))? + 4);
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let coded = codec.map(|codec| format!("content-encoding: {codec}\r\n"));
    if coded.is_some_and(|coded| !head.contains(&coded)) {
        return Err(io::Error::other(format!("not compressed as asked: {head}")));
    }
    let text = bench::decode::text(codec, &bench::decode::dechunk(body))?;
    let text = String::from_utf8(text).map_err(io::Error::other)?;
    let events = text.split("\n\n").map(|event| {
        let data = event
            .lines()
            .filter_map(|line| line.strip_prefix("data: elements "));
        data.collect::<Vec<_>>().join("\n")
    });
    let events: Vec<String> = events.filter(|event| !event.is_empty()).collect();
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
