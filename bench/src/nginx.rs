//! nginx, from Debian's package, with a configuration of ours.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use nodes::{Port, StartError};
use tokio::time::sleep;

use crate::process::{self, SERVER_CORE, pinned};

const PROGRAM: &str = "/usr/sbin/nginx";

/// Whether it is there.
pub fn is_installed() -> bool {
    Path::new(PROGRAM).exists()
}

/// nginx with one worker and a folder of its own; both are gone when this is dropped.
#[derive(Debug)]
pub struct Nginx {
    child: Child,
    folder: PathBuf,
    worker: u32,
    port: Port,
}

impl Nginx {
    /// Starts it where servers run, and waits until it takes connections. Its configuration has to listen
    /// on the address that it is made for, and to have `pid nginx.pid`; it does not say `daemon`.
    ///
    /// # Errors
    ///
    /// When it is not installed, or does not start.
    pub async fn start(configuration: impl FnOnce(SocketAddr) -> String) -> io::Result<Self> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        if !is_installed() {
            let missing = StartError::Missing {
                program: "nginx",
                package: "nginx-light",
            };
            return Err(io::Error::other(missing));
        }
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("sidereal-nginx-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder)?;
        let port = Port::free()?;
        fs::write(folder.join("nginx.conf"), configuration(port.address()))?;
        // Should we be killed, it ends too.
        let child = pinned(SERVER_CORE, "setpriv")?
            .args(["--pdeathsig", "TERM", PROGRAM, "-p"])
            .arg(&folder)
            .args(["-c", "nginx.conf", "-e", "error.log", "-g", "daemon off;"])
            .stdin(Stdio::null())
            .spawn()?;
        let mut nginx = Self {
            child,
            folder,
            worker: 0,
            port,
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
        let listens = std::net::TcpStream::connect(self.address()).is_ok();
        Ok(worker.filter(|_| listens))
    }

    /// The process that does the work.
    pub fn worker(&self) -> u32 {
        self.worker
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // A worker that loses its master would stay; one that is killed is started again.
        let _ = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
