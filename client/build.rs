//! Brings Datastar's browser client into the build, without committing it and without ever failing the build.
//!
//! The crate `rama-http` ships the official bundle. It need not be compiled, nor need its some 190 dependencies be
//! downloaded (230 MB): `cargo info` unpacks that one crate into the registry's cache, in about a second.

use std::env;
use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

/// The crate that ships the client, and the version that ships 1.0.2.
const CRATE: (&str, &str) = ("rama-http", "0.4.0");
/// Where the client is in that crate.
const FILE: &str = "src/service/web/endpoint/response/datastar.js";
/// The SHA-256 of the official bundle 1.0.2.
const SHA256: &str = "2837d87acf6ee0ba8e4e63765926c25a98d63883b02f88be194a86b81d3fd24a";
/// How long a registry may take before the build goes on without the client.
const PATIENCE: Duration = Duration::from_secs(60);

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(datastar_js)");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    match client(&out) {
        Ok(bytes) => {
            fs::write(out.join("datastar.js"), bytes)?;
            println!("cargo::rustc-cfg=datastar_js");
        }
        Err(reason) => {
            println!("cargo::warning=no local Datastar client, pages load it from a CDN: {reason}");
            // A file that never exists makes cargo run this script again at the next build.
            println!(
                "cargo::rerun-if-changed={}",
                out.join("try-again").display()
            );
        }
    }
    Ok(())
}

/// The client's bytes, from the registry's cache or else from the registry.
fn client(out: &Path) -> Result<Vec<u8>> {
    if let Some(bytes) = cached()? {
        return Ok(bytes);
    }
    download(out)?;
    let (name, version) = CRATE;
    cached()?.ok_or_else(|| format!("cargo did not unpack {name} {version}").into())
}

/// Reads the client from the registry's cache, and checks it.
fn cached() -> Result<Option<Vec<u8>>> {
    let home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cargo")))
        .ok_or("there is no home directory")?;
    let Ok(registries) = fs::read_dir(home.join("registry/src")) else {
        return Ok(None);
    };
    let (name, version) = CRATE;
    for registry in registries {
        let file = registry?
            .path()
            .join(format!("{name}-{version}"))
            .join(FILE);
        if let Ok(bytes) = fs::read(&file) {
            check(&bytes)?;
            return Ok(Some(bytes));
        }
    }
    Ok(None)
}

/// Refuses anything but the official bundle.
fn check(bytes: &[u8]) -> Result<()> {
    let found: String = Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if found == SHA256 {
        Ok(())
    } else {
        Err(format!("its SHA-256 is {found}, not {SHA256}").into())
    }
}

/// Asks cargo about the crate, for which cargo downloads and unpacks it.
fn download(out: &Path) -> Result<()> {
    // A manifest of its own keeps this workspace, and whatever lies above, out of the question.
    let place = out.join("registry");
    fs::create_dir_all(place.join("src"))?;
    fs::write(place.join("src/lib.rs"), "")?;
    fs::write(
        place.join("Cargo.toml"),
        "[package]\nname = \"registry\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n[workspace]\n",
    )?;
    let log = place.join("cargo.log");
    let (name, version) = CRATE;
    let mut child = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["info", "--quiet", "--color=never"])
        .arg(format!("{name}@{version}"))
        .current_dir(&place)
        // What the outer cargo says about this package is not for the inner one.
        .env_remove("RUSTC_WRAPPER")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_MAKEFLAGS")
        .env_remove("MAKEFLAGS")
        .env("CARGO_TARGET_DIR", place.join("target"))
        .env("CARGO_HTTP_TIMEOUT", "10")
        .env("CARGO_NET_RETRY", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(&log)?)
        .spawn()?;
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if start.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            return Err(format!("the registry took more than {} s", PATIENCE.as_secs()).into());
        }
        thread::sleep(Duration::from_millis(20));
    };
    if status.success() {
        return Ok(());
    }
    let said = fs::read_to_string(&log)?;
    let last = said.lines().map(str::trim).rfind(|line| !line.is_empty());
    Err(format!(
        "the registry cannot be asked ({})",
        last.unwrap_or("cargo info failed")
    )
    .into())
}
