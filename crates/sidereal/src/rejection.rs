//! What a handler's caller gets when the signals cannot be read.

use std::{error::Error, fmt};

use bytes::Bytes;
use http::{Response, StatusCode};

use crate::{Config, Connect, Frame, ReadSignalsError, reply::plain_text};

/// The rejection of the extractors for signals: an error, and how the application answers it.
///
/// Its answer is a 400, 413 or 415 with a text; or, for a Datastar request of an application with
/// [`Config::reject_with`], an event stream with status 200.
#[derive(Clone, Debug)]
pub struct SignalsRejection {
    error: ReadSignalsError,
    events: Option<Vec<Frame>>,
}

impl SignalsRejection {
    pub(crate) fn new(error: ReadSignalsError, config: Option<&Config>, is_datastar: bool) -> Self {
        let mut rejection = Self::from(error);
        if is_datastar {
            rejection.events = config.and_then(|config| config.rejection_frames(&rejection));
        }
        rejection
    }

    /// Why the signals could not be read.
    pub fn error(&self) -> &ReadSignalsError {
        &self.error
    }

    /// The status of the answer: 400, 413 or 415, or 200 where the answer is events.
    pub fn status(&self) -> StatusCode {
        match self.events {
            Some(_) => StatusCode::OK,
            None => self.error.status(),
        }
    }

    /// The error as text. Plain text: it may quote the request.
    pub fn body_text(&self) -> String {
        self.error.body_text()
    }

    /// The answer.
    pub fn into_http(self) -> Response<Bytes> {
        if let Some(events) = self.events {
            let (head, _) = Connect::new().reply(()).into_http().into_parts();
            let bytes: Vec<u8> = events.iter().flat_map(Frame::as_bytes).copied().collect();
            return Response::from_parts(head, bytes.into());
        }
        plain_text(self.error.status(), self.body_text())
    }
}

impl From<ReadSignalsError> for SignalsRejection {
    fn from(error: ReadSignalsError) -> Self {
        Self {
            error,
            events: None,
        }
    }
}

impl From<SignalsRejection> for Response<Bytes> {
    fn from(rejection: SignalsRejection) -> Self {
        rejection.into_http()
    }
}

impl fmt::Display for SignalsRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Error for SignalsRejection {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}
