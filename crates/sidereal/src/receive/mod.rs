//! Signals of a request whose body is still to come: what adapters share.

#[cfg(any(
    feature = "actix",
    feature = "poem",
    feature = "rocket",
    feature = "salvo",
    feature = "warp"
))]
mod announced;
mod body;
#[cfg(any(feature = "poem", feature = "warp"))]
mod chunks;
mod content_type;
#[cfg(any(feature = "actix", feature = "axum"))]
mod limited;
mod place;
mod read;

use http::Request;
use http_body::Body;
use serde::de::DeserializeOwned;

#[cfg(any(
    feature = "actix",
    feature = "poem",
    feature = "rocket",
    feature = "salvo",
    feature = "warp"
))]
pub(crate) use self::announced::announced;
#[cfg(feature = "blocking")]
pub(crate) use self::body::READ_PAST_LIMIT;
pub(crate) use self::body::receive;
#[cfg(feature = "salvo")]
pub(crate) use self::body::receive_telling;
#[cfg(any(feature = "poem", feature = "warp"))]
pub(crate) use self::chunks::Chunks;
#[cfg(feature = "actix")]
pub(crate) use self::limited::Limited;
#[cfg(any(feature = "actix", feature = "axum"))]
pub(crate) use self::limited::{OverLimit, receive_by};
#[cfg(any(feature = "actix", feature = "warp"))]
pub(crate) use self::place::are_in_body;
pub(crate) use self::read::Read;
#[cfg(any(feature = "poem", feature = "salvo", feature = "warp"))]
pub(crate) use self::read::parts;
use crate::{LenientSignals, Signals, SignalsRejection};

/// Reads the signals of a whole request, as the adapters do: for hyper, tower, and whatever has
/// requests of the crate `http`. `None` where there are none, as in a plain page load.
///
/// A body is read where signals can be in it: not for GET, HEAD and DELETE, which have them in the
/// query, and not for forms. It has to be JSON by its `Content-Type`, or to come with the header
/// `Datastar-Request: true`, see [`Signals`].
///
/// The [`Config`](crate::Config) in the request's extensions counts: its [limit](crate::Config::signals_limit), else
/// [`DEFAULT_SIGNALS_LIMIT`](crate::DEFAULT_SIGNALS_LIMIT), and what rejections are [answered with](crate::Config::reject_with).
///
/// ```
/// use http::{Request, Response};
/// use http_body::Body;
/// use serde::Deserialize;
/// use sidereal::{Connect, PatchElements, SignalsRejection, SseBody, receive_signals};
///
/// #[derive(Deserialize)]
/// struct Form { name: String }
///
/// async fn greet<B: Body>(request: Request<B>) -> Result<Response<SseBody>, SignalsRejection> {
///     let connect = Connect::from_request(&request);
///     let name = receive_signals::<Form, B>(request).await?.map(|form| form.name);
///     let hello = format!("<p id='hello'>Hello, {} letters</p>", name.unwrap_or_default().len());
///     Ok(connect.reply(PatchElements::new(hello)).into_http())
/// }
/// ```
///
/// # Errors
///
/// As [`read_signals`](crate::read_signals); a body over the limit, or one that cannot be read. Of a body over the limit the
/// rest is read and thrown away, up to 64 MiB, so that the page sees the answer.
///
/// # Cancel safety
///
/// What was read of the body is gone with the future.
pub async fn receive_signals<T, B>(request: Request<B>) -> Result<Option<T>, SignalsRejection>
where
    T: DeserializeOwned,
    B: Body,
{
    let signals = read(request).await.optional()?;
    Ok(signals.map(|Signals(signals)| signals))
}

async fn read<T: DeserializeOwned, B: Body>(request: Request<B>) -> Read<T> {
    let (parts, body) = request.into_parts();
    Read::new(&parts, |limit| receive(body, limit)).await
}

impl<T: DeserializeOwned> Signals<T> {
    /// Reads them as [`receive_signals`] does, for a handler that cannot do without.
    ///
    /// # Errors
    ///
    /// As [`receive_signals`], and where there are no signals.
    pub async fn receive<B: Body>(request: Request<B>) -> Result<Self, SignalsRejection> {
        read(request).await.required()
    }
}

impl<T: DeserializeOwned> LenientSignals<T> {
    /// Reads them as [`receive_signals`] does, without an error.
    pub async fn receive<B: Body>(request: Request<B>) -> Self {
        read(request).await.lenient()
    }
}
