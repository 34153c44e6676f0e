//! Where things are, and how cargo is called there.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::Command;

use crate::error::Error;

/// The crates that users depend on.
pub(crate) const LIBRARIES: [&str; 2] = ["sidereal-sse", "sidereal"];

/// The workspace's folders.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// The folder of the root manifest.
    pub(crate) root: PathBuf,
    /// Cargo's target folder.
    pub(crate) target: PathBuf,
    /// Whether this is a continuous-integration run, where nothing that is missing may be skipped.
    pub(crate) ci: bool,
}

impl Workspace {
    /// Finds the workspace that this program was started in by cargo.
    pub(crate) fn find() -> Result<Self, Error> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let root = manifest
            .as_deref()
            .and_then(|folder| folder.parent())
            .ok_or_else(|| Error::new("start this with `cargo xtask`"))?
            .to_owned();
        // Cargo takes a relative target folder as relative to where it was started.
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => std::path::absolute(&folder)
                .map_err(|error| Error::file(folder.as_ref(), &error))?,
            None => root.join("target"),
        };
        let ci = env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
        Ok(Self { root, target, ci })
    }

    /// The folder that cargo tools are installed under.
    pub(crate) fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }

    /// A program, started in the root with the workspace's own tools first in its path.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", &self.target);
        if let Some(path) = self.path() {
            command.env("PATH", path);
        }
        // `cargo run` describes this package in the environment, which is not true of what is started from here.
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                command.env_remove(&name);
            }
        }
        command
    }

    /// Cargo, the same that started this program.
    pub(crate) fn cargo<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = self.command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(arguments);
        command
    }

    /// Cargo of another toolchain, which rustup must have.
    pub(crate) fn cargo_of<'a>(
        &self,
        toolchain: &str,
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Command {
        let mut command = self.command("rustup");
        command.args(["run", toolchain, "cargo"]).args(arguments);
        // Else the other cargo would call this one's programs.
        for name in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN"] {
            command.env_remove(name);
        }
        command
    }

    fn path(&self) -> Option<OsString> {
        let old = env::var_os("PATH").unwrap_or_default();
        let folders = [self.tools().join("bin")]
            .into_iter()
            .chain(env::split_paths(&old));
        env::join_paths(folders).ok()
    }
}
