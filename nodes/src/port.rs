//! Free ports of 127.0.0.1.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};

use socket2::{Domain, Socket, Type};

/// A port of 127.0.0.1 that was free, and stays ours until this is dropped.
///
/// A socket is bound to it and does not listen, with `SO_REUSEADDR`: Linux gives the port to nobody who asks for any,
/// and refuses connections to it, but a server that is told this port, and sets `SO_REUSEADDR` too, as servers do, may
/// listen on it, end, and listen on it again.
#[derive(Debug)]
pub struct Port {
    _bound: Socket,
    address: SocketAddr,
}

impl Port {
    /// Takes a free one.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn free() -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
        let address = socket.local_addr()?.as_socket();
        Ok(Self {
            _bound: socket,
            address: address.ok_or_else(|| io::Error::other("no address"))?,
        })
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.address.port()
    }

    /// 127.0.0.1 with its number.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::net::{TcpListener, TcpStream};

    use super::*;
    use crate::process;

    #[test]
    fn servers_may_come_and_go_and_in_between_it_refuses() {
        let port = Port::free().unwrap();
        for _ in 0..3 {
            let refused = TcpStream::connect(port.address()).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
            let server = TcpListener::bind(port.address()).unwrap();
            let client = TcpStream::connect(port.address()).unwrap();
            // Ours ends first, so that the port has connections that wait for their end.
            drop(server.accept().unwrap());
            drop(client);
            drop(server);
            process::settle();
        }
    }

    #[test]
    fn nobody_else_gets_it() {
        let ports: Vec<Port> = (0..200).map(|_| Port::free().unwrap()).collect();
        let mut numbers: Vec<u16> = ports.iter().map(Port::number).collect();
        let others: Vec<TcpListener> = (0..200)
            .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
            .collect();
        numbers.extend(
            others
                .iter()
                .map(|other| other.local_addr().unwrap().port()),
        );
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 400);
    }
}
