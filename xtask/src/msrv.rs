//! The minimum Rust version that the library crates declare.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::error::Error;
use crate::shell::Shell;
use crate::steps::Outcome;
use crate::workspace::LIBRARIES;

/// Features with a minimum version of their own, and the dependencies that bring it: a framework's adapter is of use to
/// those alone who have the framework.
const NEWER: [(&str, &str); 1] = [("salvo", "salvo_core")];

/// Checks with the real toolchain where rustup has it, and always what can be checked without it: that the library
/// crates use nothing from the standard library, and depend on nothing, that declares to be newer.
pub(crate) fn check(shell: &mut Shell<'_>) -> Result<Outcome, Error> {
    let metadata = metadata(shell)?;
    let version = declared(&metadata)?;
    let newer = newer_dependencies(&metadata, &version)?;
    if !newer.is_empty() {
        return Err(Error::new(format!(
            "newer than Rust {version}: {}",
            newer.join(", ")
        )));
    }
    let packages = || LIBRARIES.into_iter().flat_map(|name| ["--package", name]);
    let mut clippy = shell.workspace.cargo(["clippy", "--all-features"]);
    clippy
        .args(packages())
        .args(["--", "-D", "clippy::incompatible_msrv"]);
    shell.run(clippy)?;
    let Some(toolchain) = toolchain(shell, &version) else {
        return Ok(Outcome::Passed(format!(
            "{version}, by clippy's incompatible_msrv and the dependencies' rust-version; \
             not with the toolchain itself, which rustup does not have here"
        )));
    };
    let mut real = shell.workspace.cargo_of(&toolchain, ["check"]);
    real.args(packages())
        .args(["--features", &features(&metadata).join(",")])
        .env("CARGO_TARGET_DIR", shell.workspace.target.join("msrv"));
    shell.run(real)?;
    Ok(Outcome::Passed(format!(
        "{version}, with that toolchain, and by the dependencies' rust-version"
    )))
}

/// The packages of the workspace and all they depend on, with all features, for all platforms.
fn metadata(shell: &Shell<'_>) -> Result<Value, Error> {
    let command = shell.workspace.cargo([
        "metadata",
        "--format-version",
        "1",
        "--all-features",
        "--quiet",
    ]);
    let text = shell
        .ask(command)
        .ok_or_else(|| Error::new("`cargo metadata` failed"))?;
    serde_json::from_str(&text).map_err(|error| Error::new(format!("cargo metadata: {error}")))
}

/// The version that all library crates declare.
fn declared(metadata: &Value) -> Result<String, Error> {
    let packages = metadata["packages"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let mut versions = BTreeSet::new();
    for name in LIBRARIES {
        let package = packages
            .iter()
            .find(|package| package["name"] == name && package["source"].is_null());
        let version = package.and_then(|package| package["rust_version"].as_str());
        versions.insert(
            version
                .ok_or_else(|| Error::new(format!("{name} declares no rust-version")))?
                .to_owned(),
        );
    }
    match versions.pop_first() {
        Some(version) if versions.is_empty() => Ok(version),
        _ => Err(Error::new(
            "the library crates declare different rust-versions",
        )),
    }
}

/// All features of the library crates that are for the version that they declare.
fn features(metadata: &Value) -> Vec<String> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    packages
        .filter(|package| package["source"].is_null())
        .filter_map(|package| {
            let name = LIBRARIES.iter().find(|name| package["name"] == **name)?;
            Some((name, package["features"].as_object()?))
        })
        .flat_map(|(name, features)| {
            let features = features.keys();
            features.map(move |feature| (feature.clone(), format!("{name}/{feature}")))
        })
        .filter(|(feature, _)| NEWER.iter().all(|(newer, _)| feature != newer))
        .map(|(_, feature)| feature)
        .collect()
}

