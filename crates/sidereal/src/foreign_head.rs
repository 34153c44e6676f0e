//! Heads of requests and responses in the types of another crate than `http` 1.

use http::{HeaderMap, HeaderName, HeaderValue};
#[cfg(any(feature = "actix", feature = "rocket"))]
use http::{Method, Request, Uri, Version, request::Parts};

#[cfg(any(feature = "actix", feature = "rocket"))]
use crate::Config;

/// Headers by names and values. Those that cannot be any are left out.
pub(crate) fn header_map<N, V>(headers: impl IntoIterator<Item = (N, V)>) -> HeaderMap
where
    N: AsRef<[u8]>,
    V: AsRef<[u8]>,
{
    let headers = headers.into_iter().filter_map(|(name, value)| {
        let name = HeaderName::from_bytes(name.as_ref()).ok()?;
        Some((name, HeaderValue::from_bytes(value.as_ref()).ok()?))
    });
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        // Where there are more than any server should take, the rest is left out.
        let _ = map.try_append(name, value);
    }
    map
}

/// The head of a request, as its framework has it.
#[cfg(any(feature = "actix", feature = "rocket"))]
pub(crate) struct ForeignHead<'a, H> {
    pub(crate) method: &'a str,
    /// The path, and the query after it.
    pub(crate) target: &'a str,
    pub(crate) version: Version,
    /// Names and values.
    pub(crate) headers: H,
    /// The application's configuration, where it has one.
    pub(crate) config: Option<&'a Config>,
}

#[cfg(any(feature = "actix", feature = "rocket"))]
impl<'a, H: IntoIterator<Item = (&'a [u8], &'a [u8])>> ForeignHead<'a, H> {
    /// The same in the types of `http` 1, with the configuration in its extensions.
    ///
    /// What `http` 1 refuses, though the framework took it, is left out.
    pub(crate) fn into_parts(self) -> Parts {
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.method = Method::from_bytes(self.method.as_bytes()).unwrap_or_default();
        parts.uri = Uri::try_from(self.target).unwrap_or_default();
        parts.version = self.version;
        parts.headers = header_map(self.headers);
        if let Some(config) = self.config {
            parts.extensions.insert(config.clone());
        }
        parts
    }
}

#[cfg(all(test, any(feature = "actix", feature = "rocket")))]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_is_left_out() {
        let config = Config::new().signals_limit(7);
        let headers: [(&[u8], &[u8]); 4] = [
            (b"Accept", b"a"),
            (b"accept", b"\xff"),
            (b"no name", b"x"),
            (b"no-value", b"a\nb"),
        ];
        let parts = ForeignHead {
            method: "QUERY",
            target: "/a?b=%20",
            version: Version::HTTP_2,
            headers,
            config: Some(&config),
        }
        .into_parts();
        assert_eq!(parts.method, "QUERY");
        assert_eq!(parts.uri.query(), Some("b=%20"));
        assert_eq!(parts.version, Version::HTTP_2);
        let values: Vec<_> = parts.headers.get_all("accept").iter().collect();
        assert_eq!(values, [&b"a"[..], b"\xff"]);
        assert_eq!(parts.headers.len(), 2);
        let config = Config::from_extensions(&parts.extensions);
        assert_eq!(config.and_then(Config::max_signals), Some(7));
    }
}
