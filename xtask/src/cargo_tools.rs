//! The tools of cargo that the checks need, in exact versions, from the package registry.

use std::fs;

use crate::error::Error;
use crate::fuzz;
use crate::release;
use crate::shell::Shell;
use crate::steps::Outcome;
use crate::workspace::Workspace;

/// A tool of cargo, in the one version that is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tool {
    name: &'static str,
    version: &'static str,
}

/// Goes through the combinations of features.
pub(crate) const HACK: Tool = Tool {
    name: "cargo-hack",
    version: "0.6.46",
};
/// Checks licences, sources and bans of dependencies.
pub(crate) const DENY: Tool = Tool {
    name: "cargo-deny",
    version: "0.20.2",
};
/// Finds breaking changes since the last release.
pub(crate) const SEMVER_CHECKS: Tool = Tool {
    name: "cargo-semver-checks",
    version: "0.51.0",
};
/// Runs fuzz targets.
pub(crate) const FUZZ: Tool = Tool {
    name: "cargo-fuzz",
    version: "0.13.2",
};

/// Installs the tools that this run will use.
pub(crate) fn install_all(shell: &mut Shell<'_>) -> Result<Outcome, Error> {
    let mut tools = vec![HACK, DENY];
    // It takes eight minutes to compile, so not before there is something to compare with.
    if release::last_release(shell).is_some() {
        tools.push(SEMVER_CHECKS);
    }
    if fuzz::obstacle(shell).is_none() {
        tools.push(FUZZ);
    }
    let installed = install(shell, &tools)?;
    Ok(Outcome::Passed(if installed.is_empty() {
        "all there".into()
    } else {
        format!("installed {}", installed.join(", "))
    }))
}

/// Installs those of the tools that are not there in their exact versions, and returns what was installed.
pub(crate) fn install(shell: &mut Shell<'_>, tools: &[Tool]) -> Result<Vec<String>, Error> {
    let absent: Vec<Tool> = tools
        .iter()
        .copied()
        .filter(|tool| !tool.is_there(shell.workspace))
        .collect();
    if absent.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<String> = absent
        .iter()
        .map(|tool| format!("{}@{}", tool.name, tool.version))
        .collect();
    // An optimized build takes much longer than the tools themselves ever run; debug information is not needed.
    let mut command = shell
        .workspace
        .cargo(["install", "--locked", "--profile", "dev"]);
    let build = shell.workspace.tools().join("build");
    command
        .arg("--root")
        .arg(shell.workspace.tools())
        .arg("--target-dir")
        .arg(&build)
        .args(&names)
        .env("CARGO_PROFILE_DEV_DEBUG", "0");
    shell.run(command)?;
    // Some gigabytes, which nothing needs any more.
    fs::remove_dir_all(&build).map_err(|error| Error::file(&build, &error))?;
    Ok(names)
}

impl Tool {
    /// Whether this version is installed, by cargo's own record.
    fn is_there(self, workspace: &Workspace) -> bool {
        let tools = workspace.tools();
        let record = fs::read_to_string(tools.join(".crates.toml")).unwrap_or_default();
        tools.join("bin").join(self.name).exists()
            && record.contains(&format!("\"{} {} (", self.name, self.version))
    }
}
