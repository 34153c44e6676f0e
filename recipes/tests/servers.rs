//! Each recipe's program, over plain sockets.

#![allow(clippy::unwrap_used)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use flate2::write::GzDecoder;

/// How long anything may take that should take no time.
const PATIENCE: Duration = Duration::from_secs(10);
/// Of the programs' settings.
const HEARTBEAT: Duration = Duration::from_secs(2);

macro_rules! programs {
    ($($program:ident: $($test:ident)*;)*) => {$(
        mod $program {
            $(#[test]
            fn $test() {
                super::$test(&mut super::Server::start(env!(concat!("CARGO_BIN_EXE_", stringify!($program)))));
            })*
        }
    )*};
}

programs! {
    rama: the_page signals events_come_one_by_one a_client_that_leaves_is_noticed shutdown http2;
    ntex: the_page signals events_come_one_by_one a_client_that_leaves_is_noticed shutdown;
    trillium: the_page signals events_come_one_by_one a_client_that_leaves_is_noticed shutdown http2;
}

fn the_page(server: &mut Server) {
    let (head, body) = server.get("/", "").whole();
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(head.contains("\r\ncontent-type: text/html"), "{head}");
    assert!(body.contains("data-on:click"), "{body}");
    let (head, _) = server.get("/nowhere", "").whole();
    assert!(head.starts_with("http/1.1 404"), "{head}");
}

