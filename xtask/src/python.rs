//! The Python packages of `e2e/clients/`, in an environment of their own.

use std::fs;
use std::path::PathBuf;

use crate::apt;
use crate::error::Error;
use crate::shell::Shell;
use crate::steps::Outcome;
use crate::workspace::Workspace;

/// The environment's own interpreter.
pub(crate) fn interpreter(workspace: &Workspace) -> PathBuf {
    environment(workspace).join("bin/python")
}

/// Installs what `e2e/clients/requirements.txt` says.
pub(crate) fn install(shell: &mut Shell<'_>) -> Result<Outcome, Error> {
    let workspace = shell.workspace;
    let list = workspace.root.join("e2e/clients/requirements.txt");
    let wanted = fs::read_to_string(&list).map_err(|error| Error::file(&list, &error))?;
    let folder = environment(workspace);
    // Written when all is installed.
    let record = folder.join("requirements.txt");
    if fs::read_to_string(&record).is_ok_and(|installed| installed == wanted) {
        return Ok(Outcome::Passed("all there".into()));
    }
    if !make(shell)? {
        return Ok(Outcome::Missing("missing: python3-venv".into()));
    }
    let mut command = workspace.command(interpreter(workspace));
    command
        .args(["-m", "pip", "install", "--quiet", "--no-deps"])
        .args(["--disable-pip-version-check", "--requirement"])
        .arg(&list);
    shell.run(command)?;
    fs::write(&record, wanted).map_err(|error| Error::file(&record, &error))?;
    Ok(Outcome::passed())
}

/// The interpreter of the environment, which is made if there is none; none where that cannot be.
pub(crate) fn any(shell: &mut Shell<'_>) -> Result<Option<PathBuf>, Error> {
    let interpreter = interpreter(shell.workspace);
    let there = interpreter.exists() || make(shell)?;
    Ok(there.then_some(interpreter))
}

/// Makes the environment anew; `false` says that Debian's package for that is missing.
fn make(shell: &mut Shell<'_>) -> Result<bool, Error> {
    if !apt::makes_environments() {
        return Ok(false);
    }
    let mut command = shell.workspace.command("python3");
    command
        .args(["-m", "venv", "--clear"])
        .arg(environment(shell.workspace));
    shell.run(command)?;
    Ok(true)
}

fn environment(workspace: &Workspace) -> PathBuf {
    workspace.target.join("python")
}
