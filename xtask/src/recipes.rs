//! The recipes for servers without an adapter: a workspace of their own, in `recipes/`.

use std::time::Duration;

use crate::checks;
use crate::error::Error;
use crate::shell::Shell;
use crate::steps::Outcome;

const MANIFEST: &str = "recipes/Cargo.toml";

/// How long each of them may take, with three frameworks to build.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// They are formatted, without warnings, what the guide says they are, and do what it says.
pub(crate) fn test(shell: &mut Shell<'_>) -> Result<Outcome, Error> {
    let workspace = shell.workspace;
    shell.run(workspace.cargo(["fmt", "--check", "--manifest-path", MANIFEST]))?;
    // rama and ntex declare to need a newer Rust than they do.
    let options = [
        "--locked",
        "--ignore-rust-version",
        "--manifest-path",
        MANIFEST,
    ];
    let mut clippy = workspace.cargo(["clippy", "--all-targets"]);
    clippy.args(options).args(["--", "-D", "warnings"]);
    shell.run_for(LIMIT, clippy)?;
    let mut test = workspace.cargo(["test"]);
    test.args(options);
    let said = shell.run_for(LIMIT, test)?;
    checks::counted(&said)
}
