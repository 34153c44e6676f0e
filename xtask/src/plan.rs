//! Which steps a command has.

use crate::command_line::Command;
use crate::shell::Shell;
use crate::steps::Step;
use crate::{
    apt, cargo_tools, checks, client, e2e, fuzz, kernels, msrv, npm, python, recipes, release,
};

/// How long each fuzz target runs among all the other steps.
const FUZZ_SECONDS: u32 = 20;

/// The steps of a command, in the order they are run in.
pub(crate) fn steps_of(command: Command) -> Vec<Step> {
    match command {
        Command::Test => everything(),
        Command::Setup => [setup(), kernels(), tools()]
            .into_iter()
            .flatten()
            .collect(),
        Command::Check => check(),
        Command::Unit => unit(),
        Command::ReleaseCheck => release(),
        Command::Msrv => msrv(),
        Command::Recipes => recipes(),
        Command::Fuzz { seconds } => fuzz(seconds),
        Command::Streams { count } => streams(count),
        Command::E2e => setup().into_iter().chain(e2e()).collect(),
        Command::Help
        | Command::Client
        | Command::Kernels
        | Command::Nodes { .. }
        | Command::Bench(_) => Vec::new(),
    }
}

/// What continuous integration runs.
fn everything() -> Vec<Step> {
    let groups = [
        setup(),
        kernels(),
        tools(),
        check(),
        unit(),
        release(),
        msrv(),
        recipes(),
        fuzz(FUZZ_SECONDS),
        programs(),
        e2e(),
    ];
    groups.into_iter().flatten().collect()
}

fn setup() -> Vec<Step> {
    vec![
        Step::new("system packages", apt::install),
        Step::new("Datastar client", client::step),
        Step::new("npm packages", npm::install),
        Step::new("Python packages", python::install),
    ]
}

fn kernels() -> Vec<Step> {
    vec![Step::new("SPICE kernel", kernels::step)]
}

fn tools() -> Vec<Step> {
    vec![Step::new("cargo tools", cargo_tools::install_all)]
}

fn check() -> Vec<Step> {
    vec![
        Step::new("rustfmt", checks::rustfmt),
        Step::new("clippy", checks::clippy),
        Step::new("rustdoc", checks::rustdoc),
    ]
}

fn unit() -> Vec<Step> {
    vec![
        Step::new("unit, integration and doc tests", checks::tests),
        Step::new("Data SPICE against the kernel DE421", kernels::test),
    ]
}

fn release() -> Vec<Step> {
    vec![
        Step::new("feature powerset", release::powerset),
        Step::new("cargo-deny", release::deny),
        Step::new("cargo-semver-checks", release::semver),
        Step::new("cargo publish --dry-run", release::publish),
    ]
}

fn msrv() -> Vec<Step> {
    vec![Step::new("minimum Rust version", msrv::check)]
}

fn recipes() -> Vec<Step> {
    vec![Step::new("recipes", recipes::test)]
}

fn fuzz(seconds: u32) -> Vec<Step> {
    vec![Step::new("fuzz", move |shell: &mut Shell<'_>| {
        fuzz::run(shell, seconds)
    })]
}

fn streams(count: u32) -> Vec<Step> {
    vec![Step::new(
        "random compressed streams",
        move |shell: &mut Shell<'_>| checks::streams(shell, count),
    )]
}

fn programs() -> Vec<Step> {
    vec![Step::new("programs and examples", checks::programs)]
}

fn e2e() -> Vec<Step> {
    vec![Step::new("end-to-end tests", e2e::run)]
}
