//! A client of HTTP/1.1 that is small enough to be trusted: one request on a connection of its own,
//! and an answer that can be read as it comes.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

pub(crate) const DATASTAR: (&str, &str) = ("datastar-request", "true");
pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");

/// An answer whose head was read.
#[derive(Debug)]
pub(crate) struct Answer {
    stream: BufReader<TcpStream>,
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    /// The server took all of the request.
    pub(crate) was_sent: bool,
}

/// Sends a request, with its length where it has a body.
pub(crate) fn ask(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
) -> Answer {
    let length = body.map(|body| body.len().to_string());
    let length = length.as_ref().map(|length| ("content-length", &**length));
    let headers: Vec<_> = headers.iter().copied().chain(length).collect();
    ask_as_it_is(address, method, target, &headers, body.unwrap_or_default())
}

/// Sends these headers and no others but `Host`, and these bytes.
pub(crate) fn ask_as_it_is(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let patience = Some(Duration::from_secs(10));
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(patience).unwrap();
    stream.set_write_timeout(patience).unwrap();
    let mut request = format!("{method} {target} HTTP/1.1\r\nhost: {address}\r\n");
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    let mut request = (request + "\r\n").into_bytes();
    request.extend_from_slice(body);
    let (mut writer, mut stream) = (stream.try_clone().unwrap(), BufReader::new(stream));
    thread::scope(|scope| {
        // Beside the reading: a server may answer before it has read all, and close.
        let sent = scope.spawn(move || writer.write_all(&request).is_ok());
        let status = line(&mut stream).unwrap();
        let status = status.strip_prefix("HTTP/1.1 ").unwrap()[..3].parse();
        let mut headers = Vec::new();
        while let Some((name, value)) = line(&mut stream).unwrap().split_once(": ") {
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        Answer {
            stream,
            status: status.unwrap(),
            headers,
            was_sent: sent.join().unwrap(),
        }
    })
}

impl Answer {
    /// A header's value; `None` where it is not there once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        let value = found.next().map(|(_, value)| value.as_str());
        value.filter(|_| found.next().is_none())
    }

    /// Whether any of the headers of this name has this in it.
    pub(crate) fn says(&self, name: &str, text: &str) -> bool {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        found.any(|(_, value)| value.contains(text))
    }

    /// The next chunk, which is empty at the end; an error where the answer is broken off.
    pub(crate) fn chunk(&mut self) -> io::Result<Vec<u8>> {
        let size = usize::from_str_radix(&line(&mut self.stream)?, 16).map_err(io::Error::other)?;
        let mut chunk = vec![0; size + 2];
        self.stream.read_exact(&mut chunk)?;
        chunk.truncate(size);
        Ok(chunk)
    }

    /// Reads until this text has come: what came.
    pub(crate) fn until(&mut self, text: &str) -> String {
        let mut read = String::new();
        while !read.contains(text) {
            let chunk = self.chunk().unwrap();
            assert!(!chunk.is_empty(), "no {text} in {read}");
            read += std::str::from_utf8(&chunk).unwrap();
        }
        read
    }

    /// Reads on until a stream ends: `Ok` where it ends cleanly.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        while !self.chunk()?.is_empty() {}
        Ok(())
    }

    /// All of the body.
    pub(crate) fn text(&mut self) -> String {
        let mut body = Vec::new();
        if self.header("transfer-encoding") == Some("chunked") {
            while let Some(chunk) = Some(self.chunk().unwrap()).filter(|chunk| !chunk.is_empty()) {
                body.extend(chunk);
            }
        } else {
            let length = self.header("content-length").unwrap();
            body.resize(length.parse().unwrap(), 0);
            self.stream.read_exact(&mut body).unwrap();
        }
        String::from_utf8(body).unwrap()
    }

    /// Leaves as a browser does.
    pub(crate) fn leave(self) -> Instant {
        let left = Instant::now();
        let _ = self.stream.get_ref().shutdown(Shutdown::Both);
        left
    }

    /// Leaves as a machine that has lost the connection: with a reset.
    pub(crate) fn abort(self) -> Instant {
        let socket = socket2::SockRef::from(self.stream.get_ref());
        socket.set_linger(Some(Duration::ZERO)).unwrap();
        Instant::now()
    }
}

fn line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let whole = line.strip_suffix("\r\n").map(str::to_owned);
    whole.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}
