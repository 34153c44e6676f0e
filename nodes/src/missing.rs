//! What a test does when a program that it needs is not installed.

use std::{
    env, fmt,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// Why a server is not there.
#[derive(Debug)]
pub enum StartError {
    /// Its program is not installed.
    Missing {
        /// The program.
        program: &'static str,
        /// Debian's package with it.
        package: &'static str,
    },
    /// It was started, and does not do what it should, with what it has logged.
    Failed(String),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { program, package } => write!(
                f,
                "there is no program `{program}`: it comes with `apt-get install {package}`, and with `cargo xtask setup`"
            ),
            Self::Failed(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for StartError {}

impl From<io::Error> for StartError {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl StartError {
    /// Where nothing may be missing this is a panic, and else a line that says that the test is skipped.
    pub(crate) fn skip(&self) {
        assert!(
            matches!(self, Self::Missing { .. }) && !in_ci(env::var("CI").ok().as_deref()),
            "{self}"
        );
        let test = std::thread::current();
        let name = test.name().unwrap_or("a test");
        // Not a macro, whose output libtest keeps to itself.
        let _ = writeln!(io::stderr(), "skipped: {name}: {self}");
    }
}

/// Whether this value of the variable `CI` says that this is continuous integration, as for `cargo xtask`.
fn in_ci(value: Option<&str>) -> bool {
    value.is_some_and(|value| !value.is_empty() && value != "false")
}

/// Where a program is: in the path, or where Debian has what is for root.
pub(crate) fn find(program: &'static str, package: &'static str) -> Result<PathBuf, StartError> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/bin".into()]);
    let mut files = folders.map(|folder| folder.join(program));
    files
        .find(|file| Path::is_file(file))
        .ok_or(StartError::Missing { program, package })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_package() {
        assert!(find("sh", "dash").is_ok());
        let error = find("no-such-program", "no-such-package");
        let text = error.map_err(|error| error.to_string()).unwrap_err();
        assert!(text.contains("`no-such-program`"), "{text}");
        assert!(text.contains("apt-get install no-such-package"), "{text}");
    }

    #[test]
    fn ci_is_where_it_says_so() {
        assert!(in_ci(Some("true")) && in_ci(Some("1")));
        assert!(!in_ci(Some("")) && !in_ci(Some("false")) && !in_ci(None));
    }

    #[test]
    #[should_panic(expected = "why it failed")]
    fn what_failed_is_not_skipped() {
        StartError::Failed("why it failed".into()).skip();
    }
}
