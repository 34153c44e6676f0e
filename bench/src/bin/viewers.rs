//! Data SPICE for many viewers: pushed, and pulled ten times a second, in one run.
//!
//! ```text
//! viewers [--viewers N] [--seconds N]
//! ```
//!
//! The program itself, as it is built for its users, on one core, and the load on another. Viewers
//! accept zstd, as browsers do on localhost, on HTTP/1.1, each on a connection of its own. Measured
//! after three seconds: the program's CPU and memory for each, and what came. Of some that are
//! pushed, everything is decoded: pictures have to come ten times a second, and be the same for all.

use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use bench::{
    arguments::Arguments,
    child::ChildServer,
    decode,
    process::{self, LOAD_CORE, SERVER_CORE, pin_this, pinned, raise_open_files},
    quantiles::Quantiles,
};
use sidereal::Codec;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep, timeout_at},
};

const VIEWERS: usize = 2000;
const SECONDS: u64 = 10;
/// So many of those that are pushed are recorded.
const RECORDED: usize = 5;
/// Before anything is measured.
const WARM_UP: Duration = Duration::from_secs(3);
/// Between two pictures.
const PERIOD: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("viewers: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> io::Result<()> {
    let mut arguments = Arguments::new(std::env::args().skip(1));
    let viewers = arguments.value("--viewers").map_err(io::Error::other)?;
    let seconds = arguments.value("--seconds").map_err(io::Error::other)?;
    arguments.end().map_err(io::Error::other)?;
    let viewers: usize = viewers.unwrap_or(VIEWERS);
    let time = Duration::from_secs(seconds.unwrap_or(SECONDS));
    if std::thread::available_parallelism()?.get() > LOAD_CORE {
        pin_this(LOAD_CORE)?;
    }
    raise_open_files(viewers + 200)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    println!(
        "| viewers | CPU, ms/s | for each, ms/s | memory for each, KiB | pictures for each, a second | bytes for each, a second | p50, ms | p99, ms |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for (count, is_pulled) in [(1, false), (viewers, false), (1, true), (viewers, true)] {
        let measured = runtime.block_on(measure(count, is_pulled, time))?;
        let each = |number: f64| number / count as f64;
        let cpu = measured.cpu.as_secs_f64() * 1e3 / measured.time.as_secs_f64();
        let waits = measured.waits.map_or_else(
            || "| ".to_owned(),
            |waits| {
                let millis = |time: Duration| time.as_secs_f64() * 1e3;
                format!("{:.1} | {:.1}", millis(waits.p50), millis(waits.p99))
            },
        );
        println!(
            "| {count}, {} | {cpu:.0} | {:.3} | {:.1} | {:.1} | {:.0} | {waits} |",
            if is_pulled { "pulled" } else { "pushed" },
            each(cpu),
            each(measured.memory as f64 / 1024.0),
            each(measured.pictures / measured.time.as_secs_f64()),
            each(measured.bytes as f64 / measured.time.as_secs_f64()),
        );
    }
    Ok(())
}

struct Measured {
    time: Duration,
    cpu: Duration,
    memory: u64,
    pictures: f64,
    bytes: u64,
    /// From request to answer, of those that pull.
    waits: Option<Quantiles>,
}

/// What one viewer saw in the time that is measured.
#[derive(Default)]
struct Seen {
    /// Of those that pull.
    waits: Vec<Duration>,
    bytes: u64,
    /// All of the body, of those that are recorded.
    recording: Vec<u8>,
}

async fn measure(viewers: usize, is_pulled: bool, time: Duration) -> io::Result<Measured> {
    let program = std::env::current_exe()?.with_file_name(program_name());
    if !program.exists() {
        let problem =
            "there is no dataspice beside this program: cargo build --release -p dataspice";
        return Err(io::Error::other(problem));
    }
    let mut command = pinned(SERVER_CORE, program)?;
    let server = ChildServer::start(command.args(["--port", "0"]))?;
    // One viewer, so that all that is made once is there before memory is looked at.
    drop(open(server.address(), "mode%22%3A%22push").await?);
    sleep(Duration::from_secs(1)).await;
    let before = process::memory(server.pid())?;
    let began = Instant::now() + WARM_UP + Duration::from_millis(viewers as u64);
    let window = began..began + time;
    let mut running = JoinSet::new();
    for viewer in 0..viewers {
        let (address, window) = (server.address(), window.clone());
        let is_recorded = viewer < RECORDED;
        if is_pulled {
            running.spawn(async move { pull(address, viewer, window).await });
        } else {
            running.spawn(async move { push(address, window, is_recorded).await });
        }
        if viewer % 20 == 0 {
            // Not all at once.
            sleep(Duration::from_millis(5)).await;
        }
    }
    tokio::time::sleep_until(window.start.into()).await;
    let (cpu, start) = (process::time(server.pid())?.ran, Instant::now());
    tokio::time::sleep_until(window.end.into()).await;
    let cpu = process::time(server.pid())?.ran - cpu;
    let measured = start.elapsed();
    let memory = process::memory(server.pid())?.saturating_sub(before);
    let mut all = Vec::new();
    while let Some(seen) = running.join_next().await {
        all.push(seen??);
    }
    let waits: Vec<Duration> = all.iter().flat_map(|seen| seen.waits.clone()).collect();
    let pictures = match is_pulled {
        true => waits.len() as f64,
        false => pictures_of(&all, time)? * viewers as f64,
    };
    Ok(Measured {
        time: measured,
        cpu,
        memory,
        pictures,
        bytes: all.iter().map(|seen| seen.bytes).sum(),
        waits: is_pulled.then(|| Quantiles::new(waits)),
    })
}

