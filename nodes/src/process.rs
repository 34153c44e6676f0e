//! A child process: it takes signals, and it does not outlive the test.
//!
//! Dropping it kills it. Where nothing is dropped, since the test was killed itself, or aborted, or ended with a static
//! that holds a server, the kernel kills it: it is started by `setpriv --pdeathsig KILL`, of Debian's essential
//! package util-linux, which sets `PR_SET_PDEATHSIG` without any code of ours between fork and exec. The kernel sends
//! that signal when the _thread_ ends that has started the process, so all are started by one thread, which stays for as
//! long as the test's process does.

use std::{
    fs, io,
    process::{Child, ChildStderr, ChildStdout, Command, ExitStatus},
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        mpsc::{Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// How long a process may take to stand still, or to end when it is killed.
const LIMIT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Process(Mutex<Child>);

impl Process {
    /// Starts a command, whose standard streams the caller has set.
    pub(crate) fn start(command: Command) -> io::Result<Self> {
        Ok(Self(Mutex::new(spawn(command)?)))
    }

    /// Its outputs, where they are pipes; only once.
    pub(crate) fn outputs(&self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        let mut child = self.child();
        (child.stdout.take(), child.stderr.take())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child().id()
    }

    /// How it has ended, if it has.
    pub(crate) fn ended(&self) -> Option<ExitStatus> {
        self.child().try_wait().ok().flatten()
    }

    /// SIGKILL, and its end.
    pub(crate) fn kill(&self) {
        let mut child = self.child();
        let _ = child.kill();
        let _ = child.wait();
    }

    /// SIGTERM. It ends when it likes.
    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// SIGSTOP. When this returns, none of its threads runs.
    pub(crate) fn stop(&self) {
        self.signal(Signal::STOP);
        let start = Instant::now();
        while !self.stands() && self.ended().is_none() {
            assert!(start.elapsed() < LIMIT, "a process does not stop");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// SIGCONT.
    pub(crate) fn cont(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let mut child = self.child();
        // As long as it has not been waited for, the number is its own.
        if let Ok(None) = child.try_wait() {
            let _ = kill_process(Pid::from_child(&child), signal);
        }
    }

    /// Whether all its threads are stopped: the field after the name, which is in parentheses.
    fn stands(&self) -> bool {
        let Ok(threads) = fs::read_dir(format!("/proc/{}/task", self.pid())) else {
            return false;
        };
        threads.flatten().all(|thread| {
            let text = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
            // A thread that has just ended has no file.
            text.rsplit_once(')')
                .is_none_or(|(_, fields)| fields.trim_start().starts_with(['T', 't', 'X', 'Z']))
        })
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The same command, by way of `setpriv`. Its standard streams are not set.
pub(crate) fn bound_to_us(command: &Command) -> Command {
    let mut bound = Command::new("setpriv");
    bound.args(["--pdeathsig", "KILL"]);
    bound.arg(command.get_program());
    with_the_rest(bound, command)
}

/// The same command. Its standard streams are not set.
pub(crate) fn again(command: &Command) -> Command {
    with_the_rest(Command::new(command.get_program()), command)
}

/// With the arguments, the environment and the folder of another command.
fn with_the_rest(mut bound: Command, command: &Command) -> Command {
    bound.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => bound.env(name, value),
            None => bound.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        bound.current_dir(folder);
    }
    bound
}

/// Held while a process is started: from the fork to the exec it has all our sockets too, so that one which we close
/// meanwhile is not closed yet.
static STARTING: Mutex<()> = Mutex::new(());

/// Waits until all sockets that this process has closed are closed.
pub(crate) fn settle() {
    drop(STARTING.lock().unwrap_or_else(PoisonError::into_inner));
}

type Job = (Command, Sender<io::Result<Child>>);

/// Has the thread that stays start it.
pub(crate) fn spawn(command: Command) -> io::Result<Child> {
    static STARTER: OnceLock<Sender<Job>> = OnceLock::new();
    let starter = STARTER.get_or_init(|| {
        let (starter, jobs) = channel::<Job>();
        thread::spawn(move || {
            for (mut command, answer) in jobs {
                // It returns after the exec.
                let starting = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
                let child = command.spawn();
                drop(starting);
                let _ = answer.send(child);
            }
        });
        starter
    });
    let gone = || io::Error::other("the thread that starts processes is gone");
    let (answer, child) = channel();
    starter.send((command, answer)).map_err(|_| gone())?;
    child.recv().map_err(|_| gone())?
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn start(program: &str, arguments: &[&str]) -> Process {
        let mut command = Command::new(program);
        command.args(arguments);
        Process::start(bound_to_us(&command)).unwrap()
    }

    fn exists(pid: u32) -> bool {
        // What has ended and was not waited for by its parent still has a number.
        fs::read_to_string(format!("/proc/{pid}/stat"))
            .is_ok_and(|text| !text.contains(") Z ") && !text.contains(") X "))
    }

    #[test]
    fn stops_goes_on_and_ends() {
        let process = start("sleep", &["600"]);
        assert!(process.ended().is_none() && exists(process.pid()));
        process.stop();
        assert!(process.stands());
        process.cont();
        process.terminate();
        let start = Instant::now();
        while process.ended().is_none() {
            assert!(start.elapsed() < LIMIT);
            thread::sleep(Duration::from_millis(1));
        }
        // Signals for what is gone go nowhere.
        process.stop();
        process.cont();
        process.kill();
    }

    #[test]
    fn what_is_stopped_can_be_dropped() {
        let process = start("sleep", &["600"]);
        process.stop();
        let pid = process.pid();
        drop(process);
        assert!(!exists(pid));
    }

    #[test]
    fn it_outlives_the_thread_that_asked_for_it() {
        let process = thread::spawn(|| start("sleep", &["600"])).join().unwrap();
        thread::sleep(Duration::from_millis(100));
        assert!(process.ended().is_none());
    }

    #[test]
    fn it_ends_with_its_parent_whatever_that_dies_of() {
        // The parent is a shell, which starts the child as we do and says its number.
        let mut shell = Command::new("sh");
        shell.args(["-c", "setpriv --pdeathsig KILL sleep 600 & echo $!; wait"]);
        let mut shell = bound_to_us(&shell);
        shell.stdout(std::process::Stdio::piped());
        let mut parent = spawn(shell).unwrap();
        let mut line = String::new();
        let output = parent.stdout.take().unwrap();
        io::BufRead::read_line(&mut io::BufReader::new(output), &mut line).unwrap();
        let child: u32 = line.trim().parse().unwrap();
        let has_exec = || {
            fs::read_to_string(format!("/proc/{child}/comm")).is_ok_and(|name| name == "sleep\n")
        };
        let start = Instant::now();
        while !has_exec() {
            assert!(start.elapsed() < LIMIT);
            thread::sleep(Duration::from_millis(1));
        }
        parent.kill().unwrap();
        parent.wait().unwrap();
        while exists(child) {
            assert!(start.elapsed() < LIMIT, "it is still there");
            thread::sleep(Duration::from_millis(1));
        }
    }
}
