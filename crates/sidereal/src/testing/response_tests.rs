#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use bytes::Bytes;
use http_body::Frame;
use serde_json::json;
use std::{
    io,
    task::{Context, Poll},
};
use tokio::time::{Instant, Sleep, sleep};

/// A body of chunks, each after a pause.
struct Timed {
    steps: VecDeque<(Duration, Result<&'static str, io::Error>)>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Body for Timed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let Some(&(pause, _)) = self.steps.front() else {
            return Poll::Ready(None);
        };
        let pause = self.pause.get_or_insert_with(|| Box::pin(sleep(pause)));
        if pause.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.pause = None;
        let step = self.steps.pop_front().unwrap().1;
        Poll::Ready(Some(step.map(|text| Frame::data(Bytes::from(text)))))
    }
}

fn timed(
    steps: impl IntoIterator<Item = (u64, Result<&'static str, io::Error>)>,
) -> EventStream<Timed> {
    let steps = steps
        .into_iter()
        .map(|(seconds, step)| (Duration::from_secs(seconds), step))
        .collect();
    let mut response = http::Response::new(Timed { steps, pause: None });
    response
        .headers_mut()
        .insert("content-type", "text/event-stream".parse().unwrap());
    EventStream::new(response)
}

fn plain(status: u16, content_type: &str, body: &str) -> EventStream<String> {
    let response = http::Response::builder()
        .status(status)
        .header("content-type", content_type)
        .body(body.to_owned());
    EventStream::new(response.unwrap())
}

const A: &str = "event: datastar-patch-elements\ndata: elements a\n\n";
const B: &str = "event: datastar-patch-elements\nid: 2\ndata: elements b\n\n";

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "gone")
}

#[tokio::test(start_paused = true)]
async fn events_come_when_they_come() {
    let mut stream = timed([(0, Ok(A)), (60, Ok(": beat\n\n")), (60, Ok(B))]);
    let start = Instant::now();
    assert_eq!(stream.next().await.unwrap().unwrap().elements(), Some("a"));
    assert_eq!(start.elapsed(), Duration::ZERO);

    let nothing = stream
        .next_within(Duration::from_secs(100))
        .await
        .unwrap()
        .unwrap_err();
    assert!(nothing.is_timed_out(), "{nothing}");
    assert_eq!(start.elapsed(), Duration::from_secs(100));
    assert_eq!(stream.comments(), [" beat"]);

    // The read that timed out lost nothing, and the stream goes on.
    let event = stream
        .next_within(Duration::from_secs(21))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((event.elements(), event.id()), (Some("b"), Some("2")));
    assert_eq!(stream.last_event_id(), "2");
    assert!(stream.next().await.is_none());
    assert!(stream.next().await.is_none());
    assert!(stream.end().unwrap().is_clean());
}

#[tokio::test(start_paused = true)]
async fn a_broken_end_is_told_from_a_clean_one() {
    let mut stream = timed([(0, Ok(A)), (1, Err(broken()))]);
    assert!(stream.next().await.unwrap().is_ok());
    let error = stream.next().await.unwrap().unwrap_err();
    assert!(error.is_broken());
    assert_eq!(error.to_string(), "the stream broke: gone");
    assert!(stream.next().await.is_none());

    let collected = timed([(0, Ok(A)), (1, Err(broken()))])
        .collect()
        .await
        .unwrap();
    assert_eq!(collected.events().len(), 1);
    let End::Broken(error) = collected.end() else {
        panic!("{collected:?}")
    };
    let error: &io::Error = error.error().downcast_ref().unwrap();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test(start_paused = true)]
