//! Compression, chunk by chunk, against reference decoders.
//!
//! `SIDEREAL_STREAMS` says how many random streams are made for each codec; 3,000 without it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../support/content.rs"]
mod content;
#[path = "../support/decoders.rs"]
mod decoders;
mod head;
mod idle;
mod random_streams;
mod replies;
mod rolling;
mod viewer;
