//! A request of tiny_http, with its head in the types of the crate `http`: what an application on such a server writes
//! once.

use std::io::{self, Write};

use bytes::Bytes;
use serde::de::DeserializeOwned;
use sidereal::{
    Config, Signals, SignalsRejection,
    blocking::{Connect, HeadError, head, write_whole},
    http::{HeaderValue, Response, StatusCode, Version, header::CONTENT_TYPE, request::Parts},
};

/// A request, and its head.
#[derive(Debug)]
pub struct Request {
    head: Parts,
    inner: tiny_http::Request,
}

impl Request {
    /// # Errors
    ///
    /// When its method or target is none.
    pub fn new(inner: tiny_http::Request) -> Result<Self, HeadError> {
        let headers = inner.headers().iter();
        let headers = headers.map(|header| (header.field.as_str().as_str(), header.value.as_str()));
        let mut head = head(inner.method().as_str(), inner.url(), headers)?;
        if *inner.http_version() < (1, 1) {
            head.version = Version::HTTP_10;
        }
        Ok(Self { head, inner })
    }

    /// With the application's settings.
    pub fn with(mut self, config: Config) -> Self {
        self.head.extensions.insert(config);
        self
    }

    /// What is asked for.
    pub fn path(&self) -> &str {
        self.head.uri.path()
    }

    /// What answers by a stream.
    pub fn connect(&self) -> Connect {
        Connect::from_parts(&self.head)
    }

    /// The signals, which have to be there.
    ///
    /// # Errors
    ///
    /// As [`Signals::read_from`].
    pub fn signals<T: DeserializeOwned>(&mut self) -> Result<Signals<T>, SignalsRejection> {
        Signals::read_from(&self.head, self.inner.as_reader())
    }

    /// Where the answer is written.
    pub fn into_writer(self) -> impl Write {
        self.inner.into_writer()
    }

    /// Answers with a file.
    ///
    /// # Errors
    ///
    /// When the client has left.
    pub fn write(self, content_type: &'static str, body: impl Into<Bytes>) -> io::Result<()> {
        let mut response = Response::new(body);
        let content_type = HeaderValue::from_static(content_type);
        response.headers_mut().insert(CONTENT_TYPE, content_type);
        self.write_response(response)
    }

    /// Answers with a response that is at hand.
    ///
    /// # Errors
    ///
    /// When the client has left.
    pub fn write_response(self, response: Response<impl Into<Bytes>>) -> io::Result<()> {
        write_whole(&self.head, response, self.inner.into_writer())
    }

    /// Answers that there is no such thing.
    ///
    /// # Errors
    ///
    /// When the client has left.
    pub fn not_found(self) -> io::Result<()> {
        let mut response = Response::new("not found");
        *response.status_mut() = StatusCode::NOT_FOUND;
        self.write_response(response)
    }
}
