//! What must hold before the library crates are published.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cargo_tools::{self, DENY, HACK, SEMVER_CHECKS};
use crate::error::Error;
use crate::shell::Shell;
use crate::steps::Outcome;
use crate::workspace::LIBRARIES;

/// The library below, and what its features are for.
const ENGINE: &str = "sidereal-sse";
const CODINGS: &str = "brotli,gzip,zstd";

/// Features that know nothing of each other, nor of others: each is tried alone, and all together.
const ADAPTERS: &str = "actix,blocking,nats,poem,redis,rocket,salvo,warp";
const BROKERS: &str = "nats,redis";

/// How long the database of advisories may take.
const ADVISORIES: Duration = Duration::from_secs(120);

/// Every combination of features compiles, without a warning.
pub(crate) fn powerset(shell: &mut Shell<'_>) -> Result<Outcome, Error> {
    cargo_tools::install(shell, &[HACK])?;
    let mut combinations = 0;
    for package in LIBRARIES {
        let mut all = vec!["--feature-powerset", "--exclude-features", "default"];
        let alone = match package {
            ENGINE => BROKERS,
            _ => {
                // The codings are the engine's; to the crate on top of it they are all one.
                all.extend(["--group-features", CODINGS]);
                ADAPTERS
            }
        };
        all.extend(["--exclude-features", alone]);
        let each = ["--each-feature", "--include-features", alone];
        combinations += clippy(shell, package, &each)?;
        combinations += clippy(shell, package, &all)?;
    }
    Ok(Outcome::Passed(format!("{combinations} combinations")))
}

/// Clippy with combinations of a package's features: how many there were.
fn clippy(shell: &mut Shell<'_>, package: &str, features: &[&str]) -> Result<u32, Error> {
    let mut command = shell.workspace.cargo(["hack", "clippy"]);
    command.args(features);
    // Not with --no-dev-deps: it rewrites the manifests for the time of the run, and this workspace's resolver
    // keeps the features of dev-dependencies out of a check of the libraries anyway.
    command.args(["--package", package, "--", "-D", "warnings"]);
    let said = shell.run(command)?;
    Ok(said.lines().filter_map(total).max().unwrap_or(0))
}

/// Licences, sources and bans of all dependencies; known vulnerabilities where their database can be had.
pub(crate) fn deny(shell: &mut Shell<'_>) -> Result<Outcome, Error> {
    cargo_tools::install(shell, &[DENY])?;
    shell.run(shell.workspace.cargo([
        "deny",
        "--all-features",
        "check",
        "bans",
        "licenses",
        "sources",
    ]))?;
    if shell
        .run_for(ADVISORIES, shell.workspace.cargo(["deny", "fetch", "db"]))
        .is_err()
    {
        let note = "bans, licenses, sources; not advisories: their database cannot be had here";
        return Ok(Outcome::Passed(note.into()));
    }
    shell.run(shell.workspace.cargo([
        "deny",
        "--all-features",
        "check",
        "--disable-fetch",
        "advisories",
    ]))?;
    Ok(Outcome::Passed(
        "bans, licenses, sources, advisories".into(),
    ))
}

/// No change since the last release breaks what the version number promises.
pub(crate) fn semver(shell: &mut Shell<'_>) -> Result<Outcome, Error> {
    let Some(tag) = last_release(shell) else {
        return Ok(Outcome::Passed(
            "no release tag (v0.1.0, …) yet, so nothing to compare with".into(),
        ));
    };
    cargo_tools::install(shell, &[SEMVER_CHECKS])?;
    let mut command = shell
        .workspace
        .cargo(["semver-checks", "--baseline-rev", &tag]);
    command.args(packages());
    shell.run(command)?;
    Ok(Outcome::Passed(format!("compared with {tag}")))
}

/// The library crates can be packed, and built from what is packed.
pub(crate) fn publish(shell: &mut Shell<'_>) -> Result<Outcome, Error> {
    // What an earlier run has built of them, in a target folder of its own, counts as up to date as
    // long as the version stays.
    let target = shell.workspace.target.join("publish");
    if target.exists() {
        std::fs::remove_dir_all(&target).map_err(|error| Error::file(&target, &error))?;
    }
    forget_earlier_packages()?;
    // Both in one call: cargo then lets one be built against the other, which no registry has yet.
    let mut command = shell.workspace.cargo(["publish", "--dry-run"]);
    command.args(packages()).arg("--target-dir").arg(&target);
    let mut status = shell.workspace.command("git");
    status.args(["status", "--porcelain"]);
    let clean = shell
        .ask(status)
        .is_some_and(|changes| changes.trim().is_empty());
    if !clean {
        command.arg("--allow-dirty");
    }
    shell.run(command)?;
    Ok(Outcome::Passed(if clean {
        String::new()
    } else {
        "with uncommitted changes".into()
    }))
}

/// Removes what an earlier dry run has unpacked of the library crates.
///
/// cargo builds one against the other through a registry of its own in the target folder, and
/// unpacks that one where it unpacks all packages, by name and version: while the version stays, a
/// later dry run in the same folder would build against the sources of the first.
fn forget_earlier_packages() -> Result<(), Error> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let user = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo"));
    let Some(home) = home.or_else(user) else {
        return Ok(());
    };
    let Ok(registries) = std::fs::read_dir(home.join("registry").join("src")) else {
        return Ok(());
    };
    for registry in registries.flatten() {
        // A registry in a folder has no host, so its name is only a dash and a hash.
        if !registry.file_name().to_string_lossy().starts_with('-') {
            continue;
        }
        let Ok(packages) = std::fs::read_dir(registry.path()) else {
            continue;
        };
        for package in packages.flatten() {
            let name = package.file_name();
            let name = name.to_string_lossy();
            if LIBRARIES.iter().any(|library| {
                name.strip_prefix(library)
                    .and_then(|rest| rest.strip_prefix('-'))
                    .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
            }) {
                let folder = package.path();
                std::fs::remove_dir_all(&folder).map_err(|error| Error::file(&folder, &error))?;
            }
        }
    }
    Ok(())
}

/// The tag of the last release that this commit comes from.
pub(crate) fn last_release(shell: &Shell<'_>) -> Option<String> {
    if !Path::new(&shell.workspace.root).join(".git").exists() {
        return None;
    }
    let mut command = shell.workspace.command("git");
    command.args(["describe", "--tags", "--abbrev=0", "--match", "v[0-9]*"]);
    shell
        .ask(command)
        .map(|tag| tag.trim().to_owned())
        .filter(|tag| !tag.is_empty())
}

/// `--package` and name for each library crate.
fn packages() -> impl Iterator<Item = &'static str> {
    LIBRARIES.into_iter().flat_map(|name| ["--package", name])
}

/// The total from a line of cargo-hack such as `info: running … (3/9)`.
fn total(line: &str) -> Option<u32> {
    let (_, total) = line
        .trim_end()
        .strip_suffix(')')?
        .rsplit_once('(')?
        .1
        .split_once('/')?;
    total.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_how_many_combinations_there_are() {
        assert_eq!(
            total("info: running `cargo check --no-default-features` on sidereal (9/11)"),
            Some(11)
        );
        assert_eq!(total("    Finished `dev` profile in 0.1s"), None);
    }
}
