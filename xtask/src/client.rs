//! The Datastar client as a file, for whatever is not compiled against it.

use std::fs;
use std::path::PathBuf;

use crate::error::Error;
use crate::shell::Shell;
use crate::steps::Outcome;
use crate::workspace::Workspace;

/// Says whether the demos and tests have the client.
pub(crate) fn step(shell: &mut Shell<'_>) -> Result<Outcome, Error> {
    if datastar_client::JS.is_none() {
        return Ok(Outcome::Missing(absence().to_string()));
    }
    write(shell.workspace)?;
    Ok(Outcome::Passed(format!(
        "version {}, checked by its hash",
        datastar_client::VERSION
    )))
}

/// Writes the client below the target folder, and returns where.
pub(crate) fn write(workspace: &Workspace) -> Result<PathBuf, Error> {
    let bytes = datastar_client::JS.ok_or_else(absence)?;
    let folder = workspace.target.join("datastar");
    let file = folder.join(format!("datastar-{}.js", datastar_client::VERSION));
    if fs::read(&file).is_ok_and(|there| there == bytes) {
        return Ok(file);
    }
    fs::create_dir_all(&folder).map_err(|error| Error::file(&folder, &error))?;
    fs::write(&file, bytes).map_err(|error| Error::file(&file, &error))?;
    Ok(file)
}

/// The client is embedded when this program is built, so cargo has already tried to get it just now.
fn absence() -> Error {
    Error::new(
        "the package registry did not give the client; `cargo build -p datastar-client` says why",
    )
}
