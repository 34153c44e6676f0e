//! Formatting, lints, documentation, tests, and that every program builds.

use std::time::Duration;

use crate::error::Error;
use crate::shell::Shell;
use crate::steps::Outcome;

/// The code has rustfmt's default form.
pub(crate) fn rustfmt(shell: &mut Shell<'_>) -> Result<Outcome, Error> {
    shell.run(shell.workspace.cargo(["fmt", "--all", "--check"]))?;
    Ok(Outcome::passed())
}

/// Clippy and rustc have nothing to say, tests and examples included.
pub(crate) fn clippy(shell: &mut Shell<'_>) -> Result<Outcome, Error> {
    let arguments = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "-D",
        "warnings",
    ];
    shell.run(shell.workspace.cargo(arguments))?;
    Ok(Outcome::passed())
}

/// The documentation builds, and its links lead somewhere.
pub(crate) fn rustdoc(shell: &mut Shell<'_>) -> Result<Outcome, Error> {
    // Links are looked at with few features too: what is not compiled in cannot be linked to.
    for features in [
        &["--all-features", "--workspace"][..],
        &["--package", "sidereal"],
        &["--package", "sidereal", "--features", "axum"],
        &["--package", "sidereal", "--features", "serve"],
        &["--package", "sidereal-sse", "--no-default-features"],
    ] {
        let mut command = shell.workspace.cargo(["doc", "--no-deps"]);
        command.args(features).env("RUSTDOCFLAGS", "-D warnings");
        shell.run(command)?;
    }
    Ok(Outcome::passed())
}

/// All tests that need no browser, those in the documentation too.
pub(crate) fn tests(shell: &mut Shell<'_>) -> Result<Outcome, Error> {
    let said = shell.run(
        shell
            .workspace
            .cargo(["test", "--workspace", "--all-features"]),
    )?;
    counted(&said)
}

/// How many tests have said that something they need is not installed. They count as passed.
fn skipped(said: &str) -> u32 {
    said.lines()
        .map(|line| line.matches("skipped: ").count() as u32)
        .sum()
}

/// How many tests there were in what `cargo test` said; that there was none is an error.
pub(crate) fn counted(said: &str) -> Result<Outcome, Error> {
    let (passed, ignored) = counts(said);
    if passed == 0 {
        return Err(Error::new("no test was run"));
    }
    let mut text = format!("{passed} tests");
    for (count, what) in [(ignored, "ignored"), (skipped(said), "skipped")] {
        if count > 0 {
            text.push_str(&format!(", {count} {what}"));
        }
    }
    Ok(Outcome::Passed(text))
}

/// Random compressed streams, so many for each codec. The tests have 3,000.
pub(crate) fn streams(shell: &mut Shell<'_>, count: u32) -> Result<Outcome, Error> {
    let arguments = [
        "test",
        "--release",
        "--package",
        "sidereal-sse",
        "--all-features",
        "--test",
        "compression",
        "random_streams",
    ];
    let mut command = shell.workspace.cargo(arguments);
    command.env("SIDEREAL_STREAMS", count.to_string());
    shell.run_for(Duration::from_secs(4 * 60 * 60), command)?;
    Ok(Outcome::Passed(format!("{count} for each codec")))
}

/// Every program and example builds.
pub(crate) fn programs(shell: &mut Shell<'_>) -> Result<Outcome, Error> {
    shell.run(
        shell
            .workspace
            .cargo(["build", "--workspace", "--bins", "--examples"]),
    )?;
    Ok(Outcome::passed())
}

/// Adds up the tests passed and ignored in what `cargo test` said.
pub(crate) fn counts(said: &str) -> (u32, u32) {
    let results = said
        .lines()
        .filter_map(|line| line.trim().strip_prefix("test result: ok. "));
    let count = |line: &str, word: &str| -> u32 {
        let part = line
            .split(';')
            .find_map(|part| part.trim().strip_suffix(word));
        part.and_then(|number| number.trim().parse().ok())
            .unwrap_or(0)
    };
    results.fold((0, 0), |(passed, ignored), line| {
        (
            passed + count(line, "passed"),
            ignored + count(line, "ignored"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_cargo_test_says() {
        let said = "test a ... ok\n\
            test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
            test result: ok. 40 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s\n";
        assert_eq!(counts(said), (42, 1));
        assert_eq!(counts(""), (0, 0));
        assert_eq!(skipped(said), 0);
        // It is written while another test may be writing its own line.
        let said =
            "test a ... skipped: b: there is no program\nok\nskipped: c: there is no program\n";
        assert_eq!(skipped(said), 2);
    }
}
