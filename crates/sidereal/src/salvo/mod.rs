//! Extractors and responses for salvo 1: the guide is `docs/salvo.md`.

mod config;
mod extract;
mod respond;
