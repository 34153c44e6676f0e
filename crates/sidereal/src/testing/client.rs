//! A client in the same process as the handler it calls.

use std::{
    borrow::Cow,
    convert::Infallible,
    error::Error,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, Version, header};
use http_body::{Body, Frame, SizeHint};
use serde::Serialize;

use super::EventStream;

/// A client that calls an async function from request to response, as the Datastar client would call the server.
///
/// There is no socket and no task in between: the stream of the response advances only while the test reads it, and the
/// handler sees the client leave when the test drops it. The function may return a response or a `Result` of one, so an
/// axum `Router`, or any other tower service, is one line:
///
/// ```
/// use axum::{Router, http::HeaderMap, routing::get};
/// use sidereal::testing::Client;
/// use tower::ServiceExt;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let router = Router::new().route(
///     "/hello",
///     get(async |headers: HeaderMap| {
///         assert_eq!(headers["datastar-request"], "true");
///         ([("content-type", "text/event-stream")], "event: datastar-patch-elements\ndata: elements <p id=a>\n\n")
///     }),
/// );
///
/// let client = Client::new(move |request| router.clone().oneshot(request));
/// let mut stream = client.get("/hello").datastar().send().await;
/// let event = stream.next().await.ok_or("no event")??;
/// assert_eq!(event.elements(), Some("<p id=a>"));
/// # Ok(())
/// # }
/// ```
///
/// A function that wants a body type of its own maps it: `request.map(|body| MyBody::from(body.into_bytes()))`.
#[derive(Clone)]
pub struct Client<F> {
    handle: F,
}

impl<F, Fut> Client<F>
where
    F: Fn(Request<RequestBody>) -> Fut,
    Fut: Future<Output: Answer>,
{
    /// A client that sends its requests to this function.
    #[must_use]
    pub fn new(handle: F) -> Self {
        Self { handle }
    }

    /// A request with a method of one's own.
    pub fn request(&self, method: Method, uri: impl Into<String>) -> ClientRequest<'_, F> {
        ClientRequest {
            client: self,
            method,
            uri: uri.into(),
            version: Version::HTTP_11,
            headers: Vec::new(),
            content: Content::Empty,
            problem: None,
        }
    }

    /// `@get(uri)`
    pub fn get(&self, uri: impl Into<String>) -> ClientRequest<'_, F> {
        self.request(Method::GET, uri)
    }

    /// `@post(uri)`
    pub fn post(&self, uri: impl Into<String>) -> ClientRequest<'_, F> {
        self.request(Method::POST, uri)
    }

    /// `@put(uri)`
    pub fn put(&self, uri: impl Into<String>) -> ClientRequest<'_, F> {
        self.request(Method::PUT, uri)
    }

    /// `@patch(uri)`
    pub fn patch(&self, uri: impl Into<String>) -> ClientRequest<'_, F> {
        self.request(Method::PATCH, uri)
    }

    /// `@delete(uri)`
    pub fn delete(&self, uri: impl Into<String>) -> ClientRequest<'_, F> {
        self.request(Method::DELETE, uri)
    }
}

impl<F> fmt::Debug for Client<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// A request that a [`Client`] is about to send.
///
/// ```
/// use http::{Request, Response};
/// use serde_json::json;
/// use sidereal::testing::{Client, RequestBody};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// // A handler that answers with what it was asked.
/// let client = Client::new(async |request: Request<RequestBody>| {
///     Response::new(format!("{} {}", request.uri(), String::from_utf8_lossy(request.body().as_bytes())))
/// });
///
/// let signals = json!({ "name": "Ada" });
/// let mut get = client.get("/hi").signals(&signals).send().await;
/// assert_eq!(get.text().await.unwrap(), "/hi?datastar=%7B%22name%22%3A%22Ada%22%7D ");
/// let mut post = client.post("/hi").signals(&signals).send().await;
/// assert_eq!(post.text().await.unwrap(), r#"/hi {"name":"Ada"}"#);
/// # }
/// ```
#[must_use = "a request does nothing until it is sent"]
pub struct ClientRequest<'a, F> {
    client: &'a Client<F>,
    method: Method,
    uri: String,
    version: Version,
    headers: Vec<(HeaderName, HeaderValue)>,
    content: Content,
    problem: Option<String>,
}

