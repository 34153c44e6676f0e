//! A thread for each connection, by `sidereal::blocking`.

use std::{
    io::{self, BufRead, BufReader},
    net::{TcpListener, TcpStream},
    thread,
};

use sidereal::{
    Topic,
    blocking::{Connect, head},
};

/// Of a thread's stack, in bytes. What is not touched of it takes address space only.
const STACK: usize = 256 << 10;

/// Serves until the process ends.
pub(crate) fn serve(listener: &TcpListener, topic: &Topic) -> io::Result<()> {
    for socket in listener.incoming() {
        let (socket, topic) = (socket?, topic.clone());
        let thread = thread::Builder::new().stack_size(STACK);
        // A subscriber that has left is nothing to be done about.
        thread.spawn(move || drop(follow(socket, &topic)))?;
    }
    Ok(())
}

fn follow(socket: TcpStream, topic: &Topic) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let head = read_head(&socket)?;
    Connect::from_parts(&head).subscribe(topic).write_to(socket)
}

fn read_head(socket: &TcpStream) -> io::Result<http::request::Parts> {
    let mut lines = BufReader::with_capacity(1024, socket).lines();
    let first = lines.next().ok_or(io::ErrorKind::UnexpectedEof)??;
    let mut words = first.split(' ');
    let (method, target) = words
        .next()
        .zip(words.next())
        .ok_or(io::ErrorKind::InvalidData)?;
    let mut headers = Vec::new();
    for line in lines {
        match line?.split_once(": ") {
            Some((name, value)) => headers.push((name.to_owned(), value.to_owned())),
            None => break,
        }
    }
    head(method, target, headers).map_err(io::Error::other)
}
