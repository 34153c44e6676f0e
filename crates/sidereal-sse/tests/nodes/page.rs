//! A page in the test's own hands: its response is read when the test says so.

use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
};

use futures_core::Stream;
use sidereal_sse::{Connect, Sse, SseBody};

pub(crate) struct Page(SseBody);

impl Page {
    pub(crate) fn new(sse: Sse) -> Self {
        Self(sse.into_http().into_body())
    }

    /// All that there is, and how it ended if it did.
    pub(crate) fn read(&mut self) -> String {
        let mut text = String::new();
        loop {
            let polled = Pin::new(&mut self.0).poll_next(&mut Context::from_waker(Waker::noop()));
            match polled {
                Poll::Ready(Some(Ok(chunk))) => text.push_str(std::str::from_utf8(&chunk).unwrap()),
                Poll::Ready(Some(Err(aborted))) => {
                    text.push_str(&format!("[broken {:?}]", aborted.reason()));
                    return text;
                }
                Poll::Ready(None) => {
                    text.push_str("[end]");
                    return text;
                }
                Poll::Pending => return text,
            }
        }
    }
}

/// A request of a page with this last id.
pub(crate) fn connect(id: Option<&str>) -> Connect {
    let mut request = http::Request::builder();
    if let Some(id) = id {
        request = request.header("last-event-id", id);
    }
    Connect::from_request(&request.body(()).unwrap())
}

/// The last id in what was read, which may be empty.
pub(crate) fn last_id(text: &str) -> Option<String> {
    let mut ids = text.lines().filter_map(|it| it.strip_prefix("id"));
    ids.next_back().map(|it| {
        it.trim_start_matches(": ")
            .trim_start_matches(':')
            .to_owned()
    })
}