enum Content {
    Empty,
    /// The signals, as JSON.
    Signals(String),
    /// A form, urlencoded.
    Form(String),
    Bytes(Vec<u8>),
}

impl<F> ClientRequest<'_, F> {
    /// Sends these signals: for GET and DELETE as the query's `datastar`, for all other methods as a JSON body.
    ///
    /// They go out as they are. A page would keep back those with a path segment that begins with `_`.
    pub fn signals<T: Serialize + ?Sized>(mut self, signals: &T) -> Self {
        match serde_json::to_string(signals) {
            Ok(json) => self.content = Content::Signals(json),
            Err(error) => self.set_problem(format!("the signals cannot be serialized: {error}")),
        }
        self
    }

    /// Sends a form, as an action with `contentType: 'form'` does: no signals, for GET and DELETE in the query, for all
    /// other methods as an urlencoded body.
    pub fn form<N: AsRef<str>, V: AsRef<str>>(
        mut self,
        fields: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let pairs: Vec<String> = fields
            .into_iter()
            .map(|(name, value)| {
                format!(
                    "{}={}",
                    form_urlencoded(name.as_ref()),
                    form_urlencoded(value.as_ref())
                )
            })
            .collect();
        self.content = Content::Form(pairs.join("&"));
        self
    }

    /// Sends these bytes as the body, whatever the method; the `Content-Type` is the caller's to set.
    ///
    /// For what a page does not send: broken JSON, a body over the limit.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.content = Content::Bytes(body.into());
        self
    }

    /// Sets the headers of every Datastar request: `Datastar-Request: true`, and the client's `Accept`.
    ///
    /// Without them it is the request of a plain page load.
    pub fn datastar(self) -> Self {
        self.header("datastar-request", "true")
            .header("accept", "text/event-stream, text/html, application/json")
    }

    /// Sets the header with which a client reconnects: the id of the last event that it saw.
    pub fn last_event_id(self, id: &str) -> Self {
        self.header("last-event-id", id)
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match (name.parse(), value.parse()) {
            (Ok(name), Ok(value)) => self.headers.push((name, value)),
            _ => self.set_problem(format!("{name:?}: {value:?} is not a header")),
        }
        self
    }

    /// Sets the HTTP version, which is otherwise 1.1.
    pub fn version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    fn set_problem(&mut self, problem: String) {
        self.problem.get_or_insert(problem);
    }

    fn build(self) -> Result<Request<RequestBody>, ClientError> {
        if let Some(problem) = self.problem {
            return Err(ClientError::request(problem));
        }
        let in_query = matches!(self.method, Method::GET | Method::DELETE);
        let (query, content_type, body) = match self.content {
            Content::Empty => (None, None, Vec::new()),
            Content::Signals(json) if in_query => (
                Some(format!("datastar={}", form_urlencoded(&json))),
                None,
                Vec::new(),
            ),
            Content::Signals(json) => (None, Some("application/json"), json.into_bytes()),
            Content::Form(pairs) if in_query => (Some(pairs), None, Vec::new()),
            Content::Form(pairs) => (
                None,
                Some("application/x-www-form-urlencoded"),
                pairs.into_bytes(),
            ),
            Content::Bytes(bytes) => (None, None, bytes),
        };
        let uri = match query {
            Some(query) => {
                let separator = if self.uri.contains('?') { '&' } else { '?' };
                format!("{}{separator}{query}", self.uri)
            }
            None => self.uri,
        };
        let length = body.len();
        let mut request = Request::builder()
            .method(self.method)
            .uri(&uri)
            .version(self.version)
            .body(RequestBody::new(body))
            .map_err(|error| ClientError::request(format!("{uri:?}: {error}")))?;
        let headers = request.headers_mut();
        for (name, value) in self.headers {
            headers.append(name, value);
        }
        if let Some(content_type) = content_type {
            headers
                .entry(header::CONTENT_TYPE)
                .or_insert(HeaderValue::from_static(content_type));
        }
        if length > 0 {
            headers
                .entry(header::CONTENT_LENGTH)
                .or_insert(HeaderValue::from(length));
        }
        Ok(request)
    }
}

