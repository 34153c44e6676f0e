//! The command line.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::clock::{Speed, SpeedError};
use crate::server::Server;

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Data SPICE: the Cassini mission, live, streamed by Sidereal to any number of browsers.

Usage: dataspice [OPTIONS]

Options:
  --host ADDRESS  IP address to listen on [default: 127.0.0.1]
  --port PORT     port to listen on [default: 8080]
  --speed DAYS    mission days that go by in a second, 0.0417 (an hour) to 366 [default: 20]
  --server NAME   actix, axum, hyper (sidereal::serve) or blocking (a thread for each request) [default: hyper]
  --workers N     threads that serve, for all but blocking [default: one for each core]
  --kernel FILE   SPICE kernel (SPK) that takes over where it covers; several times, the last goes first; without it
                  target/kernels/de421.bsp, if `cargo xtask kernels` has brought it; needs the Cargo feature `kernels`
  --help          print this
";

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Command {
    Serve(Options),
    Help,
}

/// How it is to be served.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Options {
    pub(crate) address: SocketAddr,
    pub(crate) speed: Speed,
    pub(crate) server: Server,
    pub(crate) workers: Option<usize>,
    pub(crate) kernels: Vec<PathBuf>,
}

/// What is wrong with the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum ArgumentError {
    Unknown(String),
    /// The option needs a value.
    NoValue(&'static str),
    Host(String),
    Port(String),
    Speed(String, SpeedError),
    Server(String),
    Workers(String),
    /// Workers for a server that has none.
    NoWorkers,
}

impl fmt::Display for ArgumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ArgumentError::Unknown(text) => write!(f, "unknown argument {text:?}"),
            ArgumentError::NoValue(option) => write!(f, "{option} needs a value"),
            ArgumentError::Host(text) => write!(
                f,
                "--host {text:?} is not an IP address such as 127.0.0.1, 0.0.0.0 or ::1"
            ),
            ArgumentError::Port(text) => {
                write!(f, "--port {text:?} is not a number from 0 to 65535")
            }
            ArgumentError::Speed(text, error) => write!(f, "--speed {text:?}: {error}"),
            ArgumentError::Server(text) => {
                write!(f, "--server {text:?} is not actix, axum, hyper or blocking")
            }
            ArgumentError::Workers(text) => {
                write!(f, "--workers {text:?} is not a number from 1 to 1024")
            }
            ArgumentError::NoWorkers => f.write_str(
                "--workers is not for --server blocking, which has a thread for each request",
            ),
        }?;
        f.write_str(" (--help lists what there is)")
    }
}

impl std::error::Error for ArgumentError {}

/// Reads the arguments, without the program's name. `--port 80` and `--port=80` are the same.
///
/// # Errors
///
/// [`ArgumentError`] says which argument is wrong, and what it should be.
pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Command, ArgumentError> {
    let mut host = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let mut port = 8080;
    let mut speed = Speed::DEFAULT;
    let mut server = Server::Hyper;
    let mut workers = None;
    let mut kernels = Vec::new();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let (name, inline) = match argument.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (argument.as_str(), None),
        };
        let mut value = |option| {
            inline
                .clone()
                .or_else(|| arguments.next())
                .ok_or(ArgumentError::NoValue(option))
        };
        match name {
            "--host" => {
                let text = value("--host")?;
                host = text.parse().map_err(|_| ArgumentError::Host(text))?;
            }
            "--port" => {
                let text = value("--port")?;
                port = text.parse().map_err(|_| ArgumentError::Port(text))?;
            }
            "--speed" => {
                let text = value("--speed")?;
                speed = text
                    .parse()
                    .map_err(|error| ArgumentError::Speed(text, error))?;
            }
            "--server" => {
                let text = value("--server")?;
                server = text.parse().map_err(|()| ArgumentError::Server(text))?;
            }
            "--workers" => {
                let text = value("--workers")?;
                let number = text
                    .parse()
                    .ok()
                    .filter(|number| (1..=1024).contains(number));
                workers = Some(number.ok_or(ArgumentError::Workers(text))?);
            }
            "--kernel" => {
                let file = PathBuf::from(value("--kernel")?);
                if file.as_os_str().is_empty() {
                    return Err(ArgumentError::NoValue("--kernel"));
                }
                kernels.push(file);
            }
            "--help" | "-h" if inline.is_none() => return Ok(Command::Help),
            _ => return Err(ArgumentError::Unknown(argument)),
        }
    }
    if server == Server::Blocking && workers.is_some() {
        return Err(ArgumentError::NoWorkers);
    }
    Ok(Command::Serve(Options {
        address: SocketAddr::new(host, port),
        speed,
        server,
        workers,
        kernels,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Result<Command, ArgumentError> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    fn serve(address: &str, days: f64) -> Result<Command, ArgumentError> {
        Ok(Command::Serve(options(address, days)))
    }

    fn options(address: &str, days: f64) -> Options {
        Options {
            address: address.parse().unwrap(),
            speed: Speed::from_days(days).unwrap(),
            server: Server::Hyper,
            workers: None,
            kernels: Vec::new(),
        }
    }

    #[test]
    fn reads_what_it_should() {
        assert_eq!(of(""), serve("127.0.0.1:8080", 20.0));
        assert_eq!(
            of("--port 9 --host 0.0.0.0 --speed 1.5"),
            serve("0.0.0.0:9", 1.5)
        );
        assert_eq!(of("--port=0 --host=::1"), serve("[::1]:0", 20.0));
        let on_axum = Options {
            server: Server::Axum,
            workers: Some(2),
            ..options("127.0.0.1:8080", 20.0)
        };
        let read = of("--server axum --workers 2");
        assert_eq!(read, Ok(Command::Serve(on_axum)));
        let with_kernels = Options {
            kernels: vec!["a.bsp".into(), "b.bsp".into()],
            ..options("127.0.0.1:8080", 20.0)
        };
        let read = of("--kernel a.bsp --kernel=b.bsp");
        assert_eq!(read, Ok(Command::Serve(with_kernels)));
        assert_eq!(of("--port 9 --help"), Ok(Command::Help));
    }

    #[test]
    fn says_what_is_wrong() {
        for (line, message) in [
            (
                "--port",
                "--port needs a value (--help lists what there is)",
            ),
            (
                "--kernel=",
                "--kernel needs a value (--help lists what there is)",
            ),
            (
                "--port 65536",
                "--port \"65536\" is not a number from 0 to 65535 (--help lists what there is)",
            ),
            (
                "--port=",
                "--port \"\" is not a number from 0 to 65535 (--help lists what there is)",
            ),
            (
                "--host here",
                "--host \"here\" is not an IP address such as 127.0.0.1, 0.0.0.0 or ::1 (--help lists what there is)",
            ),
            (
                "--speed x",
                "--speed \"x\": a speed is a number of mission days a second, from 0.0417 (one hour) to 366 (--help lists what there is)",
            ),
            (
                "--server nginx",
                "--server \"nginx\" is not actix, axum, hyper or blocking (--help lists what there is)",
            ),
            (
                "--workers 0",
                "--workers \"0\" is not a number from 1 to 1024 (--help lists what there is)",
            ),
            (
                "--server blocking --workers 2",
                "--workers is not for --server blocking, which has a thread for each request (--help lists what there is)",
            ),
            (
                "--verbose",
                "unknown argument \"--verbose\" (--help lists what there is)",
            ),
            (
                "8080",
                "unknown argument \"8080\" (--help lists what there is)",
            ),
        ] {
            assert_eq!(of(line).unwrap_err().to_string(), message);
        }
    }
}
