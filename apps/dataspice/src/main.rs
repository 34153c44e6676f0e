//! Data SPICE: the Cassini mission, live, as a page that the server patches.

#![cfg_attr(test, allow(clippy::unwrap_used))]

use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

use sidereal::Hub;

use crate::arguments::Command;
use crate::cassini::Mission;
use crate::clock::MissionClock;
use crate::handlers::App;
use crate::kernels::Kernels;
use crate::page::Page;
use crate::show::Show;
use crate::site::{DATASTAR, Site};

mod arguments;
mod body;
mod cassini;
mod clock;
mod command;
mod event;
mod handlers;
mod huygens;
mod kepler;
mod kernels;
mod log;
mod meter;
mod moons;
mod page;
mod planets;
mod processor;
mod render;
mod rotation;
mod server;
mod show;
mod site;
mod sky;
mod source;
mod state;
mod stations;
mod time;
mod vector;

fn main() -> ExitCode {
    tracing_subscriber::fmt::init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dataspice: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let options = match arguments::parse(std::env::args().skip(1))? {
        Command::Help => {
            print!("{}", arguments::HELP);
            return Ok(());
        }
        Command::Serve(options) => options,
    };
    let kernels = Kernels::open(&options.kernels)?;
    for name in kernels.names() {
        tracing::info!("places by {name} where it covers");
    }
    let mission = Mission::load()?.with_kernels(kernels);
    let page = Page::new(
        datastar_client::script_src(DATASTAR),
        render::timeline(&mission),
        render::events(&mission),
    );
    let scene = serde_json::to_vec(&render::scene(&mission))?;
    let (start, end) = (mission.start(), mission.end());
    let clock = MissionClock::new(start, end, options.speed, Instant::now());
    let app = App::new(&Hub::new(), Show::new(mission, clock));
    let site = Site::new(app.clone(), page, scene);
    options
        .server
        .run(options.address, options.workers, app, site)?;
    Ok(())
}
