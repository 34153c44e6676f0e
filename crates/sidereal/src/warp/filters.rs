//! What handlers take, as warp's filters.

use std::convert::Infallible;

use bytes::Buf;
use futures_core::Stream;
use http::{HeaderMap, Method, request::Parts};
use serde::de::DeserializeOwned;
use warp::{Filter, Rejection};

use super::head::head;
use crate::{
    Config, Connect, IsDatastar, LastEventId, LenientSignals, ReadSignalsError, Signals,
    SignalsRejection, TabId,
    receive::{Chunks, Read, are_in_body, receive},
};

/// The filters of this module, with an application's settings. Made by [`with`].
#[derive(Clone, Debug, Default)]
pub struct Filters {
    config: Option<Config>,
}

/// The filters with these settings: `sidereal::warp::with(config).connect()`, and so on.
///
/// ```
/// use std::time::Duration;
/// use sidereal::{Config, Connect, PatchElements};
/// use warp::Filter;
///
/// let datastar = sidereal::warp::with(Config::new().keep_alive(Duration::from_secs(10)));
/// let routes = warp::path!("hello")
///     .and(datastar.connect())
///     .map(|connect: Connect| connect.reply(PatchElements::new("<p id='hello'>Hello</p>")));
/// # drop(routes);
/// ```
pub fn with(config: Config) -> Filters {
    Filters {
        config: Some(config),
    }
}

impl Filters {
    /// As [`connect`](connect()).
    pub fn connect(&self) -> impl Filter<Extract = (Connect,), Error = Infallible> + Clone + use<> {
        self.head().map(|parts| Connect::from_parts(&parts))
    }

    /// As [`config`](config()): these settings.
    pub fn config(&self) -> impl Filter<Extract = (Config,), Error = Infallible> + Clone + use<> {
        self.head().map(|parts: Parts| {
            Config::from_extensions(&parts.extensions)
                .cloned()
                .unwrap_or_default()
        })
    }

    /// As [`signals`].
    pub fn signals<T>(
        &self,
    ) -> impl Filter<Extract = (Signals<T>,), Error = Rejection> + Clone + use<T>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.try_signals()
            .and_then(async |signals: Result<_, SignalsRejection>| signals.map_err(Rejection::from))
    }

    /// As [`optional_signals`].
    pub fn optional_signals<T>(
        &self,
    ) -> impl Filter<Extract = (Option<Signals<T>>,), Error = Rejection> + Clone + use<T>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.read()
            .and_then(async |read: Read<T>| read.optional().map_err(Rejection::from))
    }

    /// As [`try_signals`].
    pub fn try_signals<T>(
        &self,
    ) -> impl Filter<Extract = (Result<Signals<T>, SignalsRejection>,), Error = Infallible>
    + Clone
    + use<T>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.read().map(Read::required)
    }

    /// As [`lenient_signals`].
    pub fn lenient_signals<T>(
        &self,
    ) -> impl Filter<Extract = (LenientSignals<T>,), Error = Infallible> + Clone + use<T>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.read().map(Read::lenient)
    }

    /// As [`is_datastar`], which knows no settings.
    pub fn is_datastar(
        &self,
    ) -> impl Filter<Extract = (IsDatastar,), Error = Infallible> + Clone + use<> {
        is_datastar()
    }

    /// As [`last_event_id`], which knows no settings.
    pub fn last_event_id(
        &self,
    ) -> impl Filter<Extract = (LastEventId,), Error = Infallible> + Clone + use<> {
        last_event_id()
    }

    /// As [`tab_id`], which knows no settings.
    pub fn tab_id(&self) -> impl Filter<Extract = (TabId,), Error = Rejection> + Clone + use<> {
        tab_id()
    }

    /// As [`optional_tab_id`], which knows no settings.
    pub fn optional_tab_id(
        &self,
    ) -> impl Filter<Extract = (Option<TabId>,), Error = Rejection> + Clone + use<> {
        optional_tab_id()
    }

    fn head(&self) -> impl Filter<Extract = (Parts,), Error = Infallible> + Clone + use<> {
        head(self.config.clone())
    }

    fn read<T>(&self) -> impl Filter<Extract = (Read<T>,), Error = Infallible> + Clone + use<T>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.head().and(body()).then(read)
    }
}

