//! Extractors and responses for salvo 1.
//!
//! The `Config` is a hoop: `Router::new().hoop(Config::new())` gives it to the handlers below, in
//! their `Depot`. `affix_state::inject(config)` does that too, but for `Config::reject_with`: salvo
//! makes a 400 of each rejection, and the hoop is what makes it a 200 again where the answer is events.
//!
//! salvo's own limit for bodies counts beside `Config::signals_limit`: the hoop `SecureMaxSize`, or
//! `set_global_secure_max_size`, which is 64 KiB unless it is set.
//!
//! salvo has no `Option` and no `Result` of extractors: `Optional` is the first, and for the second a
//! handler takes `&mut Request` and `&mut Depot`, and calls `Signals::extract`.

mod config;
mod extract;
mod respond;
