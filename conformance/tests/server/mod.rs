//! The program under test, and a client of HTTP/1.1 that is small enough to be trusted.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::{
    fmt::Write as _,
    io::{self, BufRead, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_conformance");

/// The adapters, as the program itself lists them.
pub(crate) fn adapters() -> Vec<String> {
    let help = Command::new(PROGRAM).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let list = help
        .lines()
        .find_map(|line| line.strip_prefix("adapters: "));
    let adapters: Vec<_> = list.unwrap().split(", ").map(str::to_owned).collect();
    assert!(adapters.contains(&"axum".to_owned()), "{help}");
    adapters
}

/// A running server, ended when it is dropped.
pub(crate) struct Server {
    process: Child,
    address: String,
}

impl Server {
    /// Starts it with this adapter on a free port.
    pub(crate) fn start(adapter: &str) -> Self {
        let mut process = Command::new(PROGRAM)
            .args(["--port", "0", "--adapter", adapter])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on http://");
        let address = address
            .unwrap_or_else(|| panic!("{adapter}: {line:?}"))
            .to_owned();
        Self { process, address }
    }

    /// GET with this signals text.
    pub(crate) fn get(&self, signals: &str) -> Response {
        self.query("GET", signals)
    }

    /// A request with the signals in the query.
    pub(crate) fn query(&self, method: &str, signals: &str) -> Response {
        let mut target = String::from("/test?datastar=");
        for byte in signals.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => target.push(char::from(byte)),
                b' ' => target.push('+'),
                _ => write!(target, "%{byte:02X}").unwrap(),
            }
        }
        self.request(method, &target, None, "")
    }

    /// A request with the signals in its body.
    pub(crate) fn send(&self, method: &str, body: &[u8]) -> Response {
        self.request(method, "/test", Some(body), "")
    }

    /// POST with this `Accept-Encoding`.
    pub(crate) fn accepting(&self, codings: &str, body: &str) -> Response {
        let accept = format!("Accept-Encoding: {codings}\r\n");
        self.request("POST", "/test", Some(body.as_bytes()), &accept)
    }

    fn request(&self, method: &str, target: &str, body: Option<&[u8]>, more: &str) -> Response {
        let more = match body {
            Some(_) => {
                &format!("Datastar-Request: true\r\nContent-Type: application/json\r\n{more}")
            }
            None => &format!("Datastar-Request: true\r\n{more}"),
        };
        self.ask(method, target, body, more)
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        stream
    }

    fn head(&self, method: &str, target: &str, more: &str) -> String {
        format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\n{more}",
            self.address
        )
    }

    /// Any request, with no headers but these, and its whole answer.
    pub(crate) fn ask(
        &self,
        method: &str,
        target: &str,
        body: Option<&[u8]>,
        headers: &str,
    ) -> Response {
        let mut stream = self.connect();
        let mut head = self.head(method, target, headers);
        if let Some(body) = body {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        head += "\r\n";
        let mut writer = stream.try_clone().unwrap();
        thread::scope(|scope| {
            // Beside the reading: a server may answer before it has read all, and close.
            scope.spawn(move || {
                let sent = writer.write_all(head.as_bytes());
                sent.and_then(|()| writer.write_all(body.unwrap_or_default()))
            });
            Response::read(&mut BufReader::new(&mut stream)).unwrap()
        })
    }
}

/// An answer that is read as it comes.
pub(crate) struct Streaming {
    reader: BufReader<TcpStream>,
    pub(crate) headers: Vec<(String, String)>,
    /// What has come so far, out of its chunks.
    pub(crate) body: Vec<u8>,
    /// The last chunk has come.
    pub(crate) is_whole: bool,
}

impl Server {
    /// GET, with these headers.
    pub(crate) fn open(&self, target: &str, headers: &str) -> Streaming {
        let mut stream = self.connect();
        let head = self.head("GET", target, headers) + "\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        let mut reader = BufReader::new(stream);
        let status = line(&mut reader).unwrap();
        assert!(status.starts_with("HTTP/1.1 200"), "{target}: {status}");
        let headers = headers_of(&mut reader).unwrap();
        Streaming {
            reader,
            headers,
            body: Vec::new(),
            is_whole: false,
        }
    }
}

impl Streaming {
    /// The next chunk; `false` at the end, however it came.
    pub(crate) fn next(&mut self) -> bool {
        let Ok(size) = line(&mut self.reader) else {
            return false;
        };
        // Where a server cannot close a connection, it breaks the chunks.
        let Ok(size) = usize::from_str_radix(&size, 16) else {
            return false;
        };
        let start = self.body.len();
        self.body.resize(start + size, 0);
        if self.reader.read_exact(&mut self.body[start..]).is_err() {
            return false;
        }
        let _ = line(&mut self.reader);
        self.is_whole = size == 0;
        size > 0
    }

    /// Reads until this text has come, and forgets all that came before its end.
    pub(crate) fn until(&mut self, text: &str) {
        loop {
            let place = self
                .body
                .windows(text.len())
                .position(|window| window == text.as_bytes());
            if let Some(place) = place {
                self.body.drain(..place + text.len());
                return;
            }
            assert!(
                self.next(),
                "no {text:?} in {:?}",
                String::from_utf8_lossy(&self.body)
            );
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An answer, its body put together.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    fn read(from: &mut impl BufRead) -> io::Result<Self> {
        let line = line(from)?;
        let status = line
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3));
        let status = status
            .and_then(|status| status.parse().ok())
            .ok_or(io::ErrorKind::InvalidData)?;
        let headers = headers_of(from)?;
        let mut response = Self {
            status,
            headers,
            body: Vec::new(),
        };
        if response.header("transfer-encoding") == Some("chunked") {
            loop {
                let size = self::line(from)?;
                let size = usize::from_str_radix(&size, 16).map_err(io::Error::other)?;
                let start = response.body.len();
                response.body.resize(start + size, 0);
                from.read_exact(&mut response.body[start..])?;
                self::line(from)?;
                if size == 0 {
                    return Ok(response);
                }
            }
        }
        if response.status == 204 {
            return Ok(response);
        }
        let length = response
            .header("content-length")
            .ok_or(io::ErrorKind::InvalidData)?;
        response
            .body
            .resize(length.parse().map_err(io::Error::other)?, 0);
        from.read_exact(&mut response.body)?;
        Ok(response)
    }

    /// A header's value, by its name in lower case; `None` where it is not there once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        let value = found.next().map(|(_, value)| value.as_str());
        value.filter(|_| found.next().is_none())
    }

    /// A header's value, which is then no longer there.
    pub(crate) fn take_header(&mut self, name: &str) -> String {
        let value = self.header(name).unwrap_or_default().to_owned();
        self.headers.retain(|(known, _)| known != name);
        value
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn headers_of(from: &mut impl BufRead) -> io::Result<Vec<(String, String)>> {
    let mut headers = Vec::new();
    loop {
        let line = line(from)?;
        match line.split_once(": ") {
            Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.to_owned())),
            None => return Ok(headers),
        }
    }
}

fn line(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    line.strip_suffix("\r\n")
        .map(str::to_owned)
        .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}
