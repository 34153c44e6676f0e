//! Extractors and responses for poem 3: the guide is `docs/poem.md`.

mod extract;
mod respond;
