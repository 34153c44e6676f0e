//! Streams from the first poll to their end, on paused time.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};
use http_body_util::BodyExt;
use sidereal_sse::{
    Aborted, BodyError, Client, Connect, End, EndReason, Ended, Event, Frame, IntoFrame, Sender,
    Shutdown, Sse, SseBody, StreamOptions, Transport,
};
use tokio::time::{Instant, advance, sleep};

/// Polls a future once.
macro_rules! poll_now {
    ($future:expr) => {{
        let mut future = pin!($future);
        std::future::poll_fn(|cx| std::task::Poll::Ready(future.as_mut().poll(cx))).await
    }};
}

fn body(sse: Sse) -> SseBody {
    sse.into_http().into_body()
}

/// Reads a body to its end: its bytes as text, and whether the end was clean.
async fn read(sse: Sse) -> (String, Result<(), Aborted>) {
    let mut body = body(sse);
    let mut text = Vec::new();
    let mut end = Ok(());
    while let Some(chunk) = body.next().await {
        match chunk {
            Ok(bytes) => text.extend_from_slice(&bytes),
            Err(aborted) => end = Err(aborted),
        }
    }
    assert!(body.next().await.is_none(), "a body is fused");
    assert!(body.frame().await.is_none(), "a body is fused");
    (String::from_utf8(text).unwrap(), end)
}

fn data(texts: &[&str]) -> String {
    texts
        .iter()
        .map(|text| format!("data: {text}\n\n"))
        .collect()
}

/// A hook that notes why streams ended, and the notes.
#[allow(clippy::type_complexity)]
fn notes() -> (
    impl FnOnce(&Client, &Ended) + Send + 'static,
    Arc<Mutex<Vec<(EndReason, Option<String>)>>>,
) {
    let notes = Arc::new(Mutex::new(Vec::new()));
    let hook = {
        let notes = Arc::clone(&notes);
        move |_: &Client, ended: &Ended| {
            let error = ended.error().map(ToString::to_string);
            notes.lock().unwrap().push((ended.reason(), error));
        }
    };
    (hook, notes)
}

#[tokio::test]
async fn a_one_shot_reply_sends_its_events_in_order_and_ends_cleanly() {
    let (hook, notes) = notes();
    let sse = Connect::new().respond(async |tx| {
        for text in ["a", "b", "c"] {
            tx.send(Event::new(text)).await?;
        }
        Ok(())
    });
    let (text, end) = read(sse.on_disconnect(hook)).await;
    assert_eq!(text, data(&["a", "b", "c"]));
    assert_eq!(end, Ok(()));
    assert_eq!(*notes.lock().unwrap(), [(EndReason::Finished, None)]);
}

#[tokio::test]
async fn more_events_than_the_queue_holds_go_through_one_body() {
    let sse = Connect::new().respond(async |tx| {
        for number in 0..1000 {
            tx.send(Event::from_display(number)).await?;
        }
        Ok(())
    });
    let (text, _) = read(sse.configure(|options| options.queue(2))).await;
    let expected: String = (0..1000).map(|n| format!("data: {n}\n\n")).collect();
    assert_eq!(text, expected);
}

#[tokio::test(start_paused = true)]
async fn the_first_byte_does_not_wait_for_the_first_event() {
    let mut body = body(Connect::new().respond(async |tx| {
        sleep(Duration::from_secs(3)).await;
        tx.send(Event::new("late")).await?;
        Ok(())
    }));
    let first = body.next().now_or_never().unwrap().unwrap().unwrap();
    assert_eq!(first, ":\n\n");
    assert_eq!(body.next().await.unwrap().unwrap(), "data: late\n\n");
}

#[tokio::test]
async fn nothing_begins_before_the_first_poll() {
    let begun = Arc::new(AtomicUsize::new(0));
    let (hook, notes) = notes();
    let sse = Connect::new()
        .respond({
            let begun = Arc::clone(&begun);
            async move |_| {
                begun.fetch_add(1, Ordering::SeqCst);
                Ok(())
            }
        })
        .on_connect({
            let begun = Arc::clone(&begun);
            async move |_| {
                begun.fetch_add(1, Ordering::SeqCst);
                Ok(())
            }
        })
        .on_disconnect(hook);
    drop(body(sse));
    assert_eq!(begun.load(Ordering::SeqCst), 0);
    assert!(notes.lock().unwrap().is_empty());
}

