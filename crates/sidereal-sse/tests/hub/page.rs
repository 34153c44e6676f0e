//! A page in the test's own hands: its body is polled when the test says so, and what comes out is
//! decoded at once.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use bytes::Bytes;
use futures_core::Stream;
use http::{
    Response,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING},
};
use sidereal_sse::{Codec, Connect, EndReason, Event, Frame, IntoFrame, Sse, SseBody};

use crate::decoders::{Decoder, decoder};

pub(crate) const CODECS: [Option<Codec>; 3] = [None, Some(Codec::Zstd), Some(Codec::Gzip)];

pub(crate) struct Page {
    body: SseBody,
    decoder: Box<dyn Decoder>,
    wakes: Arc<Wakes>,
    text: String,
    ended: Option<Result<(), EndReason>>,
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A request of a client with this codec, which has seen this event last.
pub(crate) fn connect(codec: Option<Codec>, last_event_id: Option<&str>) -> Connect {
    let mut request = http::Request::builder();
    if let Some(codec) = codec {
        request = request.header(ACCEPT_ENCODING, codec.as_str());
    }
    if let Some(id) = last_event_id {
        request = request.header("last-event-id", id);
    }
    Connect::from_request(&request.body(()).unwrap())
}

pub(crate) fn event(text: impl Into<String>) -> Frame {
    Event::new(text.into()).into_frame()
}

impl Page {
    pub(crate) fn new(sse: Sse) -> Self {
        Self::of(sse.into_http())
    }

    /// One that has begun: the heartbeat at the beginning is read.
    pub(crate) fn begun(sse: Sse) -> Self {
        let mut page = Self::new(sse);
        page.read();
        page
    }

    pub(crate) fn of(response: Response<SseBody>) -> Self {
        assert_eq!(response.status(), 200);
        let codec = response.headers().get(CONTENT_ENCODING).map(|name| {
            let mut codecs = [Codec::Zstd, Codec::Gzip, Codec::Brotli].into_iter();
            codecs.find(|codec| name == codec.as_str()).unwrap()
        });
        Self {
            body: response.into_body(),
            decoder: decoder(codec),
            wakes: Arc::default(),
            text: String::new(),
            ended: None,
        }
    }

    /// One chunk, if one is there.
    pub(crate) fn chunk(&mut self) -> Option<Bytes> {
        let waker = Waker::from(self.wakes.clone());
        let polled = Pin::new(&mut self.body).poll_next(&mut Context::from_waker(&waker));
        match polled {
            Poll::Pending => None,
            Poll::Ready(Some(Ok(chunk))) => {
                let text = self.decoder.push(&chunk);
                self.text.push_str(std::str::from_utf8(&text).unwrap());
                Some(chunk)
            }
            Poll::Ready(Some(Err(aborted))) => {
                self.ended = Some(Err(aborted.reason()));
                None
            }
            Poll::Ready(None) => {
                if self.ended.is_none() {
                    assert!(self.decoder.end(), "the response has no end");
                    self.ended = Some(Ok(()));
                }
                None
            }
        }
    }

    /// All that is there: the data of each event.
    pub(crate) fn read(&mut self) -> Vec<String> {
        while self.chunk().is_some() {}
        self.events()
    }

    /// The data of the events so far. Comments are left out, and what else is no data.
    pub(crate) fn events(&mut self) -> Vec<String> {
        let text = std::mem::take(&mut self.text);
        let mut events = Vec::new();
        for event in text.split_terminator("\n\n") {
            let lines: Vec<&str> = event
                .lines()
                .filter_map(|line| line.strip_prefix("data: "))
                .collect();
            if !lines.is_empty() {
                events.push(lines.join("\n"));
            }
        }
        events
    }

    /// What has come out since this was called last, as it is, without zstd's separators.
    pub(crate) fn text(&mut self) -> String {
        let separator = ":..............................................................\n";
        std::mem::take(&mut self.text).replace(separator, "")
    }

    /// How the response ended, if it has.
    pub(crate) fn ended(&self) -> Option<Result<(), EndReason>> {
        self.ended
    }

    /// How often its task was woken.
    pub(crate) fn wakes(&self) -> usize {
        self.wakes.0.load(Ordering::SeqCst)
    }
}
