//! Extractors and responders for actix-web 4: the guide is `docs/actix-web.md`.

mod extract;
mod head;
mod receive;
mod respond;
