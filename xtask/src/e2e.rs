//! The tests in real browsers and HTTP clients: `npm test` in `e2e/`.
//!
//! They are told by the environment what to use:
//!
//! | variable | a path to |
//! |---|---|
//! | `CHROMIUM`, `FIREFOX`, `CURL`, `NGINX`, `OPENSSL` | Debian's programs; without the last three, tests are skipped |
//! | `HTTPX_PYTHON` | a Python that has httpx; likewise |
//! | `E2E_SERVER`, `DATASPICE`, `CONFORMANCE`, `BEHIND_NGINX_SITE`, `BEHIND_NGINX_STREAMS`, `NODES`, `XTASK` | this workspace's programs, built |
//! | `REQWEST` | the program of `e2e/reqwest`, built |
//! | `DATASTAR_JS` | the Datastar client |

use std::path::Path;
use std::time::Duration;

use crate::apt::{self, CHROMIUM, CURL, FIREFOX, NGINX, OPENSSL};
use crate::checks;
use crate::client;
use crate::error::Error;
use crate::python;
use crate::shell::Shell;
use crate::steps::Outcome;

/// How long all of them may take.
const LIMIT: Duration = Duration::from_secs(30 * 60);
/// The programs under test: variable and program.
const PROGRAMS: [(&str, &str); 7] = [
    ("E2E_SERVER", "e2e-server"),
    ("DATASPICE", "dataspice"),
    ("CONFORMANCE", "conformance"),
    ("BEHIND_NGINX_SITE", "behind-nginx-site"),
    ("BEHIND_NGINX_STREAMS", "behind-nginx-streams"),
    ("NODES", "nodes"),
    ("XTASK", "xtask"),
];

/// Builds the programs and runs the tests.
pub(crate) fn run(shell: &mut Shell<'_>) -> Result<Outcome, Error> {
    let workspace = shell.workspace;
    let folder = workspace.root.join("e2e");
    if !folder.join("package.json").exists() {
        return Ok(Outcome::Skipped("there is no e2e/package.json".into()));
    }
    let missing = missing();
    if !missing.is_empty() {
        return Ok(Outcome::Missing(format!("missing: {}", missing.join(", "))));
    }
    checks::programs(shell)?;
    let manifest = "e2e/reqwest/Cargo.toml";
    shell.run(workspace.cargo(["build", "--locked", "--manifest-path", manifest]))?;
    let mut command = workspace.command("npm");
    command
        .args(["test", "--prefix", "e2e"])
        .env("CHROMIUM", CHROMIUM)
        .env("CURL", CURL)
        .env("FIREFOX", FIREFOX)
        .env("NGINX", NGINX)
        .env("OPENSSL", OPENSSL)
        .env("HTTPX_PYTHON", python::interpreter(workspace))
        .env("REQWEST", workspace.target.join("debug/e2e-reqwest"));
    for (variable, name) in PROGRAMS {
        command.env(variable, workspace.target.join("debug").join(name));
    }
    if let Ok(file) = client::write(workspace) {
        command.env("DATASTAR_JS", file);
    }
    let said = shell.run_for(LIMIT, command)?;
    Ok(Outcome::Passed(
        closing_line(&said).unwrap_or_default().to_owned(),
    ))
}

/// What the tests cannot do without.
fn missing() -> Vec<&'static str> {
    let browsers = [("chromium", CHROMIUM), ("firefox-esr", FIREFOX)];
    let browsers = browsers
        .into_iter()
        .filter(|(_, path)| !Path::new(path).exists())
        .map(|(name, _)| name);
    let programs = ["node", "npm"]
        .into_iter()
        .filter(|name| !apt::answers(name));
    browsers.chain(programs).collect()
}

/// The tests' own count, if they print one that reads `N passed, N failed`.
fn closing_line(said: &str) -> Option<&str> {
    said.lines().rev().map(str::trim).find(|line| {
        let mut words = line.split_whitespace();
        words.next().is_some_and(|word| word.parse::<u32>().is_ok())
            && words.next() == Some("passed,")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_closing_line() {
        assert_eq!(
            closing_line("ok\n12 passed, 0 failed\n\n"),
            Some("12 passed, 0 failed")
        );
        assert_eq!(closing_line("ok\n"), None);
    }
}
