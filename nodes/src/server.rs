//! A message broker, the real one from Debian's package, in a process of its own.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UnixStream},
    time::{sleep, timeout},
};

use crate::{
    Port, StartError,
    certificates::Certificates,
    folder,
    missing::find,
    process::{self, Process},
};

/// How long a server may take until it answers.
const LIMIT: Duration = Duration::from_secs(20);
/// How often another port is tried, should somebody have taken the one that was free.
const TRIES: u32 = 5;

/// Which of the two it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// nats-server, with JetStream.
    Nats,
    /// redis-server.
    Redis,
}

/// What a server is started with: see [`Server::nats`] and [`Server::redis`].
#[derive(Clone, Debug)]
#[must_use = "a server is there when it is started"]
pub struct Settings {
    kind: Kind,
    user: Option<String>,
    password: Option<String>,
    tls: bool,
    max_payload: Option<u32>,
    more: String,
}

impl Settings {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            user: None,
            password: None,
            tls: false,
            max_payload: None,
            more: String::new(),
        }
    }

    /// Clients must give this password: Redis' `requirepass`, or, for NATS, where it is called so, the token.
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    /// Clients must give this name and this password. With Redis the default user is off then.
    pub fn user(mut self, user: &str, password: &str) -> Self {
        self.user = Some(user.to_owned());
        self.password(password)
    }

    /// Clients must speak TLS, and trust [`Server::authority`].
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// The largest message that NATS takes, in bytes. Redis has no such limit.
    pub fn max_payload(mut self, bytes: u32) -> Self {
        self.max_payload = Some(bytes);
        self
    }

    /// A line more for its configuration file, in its own language.
    pub fn config(mut self, line: &str) -> Self {
        self.more.push_str(line);
        self.more.push('\n');
        self
    }

    /// Starts it, and waits until it answers. `None` is for a test that is to be skipped: the program is not installed,
    /// which has been said, and this is not continuous integration.
    ///
    /// # Panics
    ///
    /// When it does not start; and where the variable `CI` is set, when it is not installed.
    pub async fn start(self) -> Option<Server> {
        match self.try_start().await {
            Ok(server) => Some(server),
            Err(error) => {
                error.skip();
                None
            }
        }
    }

    /// Starts it, and waits until it answers.
    ///
    /// # Errors
    ///
    /// When its program is not installed, or it does not start.
    pub async fn try_start(self) -> Result<Server, StartError> {
        let program = match self.kind {
            Kind::Nats => find("nats-server", "nats-server")?,
            Kind::Redis => find("redis-server", "redis-server")?,
        };
        let folder = folder::temporary()?;
        let certificates = match self.tls {
            true => Some(Certificates::make(&folder.path().join("tls"))?),
            false => None,
        };
        let mut server = Server {
            settings: self,
            program,
            port: Port::free()?,
            folder,
            certificates,
            process: Mutex::new(None),
        };
        for _ in 1..TRIES {
            match server.launch().await {
                Err(_) if server.lost_its_port() => server.port = Port::free()?,
                other => return other.map(|()| server),
            }
        }
        server.launch().await.map(|()| server)
    }
}

/// A server on a free port of 127.0.0.1, with a folder of its own for its data. When this is dropped, it is killed and
/// the folder is removed.
///
/// NATS has JetStream with its storage in files; Redis has `appendonly yes`, `appendfsync everysec` and no snapshots.
///
/// ```no_run
/// # async fn test() {
/// use nodes::Server;
///
/// let Some(server) = Server::nats().user("sidereal", "secret").start().await else {
///     return;
/// };
/// println!("{}", server.url());
/// server.kill();
/// server.restart().await;
/// # }
/// ```
#[derive(Debug)]
pub struct Server {
    settings: Settings,
    program: PathBuf,
    port: Port,
    folder: TempDir,
    certificates: Option<Certificates>,
    process: Mutex<Option<Process>>,
}

impl Server {
    /// NATS, with JetStream.
    pub fn nats() -> Settings {
        Settings::new(Kind::Nats)
    }

    /// Redis.
    pub fn redis() -> Settings {
        Settings::new(Kind::Redis)
    }

