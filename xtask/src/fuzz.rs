//! Short runs of the fuzz targets, for finding that one has rotted, and now and then a bug.

use std::time::Duration;

use crate::cargo_tools::{self, FUZZ};
use crate::error::Error;
use crate::shell::Shell;
use crate::steps::Outcome;

/// The sanitizers that fuzzing needs are not in stable Rust.
const TOOLCHAIN: &str = "nightly";

/// Runs every fuzz target for this time.
pub(crate) fn run(shell: &mut Shell<'_>, seconds: u32) -> Result<Outcome, Error> {
    if let Some(obstacle) = obstacle(shell) {
        return Ok(Outcome::Skipped(obstacle));
    }
    cargo_tools::install(shell, &[FUZZ])?;
    let list = shell.ask(shell.workspace.cargo_of(TOOLCHAIN, ["fuzz", "list"]));
    let list = list.ok_or_else(|| Error::new("`cargo fuzz list` failed"))?;
    let targets: Vec<&str> = list.split_whitespace().collect();
    shell.run(shell.workspace.cargo_of(TOOLCHAIN, ["fuzz", "build"]))?;
    let time = format!("-max_total_time={seconds}");
    for target in &targets {
        // Time to start and to say goodbye; an input that hangs is libFuzzer's to report.
        let limit = Duration::from_secs(u64::from(seconds) + 300);
        shell.run_for(
            limit,
            shell
                .workspace
                .cargo_of(TOOLCHAIN, ["fuzz", "run", target, "--", &time]),
        )?;
    }
    Ok(Outcome::Passed(format!(
        "{} targets, {seconds} s each",
        targets.len()
    )))
}

/// Why nothing can be fuzzed here.
pub(crate) fn obstacle(shell: &Shell<'_>) -> Option<String> {
    let fuzz = shell.workspace.root.join("fuzz");
    let targets = std::fs::read_dir(fuzz.join("fuzz_targets")).map_or(0, Iterator::count);
    if !fuzz.join("Cargo.toml").exists() || targets == 0 {
        return Some("fuzz/ has no targets".into());
    }
    if shell
        .ask(shell.workspace.cargo_of(TOOLCHAIN, ["--version"]))
        .is_none()
    {
        return Some("rustup has no nightly toolchain here, which fuzzing needs".into());
    }
    None
}