async fn an_event_across_chunks_and_one_cut_off() {
    let (head, tail) = A.split_at(20);
    let mut stream = timed([(1, Ok(head)), (1, Ok(tail)), (1, Ok(head))]);
    assert_eq!(stream.take(1).await.unwrap()[0].elements(), Some("a"));
    assert!(matches!(
        stream.next().await,
        Some(Err(StreamError::Unfinished))
    ));
    assert!(stream.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn take_says_how_many_came() {
    let mut stream = timed([(1, Ok(A)), (1, Ok(B))]);
    let error = stream.take(3).await.unwrap_err();
    assert_eq!(error.to_string(), "the stream ended after 2 of 3 events");
}

#[tokio::test]
async fn the_stream_goes_on_after_a_bad_event() {
    let body = format!("event: datastar-patch-signals\ndata: signals 1\n\nforged: line\n{A}");
    let mut stream = plain(200, "text/event-stream", &body);
    let signals = stream.next().await.unwrap().unwrap_err();
    assert!(matches!(
        signals,
        StreamError::Event(EventError::SignalsNotObject { .. })
    ));
    let line = stream.next().await.unwrap().unwrap_err();
    assert_eq!(
        line.to_string(),
        "every client ignores the line \"forged: line\""
    );
    assert_eq!(stream.next().await.unwrap().unwrap().elements(), Some("a"));
}

#[tokio::test]
async fn other_heads_are_refused_and_their_text_is_there() {
    let mut stream = plain(400, "text/plain", "signals: expected a number");
    let error = stream.next().await.unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        "status 400 Bad Request: the client throws away the body of every status but 200"
    );
    assert!(stream.next().await.is_none());
    assert!(stream.collect().await.is_err());
    assert!(stream.end().is_none());
    assert_eq!(stream.text().await.unwrap(), "signals: expected a number");

    let error = plain(200, "text/html", A).collect().await.unwrap_err();
    assert!(matches!(
        error,
        StreamError::Head(HeadError::Header {
            name: "content-type",
            ..
        })
    ));

    let mut response = http::Response::new(A.to_owned());
    response
        .headers_mut()
        .insert("content-type", "text/event-stream".parse().unwrap());
    response
        .headers_mut()
        .insert("content-encoding", "br".parse().unwrap());
    let error = EventStream::new(response).collect().await.unwrap_err();
    assert!(
        matches!(error, StreamError::Head(HeadError::Encoded { .. })),
        "{error}"
    );
}

#[tokio::test]
async fn no_content_is_an_empty_stream() {
    let mut stream = plain(204, "text/plain", "");
    assert!(stream.next().await.is_none());
    assert!(stream.collect().await.unwrap().events().is_empty());
}

#[tokio::test]
async fn items_show_what_events_hide() {
    let mut stream = plain(200, "text/event-stream", ": hi\n\nretry: 5\ndata: x\n\n");
    let mut items = Vec::new();
    while let Some(item) = stream.next_item().await {
        items.push(item.unwrap());
    }
    assert_eq!(items[0], Item::Comment(" hi".into()));
    assert_eq!(items[1], Item::Retry(Duration::from_millis(5)));
    assert!(matches!(&items[2], Item::Event(raw) if raw.data() == "x"));
    assert_eq!(items.len(), 3);
}

#[tokio::test]
async fn plain_replies() {
    let event = plain(200, "text/html; charset=utf-8", "<p>\na")
        .plain_reply()
        .await
        .unwrap();
    assert_eq!(event.elements(), Some("<p>\na"));
    let event = plain(200, "application/json", "{\"a\":1}")
        .plain_reply()
        .await
        .unwrap();
    assert_eq!(event.signals(), Some(&json!({ "a": 1 })));
    let error = plain(200, "application/json", "[]")
        .plain_reply()
        .await
        .unwrap_err();
    assert!(matches!(
        error,
        StreamError::Event(EventError::SignalsNotObject { .. })
    ));
    for (status, kind) in [
        (201, "text/html"),
        (200, "text/event-stream"),
        (200, "text/plain"),
    ] {
        let error = plain(status, kind, "").plain_reply().await.unwrap_err();
        assert!(matches!(error, StreamError::Head(_)), "{error}");
    }
}

#[test]
fn an_event_stream_can_be_sent_to_a_task() {
    fn assert_send<T: Send>(_: T) {}
    let mut stream = plain(200, "text/event-stream", "");
    assert_send(stream.next());
    assert_send(stream.collect());
}
