//! The benchmarks: each is a program of the package `bench`.

use serde_json::Value;

use crate::error::Error;
use crate::workspace::Workspace;

/// Runs the benchmark that `arguments` begin with, with the rest of them, or all of them where there is none. `false`
/// says that one failed, which may mean that a bar was missed.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<bool, Error> {
    let names = names(workspace)?;
    let (chosen, arguments) = match arguments.split_first() {
        None => (names, arguments),
        Some((name, rest)) if names.contains(name) => (vec![name.clone()], rest),
        Some((name, _)) => {
            let names = names.join(", ");
            return Err(Error::new(format!(
                "no benchmark `{name}`; there are: {names}"
            )));
        }
    };
    // All of them, since one may start another: a server that it measures.
    let mut command = workspace.cargo(["build", "--release", "--package", "bench", "--bins"]);
    // One measures the demo.
    command.args(["--package", "dataspice"]);
    let status = command.status();
    if !status
        .map_err(|error| Error::start("cargo", &error))?
        .success()
    {
        return Ok(false);
    }
    let mut well = true;
    for name in chosen {
        let mut command = workspace.cargo(["run", "--release", "--package", "bench", "--bin"]);
        // What it prints is the point, so it is not captured.
        let status = command.arg(&name).arg("--").args(arguments).status();
        well &= status
            .map_err(|error| Error::start("cargo", &error))?
            .success();
    }
    Ok(well)
}

/// The names of all benchmarks: of all programs but the servers, which run for ever.
fn names(workspace: &Workspace) -> Result<Vec<String>, Error> {
    let mut command = workspace.cargo(["metadata", "--format-version", "1", "--no-deps"]);
    let output = command
        .output()
        .map_err(|error| Error::start("cargo", &error))?;
    let metadata: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| Error::new(format!("cargo metadata: {error}")))?;
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let packages = list(&metadata["packages"]);
    let targets = packages
        .iter()
        .find(|package| package["name"] == "bench")
        .map(|bench| list(&bench["targets"]));
    let is_program = |target: &&Value| list(&target["kind"]).iter().any(|kind| kind == "bin");
    let mut names: Vec<String> = targets
        .unwrap_or_default()
        .iter()
        .filter(is_program)
        .filter_map(|target| target["name"].as_str())
        .filter(|name| !name.ends_with("-server"))
        .map(str::to_owned)
        .collect();
    names.sort();
    Ok(names)
}
