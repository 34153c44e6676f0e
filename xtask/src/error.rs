//! What can go wrong, in words for the person at the terminal.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

/// A failure, as one sentence that says what to do about it where that is known.
#[derive(Debug)]
pub(crate) struct Error(String);

impl Error {
    /// A failure told by `message`.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// A program that could not be started.
    pub(crate) fn start(program: &str, error: &io::Error) -> Self {
        Self(format!("`{program}` cannot be started: {error}"))
    }

    /// A program that ended badly.
    pub(crate) fn exit(command: &str, status: ExitStatus) -> Self {
        Self(format!("`{command}` failed ({status})"))
    }

    /// A program that did not end in time.
    pub(crate) fn time(command: &str, limit: Duration) -> Self {
        Self(format!(
            "`{command}` was stopped after {} s",
            limit.as_secs()
        ))
    }

    /// A file that could not be read or written.
    pub(crate) fn file(path: &Path, error: &io::Error) -> Self {
        Self(format!("{}: {error}", path.display()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}
