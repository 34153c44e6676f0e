//! Guards and responders for rocket 0.5: the guide is `docs/rocket.md`.

mod fairing;
mod guard;
mod head;
mod receive;
mod rejected;
mod respond;
