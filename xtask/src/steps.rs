//! Steps, their progress lines, and the closing line that counts them.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::shell::Shell;
use crate::workspace::Workspace;

/// How much of a failed step's log is shown; the whole of it stays in its file.
const SHOWN_LINES: usize = 400;

/// How a step went, if it did not fail.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It did its work; the text, which may be empty, adds what a reader should know.
    Passed(String),
    /// There is nothing to do here, for this reason.
    Skipped(String),
    /// It could not be done since this is missing: skipped, but failed in CI.
    Missing(String),
}

impl Outcome {
    /// Passed, with nothing to add.
    pub(crate) fn passed() -> Self {
        Self::Passed(String::new())
    }
}

type Work = Box<dyn Fn(&mut Shell<'_>) -> Result<Outcome, Error>>;

/// A named piece of work.
pub(crate) struct Step {
    name: &'static str,
    work: Work,
}

impl Step {
    /// A step that does `work`.
    pub(crate) fn new(
        name: &'static str,
        work: impl Fn(&mut Shell<'_>) -> Result<Outcome, Error> + 'static,
    ) -> Self {
        Self {
            name,
            work: Box::new(work),
        }
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Step").field(&self.name).finish()
    }
}

/// Runs the steps one after another up to the first that fails; `false` says that one did.
pub(crate) fn run_all(workspace: &Workspace, steps: Vec<Step>) -> Result<bool, Error> {
    let logs = workspace.target.join("xtask");
    let (total, start) = (steps.len(), Instant::now());
    let (mut passed, mut skipped) = (0, 0);
    let mut failed = None;
    for (number, step) in (1..).zip(&steps) {
        print!("[{number:>2}/{total}] {} … ", step.name);
        // That the line cannot be shown is no reason to stop.
        let _ = io::stdout().flush();
        let begun = Instant::now();
        let log = logs.join(format!("{number:02}-{}.log", file_name(step.name)));
        let mut shell = Shell::new(workspace, log)?;
        let result = (step.work)(&mut shell);
        let took = Took(begun.elapsed());
        match result {
            Ok(Outcome::Passed(note)) => {
                passed += 1;
                println!(" ok {took}{}", Note(&note));
            }
            Ok(Outcome::Missing(what)) if workspace.ci => {
                failed = Some((step.name, shell.log().to_owned()));
                println!(" FAILED {took}{}", Note(&what));
            }
            Ok(Outcome::Skipped(why) | Outcome::Missing(why)) => {
                skipped += 1;
                println!(" skipped{}", Note(&why));
            }
            Err(error) => {
                failed = Some((step.name, shell.log().to_owned()));
                println!(" FAILED {took}{}", Note(&error.to_string()));
            }
        }
        if failed.is_some() {
            break;
        }
    }
    println!();
    if let Some((name, log)) = &failed {
        show(name, log);
        let left = total - passed - skipped - 1;
        if left > 0 {
            println!("not run after that: {left} of {total} steps");
        }
    }
    println!(
        "{} of {total} steps in {}",
        passed + skipped + usize::from(failed.is_some()),
        Took(start.elapsed())
    );
    println!(
        "{passed} passed, {} failed, {skipped} skipped",
        usize::from(failed.is_some())
    );
    Ok(failed.is_none())
}

/// Shows the end of a failed step's log, without cargo's progress.
fn show(name: &str, log: &Path) {
    let text = fs::read(log)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    if text.trim().is_empty() {
        return;
    }
    let lines: Vec<&str> = text.lines().filter(|line| !is_progress(line)).collect();
    let first = lines.len().saturating_sub(SHOWN_LINES);
    println!("──── {name}: {} ────", log.display());
    if first > 0 {
        println!("(the {first} lines before are in that file)");
    }
    for line in &lines[first..] {
        println!("{line}");
    }
    println!("────");
}

/// Whether a line only says how far cargo is: hundreds of these may stand before what went wrong.
fn is_progress(line: &str) -> bool {
    const WORDS: [&str; 6] = [
        "Compiling ",
        "Checking ",
        "Documenting ",
        "Downloading ",
        "Downloaded ",
        "Adding ",
    ];
    let words = line.trim_start();
    words.len() < line.len() && WORDS.iter().any(|word| words.starts_with(word))
}

/// A step's name as a file name.
fn file_name(name: &str) -> String {
    let words = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_lowercase()
}

/// What follows the time on a progress line.
struct Note<'a>(&'a str);

impl fmt::Display for Note<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "" => Ok(()),
            text => write!(f, ": {text}"),
        }
    }
}

/// A time, as people say it.
struct Took(Duration);

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_secs() {
            0 => write!(f, "{} ms", self.0.as_millis()),
            seconds @ 1..120 => write!(f, "{seconds} s"),
            seconds => write!(f, "{} min {} s", seconds / 60, seconds % 60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_times() {
        assert_eq!(
            file_name("cargo publish --dry-run"),
            "cargo-publish-dry-run"
        );
        assert_eq!(Took(Duration::from_millis(250)).to_string(), "250 ms");
        assert_eq!(Took(Duration::from_secs(119)).to_string(), "119 s");
        assert_eq!(Took(Duration::from_secs(125)).to_string(), "2 min 5 s");
    }

    #[test]
    fn what_went_wrong_is_shown_without_the_progress_before_it() {
        assert!(is_progress("   Compiling libc v0.2.191"));
        assert!(is_progress("  Downloaded libc v0.2.191"));
        assert!(!is_progress("Compiling is what failed"));
        assert!(!is_progress("error[E0425]: cannot find value"));
        assert!(!is_progress("     Running unittests src/lib.rs"));
    }

    #[test]
    fn stops_at_the_first_failure_and_at_what_is_missing_in_ci() -> Result<(), Error> {
        let target = std::env::temp_dir().join(format!("xtask-steps-{}", std::process::id()));
        let steps = || {
            vec![
                Step::new("one", |_| Ok(Outcome::passed())),
                Step::new("two", |_| Ok(Outcome::Missing("a browser".into()))),
                Step::new("three", |_| Ok(Outcome::Skipped("nothing to do".into()))),
            ]
        };
        let mut workspace = Workspace {
            root: target.clone(),
            target: target.clone(),
            ci: false,
        };
        assert!(run_all(&workspace, steps())?);
        workspace.ci = true;
        assert!(!run_all(&workspace, steps())?);
        let mut broken = steps();
        broken.insert(0, Step::new("zero", |_| Err(Error::new("broken"))));
        workspace.ci = false;
        assert!(!run_all(&workspace, broken)?);
        fs::remove_dir_all(&target).map_err(|error| Error::file(&target, &error))
    }
}
