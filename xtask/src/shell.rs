//! Runs the programs of one step: what they print goes to the step's log, and none runs without a time limit.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::workspace::Workspace;

/// How long a program may run if nothing else is said. CI has 90 minutes for all of them.
const LIMIT: Duration = Duration::from_secs(30 * 60);
/// How long a program that is told to end may take over it: browsers and servers have to be stopped too.
const GRACE: Duration = Duration::from_secs(10);

/// One step's programs and their log.
#[derive(Debug)]
pub(crate) struct Shell<'a> {
    /// The workspace that the programs run in.
    pub(crate) workspace: &'a Workspace,
    log: PathBuf,
}

impl<'a> Shell<'a> {
    /// A shell that logs to the file `log`, which is emptied.
    pub(crate) fn new(workspace: &'a Workspace, log: PathBuf) -> Result<Self, Error> {
        if let Some(folder) = log.parent() {
            fs::create_dir_all(folder).map_err(|error| Error::file(folder, &error))?;
        }
        File::create(&log).map_err(|error| Error::file(&log, &error))?;
        Ok(Self { workspace, log })
    }

    /// The file with all that the step's programs have printed.
    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    /// Runs `command` to its end, and returns what it printed. That it fails is an error.
    pub(crate) fn run(&mut self, command: Command) -> Result<String, Error> {
        self.run_for(LIMIT, command)
    }

    /// The same, with a time limit of its own.
    pub(crate) fn run_for(
        &mut self,
        limit: Duration,
        mut command: Command,
    ) -> Result<String, Error> {
        let wrong = |error| Error::file(&self.log, &error);
        let text = text_of(&command);
        let mut log = File::options()
            .append(true)
            .read(true)
            .open(&self.log)
            .map_err(wrong)?;
        writeln!(log, "$ {text}").map_err(wrong)?;
        let start = log.seek(SeekFrom::End(0)).map_err(wrong)?;
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(wrong)?)
            .stderr(log.try_clone().map_err(wrong)?);
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .spawn()
            .map_err(|error| Error::start(&program, &error))?;
        let status = wait(&mut child, limit)
            .map_err(|error| Error::start(&program, &error))?
            .ok_or_else(|| Error::time(&text, limit))?;
        let mut printed = Vec::new();
        log.seek(SeekFrom::Start(start)).map_err(wrong)?;
        log.read_to_end(&mut printed).map_err(wrong)?;
        if status.success() {
            Ok(String::from_utf8_lossy(&printed).into_owned())
        } else {
            Err(Error::exit(&text, status))
        }
    }

    /// What `command` prints to its standard output, if it succeeds: for asking what is there. Not logged.
    pub(crate) fn ask(&self, mut command: Command) -> Option<String> {
        let output = command.stdin(Stdio::null()).output().ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// Waits for `child`, and ends it at the limit: politely first, so that it can stop what it started itself.
fn wait(child: &mut Child, limit: Duration) -> std::io::Result<Option<std::process::ExitStatus>> {
    let start = Instant::now();
    let mut told = false;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok((!told).then_some(status));
        }
        if !told && start.elapsed() > limit {
            told = true;
            // The standard library has no way to send a signal other than SIGKILL.
            Command::new("sh")
                .arg("-c")
                .arg(format!("kill -TERM {}", child.id()))
                .status()?;
        }
        if told && start.elapsed() > limit + GRACE {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// A command as one would type it.
fn text_of(command: &Command) -> String {
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_is_printed_and_stops_what_hangs() -> Result<(), Error> {
        let folder = std::env::temp_dir().join(format!("xtask-shell-{}", std::process::id()));
        let workspace = Workspace {
            root: std::env::temp_dir(),
            target: folder.clone(),
            ci: false,
        };
        let mut shell = Shell::new(&workspace, folder.join("test.log"))?;
        let script = |text: &str| {
            let mut command = workspace.command("sh");
            command.args(["-c", text]);
            command
        };
        assert_eq!(shell.run(script("echo one"))?, "one\n");
        assert_eq!(shell.run(script("echo two >&2"))?, "two\n");
        assert!(shell.run(script("exit 3")).is_err());
        let stopped = shell.run_for(Duration::from_millis(50), script("exec sleep 600"));
        assert!(stopped.is_err_and(|error| error.to_string().contains("was stopped")));
        assert_eq!(shell.ask(script("echo three")), Some("three\n".into()));
        let log =
            fs::read_to_string(shell.log()).map_err(|error| Error::file(shell.log(), &error))?;
        assert!(log.starts_with("$ sh -c echo one\none\n$ sh"));
        fs::remove_dir_all(&folder).map_err(|error| Error::file(&folder, &error))
    }
}
