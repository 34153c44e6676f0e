//! What the kernel says of a process.

use std::{fs, io, process::Command, time::Duration};

/// The program itself on one core, or on any where there is one only.
pub(crate) fn pinned(core: usize) -> io::Result<Command> {
    let program = std::env::current_exe()?;
    let cores = std::thread::available_parallelism()?.get();
    if cores < 2 {
        return Ok(Command::new(program));
    }
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &core.to_string()]).arg(program);
    Ok(command)
}

/// The time that its threads have run, in user and kernel mode.
pub(crate) fn cpu(pid: u32) -> io::Result<Duration> {
    let mut total = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        let ran = text
            .split_whitespace()
            .next()
            .and_then(|first| first.parse().ok());
        total += Duration::from_nanos(ran.ok_or_else(|| io::Error::other("schedstat"))?);
    }
    Ok(total)
}

/// Its anonymous memory in bytes.
pub(crate) fn memory(pid: u32) -> io::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kibibytes
        .map(|kibibytes| kibibytes * 1024)
        .ok_or_else(|| io::Error::other("RssAnon"))
}