/// The body, where signals can be in it: there is no other use of it left to a handler then.
fn body() -> impl Filter<
    Extract = (Option<impl Stream<Item = Result<impl Buf, warp::Error>>>,),
    Error = Infallible,
> + Clone {
    let is_wanted = async |method: Method, headers: HeaderMap| {
        let is_wanted = are_in_body(&method, &headers);
        is_wanted.then_some(()).ok_or_else(warp::reject::reject)
    };
    warp::method()
        .and(warp::header::headers_cloned())
        .and_then(is_wanted)
        .untuple_one()
        .and(warp::body::stream())
        .map(Some)
        .or(warp::any().map(|| None))
        .unify()
}

async fn read<T, S, D>(parts: Parts, body: Option<S>) -> Read<T>
where
    T: DeserializeOwned,
    S: Stream<Item = Result<D, warp::Error>> + Unpin,
    D: Buf,
{
    let receive = async |limit| match body {
        Some(body) => receive(Chunks::new(body, &parts.headers), limit).await,
        // Another filter has taken it.
        None => Err(ReadSignalsError::unreadable_body()),
    };
    Read::new(&parts, receive).await
}

/// The [`Connect`] of a request: what streams are made of.
pub fn connect() -> impl Filter<Extract = (Connect,), Error = Infallible> + Clone {
    Filters::default().connect()
}

/// The application's [`Config`], or the default.
pub fn config() -> impl Filter<Extract = (Config,), Error = Infallible> + Clone {
    Filters::default().config()
}

/// The [`Signals`] of a request; rejects with a [`SignalsRejection`] what cannot be read, and
/// requests without signals.
pub fn signals<T>() -> impl Filter<Extract = (Signals<T>,), Error = Rejection> + Clone
where
    T: DeserializeOwned + Send + 'static,
{
    Filters::default().signals()
}

/// The [`Signals`] of a request, `None` where there are none, as in a plain page load; rejects with
/// a [`SignalsRejection`] what came and cannot be read.
pub fn optional_signals<T>()
-> impl Filter<Extract = (Option<Signals<T>>,), Error = Rejection> + Clone
where
    T: DeserializeOwned + Send + 'static,
{
    Filters::default().optional_signals()
}

/// The [`Signals`] of a request, or why there are none: for the handler to decide.
pub fn try_signals<T>()
-> impl Filter<Extract = (Result<Signals<T>, SignalsRejection>,), Error = Infallible> + Clone
where
    T: DeserializeOwned + Send + 'static,
{
    Filters::default().try_signals()
}

/// The [`LenientSignals`] of a request; rejects nothing.
pub fn lenient_signals<T>()
-> impl Filter<Extract = (LenientSignals<T>,), Error = Infallible> + Clone
where
    T: DeserializeOwned + Send + 'static,
{
    Filters::default().lenient_signals()
}

/// Whether the request was made by Datastar.
pub fn is_datastar() -> impl Filter<Extract = (IsDatastar,), Error = Infallible> + Clone {
    warp::header::headers_cloned().map(|headers: HeaderMap| IsDatastar::from_headers(&headers))
}

/// The id of the last event that the page got.
pub fn last_event_id() -> impl Filter<Extract = (LastEventId,), Error = Infallible> + Clone {
    warp::header::headers_cloned().map(|headers: HeaderMap| LastEventId::from_headers(&headers))
}

/// The [`TabId`] in the query; rejects with a [`TabIdError`](crate::TabIdError).
pub fn tab_id() -> impl Filter<Extract = (TabId,), Error = Rejection> + Clone {
    head(None).and_then(async |parts: Parts| {
        TabId::from_query(parts.uri.query()).map_err(Rejection::from)
    })
}

/// The [`TabId`] in the query, if there is one; rejects one that is refused.
pub fn optional_tab_id() -> impl Filter<Extract = (Option<TabId>,), Error = Rejection> + Clone {
    head(None).and_then(async |parts: Parts| {
        TabId::from_optional_query(parts.uri.query()).map_err(Rejection::from)
    })
}
