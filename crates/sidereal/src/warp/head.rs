//! The head of a request, put together of what warp's filters show of it.

use std::convert::Infallible;

use http::{Extensions, HeaderMap, Uri, Version, header::HOST, request::Parts, uri::PathAndQuery};
use sidereal_sse::{Shutdown, Transport};
use warp::Filter;

use crate::{Config, receive::parts};

/// The head, as far as anything here looks at it: method, query, headers, and of the extensions
/// the [`Config`] and what `sidereal::serve` leaves there.
pub(super) fn head(
    config: Option<Config>,
) -> impl Filter<Extract = (Parts,), Error = Infallible> + Clone {
    warp::method()
        .and(query())
        .and(warp::header::headers_cloned())
        .and(extensions(config))
        .map(|method, uri, headers, extensions| {
            parts(version(&headers), method, uri, headers, extensions)
        })
}

/// warp shows it to no filter. HTTP/1.1 asks for a `Host`; a browser has `:authority` instead on
/// HTTP/2, where a wrong guess costs nothing: hyper takes away what must not be there.
fn version(headers: &HeaderMap) -> Version {
    if headers.contains_key(HOST) {
        Version::HTTP_11
    } else {
        Version::HTTP_2
    }
}

/// The query, in an address that is otherwise made up.
fn query() -> impl Filter<Extract = (Uri,), Error = Infallible> + Clone {
    let none = warp::any().map(Uri::default);
    let some = warp::query::raw().map(|query: String| {
        let target = PathAndQuery::try_from(format!("/?{query}"));
        target.map(Uri::from).unwrap_or_default()
    });
    some.or(none).unify()
}

fn extensions(
    config: Option<Config>,
) -> impl Filter<Extract = (Extensions,), Error = Infallible> + Clone {
    warp::ext::optional::<Config>()
        .and(warp::ext::optional::<Shutdown>())
        .and(warp::ext::optional::<Transport>())
        .map(move |found: Option<Config>, shutdown, transport| {
            let mut extensions = Extensions::new();
            insert(&mut extensions, config.clone().or(found));
            insert::<Shutdown>(&mut extensions, shutdown);
            insert::<Transport>(&mut extensions, transport);
            extensions
        })
}

fn insert<T: Clone + Send + Sync + 'static>(extensions: &mut Extensions, value: Option<T>) {
    if let Some(value) = value {
        extensions.insert(value);
    }
}
