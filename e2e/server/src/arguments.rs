//! The command line.

use std::error::Error;

/// What the command line says.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Arguments {
    /// Any free port by default.
    pub(crate) port: u16,
    pub(crate) serve: Serve,
}

/// What serves the pages.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Serve {
    /// `axum::serve`, with a graceful shutdown by a `sidereal::Shutdown`.
    #[default]
    Axum,
    /// `axum::serve` on `sidereal::serve::Listener`, with the same shutdown.
    Listener,
    /// `sidereal::serve`.
    Sidereal,
}

pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Arguments, Box<dyn Error>> {
    let mut arguments = Arguments::default();
    while let Some(name) = words.next() {
        let value = words
            .next()
            .ok_or_else(|| format!("{name} needs a value"))?;
        match (name.as_str(), value.as_str()) {
            ("--port", port) => arguments.port = port.parse()?,
            ("--serve", "axum") => arguments.serve = Serve::Axum,
            ("--serve", "listener") => arguments.serve = Serve::Listener,
            ("--serve", "sidereal") => arguments.serve = Serve::Sidereal,
            _ => {
                return Err(format!(
                    "{name} {value}: usage: --port N, --serve axum|listener|sidereal"
                )
                .into());
            }
        }
    }
    Ok(arguments)
}
