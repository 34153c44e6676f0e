//! A hub on several nodes, by real brokers: what holds for all of them, and what each has of its own.
//! Where a broker is not installed, its tests are skipped.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![cfg(feature = "nats")]

#[macro_use]
mod contract;
mod nats;
mod page;
