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
    if !apt::makes_environments() {
        return Ok(Outcome::Missing("missing: python3-venv".into()));
    }
    let mut command = workspace.command("python3");
    command.args(["-m", "venv", "--clear"]).arg(&folder);
    shell.run(command)?;
    let mut command = workspace.command(interpreter(workspace));
    command
        .args(["-m", "pip", "install", "--quiet", "--no-deps"])
        .args(["--disable-pip-version-check", "--requirement"])
        .arg(&list);
    shell.run(command)?;
    fs::write(&record, wanted).map_err(|error| Error::file(&record, &error))?;
    Ok(Outcome::passed())
}

fn environment(workspace: &Workspace) -> PathBuf {
    workspace.target.join("python")
}
