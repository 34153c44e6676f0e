//! Which test a request belongs to.

use std::convert::Infallible;

use axum::{extract::FromRequestParts, http::request::Parts};

/// The query's `run`: tests name themselves there, so that counts are theirs alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Run(pub(crate) String);

impl<S: Sync> FromRequestParts<S> for Run {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let query = parts.uri.query().unwrap_or_default();
        let run = query.split('&').find_map(|pair| pair.strip_prefix("run="));
        Ok(Self(run.unwrap_or("none").to_owned()))
    }
}
