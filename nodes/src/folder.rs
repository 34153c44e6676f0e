//! Temporary folders that go away, those of test runs that were killed too.

use std::{fs, io, path::Path, sync::Once, time::Duration};

use tempfile::TempDir;

const PREFIX: &str = "sidereal-nodes-";
/// How old the folder of a process that is gone must be: it may be of a machine with other processes and the same
/// folder for what is temporary.
const OLD: Duration = Duration::from_secs(60 * 60);

/// A new one. Its name has the number of this process.
pub(crate) fn temporary() -> io::Result<TempDir> {
    static SWEEP: Once = Once::new();
    SWEEP.call_once(|| sweep(&std::env::temp_dir(), OLD));
    tempfile::Builder::new()
        .prefix(&format!("{PREFIX}{}-", std::process::id()))
        .tempdir()
}

/// Removes the folders of processes that are no more.
fn sweep(folder: &Path, old: Duration) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX))
            .and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
        let is_gone = pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists());
        let age = entry.metadata().and_then(|metadata| metadata.modified());
        let is_old = age.is_ok_and(|time| time.elapsed().is_ok_and(|age| age >= old));
        if is_gone && is_old {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn only_those_of_the_dead_are_removed() {
        let parent = temporary().unwrap();
        // No process has number 0.
        let dead = parent.path().join(format!("{PREFIX}0-abc"));
        let ours = format!("{PREFIX}{}-abc", std::process::id());
        let ours = parent.path().join(ours);
        let other = parent.path().join("other-0-abc");
        for folder in [&dead, &ours, &other] {
            fs::create_dir_all(folder.join("data")).unwrap();
        }
        sweep(parent.path(), OLD);
        assert!(dead.exists());
        sweep(parent.path(), Duration::ZERO);
        assert!(!dead.exists() && ours.exists() && other.exists());
    }
}
