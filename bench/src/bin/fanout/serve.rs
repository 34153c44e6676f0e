//! `fanout serve …`: the rivals' servers, each a process of its own with one thread that serves.

use std::io;

use bench::{arguments::Arguments, content::Content, publisher::Publisher};
use datastar::patch_elements::PatchElements;

use crate::{floor, official};

/// The event, as the crate `datastar` has it.
pub(crate) fn encoded(elements: &str) -> String {
    PatchElements::new(elements)
        .into_datastar_event()
        .to_string()
}

/// Serves until its input ends: as [`Publisher::obey`] has it.
pub(crate) fn run(mut arguments: Arguments) -> io::Result<()> {
    let who = arguments.first().unwrap_or_default();
    let publisher = publisher(arguments).map_err(io::Error::other)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match who.as_str() {
            "floor" => floor::run(publisher).await,
            "official" => official::run(publisher, false).await,
            "official-compressed" => official::run(publisher, true).await,
            "official-once" => official::run_once_encoded(publisher).await,
            _ => Err(io::Error::other(format!("no server `{who}`"))),
        }
    })
}

fn publisher(mut arguments: Arguments) -> Result<Publisher, String> {
    let size = arguments.value("--size")?;
    let content = match arguments.flag("--page") {
        true => Content::Page,
        false => Content::Text(size.ok_or("--size or --page")?),
    };
    let rate = arguments.value("--rate")?.ok_or("--rate")?;
    arguments.end()?;
    Ok(Publisher::new(content, rate))
}
