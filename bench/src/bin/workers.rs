//! Ordinary requests beside 5,000 open streams, on servers with two workers: actix-web, and
//! `sidereal::serve` with two threads.
//!
//! ```text
//! workers [--streams N]
//! ```
//!
//! The server is a process on its own; each stream follows a topic on which an event of 200 B is
//! published each second. Requests for a plain text go one after the other over one connection: first
//! with no stream open, then beside all of them, in turns. Every stream has to get its events.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Command, ExitCode},
    thread,
    time::{Duration, Instant},
};

use actix_web::{App, HttpServer, web};
use axum::{Router, routing::get};
use bench::{
    arguments::Arguments, child::ChildServer, process::raise_open_files, quantiles::Quantiles,
};
use sidereal::{Connect, Hub, PatchElements, Sse, Topic};

const STREAMS: usize = 5000;
const WORKERS: usize = 2;
const ROUNDS: usize = 3;
const REQUESTS: usize = 2000;

/// How long an event may take to be at all of them.
const PATIENCE: Duration = Duration::from_secs(20);

const SERVERS: [(&str, &str); 2] = [
    ("actix", "actix-web, 2 workers"),
    ("hyper", "sidereal::serve, 2 threads"),
];

fn main() -> ExitCode {
    let mut arguments = Arguments::new(std::env::args().skip(1));
    let result = match arguments.flag("serve") {
        true => serve(&arguments.first().unwrap_or_default()),
        false => match arguments.value("--streams") {
            Ok(streams) => measure(streams.unwrap_or(STREAMS)),
            Err(error) => Err(io::Error::other(error)),
        },
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("workers: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(streams: usize) -> io::Result<()> {
    let files = raise_open_files(streams + 200)?;
    let streams = streams.min(files.saturating_sub(100));
    println!("| server | open streams | requests, p50, ms | p99, ms | longest, ms |");
    println!("|---|---|---|---|---|");
    for (server, name) in SERVERS {
        let mut command = Command::new(std::env::current_exe()?);
        let server = ChildServer::start(command.args(["serve", server]))?;
        let mut rounds: [Vec<Duration>; 2] = Default::default();
        for _ in 0..ROUNDS {
            rounds[0].extend(requests(server.address())?);
            let open = open(server.address(), streams)?;
            rounds[1].extend(requests(server.address())?);
            are_served(open)?;
        }
        let millis = |time: Duration| time.as_secs_f64() * 1e3;
        let [without, beside] = rounds.map(Quantiles::new);
        for (streams, times) in [(0, without), (streams, beside)] {
            println!(
                "| {name} | {streams} | {:.2} | {:.2} | {:.1} |",
                millis(times.p50),
                millis(times.p99),
                millis(times.max)
            );
        }
    }
    Ok(())
}

/// How long each took.
fn requests(address: SocketAddr) -> io::Result<Vec<Duration>> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(socket.try_clone()?);
    let mut times = Vec::new();
    for _ in 0..REQUESTS {
        let begun = Instant::now();
        socket.write_all(b"GET /plain HTTP/1.1\r\nhost: bench\r\n\r\n")?;
        let head = read_head(&mut reader)?;
        let mut body = [0; 5];
        reader.read_exact(&mut body)?;
        if !head.starts_with("HTTP/1.1 200") || &body != b"plain" {
            return Err(io::Error::other(head));
        }
        times.push(begun.elapsed());
    }
    Ok(times)
}

fn open(address: SocketAddr, streams: usize) -> io::Result<Vec<BufReader<TcpStream>>> {
    let request = b"GET /events HTTP/1.1\r\nhost: bench\r\n\r\n";
    let open = (0..streams).map(|_| {
        let mut socket = TcpStream::connect(address)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.write_all(request)?;
        Ok(BufReader::with_capacity(512, socket))
    });
    open.collect()
}

/// Each of them has had an event.
fn are_served(open: Vec<BufReader<TcpStream>>) -> io::Result<()> {
    for mut stream in open {
        let head = read_head(&mut stream)?;
        if !head.starts_with("HTTP/1.1 200") {
            return Err(io::Error::other(head));
        }
        let mut line = String::new();
        while !line.starts_with("data: elements <p>") {
            line.clear();
            if stream.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
    Ok(())
}

fn read_head(reader: &mut impl BufRead) -> io::Result<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(head)
}

/// Serves until it is killed.
fn serve(server: &str) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    let topic = Hub::new().topic("events");
    let published = topic.clone();
    thread::spawn(move || {
        let html = format!("<p>{}</p>", "x".repeat(193));
        loop {
            thread::sleep(Duration::from_secs(1));
            if published
                .publish(PatchElements::new(html.as_str()))
                .is_err()
            {
                return;
            }
        }
    });
    match server {
        "actix" => on_actix(listener, topic),
        _ => on_hyper(listener, topic),
    }
}

async fn events(topic: web::Data<Topic>, connect: Connect) -> Sse {
    connect.subscribe(&topic)
}

fn on_actix(listener: TcpListener, topic: Topic) -> io::Result<()> {
    let app = move || {
        App::new()
            .app_data(web::Data::new(topic.clone()))
            .route("/events", web::get().to(events))
            .route("/plain", web::get().to(async || "plain"))
    };
    let server = HttpServer::new(app).workers(WORKERS).listen(listener)?;
    actix_web::rt::System::new().block_on(server.run())
}

fn on_hyper(listener: TcpListener, topic: Topic) -> io::Result<()> {
    let events = async move |connect: Connect| connect.subscribe(&topic);
    let router = Router::new()
        .route("/events", get(events))
        .route("/plain", get(async || "plain"));
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let server = sidereal::serve(listener, router).threads(WORKERS);
        server.max_connections(STREAMS * 2).await.map(|_| ())
    })
}
