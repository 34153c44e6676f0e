//! The server that the official SDK test suite runs against: `/test` answers a list of events,
//! given as JSON, with exactly those events. And the one of Sidereal's own suite of adapters, whose
//! routes are in `suite.rs`.
//!
//! ```text
//! conformance [--port 7331] [--adapter axum]
//! ```
//!
//! An adapter is a module with a function `serve`, and one line in [`ADAPTERS`]; the goldens in
//! `conformance/goldens` are run against each of them.

mod actix;
mod axum;
mod blocking;
mod hyper;
mod poem;
mod rocket;
mod salvo;
mod suite;
mod test_case;
mod warp;

use std::{io, net::SocketAddr, process::ExitCode};

use sidereal::{Codec, Compression, Config};

/// Serves `/test` on this address until the process ends, on whatever runtime the framework has.
type Serve = fn(SocketAddr) -> io::Result<()>;

/// The frameworks that the server can run on, the default first.
const ADAPTERS: &[(&str, Serve)] = &[
    ("axum", axum::serve),
    ("actix", actix::serve),
    ("rocket", rocket::serve),
    ("warp", warp::serve),
    ("poem", poem::serve),
    ("salvo", salvo::serve),
    ("hyper", hyper::serve),
    ("blocking", blocking::serve),
];

/// The largest body that is read, in bytes; a larger one is a 413.
const BODY_LIMIT: usize = 1024 * 1024;

/// What every adapter is configured with: all codings are on, for the shortest answers too, so that
/// any client's decoder can be tried.
fn config() -> Config {
    let codecs = [Codec::Zstd, Codec::Brotli, Codec::Gzip];
    Config::new()
        .signals_limit(BODY_LIMIT)
        .shutdown(suite::app().shutdown.clone())
        .compression(Compression::new().order(codecs).whole_from(0))
}

struct Arguments {
    port: u16,
    serve: Serve,
}

fn main() -> ExitCode {
    let arguments = match arguments(std::env::args().skip(1)) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            print!("{}", help());
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("conformance: {problem}\n\n{}", help());
            return ExitCode::from(2);
        }
    };
    let address = SocketAddr::from(([127, 0, 0, 1], arguments.port));
    match (arguments.serve)(address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("conformance: {address}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Says where the server listens, as the tests read it. Adapters call it once they accept
/// connections.
fn announce(address: SocketAddr) {
    println!("listening on http://{address}");
}

fn help() -> String {
    format!(
        "\
The /test endpoint of the official Datastar SDK suite, on 127.0.0.1.

usage: conformance [--port PORT] [--adapter NAME]

  --port PORT      where to listen (default 7331; 0 takes a free one)
  --adapter NAME   which framework serves (default {})
  --help           this text

adapters: {}
",
        ADAPTERS[0].0,
        names()
    )
}

fn names() -> String {
    let names: Vec<&str> = ADAPTERS.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

/// Reads the command line; `None` where it asks for help.
fn arguments(mut words: impl Iterator<Item = String>) -> Result<Option<Arguments>, String> {
    let mut arguments = Arguments {
        port: 7331,
        serve: ADAPTERS[0].1,
    };
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--help" | "-h" => return Ok(None),
            "--port" => {
                let port = value()?;
                arguments.port = port
                    .parse()
                    .map_err(|_| format!("{port:?} is no port: it is 0 to 65535"))?;
            }
            "--adapter" => {
                let wanted = value()?;
                let known = ADAPTERS.iter().find(|(name, _)| *name == wanted);
                let unknown = || format!("unknown adapter {wanted:?}: there is {}", names());
                arguments.serve = known.ok_or_else(unknown)?.1;
            }
            other => return Err(format!("unknown argument {other:?}")),
        }
    }
    Ok(Some(arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Option<u16>, String> {
        let words = line.split_whitespace().map(str::to_owned);
        arguments(words).map(|read| read.map(|arguments| arguments.port))
    }

    #[test]
    fn the_command_line() {
        assert_eq!(read(""), Ok(Some(7331)));
        assert_eq!(read("--adapter axum --port 0"), Ok(Some(0)));
        assert_eq!(read("--port 1 --help"), Ok(None));
        for wrong in [
            "--port",
            "--port x",
            "--port 65536",
            "--adapter",
            "--adapter nginx",
            "axum",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