fn signals(server: &mut Server) {
    let query = |json: &str| format!("/hello?datastar={}", json.replace('"', "%22"));
    for (answer, status) in [
        (server.get(&query(r#"{"delay":0}"#), ""), 200),
        (server.get(&query(r#"{"delay":"long"}"#), ""), 400),
        (server.get("/hello", ""), 400),
        (server.post("/hello", r#"{"delay":0}"#), 200),
        (server.post("/hello", r#"{"delay":"#), 400),
        (server.post("/hello", &" ".repeat(65 * 1024)), 413),
        (server.post_chunks("/hello", &" ".repeat(65 * 1024)), 413),
        (server.post("/hello", &" ".repeat(20 << 20)), 413),
    ] {
        let (head, body) = answer.whole();
        assert!(
            head.starts_with(&format!("http/1.1 {status}")),
            "{head}{body}"
        );
        match status {
            200 => {
                assert!(
                    head.contains("\r\ncontent-type: text/event-stream\r\n"),
                    "{head}"
                );
                assert!(head.contains("\r\ncache-control: no-cache\r\n"), "{head}");
                assert!(body.contains("79 light minutes away.</p>"), "{body}");
            }
            _ => assert!(body.contains("signals"), "{body}"),
        }
    }
}

fn events_come_one_by_one(server: &mut Server) {
    let target = "/hello?datastar=%7B%22delay%22:300%7D";
    for accepted in ["identity", "gzip"] {
        let mut answer = server.get(target, &format!("Accept-Encoding: {accepted}\r\n"));
        let head = answer.head();
        let is_gzip = head.contains("\r\ncontent-encoding: gzip\r\n");
        assert_eq!(is_gzip, accepted == "gzip", "{head}");
        assert!(
            head.contains("\r\ntransfer-encoding: chunked\r\n"),
            "{head}"
        );
        let mut times = Vec::new();
        let mut decoder = GzDecoder::new(Vec::new());
        let mut text = Vec::new();
        while times.len() < 4 {
            let chunk = answer.chunk().unwrap();
            if is_gzip {
                decoder.write_all(&chunk).unwrap();
                decoder.flush().unwrap();
                text = decoder.get_ref().clone();
            } else {
                text.extend(chunk);
            }
            let events = String::from_utf8_lossy(&text).matches("\n\n").count();
            assert!(events <= times.len() + 1, "{events} events at once");
            if events > times.len() {
                times.push(Instant::now());
            }
        }
        let gaps: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(
            gaps.iter().all(|&gap| gap > Duration::from_millis(100)),
            "{gaps:?}"
        );
    }
}

fn a_client_that_leaves_is_noticed(server: &mut Server) {
    let mut answer = server.get("/live", "");
    answer.head();
    let chunk = answer.chunk().unwrap();
    assert!(String::from_utf8_lossy(&chunk).contains("Connected"));
    let heartbeat = answer.chunk().unwrap();
    assert!(heartbeat.starts_with(b":"), "{heartbeat:?}");
    drop(answer);
    server.is_told("the client is gone", 2 * HEARTBEAT);
}

fn shutdown(server: &mut Server) {
    let mut answer = server.get("/live", "");
    answer.head();
    answer.chunk().unwrap();
    let asked = Instant::now();
    let id = server.child.id().to_string();
    assert!(Command::new("kill").arg(id).status().unwrap().success());
    // Broken off, so that the page comes back by itself.
    let chunk = answer.chunk();
    assert!(
        chunk.is_none_or(|chunk| !chunk.is_empty()),
        "ended as if whole"
    );
    println!("the stream ended after {:?}", asked.elapsed());
    server.is_told("shut", PATIENCE);
    while server.child.try_wait().unwrap().is_none() {
        assert!(asked.elapsed() < PATIENCE, "still running");
        thread::sleep(Duration::from_millis(10));
    }
    println!("the program ended after {:?}", asked.elapsed());
}

fn http2(server: &mut Server) {
    let address = server.address;
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let all = async {
        let socket = tokio::net::TcpStream::connect(address).await.unwrap();
        let (client, connection) = h2::client::handshake(socket).await.unwrap();
        let connection = tokio::spawn(connection);
        let mut client = client.ready().await.unwrap();
        let get = |path: &str| {
            let uri = format!("http://{address}{path}");
            http::Request::get(uri).body(()).unwrap()
        };
        let hello = get("/hello?datastar=%7B%22delay%22:300%7D");
        let (answer, _) = client.send_request(hello, true).unwrap();
        let mut body = answer.await.unwrap().into_body();
        let mut times = Vec::new();
        for _ in 0..3 {
            let chunk = body.data().await.unwrap().unwrap();
            assert_eq!(String::from_utf8_lossy(&chunk).matches("\n\n").count(), 1);
            times.push(Instant::now());
        }
        assert!(times[2] - times[0] > Duration::from_millis(400));
        drop(body);
        let (answer, _) = client.send_request(get("/live"), true).unwrap();
        let mut body = answer.await.unwrap().into_body();
        body.data().await.unwrap().unwrap();
        drop(body);
        (client, connection)
    };
    let (_client, connection) =
        runtime.block_on(async { tokio::time::timeout(PATIENCE, all).await.unwrap() });
    server.is_told("the client is gone", 2 * HEARTBEAT);
    connection.abort();
}

/// A running program.
struct Server {
    child: Child,
    address: SocketAddr,
    lines: Receiver<String>,
}

impl Server {
    fn start(program: &str) -> Self {
        let mut command = Command::new(program);
        let mut child = command.arg("0").stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let first = lines.recv_timeout(PATIENCE).unwrap();
        let address = first.strip_prefix("http://").unwrap().parse().unwrap();
        Self {
            child,
            address,
            lines,
        }
    }

    /// Waits for the line that `on_disconnect` writes.
    fn is_told(&mut self, reason: &str, within: Duration) {
        let start = Instant::now();
        let limit = within + Duration::from_millis(500);
        // trillium writes lines of its own.
        let line = loop {
            let left = limit.saturating_sub(start.elapsed());
            match self.lines.recv_timeout(left) {
                Ok(line) if line.starts_with("client ") => break line,
                Ok(_) => {}
                Err(_) => panic!("no end after {:?}", start.elapsed()),
            }
        };
        assert!(line.contains(reason), "{line}");
        println!("on_disconnect after {:?}", start.elapsed());
    }

    fn get(&self, target: &str, headers: &str) -> Answer {
        self.send(format!("GET {target} HTTP/1.1\r\nHost: x\r\n{headers}\r\n"))
    }

    fn post(&self, target: &str, body: &str) -> Answer {
        let length = body.len();
        self.send(format!(
            "POST {target} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        ))
    }

    fn post_chunks(&self, target: &str, body: &str) -> Answer {
        let length = body.len();
        self.send(format!(
            "POST {target} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
             Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n"
        ))
    }

    fn send(&self, request: String) -> Answer {
        let mut socket = TcpStream::connect(self.address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        socket.write_all(request.as_bytes()).unwrap();
        Answer(BufReader::new(socket))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A response that is being read.
struct Answer(BufReader<TcpStream>);

impl Answer {
    /// The head, in lower case.
    fn head(&mut self) -> String {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(self.0.read_line(&mut head).unwrap(), 0, "{head}");
        }
        head.to_lowercase()
    }

    /// The next chunk; the last one is empty. `None` where the connection is closed instead.
    fn chunk(&mut self) -> Option<Vec<u8>> {
        let mut size = String::new();
        if self.0.read_line(&mut size).ok()? == 0 {
            return None;
        }
        let mut chunk = vec![0; usize::from_str_radix(size.trim(), 16).unwrap()];
        self.0.read_exact(&mut chunk).ok()?;
        self.0.read_exact(&mut [0; 2]).ok()?;
        Some(chunk)
    }

    /// Head and body.
    fn whole(mut self) -> (String, String) {
        let head = self.head();
        let mut body = Vec::new();
        match head.split("content-length: ").nth(1) {
            Some(length) => {
                let length = length.split("\r\n").next().unwrap().parse().unwrap();
                body.resize(length, 0);
                self.0.read_exact(&mut body).unwrap();
            }
            None => {
                while let Some(chunk) = self.chunk().filter(|chunk| !chunk.is_empty()) {
                    body.extend(chunk);
                }
            }
        }
        (head, String::from_utf8(body).unwrap())
    }
}
