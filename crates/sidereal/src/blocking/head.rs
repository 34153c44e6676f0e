//! Heads of requests from servers that have types of their own.

use std::{error::Error, fmt};

use http::{Method, Uri, Version, request::Parts};

use crate::{Transport, foreign_head::header_map};

/// The head of a request in the types of the crate `http`, from text: the method, the target, and
/// the headers' names and values.
///
/// The version is HTTP/1.1: where a client may speak another one, set `version` of what this returns, for
/// HTTP/1.0 knows no chunks. Headers that cannot be any are left out. The extensions have a
/// [`Transport`](crate::Transport), by which a stream learns that a write timed out.
///
/// ```
/// use sidereal::blocking::head;
///
/// let mut head = head("GET", "/clock?city=Oslo", [("Accept-Encoding", b"gzip")])?;
/// assert_eq!(head.uri.path(), "/clock");
/// head.version = http::Version::HTTP_10;
/// # Ok::<(), sidereal::blocking::HeadError>(())
/// ```
///
/// # Errors
///
/// When the method or the target is none.
pub fn head<N, V>(
    method: &str,
    target: &str,
    headers: impl IntoIterator<Item = (N, V)>,
) -> Result<Parts, HeadError>
where
    N: AsRef<[u8]>,
    V: AsRef<[u8]>,
{
    let (mut parts, ()) = http::Request::new(()).into_parts();
    parts.method = Method::from_bytes(method.as_bytes()).map_err(|_| HeadError("method"))?;
    parts.uri = target.parse::<Uri>().map_err(|_| HeadError("target"))?;
    parts.version = Version::HTTP_11;
    parts.headers = header_map(headers);
    parts.extensions.insert(Transport::new());
    Ok(parts)
}

/// What is no head of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadError(&'static str);

impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} of the request is not valid", self.0)
    }
}

impl Error for HeadError {}
