//! A hub on several nodes, by real brokers: what holds for all of them, and what each has of its own.
//! Where a broker is not installed, its tests are skipped.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![cfg(any(feature = "nats", feature = "redis"))]

#[macro_use]
mod contract;
#[path = "../support/frames.rs"]
mod frames;
mod log;
#[cfg(feature = "nats")]
mod nats;
mod page;
#[cfg(feature = "redis")]
mod redis;
