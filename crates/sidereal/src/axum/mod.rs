//! Extractors and responses for axum 0.8: `guide::axum`.

mod extract;
mod receive;
mod respond;