fn program_name() -> PathBuf {
    PathBuf::from("dataspice").with_extension(std::env::consts::EXE_EXTENSION)
}

/// How many pictures those saw who are recorded; all of them the same ones, and everybody else about
/// as many bytes.
fn pictures_of(all: &[Seen], time: Duration) -> io::Result<f64> {
    let mut pictures: Vec<Vec<String>> = Vec::new();
    for seen in all.iter().filter(|seen| !seen.recording.is_empty()) {
        let body = decode::dechunk(&seen.recording);
        let text = String::from_utf8_lossy(&decode::text(Some(Codec::Zstd), &body)?).into_owned();
        let lines = text.lines().filter(|line| line.contains("\"_sky\""));
        pictures.push(lines.map(str::to_owned).collect());
    }
    let wanted = (time.as_secs_f64() / PERIOD.as_secs_f64()) * 0.9;
    for of_one in &pictures {
        if (of_one.len() as f64) < wanted {
            return Err(io::Error::other(format!("{} pictures only", of_one.len())));
        }
        // They began at different times; what they have in common has to be the same.
        let last = &of_one[of_one.len() - 1 - wanted as usize / 2];
        if !pictures.iter().all(|other| other.contains(last)) {
            return Err(io::Error::other("they see different pictures"));
        }
    }
    let mut bytes: Vec<u64> = all.iter().map(|seen| seen.bytes).collect();
    bytes.sort_unstable();
    if let (Some(least), Some(most)) = (bytes.first(), bytes.last())
        && least * 5 < most * 4
    {
        return Err(io::Error::other(format!(
            "one got {least} bytes, one {most}"
        )));
    }
    // All that came, warm-up included: the rate is the period's.
    let rate = 1.0 / PERIOD.as_secs_f64();
    Ok(rate * time.as_secs_f64())
}

async fn push(
    address: SocketAddr,
    window: std::ops::Range<Instant>,
    is_recorded: bool,
) -> io::Result<Seen> {
    let mut socket = open(address, "mode%22%3A%22push").await?;
    let mut seen = Seen::default();
    read_head(&mut socket).await?;
    let mut buffer = vec![0; 4096];
    while let Ok(read) = timeout_at(window.end.into(), socket.read(&mut buffer)).await {
        let read = read?;
        if read == 0 {
            return Err(io::Error::other("a stream has ended"));
        }
        if is_recorded {
            seen.recording.extend_from_slice(&buffer[..read]);
        }
        if Instant::now() >= window.start {
            seen.bytes += read as u64;
        }
    }
    Ok(seen)
}

async fn pull(
    address: SocketAddr,
    viewer: usize,
    window: std::ops::Range<Instant>,
) -> io::Result<Seen> {
    let mut socket = BufReader::with_capacity(1024, TcpStream::connect(address).await?);
    let signals = format!("mode%22%3A%22pull%22%2C%22tabId%22%3A%22v{viewer}");
    let request = request(&signals);
    let mut seen = Seen::default();
    // Not all at the same moment.
    sleep(PERIOD.mul_f64((viewer % 97) as f64 / 97.0)).await;
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        let asked = Instant::now();
        if asked >= window.end {
            return Ok(seen);
        }
        socket.get_mut().write_all(request.as_bytes()).await?;
        let head = read_head(&mut socket).await?;
        let body = read_body(&mut socket, &head).await?;
        if asked >= window.start {
            seen.bytes += (head.len() + body) as u64;
            seen.waits.push(asked.elapsed());
        }
    }
}

/// Reads a body to its end; says how many bytes it took.
async fn read_body(socket: &mut BufReader<TcpStream>, head: &str) -> io::Result<usize> {
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    if let Some(length) = length {
        let mut body = vec![0; length.parse().map_err(io::Error::other)?];
        socket.read_exact(&mut body).await?;
        return Ok(body.len());
    }
    let mut line = String::new();
    let mut read = 0;
    loop {
        line.clear();
        read += socket.read_line(&mut line).await?;
        let size = usize::from_str_radix(line.trim_end(), 16).map_err(io::Error::other)?;
        let mut chunk = vec![0; size + 2];
        read += socket.read_exact(&mut chunk).await?;
        if size == 0 {
            return Ok(read);
        }
    }
}

async fn open(address: SocketAddr, signals: &str) -> io::Result<BufReader<TcpStream>> {
    let mut socket = TcpStream::connect(address).await?;
    socket.write_all(request(signals).as_bytes()).await?;
    Ok(BufReader::with_capacity(512, socket))
}

fn request(signals: &str) -> String {
    format!(
        "GET /stream?datastar=%7B%22{signals}%22%7D HTTP/1.1\r\nhost: bench\r\n\
         datastar-request: true\r\naccept-encoding: gzip, deflate, br, zstd\r\n\r\n"
    )
}

async fn read_head(socket: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    match head.starts_with("http/1.1 200") && head.contains("content-encoding: zstd") {
        true => Ok(head),
        false => Err(io::Error::other(head)),
    }
}