#[tokio::test]
async fn on_connect_goes_first_and_its_failure_ends_the_stream() {
    let hello = async |tx: Sender| {
        tx.send(Event::new("hello")).await?;
        Ok(())
    };
    let sse = Connect::new()
        .reply([Event::new("known")])
        .on_connect(hello);
    assert_eq!(read(sse).await.0, data(&["hello", "known"]));

    let (hook, notes) = notes();
    let sse = Connect::new()
        .respond(async |tx| {
            tx.send(Event::new("never")).await?;
            Ok(())
        })
        .on_connect(async |tx| {
            tx.send(Event::new("hello")).await?;
            Err(BodyError::new("not today"))
        })
        .on_disconnect(hook);
    assert_eq!(read(sse).await, (data(&["hello"]), Ok(())));
    assert_eq!(
        *notes.lock().unwrap(),
        [(EndReason::Failed, Some("not today".to_owned()))]
    );
}

#[tokio::test(start_paused = true)]
async fn every_runs_at_once_and_then_a_period_after_the_last_run_ended() {
    let begun = Instant::now();
    let starts = Arc::new(Mutex::new(Vec::new()));
    let sse = Connect::new().every(Duration::from_millis(100), {
        let starts = Arc::clone(&starts);
        move |tx| {
            let starts = Arc::clone(&starts);
            async move {
                let run = {
                    let mut starts = starts.lock().unwrap();
                    starts.push(begun.elapsed().as_millis());
                    starts.len()
                };
                sleep(Duration::from_millis(30)).await;
                tx.send(Event::from_display(run)).await?;
                if run == 3 {
                    tx.close();
                }
                Ok(())
            }
        }
    });
    let (text, _) = read(sse).await;
    assert_eq!(text, format!(":\n\n{}", data(&["1", "2", "3"])));
    assert_eq!(*starts.lock().unwrap(), [0, 130, 260]);
}

#[tokio::test]
async fn a_period_of_zero_repeats_when_there_is_room_and_lets_others_run() {
    let runs = Arc::new(AtomicUsize::new(0));
    let mut body = body(
        Connect::new()
            .every(Duration::ZERO, {
                let runs = Arc::clone(&runs);
                move |tx| {
                    runs.fetch_add(1, Ordering::SeqCst);
                    async move {
                        tx.send(Event::new("x")).await?;
                        Ok(())
                    }
                }
            })
            .configure(|options| options.queue(4)),
    );
    // Polled, but read only once: it must not run on for ever, nor pile up more than the queue.
    for _ in 0..100 {
        let _ = poll_now!(body.next());
        tokio::task::yield_now().await; // a new cooperative budget
    }
    let before = runs.load(Ordering::SeqCst);
    assert!(before >= 100, "{before} runs in 100 polls");
    assert!(
        before <= 106,
        "{before} runs in 100 polls, with a queue of 4"
    );

    // A body that sends nothing must not spin within one poll.
    let spins = Arc::new(AtomicUsize::new(0));
    let mut idle = idle_body(&spins);
    let _ = poll_now!(idle.next());
    let _ = poll_now!(idle.next());
    assert!(spins.load(Ordering::SeqCst) < 10);
}

fn idle_body(spins: &Arc<AtomicUsize>) -> SseBody {
    let spins = Arc::clone(spins);
    body(Connect::new().every(Duration::ZERO, move |_| {
        spins.fetch_add(1, Ordering::SeqCst);
        async { Ok(()) }
    }))
}

