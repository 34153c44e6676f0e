//! nginx with the module nchan, from Debian's packages: one worker, which is told of each event by
//! a POST.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use bench::process::{self, SERVER_CORE, pinned};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::sleep,
};

const PROGRAM: &str = "/usr/sbin/nginx";
const MODULE: &str = "/usr/lib/nginx/modules/ngx_nchan_module.so";

pub(crate) fn is_installed() -> bool {
    Path::new(PROGRAM).exists() && Path::new(MODULE).exists()
}

/// nginx with a folder of its own; both are gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Nginx {
    child: Child,
    folder: PathBuf,
    worker: u32,
    address: SocketAddr,
}

impl Nginx {
    pub(crate) async fn start(open_files: usize) -> io::Result<Self> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("sidereal-fanout-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder)?;
        let port = std::net::TcpListener::bind("127.0.0.1:0")?
            .local_addr()?
            .port();
        fs::write(folder.join("nginx.conf"), configuration(port, open_files))?;
        // Should we be killed, it ends too.
        let child = pinned(SERVER_CORE, "setpriv")?
            .args(["--pdeathsig", "TERM", PROGRAM, "-p"])
            .arg(&folder)
            .args(["-c", "nginx.conf", "-e", "error.log"])
            .stdin(Stdio::null())
            .spawn()?;
        let mut nginx = Self {
            child,
            folder,
            worker: 0,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
        };
        for _ in 0..500 {
            if let Some(worker) = nginx.has_started()? {
                nginx.worker = worker;
                return Ok(nginx);
            }
            sleep(Duration::from_millis(10)).await;
        }
        Err(io::Error::other("nginx has not started"))
    }

    /// Its worker, once it is there and takes connections.
    fn has_started(&mut self) -> io::Result<Option<u32>> {
        if self.child.try_wait()?.is_some() {
            let log = fs::read_to_string(self.folder.join("error.log")).unwrap_or_default();
            return Err(io::Error::other(format!("nginx has ended: {log}")));
        }
        let worker = process::children(self.child.id())?.first().copied();
        let listens = std::net::TcpStream::connect(self.address).is_ok();
        Ok(worker.filter(|_| listens))
    }

    pub(crate) fn worker(&self) -> u32 {
        self.worker
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // A worker that loses its master would stay; one that is killed is started again.
        let _ = std::process::Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn configuration(port: u16, open_files: usize) -> String {
    format!(
        "load_module {MODULE};
daemon off;
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
    listen 127.0.0.1:{port} backlog=4096;
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
