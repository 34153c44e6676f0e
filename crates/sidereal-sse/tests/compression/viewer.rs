//! A viewer in the test's own hands: the body is polled when the test says so, and every chunk is
//! decoded at once.

use std::{
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use futures_core::Stream;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use sidereal_sse::{
    Client, Codec, Compression, Connect, Frame, Observer, Packing, Sender, SseBody, StreamOptions,
    Wrote,
};

use crate::decoders::{Decoder, decoder};

/// What the reset block of zstd decodes to.
pub(crate) const SEPARATOR: &[u8] =
    b":..............................................................\n";

pub(crate) struct Viewer {
    body: SseBody,
    pub(crate) tx: Sender,
    codec: Option<Codec>,
    decoder: Box<dyn Decoder>,
    packings: Arc<Packings>,
}

/// How each event was packed, in order.
#[derive(Default)]
pub(crate) struct Packings(Mutex<Vec<Wrote>>);

impl Packings {
    pub(crate) fn all(&self) -> Vec<Packing> {
        self.0.lock().unwrap().iter().map(Wrote::packing).collect()
    }

    pub(crate) fn wrote(&self) -> Vec<Wrote> {
        self.0.lock().unwrap().clone()
    }
}

pub(crate) struct Recorder(pub(crate) Arc<Packings>);

impl Observer for Recorder {
    fn wrote(&self, _: &Client, wrote: &Wrote) {
        self.0.0.lock().unwrap().push(*wrote);
    }
}

/// A request that accepts these codings.
pub(crate) fn connect(accept: &str) -> Connect {
    let request = http::Request::builder()
        .header(ACCEPT_ENCODING, accept)
        .body(())
        .unwrap();
    Connect::from_request(&request)
}

pub(crate) fn codec_of<B>(response: &http::Response<B>) -> Option<Codec> {
    let name = response.headers().get(CONTENT_ENCODING)?;
    let codecs = [Codec::Zstd, Codec::Gzip, Codec::Brotli];
    let codec = codecs.into_iter().find(|codec| name == codec.as_str());
    Some(codec.expect("a codec that is known"))
}

impl Viewer {
    pub(crate) fn new(codec: Codec, compression: Compression) -> Self {
        let packings = Arc::<Packings>::default();
        let (give, taken) = std::sync::mpsc::channel();
        let options = StreamOptions::new()
            .queue(1024)
            .queue_bytes(64 << 20)
            .compression(compression.order([codec]))
            .observer(Recorder(packings.clone()));
        let response = connect(codec.as_str())
            .with_options(options)
            .run(async move |tx| {
                let _ = give.send(tx);
                std::future::pending::<()>().await;
                Ok(())
            })
            .into_http();
        let codec = codec_of(&response);
        let mut body = response.into_body();
        let head = poll(&mut body);
        let mut viewer = Self {
            decoder: decoder(codec),
            tx: taken.try_recv().unwrap(),
            body,
            codec,
            packings,
        };
        let first = head.expect("a first chunk at once");
        assert_eq!(
            viewer.decoder.push(&first),
            b"",
            "a heartbeat decodes to nothing"
        );
        viewer
    }

    /// Sends an event; it arrives as one chunk, which is returned, and decodes to itself.
    pub(crate) fn send(&mut self, frame: &Frame) -> Bytes {
        self.tx.try_send(frame).unwrap();
        let chunk = poll(&mut self.body).expect("a chunk");
        let text = self.decoder.push(&chunk);
        let separator = match self.codec {
            Some(Codec::Zstd) => SEPARATOR,
            _ => b"",
        };
        let event = text.strip_prefix(separator).expect("a separator");
        assert!(
            event == frame.as_bytes(),
            "{} bytes of another text than the {} that were sent",
            event.len(),
            frame.len()
        );
        assert!(poll(&mut self.body).is_none(), "one chunk for an event");
        chunk
    }

    pub(crate) fn heartbeat(&mut self) {
        self.tx.try_send(Frame::heartbeat()).unwrap();
        let chunk = poll(&mut self.body).expect("a chunk");
        assert!((1..=5).contains(&chunk.len()));
        assert_eq!(self.decoder.push(&chunk), b"");
    }

    pub(crate) fn packings(&self) -> Vec<Packing> {
        self.packings.all()
    }

    pub(crate) fn wrote(&self) -> Vec<Wrote> {
        self.packings.wrote()
    }

    /// Polls once more, for what a timer does.
    pub(crate) fn poll(&mut self) -> Option<Vec<u8>> {
        poll(&mut self.body).map(|chunk| self.decoder.push(&chunk))
    }

    /// Ends the stream; the response ends as its format says.
    pub(crate) fn close(mut self) {
        self.tx.close();
        while let Some(chunk) = poll(&mut self.body) {
            assert_eq!(self.decoder.push(&chunk), b"");
        }
        assert!(self.decoder.end(), "no clean end");
    }
}

/// What a body has now.
pub(crate) fn poll(body: &mut SseBody) -> Option<Bytes> {
    let mut cx = Context::from_waker(Waker::noop());
    match Pin::new(body).poll_next(&mut cx) {
        Poll::Ready(Some(chunk)) => Some(chunk.unwrap()),
        Poll::Ready(None) | Poll::Pending => None,
    }
}
