//! Filters for warp 0.4, and replies: what handlers take, and what they return.
//!
//! A filter gives a handler what an extractor would elsewhere. [`Sse`](crate::Sse), events, plain
//! replies and rejections are [`Reply`](::warp::Reply)s.
//!
//! ```
//! use serde::Deserialize;
//! use sidereal::{Connect, PatchElements, Signals, Sse};
//! use warp::Filter;
//!
//! #[derive(Deserialize)]
//! struct Form { name: String }
//!
//! async fn greet(connect: Connect, Signals(form): Signals<Form>) -> Sse {
//!     let letters = form.name.chars().count();
//!     connect.reply(PatchElements::new(format!("<p id='hello'>Hello, {letters} letters</p>")))
//! }
//!
//! let routes = warp::path!("greet")
//!     .and(warp::post())
//!     .and(sidereal::warp::connect())
//!     .and(sidereal::warp::signals())
//!     .then(greet)
//!     .recover(sidereal::warp::recover);
//! # drop(routes);
//! ```
//!
//! With `use sidereal::*`, this module hides the crate `warp`, which is then `::warp`.
//!
//! warp guesses nothing of the client's version: to a request of HTTP/1.0 that has a `Host`, the answer
//! says `Connection: keep-alive` and is closed all the same.
//!
//! `warp::compression` compresses what is compressed already, with an encoder for each viewer: put it
//! around other routes than those that stream.
//!
//! # Settings
//!
//! warp has no application state, so a [`Config`](crate::Config) is given to the filters:
//! [`with`] makes them. Those of this module itself take the `Config` in the request's extensions,
//! where a tower layer around `warp::service` can put one, and else the defaults.
//!
//! # Rejections
//!
//! Signals that cannot be read reject the request. [`recover`] makes the rejection its answer;
//! without it warp answers with a 500. [`try_signals`] rejects nothing.
//!
//! The body of a request is read once. Paths and methods come before a filter for signals, so that
//! no other route finds the body gone.
//!
//! # Graceful stop
//!
//! warp's `graceful` waits for open streams. They end where they follow a [`Shutdown`] that is
//! triggered by the same signal; broken off, so that their pages come back by themselves.
//!
//! ```
//! use sidereal::{Config, Connect, PatchElements, Shutdown};
//! use warp::Filter;
//! # async fn stop_signal() {}
//!
//! # async fn serve() {
//! let shutdown = Shutdown::new();
//! let datastar = sidereal::warp::with(Config::new().shutdown(shutdown.clone()));
//! let routes = warp::path!("hello")
//!     .and(datastar.connect())
//!     .map(|connect: Connect| connect.reply(PatchElements::new("<p id='hello'>Hello</p>")));
//! let server = warp::serve(routes).bind(([127, 0, 0, 1], 8080)).await;
//! let stop = async move {
//!     stop_signal().await;
//!     shutdown.trigger();
//! };
//! server.graceful(stop).run().await;
//! # }
//! ```
//!
//! # Limits
//!
//! warp has no limit for bodies that holds unasked. Here [`Config::signals_limit`] counts, or else
//! [`DEFAULT_SIGNALS_LIMIT`], and `warp::body::content_length_limit` where it comes first.
//!
//! [`Config::signals_limit`]: crate::Config::signals_limit
//! [`DEFAULT_SIGNALS_LIMIT`]: crate::DEFAULT_SIGNALS_LIMIT
//! [`Shutdown`]: crate::Shutdown

mod filters;
mod head;
mod recover;
mod reply;

pub use self::{
    filters::{
        Filters, config, connect, is_datastar, last_event_id, lenient_signals, optional_signals,
        optional_tab_id, signals, tab_id, try_signals, with,
    },
    recover::recover,
};