#[tokio::test]
async fn a_failure_or_panic_comes_after_the_accepted_events_and_ends_cleanly() {
    let (hook, failed) = notes();
    let sse = Connect::new().respond(async |tx| {
        tx.send(Event::new("accepted")).await?;
        let _: i32 = "no number".parse()?;
        Ok(())
    });
    assert_eq!(
        read(sse.on_disconnect(hook)).await,
        (data(&["accepted"]), Ok(()))
    );
    assert_eq!(
        *failed.lock().unwrap(),
        [(
            EndReason::Failed,
            Some("invalid digit found in string".to_owned())
        )]
    );

    let (hook, panicked) = notes();
    let sse = Connect::new().respond(async |tx| {
        tx.send(Event::new("accepted")).await?;
        panic!("on {}", "purpose");
    });
    assert_eq!(
        read(sse.on_disconnect(hook)).await,
        (data(&["accepted"]), Ok(()))
    );
    assert_eq!(
        *panicked.lock().unwrap(),
        [(EndReason::Panicked, Some("panicked: on purpose".to_owned()))]
    );
}

#[tokio::test(start_paused = true)]
async fn an_end_can_be_set_to_break() {
    let sse = Connect::new()
        .respond(async |tx| {
            tx.send(Event::new("accepted")).await?;
            Err(BodyError::new("try again"))
        })
        .end_with(EndReason::Failed, End::Broken);
    let (text, end) = read(sse).await;
    assert_eq!(text, data(&["accepted"]));
    assert_eq!(end.unwrap_err().reason(), EndReason::Failed);
}

#[tokio::test]
async fn close_drains_and_refuses_what_comes_after() {
    let (hook, notes) = notes();
    let (give, take) = mpsc::channel();
    let mut body = body(
        Connect::new()
            .run(async move |tx| {
                give.send(tx.clone())?;
                std::future::pending().await
            })
            .on_disconnect(hook),
    );
    assert_eq!(body.next().await.unwrap().unwrap(), ":\n\n");
    let tx = take.recv().unwrap();
    // From a plain thread, while the body waits.
    let thread = std::thread::spawn(move || {
        tx.blocking_send(Event::new("last")).unwrap();
        tx.close();
        tx.close();
        assert!(tx.is_closed());
        let error = tx.blocking_send(Event::new("too late")).unwrap_err();
        assert_eq!(error.reason(), Some(EndReason::Closed));
        tx
    });
    assert_eq!(body.next().await.unwrap().unwrap(), "data: last\n\n");
    assert!(body.next().await.is_none());
    let tx = thread.join().unwrap();
    assert_eq!(tx.closed().await, EndReason::Closed);
    assert_eq!(*notes.lock().unwrap(), [(EndReason::Closed, None)]);
}

/// Whoever still holds a sender when the body is dropped learns why, the body's own future
/// included: its destructors run after the reason is set.
#[tokio::test]
async fn a_client_that_leaves_is_told_to_all_senders() {
    struct Guard(Sender, Arc<Mutex<Vec<Option<EndReason>>>>);
    impl Drop for Guard {
        fn drop(&mut self) {
            let error = self.0.try_send(Event::new("x")).unwrap_err();
            self.1.lock().unwrap().push(error.reason());
        }
    }

    let (hook, notes) = notes();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (give, take) = mpsc::channel();
    let mut body = body(
        Connect::new()
            .run({
                let seen = Arc::clone(&seen);
                async move |tx| {
                    give.send(tx.clone())?;
                    let _guard = Guard(tx, seen);
                    std::future::pending().await
                }
            })
            .on_disconnect(hook),
    );
    let _ = body.next().await;
    let tx = take.recv().unwrap();
    let waiting = tokio::spawn({
        let tx = tx.clone();
        async move { tx.closed().await }
    });
    tokio::task::yield_now().await;
    drop(body);
    assert_eq!(waiting.await.unwrap(), EndReason::Disconnected);
    let error = tx.send(Event::new("x")).await.unwrap_err();
    assert!(error.is_ended());
    assert_eq!(error.reason(), Some(EndReason::Disconnected));
    assert_eq!(*seen.lock().unwrap(), [Some(EndReason::Disconnected)]);
    assert_eq!(*notes.lock().unwrap(), [(EndReason::Disconnected, None)]);
}

