//! What tests of several nodes need: message brokers that are really there.

mod certificates;
mod folder;
mod missing;
mod port;
mod process;
mod proxy;
mod server;

pub use missing::StartError;
pub use port::Port;
pub use proxy::{Counts, Fault, Faults, Proxy, Way};
pub use server::{Kind, Server, Settings};