/// What the library crates depend on, tests aside, that declares a newer version than `version`.
fn newer_dependencies(metadata: &Value, version: &str) -> Result<Vec<String>, Error> {
    let odd = || Error::new("cargo metadata has an unexpected form");
    let packages = metadata["packages"].as_array().ok_or_else(odd)?;
    let nodes = metadata["resolve"]["nodes"].as_array().ok_or_else(odd)?;
    let by_id = |list: &'_ [Value]| -> BTreeMap<String, Value> {
        list.iter()
            .filter_map(|item| Some((item["id"].as_str()?.to_owned(), item.clone())))
            .collect()
    };
    let (packages, nodes) = (by_id(packages), by_id(nodes));
    let mut waiting: Vec<&str> = packages
        .iter()
        .filter(|(_, package)| package["source"].is_null())
        .filter(|(_, package)| LIBRARIES.iter().any(|name| package["name"] == *name))
        .map(|(id, _)| id.as_str())
        .collect();
    let (mut seen, mut newer) = (BTreeSet::new(), Vec::new());
    while let Some(id) = waiting.pop() {
        if !seen.insert(id) {
            continue;
        }
        let package = packages.get(id).ok_or_else(odd)?;
        if NEWER.iter().any(|(_, newer)| package["name"] == *newer) {
            continue;
        }
        if let Some(needed) = package["rust_version"]
            .as_str()
            .filter(|needed| parts(needed) > parts(version))
        {
            let text = |key: &str| package[key].as_str().unwrap_or_default().to_owned();
            newer.push(format!(
                "{} {} needs {needed}",
                text("name"),
                text("version")
            ));
        }
        let dependencies = nodes
            .get(id)
            .and_then(|node| node["deps"].as_array())
            .ok_or_else(odd)?;
        let is_used = |kinds: &Value| {
            kinds
                .as_array()
                .is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"] != "dev"))
        };
        waiting.extend(
            dependencies
                .iter()
                .filter(|dependency| is_used(&dependency["dep_kinds"]))
                .filter_map(|dependency| dependency["pkg"].as_str()),
        );
    }
    newer.sort();
    Ok(newer)
}

/// Major, minor and patch, for comparing; what is left out is 0.
fn parts(version: &str) -> [u32; 3] {
    let mut numbers = version.split('.').map(|part| part.parse().unwrap_or(0));
    std::array::from_fn(|_| numbers.next().unwrap_or(0))
}

/// Rustup's name for the toolchain of exactly this version, if it is installed.
fn toolchain(shell: &Shell<'_>, version: &str) -> Option<String> {
    let mut command = shell.workspace.command("rustup");
    command.args(["toolchain", "list"]);
    let list = shell.ask(command)?;
    let names = list
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| parts(name.split('-').next().unwrap_or_default()) == parts(version))
        .map(str::to_owned)
        .next()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metadata() -> Value {
        let package = |name: &str, version: &str| json!({"id": name, "name": name, "version": "1.0.0", "source": null, "rust_version": version});
        json!({
            "packages": [
                package("sidereal", "1.89"), package("sidereal-sse", "1.89"),
                package("used", "1.90.1"), package("tests-only", "1.95"), package("old", "1.60"),
            ],
            "resolve": {"nodes": [
                {"id": "sidereal", "deps": [
                    {"pkg": "sidereal-sse", "dep_kinds": [{"kind": null}]},
                    {"pkg": "tests-only", "dep_kinds": [{"kind": "dev"}]},
                ]},
                {"id": "sidereal-sse", "deps": [{"pkg": "old", "dep_kinds": [{"kind": "dev"}, {"kind": null}]}]},
                {"id": "old", "deps": [{"pkg": "used", "dep_kinds": [{"kind": "build"}]}]},
                {"id": "used", "deps": []},
                {"id": "tests-only", "deps": []},
            ]},
        })
    }

    #[test]
    fn finds_newer_dependencies_but_not_those_of_tests() -> Result<(), Error> {
        assert_eq!(declared(&metadata())?, "1.89");
        assert_eq!(
            newer_dependencies(&metadata(), "1.89")?,
            ["used 1.0.0 needs 1.90.1"]
        );
        assert!(newer_dependencies(&metadata(), "1.90.1")?.is_empty());
        assert!(newer_dependencies(&json!({}), "1.89").is_err());
        Ok(())
    }

    #[test]
    fn compares_versions_by_number() {
        assert!(parts("1.9") < parts("1.89"));
        assert_eq!(parts("1.89"), parts("1.89.0"));
    }
}
