//! The command line, by hand: a dozen words need no library.

use crate::error::Error;
use crate::nodes::Broker;

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Usage: cargo xtask COMMAND

  test             everything below but bench, with all its own set-up; what CI runs

  setup            install what the tests need: system packages (apt-get), the Datastar client,
                   the npm packages of e2e/, its Python packages (into target/python), a SPICE kernel
                   (into target/kernels), cargo tools (into target/tools)
  check            rustfmt, clippy, rustdoc, with warnings as errors
  unit             unit, integration and doc tests
  release-check    feature powerset, cargo-deny, cargo-semver-checks, cargo publish --dry-run
  msrv             the minimum Rust version of the library crates
  recipes          the recipes for servers without an adapter: lints and tests
  fuzz             every fuzz target for 20 s; --seconds N for another time
  streams          100,000 random compressed streams for each codec, against reference decoders, which
                   takes an hour; --count N for another number
  e2e              the tests in real browsers and HTTP clients, with their set-up

  bench [NAME …]   one benchmark, with its arguments, or all of them, in release mode
  client           write the Datastar client to target/datastar and print its path
  nodes            a chat, a board and who is here on three nodes behind nginx, which may be killed by what is typed,
                   as may the broker between them; --broker redis in place of nats
  kernels          bring JPL's planetary kernel DE421 into target/kernels, for Data SPICE

Each step prints one line; what it said is in target/xtask, and on the terminal if it failed.
With CI=true a step that lacks something it needs fails, else it is skipped.
";

/// A task.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Everything.
    Test,
    /// Installs what the tests need.
    Setup,
    /// Formatting, lints, documentation.
    Check,
    /// Tests without a browser.
    Unit,
    /// What a release needs besides tests.
    ReleaseCheck,
    /// The minimum Rust version.
    Msrv,
    /// The recipes for servers without an adapter.
    Recipes,
    /// Fuzz targets.
    Fuzz {
        /// How long each target runs.
        seconds: u32,
    },
    /// Random compressed streams.
    Streams {
        /// How many for each codec.
        count: u32,
    },
    /// Tests in browsers.
    E2e,
    /// Benchmarks, with their arguments.
    Bench(Vec<String>),
    /// The example on three nodes.
    Nodes {
        /// What is between them.
        broker: Broker,
    },
    /// The Datastar client as a file.
    Client,
    /// The kernel for Data SPICE.
    Kernels,
    /// The help text.
    Help,
}

impl Command {
    /// Reads the arguments that follow `cargo xtask`.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, Error> {
        let mut arguments = arguments.into_iter();
        let word = arguments.next().unwrap_or_else(|| "--help".into());
        let rest: Vec<String> = arguments.collect();
        if word != "bench" && rest.iter().any(|word| word == "--help" || word == "-h") {
            return Ok(Self::Help);
        }
        let command = match word.as_str() {
            "bench" => return Ok(Self::Bench(rest)),
            "fuzz" => {
                let seconds = number(&rest, "--seconds", 20);
                let wrong = "`fuzz` takes `--seconds N`, N from 1";
                return seconds
                    .map(|seconds| Self::Fuzz { seconds })
                    .ok_or_else(|| Error::new(wrong));
            }
            "streams" => {
                let count = number(&rest, "--count", 100_000);
                let wrong = "`streams` takes `--count N`, N from 1";
                return count
                    .map(|count| Self::Streams { count })
                    .ok_or_else(|| Error::new(wrong));
            }
            "nodes" => {
                let broker = match &rest[..] {
                    [] => Some(Broker::Nats),
                    [word, name] if word == "--broker" => Broker::parse(name),
                    _ => None,
                };
                let wrong = "`nodes` takes `--broker nats` or `--broker redis`";
                return broker
                    .map(|broker| Self::Nodes { broker })
                    .ok_or_else(|| Error::new(wrong));
            }
            "test" => Self::Test,
            "setup" => Self::Setup,
            "check" => Self::Check,
            "unit" => Self::Unit,
            "release-check" => Self::ReleaseCheck,
            "msrv" => Self::Msrv,
            "recipes" => Self::Recipes,
            "e2e" => Self::E2e,
            "client" => Self::Client,
            "kernels" => Self::Kernels,
            "help" | "--help" | "-h" => Self::Help,
            other => {
                return Err(Error::new(format!(
                    "no command `{other}`; `cargo xtask --help` lists them"
                )));
            }
        };
        match rest.first() {
            None => Ok(command),
            Some(extra) => Err(Error::new(format!(
                "`{word}` takes no argument, but there is `{extra}`"
            ))),
        }
    }
}

/// Reads a flag with a number from 1, or nothing.
fn number(arguments: &[String], flag: &str, default: u32) -> Option<u32> {
    match arguments {
        [] => Some(default),
        [word, number] if word == flag => number.parse().ok().filter(|&n| n > 0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Option<Command> {
        Command::parse(line.split_whitespace().map(str::to_owned)).ok()
    }

    #[test]
    fn reads_commands_and_their_arguments() {
        assert_eq!(parse("test"), Some(Command::Test));
        assert_eq!(parse("release-check"), Some(Command::ReleaseCheck));
        assert_eq!(parse("kernels"), Some(Command::Kernels));
        assert_eq!(parse("fuzz"), Some(Command::Fuzz { seconds: 20 }));
        assert_eq!(
            parse("fuzz --seconds 5"),
            Some(Command::Fuzz { seconds: 5 })
        );
        assert_eq!(parse("streams"), Some(Command::Streams { count: 100_000 }));
        assert_eq!(
            parse("streams --count 7"),
            Some(Command::Streams { count: 7 })
        );
        let nodes = |broker| Some(Command::Nodes { broker });
        assert_eq!(parse("nodes"), nodes(Broker::Nats));
        assert_eq!(parse("nodes --broker redis"), nodes(Broker::Redis));
        assert_eq!(
            parse("bench encode --help"),
            Some(Command::Bench(vec!["encode".into(), "--help".into()]))
        );
    }

    #[test]
    fn helps_and_refuses() {
        assert_eq!(parse(""), Some(Command::Help));
        assert_eq!(parse("unit --help"), Some(Command::Help));
        for wrong in [
            "tests",
            "unit now",
            "fuzz --seconds",
            "fuzz --seconds 0",
            "fuzz --seconds -1",
            "fuzz --count 1",
            "streams 7",
            "nodes redis",
            "nodes --broker kafka",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn help_names_every_command() {
        for word in [
            "test",
            "setup",
            "check",
            "unit",
            "release-check",
            "msrv",
            "recipes",
            "fuzz",
            "streams",
            "e2e",
            "bench",
            "client",
            "nodes",
            "kernels",
        ] {
            assert!(
                HELP.lines().any(|line| line.trim_start().starts_with(word)),
                "{word}"
            );
        }
    }
}
