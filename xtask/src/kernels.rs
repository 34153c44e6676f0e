//! The SPICE kernel of the planets, for Data SPICE's feature `kernels`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::checks;
use crate::error::Error;
use crate::python;
use crate::shell::Shell;
use crate::steps::Outcome;
use crate::workspace::Workspace;

/// The Python package that has the kernel as a file.
const PACKAGE: &str = "skyfield-data==7.0.0";
/// The kernel in it: JPL's planetary ephemeris DE421, 1899 to 2053.
const FOLDER: &str = "skyfield_data/data";
const FILE: &str = "de421.bsp";
const SHA256: &str = "a20a7139da04cbc462454634918e9a9ca69127044e2cc9d4f9c16e238d2deedc";

/// How long 17 MB may take.
const LIMIT: Duration = Duration::from_secs(3 * 60);
/// How long the test with it may take, with what has to be compiled.
const TEST_LIMIT: Duration = Duration::from_secs(15 * 60);

/// Says whether the kernel is there, after trying to bring it.
pub(crate) fn step(shell: &mut Shell<'_>) -> Result<Outcome, Error> {
    if is_there(&place(shell.workspace))? {
        return Ok(Outcome::Passed("all there".into()));
    }
    bring(shell)
}

/// The step as a command of its own: prints where the kernel is, and what is done with it.
pub(crate) fn write(workspace: &Workspace) -> Result<(), Error> {
    let mut shell = Shell::new(workspace, workspace.target.join("xtask/kernels.log"))?;
    match step(&mut shell)? {
        Outcome::Passed(_) => {
            println!("{}", place(workspace).display());
            println!("now: cargo run --release -p dataspice --features kernels");
            Ok(())
        }
        Outcome::Skipped(why) | Outcome::Missing(why) => Err(Error::new(format!(
            "{why}; what was tried: {}",
            shell.log().display()
        ))),
    }
}

/// The planets of Data SPICE against the kernel's.
pub(crate) fn test(shell: &mut Shell<'_>) -> Result<Outcome, Error> {
    let kernel = place(shell.workspace);
    if !is_there(&kernel)? {
        return Ok(Outcome::Missing(format!(
            "missing: {FILE}, which `cargo xtask kernels` brings"
        )));
    }
    // As all tests are run, so that nothing has to be compiled again.
    let arguments = [
        "test",
        "--workspace",
        "--all-features",
        "--bin",
        "dataspice",
        "de421",
        "--",
        "--ignored",
        "--nocapture",
    ];
    let mut command = shell.workspace.cargo(arguments);
    command.env("DATASPICE_KERNEL", kernel);
    let said = shell.run_for(TEST_LIMIT, command)?;
    match checks::counts(&said) {
        (0, _) => Err(Error::new("no test was run")),
        _ => Ok(Outcome::Passed(measured(&said).unwrap_or_default())),
    }
}

/// What the test says that it has measured.
fn measured(said: &str) -> Option<String> {
    said.lines()
        .find_map(|line| line.split_once("measured: "))
        .map(|(_, text)| text.trim().to_owned())
}

fn bring(shell: &mut Shell<'_>) -> Result<Outcome, Error> {
    let workspace = shell.workspace;
    let Some(python) = python::any(shell)? else {
        return Ok(Outcome::Missing("missing: python3-venv".into()));
    };
    let place = place(workspace);
    let folder = place.with_file_name("download");
    remove(&folder)?;
    let mut command = workspace.command(&python);
    command
        .args(["-m", "pip", "install", "--quiet", "--no-deps"])
        .args(["--disable-pip-version-check", "--target"])
        .arg(&folder)
        .arg(PACKAGE);
    if shell.run_for(LIMIT, command).is_err() {
        return Ok(Outcome::Missing(format!(
            "the package registry did not give {PACKAGE}"
        )));
    }
    let file = folder.join(FOLDER).join(FILE);
    if !is_there(&file)? {
        return Err(Error::new(format!("{PACKAGE} has no {FILE}")));
    }
    fs::rename(&file, &place).map_err(|error| Error::file(&place, &error))?;
    remove(&folder)?;
    Ok(Outcome::Passed(format!("{FILE}, checked by its hash")))
}

/// Where the program looks for it.
fn place(workspace: &Workspace) -> PathBuf {
    workspace.target.join("kernels").join(FILE)
}

/// Whether the file is there; that it is another one is an error.
fn is_there(file: &Path) -> Result<bool, Error> {
    if !file.exists() {
        return Ok(false);
    }
    let bytes = fs::read(file).map_err(|error| Error::file(file, &error))?;
    if hash(&bytes) == SHA256 {
        return Ok(true);
    }
    Err(Error::new(format!(
        "{} is not the {FILE} whose SHA-256 is {SHA256}; remove it",
        file.display()
    )))
}

fn hash(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn remove(folder: &Path) -> Result<(), Error> {
    if !folder.exists() {
        return Ok(());
    }
    fs::remove_dir_all(folder).map_err(|error| Error::file(folder, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_a_file_by_its_hash() {
        assert_eq!(
            hash(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert!(is_there(Path::new("Cargo.toml")).is_err());
        assert!(is_there(Path::new("no such file")).is_ok_and(|there| !there));
    }

    #[test]
    fn repeats_what_was_measured() {
        let said = "running 1 test\ntest kernels … measured: Mercury 3 km\nok\n";
        assert_eq!(measured(said), Some("Mercury 3 km".into()));
        assert_eq!(measured("ok"), None);
    }
}