#[tokio::test]
async fn a_server_that_gave_up_says_why() {
    for reason in [EndReason::WriteDeadline, EndReason::Shutdown] {
        let transport = Transport::new();
        let mut request = http::Request::new(());
        request.extensions_mut().insert(transport.clone());
        let (hook, notes) = notes();
        let sse = Connect::from_request(&request)
            .run(async |_| std::future::pending().await)
            .on_disconnect(hook);
        let mut body = body(sse);
        let _ = body.next().await;
        transport.give_up(reason);
        transport.give_up(EndReason::MaxAge);
        drop(body);
        assert_eq!(*notes.lock().unwrap(), [(reason, None)]);
    }
}

#[tokio::test]
async fn a_full_queue_waits_and_says_so_when_asked() {
    let (give, take) = mpsc::channel();
    let mut body = body(
        Connect::new()
            .run(async move |tx| {
                give.send(tx)?;
                std::future::pending().await
            })
            .configure(|options| options.queue(2)),
    );
    let _ = body.next().await;
    let tx = take.recv().unwrap();
    tx.try_send(Event::new("1")).unwrap();
    tx.try_send(Event::new("2")).unwrap();
    assert!(tx.try_send(Event::new("3")).unwrap_err().is_full());
    {
        // Dropped while it waits: not sent, nor half of it.
        let mut send = pin!(tx.send(Event::new("cancelled")));
        assert!(poll_now!(&mut send).is_pending());
    }
    let mut send = pin!(tx.send(Event::new("4")));
    assert!(poll_now!(&mut send).is_pending());
    assert_eq!(body.next().await.unwrap().unwrap(), "data: 1\n\n");
    assert!(poll_now!(&mut send).is_ready());
    assert_eq!(body.next().await.unwrap().unwrap(), "data: 2\n\n");
    assert_eq!(body.next().await.unwrap().unwrap(), "data: 4\n\n");
}

#[tokio::test]
async fn an_event_over_the_limit_and_an_empty_frame_are_not_sent() {
    let sse = Connect::new().respond(async |tx| {
        tx.send(Frame::empty()).await?;
        let error = tx.send(Event::new("x".repeat(100))).await.unwrap_err();
        assert!(error.is_too_large());
        assert_eq!(
            error.to_string(),
            "an event of 108 bytes is over the limit of 100"
        );
        tx.send(Event::new("small")).await?;
        Ok(())
    });
    let (text, _) = read(sse.configure(|options| options.max_event_size(100))).await;
    assert_eq!(text, data(&["small"]));
}