impl<F, Fut> ClientRequest<'_, F>
where
    F: Fn(Request<RequestBody>) -> Fut,
    Fut: Future<Output: Answer>,
{
    /// Sends the request, and waits for the head of the response.
    ///
    /// # Panics
    ///
    /// If the request is not one (a bad URI, a bad header), or if the handler returns an error instead of a response.
    pub async fn send(self) -> EventStream<<Fut::Output as Answer>::Body> {
        match self.try_send().await {
            Ok(stream) => stream,
            Err(error) => panic!("{error}"),
        }
    }

    /// As [`send`](Self::send), with an error in place of the panic.
    ///
    /// # Errors
    ///
    /// If the request is not one, or if the handler returns an error instead of a response.
    pub async fn try_send(self) -> Result<EventStream<<Fut::Output as Answer>::Body>, ClientError> {
        let handle = &self.client.handle;
        let answer = handle(self.build()?).await;
        match answer.into_response() {
            Ok(response) => Ok(EventStream::new(response)),
            Err(error) => Err(ClientError::handler(error)),
        }
    }
}

impl<F> fmt::Debug for ClientRequest<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientRequest")
            .field("method", &self.method)
            .field("uri", &self.uri)
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

/// The body of a [`Client`]'s requests: bytes that are there at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestBody(Bytes);

impl RequestBody {
    fn new(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = std::mem::take(&mut self.0);
        Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.len() as u64)
    }
}

/// What the function of a [`Client`] may return: a response, or a `Result` of one.
pub trait Answer: sealed::Sealed {
    /// The body of the response.
    type Body;

    /// The response, or the error there is instead.
    #[doc(hidden)]
    fn into_response(self) -> Result<Response<Self::Body>, Box<dyn Error + Send + Sync>>;
}

impl<B> Answer for Response<B> {
    type Body = B;

    fn into_response(self) -> Result<Response<B>, Box<dyn Error + Send + Sync>> {
        Ok(self)
    }
}

impl<B, E> Answer for Result<Response<B>, E>
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    type Body = B;

    fn into_response(self) -> Result<Response<B>, Box<dyn Error + Send + Sync>> {
        self.map_err(Into::into)
    }
}

mod sealed {
    pub trait Sealed {}
    impl<B> Sealed for http::Response<B> {}
    impl<B, E> Sealed for Result<http::Response<B>, E> {}
}

/// Why a [`Client`] has no response.
#[derive(Debug)]
pub struct ClientError {
    text: Cow<'static, str>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl ClientError {
    fn request(problem: String) -> Self {
        Self {
            text: format!("not a request: {problem}").into(),
            source: None,
        }
    }

    fn handler(error: Box<dyn Error + Send + Sync>) -> Self {
        Self {
            text: "the handler failed".into(),
            source: Some(error),
        }
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Some(source) => write!(f, "{}: {source}", self.text),
            None => f.write_str(&self.text),
        }
    }
}

impl Error for ClientError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

