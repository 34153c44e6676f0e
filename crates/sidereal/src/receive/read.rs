//! What reading signals is made of, where the head of a request is there in parts.

use bytes::Bytes;
use http::request::Parts;
#[cfg(any(feature = "poem", feature = "salvo", feature = "warp"))]
use http::{Extensions, Request, Uri, Version};
use http::{HeaderMap, Method};
use serde::de::DeserializeOwned;

use super::place::Place;
use crate::{
    Config, LenientSignals, ReadSignalsError, Signals, SignalsRejection, is_datastar_request,
    read_signals,
};

/// The head of a request, of what a framework has of it.
#[cfg(any(feature = "poem", feature = "salvo", feature = "warp"))]
pub(crate) fn parts(
    version: Version,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    extensions: Extensions,
) -> Parts {
    let mut request = Request::new(());
    *request.version_mut() = version;
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    *request.extensions_mut() = extensions;
    request.into_parts().0
}

/// Signals as they were read, and what makes an error the rejection that application and request
/// want.
pub(crate) struct Read<T> {
    signals: Result<Option<T>, ReadSignalsError>,
    config: Option<Config>,
    is_datastar: bool,
}

impl<T: DeserializeOwned> Read<T> {
    /// Reads them, with the [`Config`] in the extensions. The body is received only where signals
    /// can be in it, under the limit in bytes that is given, if the application has one.
    pub(crate) async fn new<F>(parts: &Parts, receive: impl FnOnce(Option<usize>) -> F) -> Self
    where
        F: Future<Output = Result<Bytes, ReadSignalsError>>,
    {
        let config = Config::from_extensions(&parts.extensions).cloned();
        let limit = config.as_ref().and_then(Config::max_signals);
        let receive = || receive(limit);
        let query = parts.uri.query();
        Self {
            signals: signals(&parts.method, query, &parts.headers, receive).await,
            config,
            is_datastar: is_datastar_request(&parts.headers),
        }
    }
}

impl<T> Read<T> {
    /// For a handler that cannot do without.
    pub(crate) fn required(self) -> Result<Signals<T>, SignalsRejection> {
        let signals = self.signals;
        let signals = signals.and_then(|signals| signals.ok_or_else(ReadSignalsError::absent));
        let reject = |error| SignalsRejection::new(error, self.config.as_ref(), self.is_datastar);
        signals.map(Signals).map_err(reject)
    }

    /// `None` where there are none.
    pub(crate) fn optional(self) -> Result<Option<Signals<T>>, SignalsRejection> {
        let reject = |error| SignalsRejection::new(error, self.config.as_ref(), self.is_datastar);
        self.signals
            .map(|signals| signals.map(Signals))
            .map_err(reject)
    }

    /// `None` where they cannot be read, either.
    pub(crate) fn lenient(self) -> LenientSignals<T> {
        LenientSignals::from_result(self.signals)
    }
}

/// The signals of a request, wherever it has them; the body is received only where they are there.
async fn signals<T, F>(
    method: &Method,
    query: Option<&str>,
    headers: &HeaderMap,
    receive: impl FnOnce() -> F,
) -> Result<Option<T>, ReadSignalsError>
where
    T: DeserializeOwned,
    F: Future<Output = Result<Bytes, ReadSignalsError>>,
{
    let place = Place::of(method, headers);
    let body = match place {
        Place::Query | Place::Nowhere => Bytes::new(),
        Place::Body | Place::EmptyBody => receive().await?,
    };
    match place {
        Place::Nowhere => Ok(None),
        Place::EmptyBody if !body.trim_ascii().is_empty() => {
            Err(ReadSignalsError::not_json_content())
        }
        Place::Query | Place::Body | Place::EmptyBody => read_signals(method, query, &body),
    }
}
