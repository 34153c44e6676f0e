//! The workspace's tasks: `cargo xtask --help`.
//!
//! `cargo xtask test` does everything that CI does, its own set-up included, on a fresh Debian machine with Rust.

mod apt;
mod bench;
mod cargo_tools;
mod checks;
mod client;
mod command_line;
mod e2e;
mod error;
mod fuzz;
mod kernels;
mod msrv;
mod nodes;
mod npm;
mod plan;
mod python;
mod recipes;
mod release;
mod shell;
mod steps;
mod workspace;

use std::process::ExitCode;

use command_line::{Command, HELP};
use error::Error;
use steps::run_all;
use workspace::Workspace;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs what the command line asks for; `false` says that a step failed.
fn run() -> Result<bool, Error> {
    let command = Command::parse(std::env::args().skip(1))?;
    if command == Command::Help {
        print!("{HELP}");
        return Ok(true);
    }
    let workspace = Workspace::find()?;
    match command {
        Command::Client => {
            println!("{}", client::write(&workspace)?.display());
            Ok(true)
        }
        Command::Kernels => kernels::write(&workspace).map(|()| true),
        Command::Nodes { broker } => nodes::run(&workspace, broker).map(|()| true),
        Command::Bench(arguments) => bench::run(&workspace, &arguments),
        other => run_all(&workspace, plan::steps_of(other)),
    }
}