/// The encoding of `URLSearchParams`, with which the client writes queries and forms.
fn form_urlencoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'*' | b'-' | b'.' | b'_' => {
                encoded.push(char::from(byte));
            }
            b' ' => encoded.push('+'),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use serde_json::json;
    use std::{future::ready, io};

    fn echo() -> Client<impl Fn(Request<RequestBody>) -> std::future::Ready<Response<String>>> {
        Client::new(|request: Request<RequestBody>| {
            let (parts, body) = request.into_parts();
            let mut text = format!("{} {} {:?}\n", parts.method, parts.uri, parts.version);
            for (name, value) in &parts.headers {
                text += &format!("{name}: {}\n", value.to_str().unwrap());
            }
            text += std::str::from_utf8(body.as_bytes()).unwrap();
            ready(Response::new(text))
        })
    }

    #[tokio::test]
    async fn signals_go_where_the_client_puts_them() {
        let client = echo();
        let signals = json!({ "a": "ü &+" });
        let query = "datastar=%7B%22a%22%3A%22%C3%BC+%26%2B%22%7D";
        for (request, expected) in [
            (client.get("/x"), format!("GET /x?{query} HTTP/1.1\n")),
            (
                client.delete("/x?y=1"),
                format!("DELETE /x?y=1&{query} HTTP/1.1\n"),
            ),
        ] {
            assert_eq!(
                request.signals(&signals).send().await.text().await.unwrap(),
                expected
            );
        }
        let query_method = Method::from_bytes(b"QUERY").unwrap();
        for request in [
            client.post("/x"),
            client.put("/x"),
            client.patch("/x"),
            client.request(query_method, "/x"),
        ] {
            let method = request.method.clone();
            assert_eq!(
                request.signals(&signals).send().await.text().await.unwrap(),
                format!(
                    "{method} /x HTTP/1.1\ncontent-type: application/json\ncontent-length: 13\n{{\"a\":\"ü &+\"}}"
                )
            );
        }
    }

    #[tokio::test]
    async fn headers() {
        let request = echo()
            .get("/")
            .datastar()
            .last_event_id("7")
            .header("x", "1")
            .header("x", "2")
            .version(Version::HTTP_2)
            .send()
            .await
            .text()
            .await
            .unwrap();
        assert_eq!(
            request,
            "GET / HTTP/2.0\ndatastar-request: true\naccept: text/event-stream, text/html, application/json\n\
             last-event-id: 7\nx: 1\nx: 2\n"
        );
    }

    #[tokio::test]
    async fn forms_and_raw_bodies() {
        let client = echo();
        let fields = [("name", "A B"), ("x", "&=")];
        let get = client
            .get("/f")
            .form(fields)
            .send()
            .await
            .text()
            .await
            .unwrap();
        assert_eq!(get, "GET /f?name=A+B&x=%26%3D HTTP/1.1\n");
        let post = client
            .post("/f")
            .form(fields)
            .send()
            .await
            .text()
            .await
            .unwrap();
        assert!(
            post.ends_with("\nname=A+B&x=%26%3D") && post.contains("x-www-form-urlencoded"),
            "{post}"
        );
        let mut raw = client
            .post("/f")
            .header("content-type", "text/plain")
            .body("{")
            .send()
            .await;
        let raw = raw.text().await.unwrap();
        assert_eq!(
            raw,
            "POST /f HTTP/1.1\ncontent-type: text/plain\ncontent-length: 1\n{"
        );
    }

    #[tokio::test]
    async fn what_is_not_a_request() {
        let client = echo();
        for (request, text) in [
            (client.get("not a uri"), "\"not a uri\""),
            (client.get("/").header("bad name", "x"), "\"bad name\""),
            (client.get("/").last_event_id("a\nb"), "\"a\\nb\""),
            (client.get("/").signals(&f64_key()), "cannot be serialized"),
        ] {
            let error = request.try_send().await.unwrap_err().to_string();
            assert!(
                error.starts_with("not a request: ") && error.contains(text),
                "{error}"
            );
        }
    }

    fn f64_key() -> std::collections::BTreeMap<(), ()> {
        [((), ())].into()
    }

    #[tokio::test]
    #[should_panic(expected = "the handler failed: no such thing")]
    async fn a_handler_that_fails() {
        let client = Client::new(|_| {
            ready(Err::<Response<String>, _>(io::Error::other(
                "no such thing",
            )))
        });
        let _ = client.get("/").send().await;
    }
}
