//! The floor: a loop that writes the same bytes to each socket, and does nothing else.

use std::{
    io::{self, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
};

use bench::publisher::Publisher;

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n";

pub(crate) async fn run(publisher: Publisher) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    let accepted = Arc::new(Mutex::new(Vec::new()));
    let sockets = accepted.clone();
    std::thread::spawn(move || accept(&listener, &accepted));
    publisher
        .obey(true, async |elements: &Arc<str>| {
            let event = crate::serve::encoded(elements);
            let chunk = format!("{:x}\r\n{event}\r\n", event.len());
            let mut sockets = sockets.lock().unwrap_or_else(PoisonError::into_inner);
            sockets
                .iter_mut()
                .try_for_each(|socket| socket.write_all(chunk.as_bytes()))
        })
        .await
}

fn accept(listener: &TcpListener, accepted: &Mutex<Vec<TcpStream>>) {
    for mut socket in listener.incoming().map_while(Result::ok) {
        if greet(&mut socket).is_ok() {
            let mut accepted = accepted.lock().unwrap_or_else(PoisonError::into_inner);
            accepted.push(socket);
        }
    }
}

/// Takes the request, and begins the response.
fn greet(socket: &mut TcpStream) -> io::Result<()> {
    let mut request = Vec::new();
    let mut buffer = [0; 1024];
    while !request.ends_with(b"\r\n\r\n") {
        match socket.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => request.extend_from_slice(&buffer[..read]),
        }
    }
    socket.set_nodelay(true)?;
    socket.write_all(HEAD)
}
