//! Guards and responders for rocket 0.5.
//!
//! The [`Config`](crate::Config) is a fairing:
//!
//! ```no_run
//! use rocket::{get, post, routes};
//! use serde::Deserialize;
//! use sidereal::{Config, Connect, PatchElements, Signals, Sse};
//!
//! #[derive(Deserialize)]
//! struct Form { name: String }
//!
//! /// Signals in the query: a request guard.
//! #[get("/hello")]
//! fn hello(connect: Connect, form: Signals<Form>) -> Sse {
//!     connect.reply(PatchElements::new(format!("<p id='name'>{}</p>", form.name.len())))
//! }
//!
//! /// In the body: a data guard.
//! #[post("/save", data = "<form>")]
//! fn save(connect: Connect, form: Signals<Form>) -> Sse {
//!     connect.reply(PatchElements::new(format!("<p id='name'>{}</p>", form.name.len())))
//! }
//!
//! # fn app() -> rocket::Rocket<rocket::Build> {
//! rocket::build().attach(Config::new()).mount("/", routes![hello, save])
//! # }
//! ```
//!
//! Attached, it is also rocket's managed state, ends long-lived streams when rocket shuts down, and
//! answers rejections with their own text or events, by catchers for 400, 413 and 415; what the
//! application catches itself stays its own. By `Rocket::manage` it is the settings and nothing else:
//! rejections are then rocket's pages of their status.
//!
//! The data guard reads signals in the query too, of GET and DELETE. The request guard finds none of a
//! method that has them in its body, and says so in the log.
//!
//! The limit for bodies is rocket's limit `signals`, else `json` (1 MiB where nothing is set), beside
//! [`Config::signals_limit`](crate::Config::signals_limit).
//!
//! `Option<Signals<T>>` is rocket's own `Option`, which is `None` for whatever cannot be read:
//! [`Optional`](crate::Optional) tells absent from unreadable.
//!
//! What rocket does not let us do:
//!
//! - A client that leaves is noticed at the next write, so within one heartbeat.
//! - A response cannot break off: it ends cleanly, at its maximum age too, and the page does not come
//!   back unless it asks with `retry: 'always'`. But at a shutdown: a stream that is to break is then
//!   held, without its hooks and what they belong to, until rocket closes the connection after its
//!   grace period (`shutdown.grace`, 2 s).
//! - A request of the method QUERY is refused by rocket, which does not know it.

mod fairing;
mod guard;
mod head;
mod receive;
mod rejected;
mod respond;
