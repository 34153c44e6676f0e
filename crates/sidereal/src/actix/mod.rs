//! Extractors and responses for actix-web 4.
//!
//! The [`Config`](crate::Config) is `app_data` of the application, a scope or a resource, as it is or
//! else as `web::Data`; the nearest one counts. The limit for bodies is actix-web's
//! `PayloadConfig` (256 KiB where none is set) beside [`Config::signals_limit`](crate::Config::signals_limit).
//!
//! `Option<Signals<T>>` is actix-web's own `Option`, which is `None` for whatever cannot be read:
//! [`Optional`](crate::Optional) tells absent from unreadable.
//!
//! A client that leaves is noticed at once on HTTP/1 with `HttpServer::h1_allow_half_closed(false)`.
//! Without it, it is noticed at the second write after it left, so within two heartbeats; on HTTP/2
//! at the first.
//!
//! Open streams end with the server where it and the configuration follow one
//! [`Shutdown`](crate::Shutdown):
//!
//! ```no_run
//! use actix_web::{App, HttpServer};
//! use sidereal::{Config, Shutdown};
//! # async fn stop_signal() {}
//!
//! # async fn serve() -> std::io::Result<()> {
//! let shutdown = Shutdown::new();
//! let config = Config::new().shutdown(shutdown.clone());
//! HttpServer::new(move || App::new().app_data(config.clone()))
//!     .h1_allow_half_closed(false)
//!     .shutdown_signal(async move {
//!         stop_signal().await;
//!         shutdown.trigger();
//!     })
//!     .bind("127.0.0.1:8080")?
//!     .run()
//!     .await
//! # }
//! ```

mod extract;
mod head;
mod receive;
mod respond;
