//! The npm packages of `e2e/`.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use crate::apt;
use crate::error::Error;
use crate::shell::Shell;
use crate::steps::Outcome;

/// Installs what `e2e/package.json` asks for: what its lock file says, if it has one.
pub(crate) fn install(shell: &mut Shell<'_>) -> Result<Outcome, Error> {
    let folder = shell.workspace.root.join("e2e");
    if !folder.join("package.json").exists() {
        return Ok(Outcome::Skipped("there is no e2e/package.json".into()));
    }
    if !apt::answers("npm") {
        return Ok(Outcome::Missing("missing: npm".into()));
    }
    if is_current(&folder) {
        return Ok(Outcome::Passed("all there".into()));
    }
    let mut command = shell.workspace.command("npm");
    command.current_dir(&folder);
    if folder.join("package-lock.json").exists() {
        command.arg("ci");
    } else {
        command.args(["install", "--no-package-lock"]);
    }
    // The browsers are Debian's.
    command
        .args(["--no-audit", "--no-fund"])
        .env("PUPPETEER_SKIP_DOWNLOAD", "1");
    shell.run(command)?;
    Ok(Outcome::passed())
}

/// Whether npm has installed since the lists were changed.
fn is_current(folder: &Path) -> bool {
    let changed = |name: &str| fs::metadata(folder.join(name)).and_then(|file| file.modified());
    let Ok(installed) = changed("node_modules/.package-lock.json") else {
        return false;
    };
    let is_older = |time: SystemTime| time <= installed;
    ["package.json", "package-lock.json"]
        .iter()
        .all(|name| changed(name).map_or(true, is_older))
}
