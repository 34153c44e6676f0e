//! Extractors and responses for [axum](https://docs.rs/axum) 0.8.
//!
//! Nothing here is called by name: with the feature `axum`, the types of this crate are extractors
//! and responses.
//!
//! | extractor | gives | rejects |
//! |---|---|---|
//! | [`Connect`](crate::Connect) | what a stream needs of the request | never |
//! | [`Signals<T>`](crate::Signals) | the page's signals | 400, 413, 415 with a text |
//! | `Option<Signals<T>>` | the same, or `None` where there are none (a plain page load) | 400, 413, 415 for bad ones |
//! | `Result<Signals<T>, SignalsRejection>` | the same, and the error to the handler | never |
//! | [`LenientSignals<T>`](crate::LenientSignals) | the same, bad ones logged and counted as absent | never |
//! | [`IsDatastar`](crate::IsDatastar) | whether a Datastar action asks | never |
//! | [`LastEventId`](crate::LastEventId) | the last event's id of a page that reconnects | never |
//! | [`TabId`](crate::TabId) | the tab's id, from the query's signals (GET and DELETE) | 400 with a text |
//! | [`Config`](crate::Config) | the application's configuration | never |
//!
//! | response | is |
//! |---|---|
//! | [`Sse`](crate::Sse) | a stream or a reply, made by `Connect` |
//! | [`PatchElements`](crate::PatchElements), [`PatchSignals`](crate::PatchSignals), [`ExecuteScript`](crate::ExecuteScript) | an event stream of that one event |
//! | [`HtmlReply`](crate::HtmlReply), [`SignalsReply`](crate::SignalsReply) | a plain reply |
//!
//! The rules:
//!
//! 1. Signals of GET, HEAD and DELETE come from the query, those of every other method from the
//!    body, which is read to its end: such an extractor stands last.
//!    A form's request (`contentType: 'form'`) has none; take it with axum's `Form` or `Multipart`.
//! 2. A body is taken for signals if its `Content-Type` is `application/json`, or `application/…+json`,
//!    or the request has the header `Datastar-Request: true`, as the client's have. Any other body
//!    is a 415: browsers let every site send those without asking.
//! 3. axum's own limit for bodies holds (`DefaultBodyLimit`, 2 MiB unless it is set), and
//!    [`Config::signals_limit`](crate::Config::signals_limit) below it; no more than the smaller of
//!    the two is kept in memory.
//!    A body over the limit is read to its end all the same, up to 64 MiB, and thrown away: or the
//!    browser would see a broken connection instead of the 413.
//! 4. The configuration is an extension: `.layer(axum::Extension(config))`.
//! 5. axum on its own closes no stalled connection, and its graceful shutdown waits for every open
//!    stream; [`sidereal::serve`](mod@crate::serve) does better with the same `Router`.
//!
//! ```no_run
//! use axum::{Router, routing::{get, post}};
//! use serde::Deserialize;
//! use sidereal::{Connect, PatchElements, Signals, Sse};
//! use std::time::Duration;
//!
//! #[derive(Deserialize)]
//! struct Form {
//!     name: String,
//! }
//!
//! async fn greet(Signals(form): Signals<Form>) -> PatchElements {
//!     PatchElements::new(format!("<p id='greeting'>Hello, {} letters!</p>", form.name.len()))
//! }
//!
//! async fn clock(connect: Connect) -> Sse {
//!     connect.every(Duration::from_secs(1), async |tx| {
//!         tx.patch_elements(PatchElements::new("<p id='clock'>tick</p>")).await?;
//!         Ok(())
//!     })
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let app: Router = Router::new().route("/greet", post(greet)).route("/clock", get(clock));
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! axum::serve(listener, app).await
//! # }
//! ```

mod content_type;
mod extract;
mod receive;
mod respond;
