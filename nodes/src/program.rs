//! A program of the workspace, as a node of its own.

use std::{
    io::{BufRead as _, BufReader, Read},
    net::SocketAddr,
    process::{Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use tokio::time::sleep;

use crate::process::{self, Process};

/// How long it may take to say where it listens, or to say or do what is waited for.
const LIMIT: Duration = Duration::from_secs(20);

/// A program that prints a line such as `listening on http://127.0.0.1:8080` when it is ready. When this is dropped, it
/// is killed.
///
/// Cargo tells the tests in a package's folder `tests` where that package's programs are:
///
/// ```no_run
/// # async fn test() {
/// use std::process::Command;
/// use nodes::{Program, Viewer};
///
/// // In a test: Command::new(env!("CARGO_BIN_EXE_node"))
/// let mut command = Command::new("target/debug/node");
/// let node = Program::start(command.arg("--port=0")).await;
/// let viewer = Viewer::at(node.url("/events")).open();
/// # }
/// ```
#[derive(Debug)]
pub struct Program {
    command: Command,
    life: Mutex<Life>,
}

/// From one start to the end.
#[derive(Debug)]
struct Life {
    process: Arc<Process>,
    said: Arc<Mutex<Said>>,
}

/// What it has printed.
#[derive(Debug, Default)]
struct Said {
    text: String,
    address: Option<SocketAddr>,
    /// How many of its outputs have come to their ends.
    ended: u32,
}

impl Program {
    /// Starts it, and waits until it has said where it listens.
    ///
    /// # Panics
    ///
    /// When it cannot be started, or does not say that.
    pub async fn start(command: &mut Command) -> Self {
        let command = process::bound_to_us(command);
        let life = Mutex::new(Life::begin(&command));
        let program = Self { command, life };
        program.listens().await;
        program
    }

    /// Where it listens. After [`restart`](Self::restart) that may be elsewhere, unless its arguments say where: see
    /// [`Port`](crate::Port).
    ///
    /// # Panics
    ///
    /// Not once it has been started.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        let address = lock(&self.life().said).address;
        address.unwrap_or_else(|| panic!("it does not listen"))
    }

    /// The URL of this path, which begins with a slash.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    /// The number of its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process().pid()
    }

    /// All that it has printed since it was started last, on both its outputs.
    #[must_use]
    pub fn output(&self) -> String {
        lock(&self.life().said).text.clone()
    }

    /// Waits until it has printed this.
    ///
    /// # Panics
    ///
    /// When it takes too long.
    pub async fn wait_for_output(&self, text: &str) {
        let start = Instant::now();
        while !self.output().contains(text) {
            assert!(
                start.elapsed() < LIMIT,
                "it does not print {text:?}, but: {}",
                self.output()
            );
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// SIGKILL. When this returns, it is gone.
    pub fn kill(&self) {
        self.process().kill();
    }

    /// SIGTERM. It ends when it likes: [`ended`](Self::ended).
    pub fn terminate(&self) {
        self.process().terminate();
    }

    /// SIGSTOP. When this returns, it stands.
    pub fn stop(&self) {
        self.process().stop();
    }

    /// SIGCONT.
    pub fn cont(&self) {
        self.process().cont();
    }

    /// Whether it is there; stopped, it is.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.process().ended().is_none()
    }

    /// Waits for its end, and for all that it has printed: how it has ended.
    ///
    /// # Panics
    ///
    /// When it takes too long.
    pub async fn ended(&self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.process().ended() {
                self.all_is_read().await;
                return status;
            }
            assert!(
                start.elapsed() < LIMIT,
                "it does not end: {}",
                self.output()
            );
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Kills it, if it runs, starts it again with the same arguments, and waits until it has said where it listens.
    ///
    /// # Panics
    ///
    /// When it cannot be started, or does not say that.
    pub async fn restart(&self) {
        self.kill();
        *self.life() = Life::begin(&self.command);
        self.listens().await;
    }

    async fn listens(&self) {
        let start = Instant::now();
        while lock(&self.life().said).address.is_none() {
            let in_time = start.elapsed() < LIMIT && self.is_running();
            if !in_time {
                self.all_is_read().await;
                panic!("it does not say where it listens, but: {}", self.output());
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// What it has printed before its end may still be on its way. A process of its own may keep the outputs open.
    async fn all_is_read(&self) {
        let start = Instant::now();
        while lock(&self.life().said).ended < 2 && start.elapsed() < Duration::from_secs(1) {
            sleep(Duration::from_millis(1)).await;
        }
    }

    fn process(&self) -> Arc<Process> {
        Arc::clone(&self.life().process)
    }

    fn life(&self) -> MutexGuard<'_, Life> {
        lock(&self.life)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            let program = self.command.get_args().nth(2).unwrap_or_default();
            println!("{} has printed:\n{}", program.display(), self.output());
        }
    }
}

impl Life {
    fn begin(prototype: &Command) -> Self {
        let mut command = process::again(prototype);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let process = Process::start(command)
            .unwrap_or_else(|error| panic!("{prototype:?} cannot be started: {error}"));
        let said = Arc::<Mutex<Said>>::default();
        let (output, errors) = process.outputs();
        if let Some(output) = output {
            let said = Arc::clone(&said);
            thread::spawn(move || listen(output, &said, true));
        }
        if let Some(errors) = errors {
            let said = Arc::clone(&said);
            thread::spawn(move || listen(errors, &said, false));
        }
        let process = Arc::new(process);
        Self { process, said }
    }
}

/// Keeps what comes, line by line, to the end.
fn listen(from: impl Read, said: &Mutex<Said>, has_address: bool) {
    let (mut from, mut line) = (BufReader::new(from), Vec::new());
    while let Ok(1..) = from.read_until(b'\n', &mut line) {
        let text = String::from_utf8_lossy(&line);
        let mut said = lock(said);
        said.text.push_str(&text);
        if has_address && said.address.is_none() {
            said.address = address(&text);
        }
        line.clear();
    }
    lock(said).ended += 1;
}

/// The address in a line such as `listening on http://127.0.0.1:8080/`.
fn address(line: &str) -> Option<SocketAddr> {
    let (_, url) = line.split_once("http://")?;
    let end = url.find(|c: char| !(c.is_ascii_alphanumeric() || ".:[]".contains(c)));
    let address = &url[..end.unwrap_or(url.len())];
    address.trim_end_matches('.').parse().ok()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]).env("WORD", "environment");
        command
    }

    #[test]
    fn addresses() {
        let address = |line| address(line).map(|address| address.to_string());
        for line in [
            "listening on http://127.0.0.1:80\n",
            "Open http://127.0.0.1:80/ to see it",
            "It is http://127.0.0.1:80.",
        ] {
            assert_eq!(address(line).as_deref(), Some("127.0.0.1:80"));
        }
        let six = address("listening on http://[::1]:80\n");
        assert_eq!(six.as_deref(), Some("[::1]:80"));
        assert_eq!(address("http://example.com/"), None);
        assert_eq!(address("127.0.0.1:80"), None);
    }

    #[tokio::test]
    async fn it_is_signalled_and_started_again() {
        let script = "echo begins >&2; echo it is $$; echo listening on http://127.0.0.1:1; \
            trap 'echo $WORD; exit 3' TERM; while :; do sleep 0.01; done";
        let program = Program::start(&mut shell(script)).await;
        assert_eq!(program.url("/a"), "http://127.0.0.1:1/a");
        program.wait_for_output("begins\n").await;
        let says = format!("it is {}\n", program.pid());
        assert!(program.output().contains(&says));
        program.stop();
        program.terminate();
        sleep(Duration::from_millis(100)).await;
        assert!(program.is_running());
        program.cont();
        assert_eq!(program.ended().await.code(), Some(3));
        assert!(program.output().ends_with("environment\n"));
        program.restart().await;
        assert!(program.is_running() && !program.output().contains(&says));
        program.kill();
        assert_eq!(program.ended().await.signal(), Some(9));
    }

    #[tokio::test]
    #[should_panic(expected = "but: no port\n")]
    async fn one_that_ends_at_once_is_an_error() {
        Program::start(&mut shell("echo no port >&2; exit 1")).await;
    }

    #[tokio::test]
    #[should_panic(expected = "no-such-program")]
    async fn one_that_is_not_there_is_an_error() {
        Program::start(&mut Command::new("no-such-program")).await;
    }
}
