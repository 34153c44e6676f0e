//! Reading event streams back, for tests of handlers: a parser, typed events, a live reader, an in-process client,
//! assertions.
//!
//! Nothing here shares code with what writes events. The parser follows the [WHATWG text][spec], the events are read as
//! the official Datastar client 1.0.x reads them, and whatever that client would throw on or ignore is a typed error. So
//! a test that reads an event back has shown that a page would get it.
//!
//! | to read | use |
//! |---|---|
//! | bytes: a golden, the text of one event | [`events`] |
//! | the response of a handler | [`EventStream`] |
//! | a route, a whole app | [`Client`] |
//! | what the page's signals are in the end | [`signals_after`] |
//! | comments, retries, lines that a client ignores | [`Parser`], [`EventStream::next_item`] |
//!
//! ```
//! use axum::{Router, routing::get};
//! use serde_json::json;
//! use sidereal::testing::{Client, assert_elements, assert_signals};
//! use tower::ServiceExt;
//!
//! async fn hello() -> ([(&'static str, &'static str); 1], &'static str) {
//!     // Stands for a handler of your own.
//!     let body = "event: datastar-patch-elements\ndata: elements <p id=\"hi\">Hi</p>\n\n\
//!                 event: datastar-patch-signals\ndata: signals {\"busy\":false}\n\n";
//!     ([("content-type", "text/event-stream")], body)
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let router = Router::new().route("/hello", get(hello));
//! let client = Client::new(move |request| router.clone().oneshot(request));
//!
//! let mut stream = client.get("/hello").datastar().signals(&json!({ "busy": true })).send().await;
//! let collected = stream.collect().await?;
//! let [elements, signals] = collected.events() else { panic!("two events") };
//! assert_elements(elements, r#"<p id="hi">Hi</p>"#);
//! assert_signals(signals, &json!({ "busy": false }));
//! assert!(collected.end().is_clean());
//! # Ok(())
//! # }
//! ```
//!
//! # Time
//!
//! A test of a clock, a keep-alive or a deadline need not wait for it. With tokio's feature `test-util` and
//! `#[tokio::test(start_paused = true)]`, time stands still while anything can run, and jumps to the next timer when
//! nothing can. [`EventStream::next_within`] waits on that same clock, and a test of one minute takes no time:
//!
//! ```
//! # use std::{convert::Infallible, time::Duration};
//! use sidereal::testing::EventStream;
//! use tokio::time::Instant;
//!
//! # type Response = http::Response<axum::body::Body>;
//! # async fn clock() -> Response {
//! #     let ticks = futures_util::stream::unfold((), |()| async {
//! #         tokio::time::sleep(Duration::from_secs(60)).await;
//! #         Some((Ok::<_, Infallible>("event: datastar-patch-elements\ndata: elements <time id=t>\n\n"), ()))
//! #     });
//! #     let body = axum::body::Body::from_stream(ticks);
//! #     http::Response::builder().header("content-type", "text/event-stream").body(body).unwrap()
//! # }
//! // In a test: #[tokio::test(start_paused = true)]
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! async fn main() {
//!     let mut stream = EventStream::new(clock().await);
//!     let start = Instant::now();
//!     assert!(stream.next_within(Duration::from_secs(59)).await.unwrap().is_err());
//!     assert!(stream.next_within(Duration::from_secs(2)).await.unwrap().is_ok());
//!     assert_eq!(start.elapsed(), Duration::from_secs(60));
//! }
//! ```
//!
//! Time that is paused is tokio's: work on other threads and real sockets does not hold it back, so such a test keeps to
//! one thread and to the in-process [`Client`].
//!
//! # What is not here
//!
//! There is no page: no DOM is morphed and no script runs. Compressed bodies are refused, with a
//! [typed error](HeadError::Encoded); a request that offers no `Accept-Encoding` gets none.
//!
//! [spec]: https://html.spec.whatwg.org/multipage/server-sent-events.html

mod assert;
mod client;
mod elements;
mod error;
mod event;
mod head;
mod html;
mod json;
mod parser;
mod response;
mod script;
mod signals;

pub use assert::{
    assert_elements, assert_elements_at, assert_removes, assert_script, assert_signals,
};
pub use client::{Answer, Client, ClientError, ClientRequest, RequestBody};
pub use elements::{Mode, Namespace, PatchedElements};
pub use error::{BrokenBody, EventError, HeadError, StreamError};
pub use event::Event;
pub use parser::{Item, Parser, RawEvent};
pub use response::{Collected, End, EventStream, events};
pub use script::{ExecutedScript, ScriptError};
pub use signals::{PatchedSignals, signals_after};
