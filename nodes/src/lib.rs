//! What tests of several nodes need: the brokers as they are, a network that fails, nodes that are killed, and viewers
//! that come back.
//!
//! | to have | use |
//! |---|---|
//! | NATS with JetStream, or Redis, that can be killed, stopped, restarted and wiped | [`Server`] |
//! | messages that come twice, late, in another order or not at all; connections that break | [`Proxy`], [`Faults`] |
//! | a node in a process of its own | [`Program`] |
//! | an event stream as a browser follows it, over several nodes | [`Viewer`] |
//! | an address for something that is started later, or again | [`Port`] |
//!
//! ```no_run
//! use std::process::Command;
//! use nodes::{Faults, Program, Proxy, Server, Viewer};
//!
//! # async fn test() {
//! let Some(server) = Server::nats().start().await else {
//!     return;
//! };
//! let proxy = Proxy::before(&server, 7);
//! // In a test: Command::new(env!("CARGO_BIN_EXE_node"))
//! let start = |name: &str| {
//!     let mut command = Command::new("target/debug/node");
//!     command.arg(name).arg(server.url_at(proxy.address()));
//!     command
//! };
//! let one = Program::start(&mut start("one")).await;
//! let two = Program::start(&mut start("two")).await;
//! let viewer = Viewer::at(one.url("/events")).or(two.url("/events")).open();
//! viewer.wait_for("hello").await;
//!
//! proxy.faults(Faults { duplicate: 0.1, drop: 0.05, ..Faults::default() });
//! one.kill();
//! viewer.wait_for_streams(2).await;
//! assert!(proxy.counts().dropped > 0);
//! # }
//! ```
//!
//! # What is left behind
//!
//! Nothing. What is dropped is killed, and its folder removed, in a test that panics too; and what is not dropped, since
//! the test's process is killed or ends with a static that holds a server, the kernel kills (`setpriv --pdeathsig`). The
//! folders of killed test runs are removed by a later one.
//!
//! # What must be there
//!
//! Debian's packages `nats-server` and `redis-server`, and `openssl` for TLS, all of which `cargo xtask setup` installs.
//! Where one is missing, [`Settings::start`] gives `None` and prints a line that begins with `skipped:`; with the variable
//! `CI` set it panics instead. Debian's own services of these names may run or not: ports and folders are the tests' own.
//!
//! # Time
//!
//! Whatever is waited for is waited for no longer than 20 seconds, and then a panic says what has happened instead. A test
//! that stops tokio's time does so after it has started servers and programs; the [`Proxy`] has a runtime of its own. It
//! does not matter which thread starts them.

mod certificates;
mod folder;
mod missing;
mod port;
mod process;
mod program;
mod proxy;
mod server;
mod viewer;

pub use missing::StartError;
pub use port::Port;
pub use program::Program;
pub use proxy::{Counts, Fault, Faults, Proxy, Way};
pub use server::{Kind, Server, Settings};
pub use viewer::{Received, Viewer, Visit, Visits};
