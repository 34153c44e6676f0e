//! The server that the official SDK test suite runs against: `/test` answers a list of events,
//! given as JSON, with exactly those events.
//!
//! ```text
//! conformance [--port 7331] [--adapter axum]
//! ```

mod axum;
mod test_case;

use std::{net::SocketAddr, process::ExitCode};

/// The frameworks that the server can run on.
const ADAPTERS: &[&str] = &["axum"];

const HELP: &str = "\
The /test endpoint of the official Datastar SDK suite, on 127.0.0.1.

usage: conformance [--port PORT] [--adapter NAME]

  --port PORT      where to listen (default 7331; 0 takes a free one)
  --adapter NAME   which framework serves (default axum): axum
  --help           this text
";

struct Arguments {
    port: u16,
    adapter: String,
}

fn arguments(mut words: impl Iterator<Item = String>) -> Result<Option<Arguments>, String> {
    let mut arguments = Arguments {
        port: 7331,
        adapter: "axum".to_owned(),
    };
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--help" => return Ok(None),
            "--port" => {
                let port = value()?;
                arguments.port = port
                    .parse()
                    .map_err(|_| format!("{port:?} is no port: it is 0 to 65535"))?;
            }
            "--adapter" => {
                arguments.adapter = value()?;
                if !ADAPTERS.contains(&arguments.adapter.as_str()) {
                    let known = ADAPTERS.join(", ");
                    return Err(format!(
                        "unknown adapter {:?}: there is {known}",
                        arguments.adapter
                    ));
                }
            }
            other => return Err(format!("unknown argument {other:?}")),
        }
    }
    Ok(Some(arguments))
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match arguments(std::env::args().skip(1)) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("conformance: {problem}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    let address = SocketAddr::from(([127, 0, 0, 1], arguments.port));
    let served = match arguments.adapter.as_str() {
        "axum" => axum::serve(address).await,
        other => Err(std::io::Error::other(format!("no adapter {other}"))),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("conformance: {error}");
            ExitCode::FAILURE
        }
    }
}
