//! System packages, by `apt-get`.

use std::path::Path;
use std::process::Command;

use crate::error::Error;
use crate::shell::Shell;
use crate::steps::Outcome;
use crate::workspace::Workspace;

/// Debian's Chromium.
pub(crate) const CHROMIUM: &str = "/usr/bin/chromium";
/// Debian's Firefox.
pub(crate) const FIREFOX: &str = "/usr/bin/firefox-esr";
/// Debian's curl.
pub(crate) const CURL: &str = "/usr/bin/curl";
/// Debian's nginx, of whichever flavour.
pub(crate) const NGINX: &str = "/usr/sbin/nginx";
/// Debian's OpenSSL.
pub(crate) const OPENSSL: &str = "/usr/bin/openssl";
/// Debian's NATS server.
pub(crate) const NATS_SERVER: &str = "/usr/sbin/nats-server";
/// Debian's Redis server.
pub(crate) const REDIS_SERVER: &str = "/usr/bin/redis-server";

/// A package, and how to tell that its job can be done already, by it or by another.
struct Package {
    name: &'static str,
    is_there: fn() -> bool,
}

const PACKAGES: [Package; 11] = [
    Package {
        name: "chromium",
        is_there: || Path::new(CHROMIUM).exists(),
    },
    Package {
        name: "curl",
        is_there: || Path::new(CURL).exists(),
    },
    Package {
        name: "firefox-esr",
        is_there: || Path::new(FIREFOX).exists(),
    },
    // Without a font a browser draws boxes.
    Package {
        name: "fonts-dejavu-core",
        is_there: || Path::new("/usr/share/fonts/truetype/dejavu").exists(),
    },
    // The tests of several nodes start brokers of their own; of Debian's services they need only the programs.
    Package {
        name: "nats-server",
        is_there: || Path::new(NATS_SERVER).exists(),
    },
    Package {
        name: "nginx-light",
        is_there: || Path::new(NGINX).exists(),
    },
    Package {
        name: "nodejs",
        is_there: || answers("node"),
    },
    Package {
        name: "npm",
        is_there: || answers("npm"),
    },
    Package {
        name: "openssl",
        is_there: || Path::new(OPENSSL).exists(),
    },
    Package {
        name: "python3-venv",
        is_there: makes_environments,
    },
    Package {
        name: "redis-server",
        is_there: || Path::new(REDIS_SERVER).exists(),
    },
];

/// Installs the packages that are not there.
pub(crate) fn install(shell: &mut Shell<'_>) -> Result<Outcome, Error> {
    let missing = missing();
    if missing.is_empty() {
        return Ok(Outcome::Passed("all there".into()));
    }
    let names = missing.join(" ");
    let Some(root) = Root::of_this_machine(shell) else {
        return Ok(Outcome::Missing(format!(
            "missing: {names}, and this user may not install them (`apt-get install {names}`, as root)"
        )));
    };
    let update = root.apt_get(shell.workspace, &["update", "--quiet"]);
    // A source that does not answer is no reason to stop: what is needed may be in another, or known from before.
    let updated = shell.run(update);
    let mut arguments = vec!["install", "--yes", "--quiet", "--no-install-recommends"];
    arguments.extend(&missing);
    let installed = shell.run(root.apt_get(shell.workspace, &arguments));
    match (installed, updated) {
        (Ok(_), _) => Ok(Outcome::Passed(format!("installed {names}"))),
        (Err(error), Ok(_)) => Err(error),
        (Err(error), Err(update)) => Err(Error::new(format!("{update}, then {error}"))),
    }
}

/// The names of the packages that are not there.
pub(crate) fn missing() -> Vec<&'static str> {
    PACKAGES
        .iter()
        .filter(|package| !(package.is_there)())
        .map(|package| package.name)
        .collect()
}

/// Whether `program` can be started.
pub(crate) fn answers(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Whether Python is there and can make environments, with pip in them.
pub(crate) fn makes_environments() -> bool {
    Command::new("python3")
        .args(["-c", "import ensurepip, venv"])
        .output()
        .is_ok_and(|output| output.status.success())
}

/// How one becomes root here.
enum Root {
    Already,
    Sudo,
}

impl Root {
    /// `None` where nothing may be installed: no apt-get, or not root and no sudo that asks nothing.
    fn of_this_machine(shell: &Shell<'_>) -> Option<Self> {
        if !answers("apt-get") {
            return None;
        }
        let ask = |program: &str, arguments: &[&str]| {
            let mut command = shell.workspace.command(program);
            command.args(arguments);
            shell.ask(command)
        };
        if ask("id", &["-u"])?.trim() == "0" {
            return Some(Self::Already);
        }
        ask("sudo", &["--non-interactive", "true"]).map(|_| Self::Sudo)
    }

    fn apt_get(&self, workspace: &Workspace, arguments: &[&str]) -> Command {
        let mut command = match self {
            Self::Already => workspace.command("env"),
            Self::Sudo => {
                let mut command = workspace.command("sudo");
                command.args(["--non-interactive", "env"]);
                command
            }
        };
        // Waits for another apt-get, such as the daily one of a new machine, instead of failing.
        command.args([
            "DEBIAN_FRONTEND=noninteractive",
            "apt-get",
            "--option",
            "DPkg::Lock::Timeout=300",
        ]);
        command.args(arguments);
        command
    }
}
