//! What the examples have in common, whatever the server: their pages, what they render, and their command line. The
//! server's own words are in one file for each example: `axum/hello.rs`.

use std::net::SocketAddr;

use sidereal::TabId;

pub mod board;
pub mod chat;
pub mod clock;
pub mod form;
pub mod hello;
pub mod hyper;
pub mod nodes;
pub mod presence;
pub mod shutdown;
pub mod ticker;
pub mod tiny_http;
pub mod upload;
pub mod votes;

/// The Datastar client, which each example serves at `/datastar.js`. Empty where the build had no package registry to
/// take it from: pages then load it from a CDN.
pub const DATASTAR_JS: &[u8] = match datastar_client::JS {
    Some(js) => js,
    None => b"",
};

const STYLE: &str = include_str!("../pages/style.css");

/// A page, with its style, the address of the client and, where it asks for one, the id of its tab filled in.
fn page(html: &str) -> String {
    html.replace("{{style}}", STYLE)
        .replace("{{tab}}", &TabId::random().attribute())
        .replace("{{datastar}}", datastar_client::script_src("/datastar.js"))
}

/// Reads the command line, starts the log, and gives the address to listen on: 127.0.0.1, port 3000, or the one after
/// `--port`; port 0 is any that is free. Ends the program where it is asked for help, or for something else.
///
/// `RUST_LOG=sidereal=debug` shows the end of every stream, with its reason.
pub fn start() -> SocketAddr {
    let [address] = start_with([("--port", 3000)]);
    address
}

/// The same with these options, each of which is a port and its default.
pub fn start_with<const N: usize>(mut ports: [(&str, u16); N]) -> [SocketAddr; N] {
    tracing_subscriber::fmt::init();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--help" {
            let options = ports.map(|(name, port)| format!("[{name} PORT, default {port}]"));
            stop(
                &format!("usage: {}  (0 is any that is free)", options.join(" ")),
                0,
            );
        }
        let Some((name, port)) = ports.iter_mut().find(|(name, _)| *name == argument) else {
            let names = ports.map(|(name, _)| format!("{name} PORT"));
            stop(
                &format!(
                    "unknown argument {argument:?}; there is {}",
                    names.join(", ")
                ),
                2,
            );
        };
        match arguments.next().map(|number| number.parse()) {
            Some(Ok(number)) => *port = number,
            _ => stop(&format!("{name} needs a number from 0 to 65535"), 2),
        }
    }
    ports.map(|(_, port)| SocketAddr::from(([127, 0, 0, 1], port)))
}

fn stop(message: &str, code: i32) -> ! {
    eprintln!("{message}");
    std::process::exit(code)
}
