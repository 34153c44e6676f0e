//! Replies whose events are all at hand.

use std::sync::Arc;

use http_body::Body as _;
use sidereal_sse::{Codec, Compression, Connect, Event, Frame, IntoFrame, Packing, StreamOptions};

use crate::{
    content::page,
    decoders::decode,
    viewer::{Packings, Recorder, codec_of, connect, poll},
};

fn codecs() -> impl Iterator<Item = Codec> {
    [Codec::Zstd, Codec::Gzip, Codec::Brotli]
        .into_iter()
        .filter(|codec| codec.is_available())
}

fn any_order() -> StreamOptions {
    StreamOptions::new().compression(Compression::new().order(codecs()))
}

#[test]
fn a_reply_is_compressed_whole_and_its_length_is_known() {
    for codec in codecs() {
        let packings = Arc::<Packings>::default();
        let frames = [page(20, 1), page(20, 2)];
        let expected = frames
            .iter()
            .flat_map(Frame::as_bytes)
            .copied()
            .collect::<Vec<_>>();
        let response = connect(codec.as_str())
            .with_options(any_order().observer(Recorder(packings.clone())))
            .reply(frames)
            .into_http();
        assert_eq!(codec_of(&response), Some(codec));
        let mut body = response.into_body();
        let length = body.size_hint().exact().unwrap();
        let chunk = poll(&mut body).unwrap();
        assert!(body.is_end_stream());
        assert_eq!(chunk.len() as u64, length);
        assert!(chunk.len() < expected.len() / 4);
        assert!(decode(Some(codec), &chunk) == expected);
        assert_eq!(packings.all(), [Packing::Whole; 2]);
        let sent: Vec<_> = packings.wrote().iter().map(|wrote| wrote.sent()).collect();
        assert_eq!(sent, [chunk.len(), 0]);
    }
}

#[test]
fn a_short_reply_is_not_compressed() {
    for codec in codecs() {
        let reply = |length: usize, more: &str| {
            let event = Event::new("x".repeat(length - "data: \n\n".len())).into_frame();
            assert_eq!(event.len(), length);
            let connect = connect(&format!("{codec}{more}")).with_options(any_order());
            codec_of(&connect.reply([event]).into_http())
        };
        assert_eq!(reply(1023, ""), None);
        assert_eq!(reply(1023, ", identity;q=0"), Some(codec), "it has to be");
        assert_eq!(reply(1024, ""), Some(codec));
    }
}

#[test]
fn a_reply_without_events_is_empty() {
    for codec in codecs() {
        let response = connect(codec.as_str())
            .with_options(any_order().compression(Compression::new().order(codecs()).whole_from(0)))
            .reply(Vec::<Frame>::new())
            .into_http();
        assert_eq!(codec_of(&response), None);
        assert_eq!(response.into_body().size_hint().exact(), Some(0));
    }
}

/// Guesses beside a secret: the length of the reply does not tell which one is right.
#[test]
fn sensitive_events_of_a_reply_are_compressed_alone() {
    for codec in codecs() {
        let length = |guess: &str| {
            let secret = format!("token={}", "s3cret-7c1a9f".repeat(100));
            let frames = [
                Event::new(guess.repeat(100)).into_frame(),
                Event::new(secret).into_frame().sensitive(),
            ];
            let expected = frames
                .iter()
                .flat_map(Frame::as_bytes)
                .copied()
                .collect::<Vec<_>>();
            let response = connect(codec.as_str())
                .with_options(any_order())
                .reply(frames)
                .into_http();
            assert_eq!(codec_of(&response), Some(codec));
            let chunk = poll(&mut response.into_body()).unwrap();
            let text = decode(Some(codec), &chunk);
            let text = String::from_utf8(text).unwrap().replace(&separator(), "");
            assert!(text.as_bytes() == expected);
            chunk.len()
        };
        assert_eq!(length("s3cret-7c1a9f"), length("x3wqet-7d1b9g"), "{codec}");
    }
}

fn separator() -> String {
    String::from_utf8(crate::viewer::SEPARATOR.to_vec()).unwrap()
}

#[test]
fn a_reply_with_a_hook_is_a_stream() {
    for codec in codecs() {
        let response = connect(codec.as_str())
            .with_options(any_order())
            .reply([page(20, 1)])
            .on_connect(async |tx| {
                tx.send(Event::new("first")).await?;
                Ok(())
            })
            .into_http();
        assert_eq!(codec_of(&response), Some(codec));
        let mut body = response.into_body();
        let mut all = Vec::new();
        while let Some(chunk) = poll(&mut body) {
            all.extend_from_slice(&chunk);
        }
        let text = String::from_utf8(decode(Some(codec), &all)).unwrap();
        assert!(
            text.replace(&separator(), "")
                .starts_with("data: first\n\ndata: <div")
        );
    }
}

#[test]
fn a_request_of_which_nothing_is_known_is_answered_in_plain_text() {
    let response = Connect::new().reply([page(50, 1)]).into_http();
    assert_eq!(codec_of(&response), None);
    assert!(response.headers().get(http::header::VARY).is_none());
}
