//! Extractors and responses for poem 3.
//!
//! The `Config` is the application's data: `.data(config)` on the route, as `Data` is.
//!
//! poem's `Option` as an extractor is `None` for whatever is wrong: `Optional` tells what is not
//! there from what cannot be read. `poem::Result<Signals<T>>` leaves a rejection to the handler.
//!
//! poem has no limit for bodies unless the middleware `SizeLimit` is there, which answers with a
//! 413 before a handler is called; so `Config::signals_limit` counts, or `DEFAULT_SIGNALS_LIMIT`.
//!
//! A stream that is broken off on purpose, at a shutdown or at its maximum age, ends on HTTP/1.1 as a
//! whole one: poem 3.1 asks hyper to go on with a connection that has failed, and hyper then writes
//! the last chunk. The page does not come back by itself there, unless its action says `retry: 'always'`.
//! On HTTP/2 it does.

mod extract;
mod respond;