#[tokio::test(start_paused = true)]
async fn heartbeats_come_a_while_after_the_last_bytes() {
    let mut body = body(Connect::new().run(async |tx| {
        sleep(Duration::from_secs(20)).await;
        tx.send(Event::new("x")).await?;
        std::future::pending().await
    }));
    let begun = Instant::now();
    let mut seen = Vec::new();
    for _ in 0..5 {
        let bytes = body.next().await.unwrap().unwrap();
        seen.push((begun.elapsed().as_secs(), bytes));
    }
    let heartbeat = Bytes::from_static(b":\n\n");
    assert_eq!(
        seen,
        [
            (0, heartbeat.clone()),
            (15, heartbeat.clone()),
            (20, Bytes::from_static(b"data: x\n\n")),
            (35, heartbeat.clone()),
            (50, heartbeat),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn keep_alive_can_be_set_and_switched_off() {
    let idle = || Connect::new().run(async |_| std::future::pending().await);
    let begun = Instant::now();
    let mut often = body(idle().keep_alive(Duration::from_secs(2)));
    let _ = often.next().await;
    let _ = often.next().await;
    assert_eq!(begun.elapsed(), Duration::from_secs(2));

    for off in [None, Some(Duration::ZERO)] {
        let mut never = body(idle().keep_alive(off));
        let _ = never.next().await;
        let mut next = pin!(never.next());
        assert!(poll_now!(&mut next).is_pending());
        advance(Duration::from_secs(100_000)).await;
        assert!(poll_now!(&mut next).is_pending());
    }
    // No duration is too long.
    let mut long = body(idle().keep_alive(Duration::MAX).max_age(Duration::MAX));
    let _ = long.next().await;
    assert!(poll_now!(long.next()).is_pending());
}

#[tokio::test(start_paused = true)]
async fn a_maximum_age_breaks_long_lived_streams_only() {
    let begun = Instant::now();
    let options = StreamOptions::new().max_age(Duration::from_secs(100));
    let (hook, notes) = notes();
    let sse = Connect::new()
        .with_options(options.clone())
        .run(async |_| std::future::pending().await)
        .keep_alive(None)
        .on_disconnect(hook);
    let (_, end) = read(sse).await;
    assert_eq!(end.unwrap_err().reason(), EndReason::MaxAge);
    let age = begun.elapsed().as_secs_f64();
    assert!((90.0..=100.2).contains(&age), "{age}");
    assert_eq!(*notes.lock().unwrap(), [(EndReason::MaxAge, None)]);

    let sse = Connect::new().with_options(options).respond(async |tx| {
        sleep(Duration::from_secs(1000)).await;
        tx.send(Event::new("done")).await?;
        Ok(())
    });
    let (text, end) = read(sse.keep_alive(None)).await;
    assert_eq!((text.as_str(), end), (":\n\ndata: done\n\n", Ok(())));
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_ends_streams_that_follow_and_lets_replies_finish() {
    let shutdown = Shutdown::new();
    let connect = || {
        let mut request = http::Request::new(());
        request.extensions_mut().insert(shutdown.clone());
        Connect::from_request(&request)
    };
    let ticking = async |tx: Sender| {
        tx.send(Event::new("tick")).await?;
        sleep(Duration::from_secs(60)).await;
        tx.send(Event::new("tock")).await?;
        Ok(())
    };
    let followed = tokio::spawn(read(connect().run(ticking)));
    let one_shot = tokio::spawn(read(connect().respond(ticking).keep_alive(None)));
    let stays = tokio::spawn(read(
        connect()
            .run(ticking)
            .keep_alive(None)
            .follow_shutdown(false),
    ));
    let clean = tokio::spawn(read(
        connect()
            .run(ticking)
            .end_with(EndReason::Shutdown, End::Clean),
    ));
    sleep(Duration::from_secs(1)).await;
    let begun = Instant::now();
    shutdown.trigger();

    let (text, end) = followed.await.unwrap();
    assert_eq!(text, data(&["tick"]));
    assert_eq!(end.unwrap_err().reason(), EndReason::Shutdown);
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert_eq!(clean.await.unwrap(), (data(&["tick"]), Ok(())));
    assert!(begun.elapsed() < Duration::from_secs(1));
    let whole = (data(&["tick", "tock"]), Ok(()));
    assert_eq!(one_shot.await.unwrap(), whole);
    assert_eq!(stays.await.unwrap(), whole);

    // A stream that begins after the trigger ends at once.
    let (_, end) = read(connect().run(ticking)).await;
    assert!(end.is_err());
}

/// A stream that begins in the middle of a shutdown ends at its first poll. `on_connect` runs all
/// the same: a count of viewers that goes up there and down in `on_disconnect` would underflow.
#[tokio::test(start_paused = true)]
async fn on_disconnect_never_comes_without_on_connect() {
    let shutdown = Shutdown::new();
    shutdown.trigger();
    let viewers = Arc::new(Mutex::new(Vec::new()));
    let (up, down) = (Arc::clone(&viewers), Arc::clone(&viewers));
    let sse = Connect::new()
        .with_options(StreamOptions::new().shutdown(shutdown))
        .run(async |_| std::future::pending().await)
        .on_connect(async move |_| {
            up.lock().unwrap().push("up");
            Ok(())
        })
        .on_disconnect(move |_, _| down.lock().unwrap().push("down"));
    let (_, end) = read(sse).await;
    assert_eq!(end.unwrap_err().reason(), EndReason::Shutdown);
    assert_eq!(*viewers.lock().unwrap(), ["up", "down"]);
}

/// Servers drop what they have not yet written when a body fails: hyper's HTTP/1 dispatcher
/// returns from its write loop before it flushes, and h2 clears the queue of a stream it resets.
/// So the break comes only when the last bytes have had time to leave.
#[tokio::test(start_paused = true)]
async fn the_last_bytes_get_time_to_leave_before_a_break() {
    let mut body = body(
        Connect::new()
            .respond(async |tx| {
                tx.send(Event::new("last")).await?;
                Err(BodyError::new("x"))
            })
            .end_with(EndReason::Failed, End::Broken),
    );
    let begun = Instant::now();
    assert_eq!(body.next().await.unwrap().unwrap(), "data: last\n\n");
    assert!(poll_now!(body.next()).is_pending());
    assert!(body.next().await.unwrap().is_err());
    assert!(begun.elapsed() >= Duration::from_millis(100));
    assert!(begun.elapsed() < Duration::from_millis(200));
}

#[tokio::test(start_paused = true)]
async fn a_detached_body_runs_to_its_end_without_its_client() {
    let saved = Arc::new(AtomicUsize::new(0));
    let (hook, notes) = notes();
    let mut body = body(
        Connect::new()
            .respond({
                let saved = Arc::clone(&saved);
                async move |tx| {
                    tx.send(Event::new("saving")).await?;
                    sleep(Duration::from_secs(1)).await;
                    saved.fetch_add(1, Ordering::SeqCst);
                    let error = tx.send(Event::new("saved")).await.unwrap_err();
                    assert_eq!(error.reason(), Some(EndReason::Disconnected));
                    saved.fetch_add(1, Ordering::SeqCst);
                    Ok(())
                }
            })
            .detached()
            .on_disconnect(hook),
    );
    loop {
        if body.next().await.unwrap().unwrap() == "data: saving\n\n" {
            break;
        }
    }
    drop(body);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(saved.load(Ordering::SeqCst), 2);
    assert_eq!(*notes.lock().unwrap(), [(EndReason::Disconnected, None)]);
}

#[tokio::test]
async fn a_detached_body_ends_its_stream_like_any_other() {
    let (hook, finished) = notes();
    let sse = Connect::new()
        .respond(async |tx| {
            tx.send(Event::new("x")).await?;
            Ok(())
        })
        .detached();
    let (text, end) = read(sse.on_disconnect(hook)).await;
    assert!(text.ends_with("data: x\n\n"), "{text:?}");
    assert_eq!(end, Ok(()));
    assert_eq!(*finished.lock().unwrap(), [(EndReason::Finished, None)]);

    let (hook, panicked) = notes();
    let sse = Connect::new()
        .respond(async |_| panic!("detached"))
        .detached();
    let _ = read(sse.on_disconnect(hook)).await;
    assert_eq!(
        *panicked.lock().unwrap(),
        [(EndReason::Panicked, Some("panicked: detached".to_owned()))]
    );
}

#[tokio::test]
async fn streams_of_events_end_with_their_source() {
    let events = futures_util::stream::iter(["a", "b"]).map(Event::new);
    assert_eq!(
        read(Connect::new().stream(events)).await,
        (data(&["a", "b"]), Ok(()))
    );

    let (hook, notes) = notes();
    let events = futures_util::stream::iter([
        Ok(Event::new("a")),
        Err("x".parse::<i32>().unwrap_err()),
        Ok(Event::new("never")),
    ]);
    let sse = Connect::new().try_stream(events).on_disconnect(hook);
    assert_eq!(read(sse).await.0, data(&["a"]));
    assert_eq!(notes.lock().unwrap()[0].0, EndReason::Failed);
}

#[tokio::test]
async fn a_reply_is_one_body_of_known_length() {
    use http_body::Body as _;
    let sse = Connect::new().reply([
        Event::new("a").into_frame(),
        Frame::empty(),
        Frame::comment("c"),
    ]);
    let mut body = body(sse);
    assert_eq!(body.size_hint().exact(), Some(14));
    let bytes = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(bytes, "data: a\n\n");
    assert_eq!(BodyExt::collect(body).await.unwrap().to_bytes(), ": c\n\n");
}

/// hyper announces the length of a reply, and drops its body after the last byte, without a poll
/// that would say that nothing follows: such a reply counted as a client that is gone.
#[tokio::test]
async fn a_reply_that_is_dropped_after_its_last_byte_has_finished() {
    let (hook, notes) = notes();
    let mut whole = body(
        Connect::new()
            .reply([Event::new("a"), Event::new("b")])
            .on_disconnect(hook),
    );
    let _ = whole.next().await;
    assert!(notes.lock().unwrap().is_empty());
    let _ = whole.next().await;
    drop(whole);
    assert_eq!(*notes.lock().unwrap(), [(EndReason::Finished, None)]);
}

#[test]
fn the_head_has_every_header_and_connection_on_http_1_1_only() {
    let head = |version| {
        let mut request = http::Request::new(());
        *request.version_mut() = version;
        let response = Connect::from_request(&request)
            .reply([Event::new("x")])
            .into_http();
        assert_eq!(response.status(), 200);
        let mut headers: Vec<_> = response
            .headers()
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        headers.sort();
        headers
    };
    let always = [
        "cache-control: no-cache",
        "content-type: text/event-stream",
        #[cfg(any(feature = "gzip", feature = "zstd"))]
        "vary: accept-encoding",
        "x-accel-buffering: no",
    ];
    assert_eq!(head(http::Version::HTTP_2), always);
    assert_eq!(head(http::Version::HTTP_10), always);
    let mut on_http_1_1 = always.to_vec();
    on_http_1_1.insert(1, "connection: keep-alive");
    assert_eq!(head(http::Version::HTTP_11), on_http_1_1);
}

#[test]
fn last_event_id_is_read_and_nonsense_counts_as_absent() {
    let id = |value: &[u8]| {
        let value = http::HeaderValue::from_bytes(value).unwrap();
        let request = http::Request::builder()
            .header("Last-Event-ID", value)
            .body(())
            .unwrap();
        Connect::from_request(&request)
            .last_event_id()
            .map(ToString::to_string)
    };
    assert_eq!(id(b"17-4").as_deref(), Some("17-4"));
    assert_eq!(id("\u{e9}".as_bytes()), None);
    assert_eq!(Connect::new().last_event_id(), None);
}

/// A panic in a hook that runs while a panic unwinds would abort the process.
#[tokio::test]
async fn a_panicking_hook_is_survived() {
    let sse = Connect::new()
        .reply([Event::new("x")])
        .on_disconnect(|_, _| panic!("in the hook"));
    assert_eq!(read(sse).await.0, data(&["x"]));
    let sse = Connect::new()
        .run(async |_| std::future::pending().await)
        .on_disconnect(|_, _| panic!("in the hook"));
    let mut dropped = body(sse);
    let _ = dropped.next().await;
    drop(dropped);
}

#[test]
fn a_body_needs_no_runtime_for_what_needs_no_time() {
    let sse = Connect::new().respond(async |tx| {
        for number in 0..100 {
            tx.send(Event::from_display(number)).await?;
        }
        Ok(())
    });
    let (text, end) = FutureExt::now_or_never(read(sse)).unwrap();
    assert_eq!(text.matches("data: ").count(), 100);
    assert_eq!(end, Ok(()));

    let broken = Connect::new()
        .respond(async |_| Err(BodyError::new("x")))
        .end_with(EndReason::Failed, End::Broken);
    assert!(FutureExt::now_or_never(read(broken)).unwrap().1.is_err());
}

#[tokio::test]
async fn an_observer_sees_every_life() {
    #[derive(Clone, Default)]
    struct Counts(Arc<[AtomicUsize; 3]>);
    impl sidereal_sse::Observer for Counts {
        fn connected(&self, _: &Client) {
            self.0[0].fetch_add(1, Ordering::SeqCst);
        }
        fn wrote(&self, _: &Client, wrote: &sidereal_sse::Wrote) {
            assert_eq!(wrote.encoded(), wrote.sent());
            self.0[1].fetch_add(wrote.sent(), Ordering::SeqCst);
        }
        fn ended(&self, _: &Client, ended: &Ended) {
            assert_eq!(ended.events(), 2);
            assert_eq!(ended.bytes(), 18);
            self.0[2].fetch_add(1, Ordering::SeqCst);
        }
    }
    let counts = Counts::default();
    let options = StreamOptions::new().observer(counts.clone());
    let sse = Connect::new()
        .with_options(options)
        .reply([Event::new("a"), Event::new("b")]);
    let _ = read(sse).await;
    assert_eq!(
        counts
            .0
            .each_ref()
            .map(|count| count.load(Ordering::SeqCst)),
        [1, 18, 1]
    );
}

#[test]
fn a_body_is_what_every_server_asks_for() {
    fn check<T: Send + Sync + Unpin + 'static>() {}
    check::<SseBody>();
    check::<Sender>();
    check::<Connect>();
    fn response<T: Send + 'static>() {}
    response::<Sse>();
}

/// What a body's own future sends is taken in the same poll: one turn for each event.
#[tokio::test(start_paused = true)]
async fn a_body_does_not_wake_itself() {
    struct Count(AtomicUsize);

    impl std::task::Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    let count = Arc::new(Count(AtomicUsize::new(0)));
    let waker = count.clone().into();
    let mut cx = std::task::Context::from_waker(&waker);
    let (give, taken) = mpsc::channel();
    let mut body = body(Connect::new().every(Duration::from_secs(1), move |tx| {
        let _ = give.send(tx.clone());
        async move {
            tx.send(Event::new("tick")).await?;
            Ok(())
        }
    }));
    for tick in 1..5 {
        assert!(body.poll_next_unpin(&mut cx).is_ready());
        assert!(body.poll_next_unpin(&mut cx).is_pending());
        assert_eq!(
            count.0.load(Ordering::SeqCst),
            tick - 1,
            "only the timer wakes"
        );
        advance(Duration::from_millis(1001)).await;
        assert_eq!(count.0.load(Ordering::SeqCst), tick);
    }
    // Others do wake it.
    let others = taken.try_recv().unwrap();
    assert!(body.poll_next_unpin(&mut cx).is_ready());
    assert!(body.poll_next_unpin(&mut cx).is_pending());
    others.try_send(Event::new("from outside")).unwrap();
    assert_eq!(count.0.load(Ordering::SeqCst), 5);
}

#[tokio::test(start_paused = true)]
async fn either_of_two_switches_ends_a_stream() {
    for server in [true, false] {
        let (own, of_the_server) = (Shutdown::new(), Shutdown::new());
        let mut request = http::Request::new(());
        request.extensions_mut().insert(of_the_server.clone());
        let connect = Connect::from_request(&request)
            .with_options(StreamOptions::new().shutdown(own.clone()));
        let (note, noted) = mpsc::channel();
        let sse = connect
            .run(async |tx| {
                tx.closed().await;
                Ok(())
            })
            .on_disconnect(move |_, ended| note.send(ended.reason()).unwrap());
        let reading = tokio::spawn(read(sse));
        sleep(Duration::from_millis(1)).await;
        if server { of_the_server } else { own }.trigger();
        assert!(reading.await.unwrap().1.is_err());
        assert_eq!(noted.try_recv(), Ok(EndReason::Shutdown));
    }
}

#[tokio::test(start_paused = true)]
async fn several_hooks_all_run_in_order() {
    let (note, noted) = mpsc::channel();
    let notes = [note.clone(), note];
    let mut sse = Connect::new().respond(async |tx| {
        tx.send(Event::new("body")).await?;
        Ok(())
    });
    for (n, note) in notes.into_iter().enumerate() {
        sse = sse
            .on_connect(async move |tx| {
                tx.send(Event::from_display(n)).await?;
                Ok(())
            })
            .on_disconnect(move |_, _| {
                note.send(n).unwrap();
                panic!("in a hook");
            });
    }
    let (text, _) = read(sse).await;
    assert_eq!(text, data(&["0", "1", "body"]));
    assert_eq!(noted.iter().collect::<Vec<_>>(), [0, 1]);
}