    /// Which of the two it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.settings.kind
    }

    /// Whether its clients must speak TLS.
    #[must_use]
    pub fn has_tls(&self) -> bool {
        self.certificates.is_some()
    }

    /// Where it listens. It keeps this address for its whole life, through all restarts.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// The name that it asks for, if it does.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.settings.user.as_deref()
    }

    /// The password that it asks for, or the token.
    #[must_use]
    pub fn password(&self) -> Option<&str> {
        self.settings.password.as_deref()
    }

    /// Its URL, with name and password, if it asks for them. async-nats 0.51 does not look at those in a URL: it needs
    /// [`user`](Self::user) and [`password`](Self::password).
    #[must_use]
    pub fn url(&self) -> String {
        self.url_at(self.address())
    }

    /// The same for another address, such as that of a proxy in front of it.
    #[must_use]
    pub fn url_at(&self, address: SocketAddr) -> String {
        let scheme = match (self.kind(), self.has_tls()) {
            (Kind::Nats, false) => "nats",
            (Kind::Nats, true) => "tls",
            (Kind::Redis, false) => "redis",
            (Kind::Redis, true) => "rediss",
        };
        let password = self.settings.password.as_deref().map(percent_encoded);
        let user = self.settings.user.as_deref().map(percent_encoded);
        let who = match (user, password) {
            (Some(user), Some(password)) => format!("{user}:{password}@"),
            (None, Some(password)) if self.kind() == Kind::Redis => format!(":{password}@"),
            (None, Some(token)) => format!("{token}@"),
            (_, None) => String::new(),
        };
        format!("{scheme}://{who}{address}")
    }

    /// The file with the certificate, in PEM, that clients must trust, if it speaks TLS.
    #[must_use]
    pub fn authority(&self) -> Option<&Path> {
        let certificates = self.certificates.as_ref()?;
        Some(&certificates.authority)
    }

    /// The number of its process, if it has one.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process().as_ref().map(Process::pid)
    }

    /// SIGKILL: nothing is written any more, and all connections break. When this returns it is gone; connections to
    /// its address are refused.
    pub fn kill(&self) {
        *self.process() = None;
    }

    /// SIGSTOP: connections stay, and are taken, and nobody answers. When this returns, it stands.
    pub fn stop(&self) {
        if let Some(process) = &*self.process() {
            process.stop();
        }
    }

    /// SIGCONT.
    pub fn cont(&self) {
        if let Some(process) = &*self.process() {
            process.cont();
        }
    }

    /// SIGTERM, and its end: it writes what it has to write.
    ///
    /// # Panics
    ///
    /// When it takes too long.
    pub async fn terminate(&self) {
        let start = Instant::now();
        if let Some(process) = &*self.process() {
            process.terminate();
        }
        while self.is_running() {
            assert!(start.elapsed() < LIMIT, "does not end: {}", self.log());
            sleep(Duration::from_millis(5)).await;
        }
        self.kill();
    }

    /// Whether its process is there; one that is stopped is.
    #[must_use]
    pub fn is_running(&self) -> bool {
        let process = self.process();
        process
            .as_ref()
            .is_some_and(|process| process.ended().is_none())
    }

    /// Starts it again, with the same address and the data that it has, and waits until it answers. If it runs, it is
    /// killed first.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub async fn restart(&self) {
        self.kill();
        if let Err(error) = self.launch().await {
            panic!("{error}");
        }
    }

    /// The same without data: as if its disk had been lost.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub async fn wipe(&self) {
        self.kill();
        if let Err(error) = fs::remove_dir_all(self.data()) {
            panic!("the data of {:?} stays: {error}", self.kind());
        }
        self.restart().await;
    }

    /// All that it has logged, in all its lives.
    #[must_use]
    pub fn log(&self) -> String {
        let bytes = fs::read(self.folder.path().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The folder with its configuration, its log and its data, which is removed when this is dropped.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Redis listens here too: a question without TLS.
    fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    fn process(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lost_its_port(&self) -> bool {
        self.log()
            .to_ascii_lowercase()
            .contains("address already in use")
    }

    /// Starts the process, and waits until it answers.
    async fn launch(&self) -> Result<(), StartError> {
        fs::create_dir_all(self.data())?;
        let file = self.folder.path().join("config");
        let text = match self.kind() {
            Kind::Nats => self.nats_config(),
            Kind::Redis => self.redis_config(),
        };
        fs::write(&file, text)?;
        let log = File::options()
            .append(true)
            .create(true)
            .open(self.folder.path().join("log"))?;
        let mut command = Command::new(&self.program);
        match self.kind() {
            Kind::Nats => command.arg("-c").arg(&file),
            Kind::Redis => command.arg(&file),
        };
        let mut command = process::bound_to_us(&command);
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        *self.process() = Some(Process::start(command)?);
        let start = Instant::now();
        while !self.answers().await {
            let why = match self.is_running() {
                false => "has ended",
                true if start.elapsed() > LIMIT => "does not answer",
                true => {
                    sleep(Duration::from_millis(5)).await;
                    continue;
                }
            };
            self.kill();
            let kind = self.kind();
            return Err(StartError::Failed(format!(
                "{kind:?} {why}: {}",
                self.log()
            )));
        }
        Ok(())
    }

    /// Whether it is ready for clients.
    async fn answers(&self) -> bool {
        let asked = async {
            match self.kind() {
                Kind::Nats => self.nats_answers().await,
                Kind::Redis => self.redis_answers().await,
            }
        };
        matches!(timeout(Duration::from_secs(1), asked).await, Ok(Ok(true)))
    }

    /// It greets every client, those who want TLS in the clear too.
    async fn nats_answers(&self) -> io::Result<bool> {
        let mut stream = TcpStream::connect(self.address()).await?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\n") {
            if stream.read_buf(&mut answer).await? == 0 {
                return Ok(false);
            }
        }
        let answer = String::from_utf8_lossy(&answer);
        Ok(answer.starts_with("INFO ") && answer.contains("\"jetstream\":true"))
    }

    /// It says PONG when it has read all its data.
    async fn redis_answers(&self) -> io::Result<bool> {
        let mut stream = UnixStream::connect(self.socket()).await?;
        let mut question = Vec::new();
        if let Some(password) = &self.settings.password {
            let user = self.settings.user.as_deref().unwrap_or("default");
            question.extend_from_slice(&command(&["AUTH", user, password]));
        }
        question.extend_from_slice(&command(&["PING"]));
        stream.write_all(&question).await?;
        let mut answer = Vec::new();
        while stream.read_buf(&mut answer).await? > 0 {
            if answer.ends_with(b"+PONG\r\n") {
                return Ok(true);
            }
            if answer.starts_with(b"-") {
                break;
            }
        }
        Ok(false)
    }

    fn nats_config(&self) -> String {
        let settings = &self.settings;
        let store = quoted(&self.data().to_string_lossy());
        let mut text = format!(
            "listen: \"{}\"\njetstream {{ store_dir: {store} }}\n",
            self.address()
        );
        if let Some(bytes) = settings.max_payload {
            let _ = writeln!(text, "max_payload: {bytes}");
        }
        let password = settings.password.as_deref().map(quoted);
        let user = settings.user.as_deref().map(quoted);
        let who = match (user, password) {
            (Some(user), Some(password)) => format!("user: {user}, password: {password}"),
            (None, Some(token)) => format!("token: {token}"),
            (_, None) => String::new(),
        };
        if !who.is_empty() {
            let _ = writeln!(text, "authorization {{ {who} }}");
        }
        if let Some(files) = &self.certificates {
            let certificate = quoted(&files.certificate.to_string_lossy());
            let key = quoted(&files.key.to_string_lossy());
            let _ = writeln!(text, "tls {{ cert_file: {certificate}, key_file: {key} }}");
        }
        text + &settings.more
    }

    fn redis_config(&self) -> String {
        let settings = &self.settings;
        let file = |path: &Path| quoted(&path.to_string_lossy());
        let port = self.port.number();
        let (plain, secure) = match self.has_tls() {
            true => (0, port),
            false => (port, 0),
        };
        let mut text = format!(
            "bind 127.0.0.1\nport {plain}\nunixsocket {}\ndaemonize no\ndir {}\nappendonly yes\nappendfsync everysec\nsave \"\"\n",
            file(&self.socket()),
            file(&self.data()),
        );
        if let Some(files) = &self.certificates {
            let _ = write!(
                text,
                "tls-port {secure}\ntls-auth-clients no\ntls-ca-cert-file {}\ntls-cert-file {}\ntls-key-file {}\n",
                file(&files.authority),
                file(&files.certificate),
                file(&files.key),
            );
        }
        match (&settings.user, &settings.password) {
            (Some(user), Some(password)) => {
                let user = quoted(user);
                let password = quoted(&format!(">{password}"));
                let _ = writeln!(
                    text,
                    "user default off\nuser {user} on {password} ~* &* +@all"
                );
            }
            (None, Some(password)) => {
                let _ = writeln!(text, "requirepass {}", quoted(password));
            }
            (_, None) => {}
        }
        text + &settings.more
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(40)..];
            println!("{:?} has logged:\n{}", self.kind(), last.join("\n"));
        }
    }
}

/// A string of either configuration language.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', r"\\").replace('"', "\\\"");
    format!("\"{text}\"")
}

/// As a part of a URL.
fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut url, byte| {
        match byte.is_ascii_alphanumeric() {
            true => url.push(char::from(byte)),
            false => {
                let _ = write!(url, "%{byte:02X}");
            }
        }
        url
    })
}

/// A command as Redis reads it.
fn command(words: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len());
    for word in words {
        let _ = write!(bytes, "${}\r\n{word}\r\n", word.len());
    }
    bytes.into_bytes()
}
