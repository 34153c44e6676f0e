//! Processes that are measured: where they run, and what the kernel says of them.

use std::{
    ffi::OsStr,
    fs, io,
    process::{Command, Stdio},
    time::Duration,
};

/// Where servers run.
pub const SERVER_CORE: usize = 0;

/// Where the load runs.
pub const LOAD_CORE: usize = 1;

/// A program on one core, or on any where there is one only.
///
/// # Errors
///
/// When the number of cores is not known.
pub fn pinned(core: usize, program: impl AsRef<OsStr>) -> io::Result<Command> {
    if std::thread::available_parallelism()?.get() <= core {
        return Ok(Command::new(program));
    }
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &core.to_string()]).arg(program);
    Ok(command)
}

/// Puts this process on one core, and what it starts, unless that is said to run elsewhere.
///
/// # Errors
///
/// When there is no such core, or no `taskset`.
pub fn pin_this(core: usize) -> io::Result<()> {
    pin(std::process::id(), core)
}

/// Puts a process on one core, with all its threads.
///
/// # Errors
///
/// When there is no such core, or no `taskset`.
pub fn pin(pid: u32, core: usize) -> io::Result<()> {
    done(Command::new("taskset").args([
        "--all-tasks",
        "--cpu-list",
        "--pid",
        &core.to_string(),
        &pid.to_string(),
    ]))
}

/// Lets this process, and what it starts, open as many files as it may; says how many those are.
///
/// # Errors
///
/// When the kernel does not say, or there is no `prlimit`.
pub fn raise_open_files(wanted: usize) -> io::Result<usize> {
    let pid = std::process::id().to_string();
    let set = |limits: String| {
        done(Command::new("prlimit").args(["--pid", &pid, &format!("--nofile={limits}")]))
    };
    let (soft, hard) = open_files()?;
    if soft < wanted {
        // The hard limit is root's to raise.
        set(format!("{wanted}:{}", hard.max(wanted))).or_else(|_| set(format!("{hard}:{hard}")))?;
    }
    Ok(open_files()?.0)
}

/// How many files this process may open, and may let itself open.
fn open_files() -> io::Result<(usize, usize)> {
    let text = fs::read_to_string("/proc/self/limits")?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let mut limits = line.unwrap_or_default().split_whitespace();
    let mut limit = || match limits.next()? {
        "unlimited" => Some(usize::MAX),
        limit => limit.parse().ok(),
    };
    limit()
        .zip(limit())
        .ok_or_else(|| io::Error::other("no limit of open files"))
}

fn done(command: &mut Command) -> io::Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    match output.status.success() {
        true => Ok(()),
        false => Err(io::Error::other(
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )),
    }
}

/// The processes that this one has started.
///
/// # Errors
///
/// When it is gone.
pub fn children(pid: u32) -> io::Result<Vec<u32>> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
    let children = text.split_whitespace();
    Ok(children.filter_map(|child| child.parse().ok()).collect())
}

/// What a process's threads have done so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Time {
    /// They ran, in user and kernel mode.
    pub ran: Duration,
    /// They could have run, but something else did: how much others were in the way.
    pub waited: Duration,
}

/// The time of a process's threads.
///
/// # Errors
///
/// When it is gone.
pub fn time(pid: u32) -> io::Result<Time> {
    let mut total = Time::default();
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        let mut nanoseconds = text.split_whitespace().map_while(|word| word.parse().ok());
        let (ran, waited) = nanoseconds
            .next()
            .zip(nanoseconds.next())
            .ok_or_else(|| io::Error::other("schedstat"))?;
        total.ran += Duration::from_nanos(ran);
        total.waited += Duration::from_nanos(waited);
    }
    Ok(total)
}

/// How long a core was busy so far, whoever had it; a virtual one that the machine below did not give to
/// us counts as busy too. To a hundredth of a second.
///
/// # Errors
///
/// When the kernel does not say.
pub fn busy(core: usize) -> io::Result<Duration> {
    let text = fs::read_to_string("/proc/stat")?;
    let name = format!("cpu{core} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&name));
    let ticks = line.unwrap_or_default().split_whitespace();
    let ticks: Vec<u64> = ticks.map_while(|word| word.parse().ok()).collect();
    match ticks[..] {
        [user, nice, system, _idle, _waiting, irq, softirq, steal, ..] => {
            let busy = user + nice + system + irq + softirq + steal;
            Ok(Duration::from_millis(busy * 10))
        }
        _ => Err(io::Error::other("stat")),
    }
}

/// A process's resident memory in bytes, without what is of files: programs and libraries.
///
/// # Errors
///
/// When it is gone.
pub fn memory(pid: u32) -> io::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let bytes = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kibibytes * 1024)
    };
    bytes("RssAnon:")
        .zip(bytes("RssShmem:"))
        .map(|(anonymous, shared)| anonymous + shared)
        .ok_or_else(|| io::Error::other("status"))
}
