//! The hub: topics, views and tickers, and the connections that follow them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod attacks;
mod connections;
#[path = "../support/content.rs"]
#[allow(dead_code)]
mod content;
#[path = "../support/decoders.rs"]
#[allow(dead_code)]
mod decoders;
mod lag;
mod loaded;
mod model;
mod named;
mod page;
mod replay;
mod tickers;
mod topics;
mod views;
