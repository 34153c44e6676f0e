//! nginx with the module nchan, from Debian's packages: one worker, which is told of each event by
//! a POST.

use std::{io, net::SocketAddr, path::Path};

use bench::nginx::{self, Nginx};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const MODULE: &str = "/usr/lib/nginx/modules/ngx_nchan_module.so";

pub(crate) fn is_installed() -> bool {
    nginx::is_installed() && Path::new(MODULE).exists()
}

/// nginx with that module.
pub(crate) async fn start(open_files: usize) -> io::Result<Nginx> {
    Nginx::start(|address| configuration(address, open_files)).await
}

fn configuration(address: SocketAddr, open_files: usize) -> String {
    format!(
        "load_module {MODULE};
pid nginx.pid;
worker_processes 1;
worker_rlimit_nofile {open_files};
events {{ worker_connections {open_files}; }}
http {{
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  client_body_buffer_size 64k;
  keepalive_requests 1000000;
  nchan_shared_memory_size 256M;
  server {{
    listen {address} backlog=4096;
    location = /publish {{ nchan_publisher; nchan_channel_id events; nchan_message_buffer_length 64; }}
    location = /events {{
      nchan_subscriber eventsource;
      nchan_channel_id events;
      nchan_subscriber_first_message newest;
    }}
  }}
}}
"
    )
}

/// A connection on which events are published.
#[derive(Debug)]
pub(crate) struct Posting(TcpStream);

impl Posting {
    pub(crate) async fn connect(address: SocketAddr) -> io::Result<Self> {
        let socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        Ok(Self(socket))
    }

    /// Publishes the event with these elements, and waits for the answer.
    pub(crate) async fn publish(&mut self, elements: &str) -> io::Result<()> {
        let data = format!("elements {elements}");
        let request = format!(
            "POST /publish HTTP/1.1\r\nhost: bench\r\ncontent-type: text/plain\r\nx-eventsource-event: datastar-patch-elements\r\ncontent-length: {}\r\n\r\n{data}",
            data.len()
        );
        self.0.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        while !is_whole(&answer) {
            if self.0.read_buf(&mut answer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        match answer.starts_with(b"HTTP/1.1 20") {
            true => Ok(()),
            false => Err(io::Error::other(
                String::from_utf8_lossy(&answer).into_owned(),
            )),
        }
    }
}

/// Whether an answer has its head, and as much of a body as that says.
fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .and_then(|length| length.trim().parse().ok());
    body.len() >= length.unwrap_or(0)
}
