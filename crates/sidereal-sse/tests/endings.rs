//! Endings that race: with waiting senders, with hooks, with destructors and panics of the
//! application's own. Each test is named after what once went wrong.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use futures_util::{FutureExt, StreamExt};
use http_body::Body as _;
use sidereal_sse::{
    BodyError, Client, Connect, End, EndReason, Ended, Event, Frame, Observer, Sender, Shutdown,
    Sse, SseBody, StreamOptions,
};
use tokio::time::timeout;

/// An hour of paused time: for ever.
const FOR_EVER: Duration = Duration::from_secs(3600);

macro_rules! poll_now {
    ($future:expr) => {{
        let mut future = pin!($future);
        std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
    }};
}

fn body(sse: Sse) -> SseBody {
    sse.into_http().into_body()
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn say(&self, text: impl Into<String>) {
        self.0.lock().unwrap().push(text.into());
    }

    fn hook(&self) -> impl FnOnce(&Client, &Ended) + Send + 'static {
        let log = self.clone();
        move |_, ended| {
            let error = ended.error().map(ToString::to_string).unwrap_or_default();
            log.say(format!("{:?} {error}", ended.reason()));
        }
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// A stream that is open, past its first heartbeat, and its sender.
async fn open(queue: usize) -> (SseBody, Sender) {
    let (give, take) = mpsc::channel();
    let mut body = body(
        Connect::new()
            .run(async move |tx| {
                give.send(tx)?;
                std::future::pending().await
            })
            .configure(|options| options.queue(queue)),
    );
    body.next().await;
    (body, take.recv().unwrap())
}

/// A `send` that has been granted room holds it, and may not be polled for long: pinned in a
/// `select!` whose other arm runs, or in a task that is busy. With permits that come back, the end
/// of the stream waited for it, and so did close, shutdown, maximum age and the hooks.
#[tokio::test(start_paused = true)]
async fn a_parked_send_does_not_hold_up_the_end() {
    let (mut body, tx) = open(1).await;
    tx.try_send(Event::new("1")).unwrap();
    let mut parked = pin!(tx.send(Event::new("2")));
    assert!(poll_now!(&mut parked).is_pending());
    assert_eq!(body.next().await.unwrap().unwrap(), "data: 1\n\n");
    tx.close();
    assert!(timeout(FOR_EVER, body.next()).await.unwrap().is_none());
    assert!(parked.await.is_err());
}

/// A parked `send` was woken for the room that came; another one must not wait for it.
#[tokio::test(start_paused = true)]
async fn a_parked_send_does_not_hold_up_the_others() {
    let (mut body, tx) = open(1).await;
    tx.try_send(Event::new("1")).unwrap();
    let mut parked = pin!(tx.send(Event::new("parked")));
    assert!(poll_now!(&mut parked).is_pending());
    let other = tokio::spawn({
        let tx = tx.clone();
        async move { tx.send(Event::new("2")).await }
    });
    tokio::task::yield_now().await;
    assert_eq!(body.next().await.unwrap().unwrap(), "data: 1\n\n");
    assert!(timeout(FOR_EVER, other).await.unwrap().unwrap().is_ok());
}

/// The stream is closed at once for senders, however long its reader stalls.
#[tokio::test(start_paused = true)]
async fn close_reaches_all_senders_though_the_reader_stalls() {
    let (mut body, tx) = open(1).await;
    tx.try_send(Event::new("1")).unwrap();
    let early = tx.send(Event::new("made before, polled after"));
    let waiting = tokio::spawn({
        let tx = tx.clone();
        async move { tx.send(Event::new("2")).await }
    });
    let thread = std::thread::spawn({
        let tx = tx.clone();
        move || tx.blocking_send(Event::new("3"))
    });
    tokio::task::yield_now().await;
    tx.close();
    for result in [
        timeout(FOR_EVER, waiting).await.unwrap().unwrap(),
        thread.join().unwrap(),
        early.await,
    ] {
        assert_eq!(result.unwrap_err().reason(), Some(EndReason::Closed));
    }
    let closed = timeout(FOR_EVER, tx.closed()).await;
    assert_eq!(closed, Ok(EndReason::Closed));
    assert_eq!(body.next().await.unwrap().unwrap(), "data: 1\n\n");
    assert!(body.next().await.is_none());
}

/// What was accepted goes out and nothing else, in each sender's order, whenever the end comes.
#[tokio::test]
async fn accepted_is_sent_whenever_the_end_comes() {
    for round in 0..200 {
        let (mut body, tx) = open(1 + round % 5).await;
        let accepted = Arc::new(AtomicUsize::new(0));
        let senders: Vec<_> = (0..4)
            .map(|sender| {
                let (tx, accepted) = (tx.clone(), Arc::clone(&accepted));
                tokio::spawn(async move {
                    for number in 0..50 {
                        let event = Event::new(format!("{sender}-{number}"));
                        if tx.send(event).await.is_err() {
                            break;
                        }
                        accepted.fetch_add(1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        let closer = tokio::spawn(async move {
            for _ in 0..round % 40 {
                tokio::task::yield_now().await;
            }
            tx.close();
        });
        let mut sent = [0; 4];
        let reading = async {
            while let Some(event) = body.next().await {
                let text = String::from_utf8(event.unwrap().to_vec()).unwrap();
                let (sender, number) = text
                    .trim()
                    .trim_start_matches("data: ")
                    .split_once('-')
                    .unwrap();
                let next = &mut sent[sender.parse::<usize>().unwrap()];
                assert_eq!(number.parse(), Ok(*next));
                *next += 1;
            }
        };
        timeout(Duration::from_secs(5), reading)
            .await
            .expect("it ends");
        closer.await.unwrap();
        for sender in senders {
            sender.await.unwrap();
        }
        assert_eq!(sent.iter().sum::<usize>(), accepted.load(Ordering::SeqCst));
    }
}

/// Polled by one task now and by another later, a body is woken there by all that can wake it.
#[tokio::test(start_paused = true)]
async fn a_body_that_moves_to_another_task_is_woken_there() {
    for what in ["shutdown", "close", "event", "future", "age", "heartbeat"] {
        let shutdown = Shutdown::new();
        let (give, take) = mpsc::channel();
        let (finish, finished) = tokio::sync::oneshot::channel::<()>();
        let age = (what == "age").then_some(Duration::from_secs(5));
        let heartbeat = (what == "heartbeat").then_some(Duration::from_secs(15));
        let mut body = body(
            Connect::new()
                .with_options(StreamOptions::new().shutdown(shutdown.clone()))
                .run(async move |tx| {
                    give.send(tx)?;
                    finished.await.ok();
                    Ok(())
                })
                .max_age(age)
                .keep_alive(heartbeat),
        );
        body.next().await;
        let tx = take.recv().unwrap();
        assert!(poll_now!(body.next()).is_pending());
        let moved = tokio::spawn(async move {
            body.next().await;
        });
        tokio::task::yield_now().await;
        match what {
            "shutdown" => shutdown.trigger(),
            "close" => tx.close(),
            "event" => tx.try_send(Event::new("x")).unwrap(),
            "future" => finish.send(()).unwrap(),
            _ => {}
        }
        assert!(
            timeout(Duration::from_secs(100), moved).await.is_ok(),
            "{what}"
        );
    }
}

/// `on_connect` ran within the detached task, and so after `on_disconnect` or never.
#[tokio::test(start_paused = true)]
async fn on_connect_of_a_detached_body_comes_first() {
    let triggered = Shutdown::new();
    triggered.trigger();
    for shutdown in [Shutdown::new(), triggered] {
        let log = Log::default();
        let (up, down) = (log.clone(), log.clone());
        let sse = Connect::new()
            .with_options(StreamOptions::new().shutdown(shutdown))
            .run(async |_| Ok(()))
            .detached()
            .on_connect(async move |_| {
                up.say("up");
                Ok(())
            })
            .on_disconnect(move |_, _| down.say("down"));
        let mut body = body(sse);
        let _ = poll_now!(body.next());
        drop(body);
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        assert_eq!(log.lines(), ["up", "down"]);
    }
}

/// Without a runtime there is nothing to detach to.
#[test]
fn a_detached_body_without_a_runtime_fails() {
    let log = Log::default();
    let sse = Connect::new().respond(async |_| Ok(())).detached();
    let mut body = body(sse.on_disconnect(log.hook()));
    assert_eq!(body.next().now_or_never(), Some(None));
    assert!(log.lines()[0].starts_with("Failed "), "{:?}", log.lines());
}

/// The body's future goes first and the hooks are told after, on every path: a hook may take a lock
/// that the future held.
#[tokio::test]
async fn the_future_is_gone_before_the_hooks_run() {
    struct Guard(Log);
    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.say("future");
        }
    }

    for leaves in [false, true] {
        let log = Log::default();
        let guard = Guard(log.clone());
        let (give, take) = mpsc::channel();
        let mut body = body(
            Connect::new()
                .run(async move |tx| {
                    let _guard = guard;
                    give.send(tx)?;
                    std::future::pending().await
                })
                .on_disconnect(log.hook()),
        );
        body.next().await;
        if leaves {
            drop(body);
        } else {
            take.recv().unwrap().close();
            assert!(body.next().await.is_none());
        }
        assert_eq!(log.lines()[0], "future");
        assert_eq!(log.lines().len(), 2);
    }
}

/// The error was lost where the application had closed the stream, or the client left while what
/// was accepted still went out.
#[tokio::test]
async fn an_error_is_told_however_the_stream_ends() {
    let log = Log::default();
    let sse = Connect::new().respond(async |tx| {
        tx.close();
        Err(BodyError::new("bad"))
    });
    let mut closed = body(sse.on_disconnect(log.hook()));
    while closed.next().await.is_some() {}
    assert_eq!(log.lines(), ["Closed bad"]);

    let log = Log::default();
    let sse = Connect::new().respond(async |tx| {
        tx.send(Event::new("1")).await?;
        tx.send(Event::new("2")).await?;
        Err(BodyError::new("bad"))
    });
    let mut left = body(sse.on_disconnect(log.hook()));
    left.next().await;
    drop(left);
    assert_eq!(log.lines(), ["Failed bad"]);

    // That the stream has ended is no error of the body's.
    let log = Log::default();
    let sse = Connect::new().respond(async |tx| {
        tx.close();
        tx.send(Event::new("x")).await?;
        Ok(())
    });
    let mut closed = body(sse.on_disconnect(log.hook()));
    while closed.next().await.is_some() {}
    assert_eq!(log.lines(), ["Closed "]);
}

/// A page that navigates away in the 100 ms before a break does not hide why it came.
#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_before_the_break_does_not_change_the_reason() {
    let log = Log::default();
    let shutdown = Shutdown::new();
    let sse = Connect::new()
        .with_options(StreamOptions::new().shutdown(shutdown.clone()))
        .run(async |_| std::future::pending().await);
    let mut body = body(sse.on_disconnect(log.hook()));
    body.next().await;
    shutdown.trigger();
    assert!(poll_now!(body.next()).is_pending());
    drop(body);
    assert_eq!(log.lines(), ["Shutdown "]);
}

struct PanicsOnDrop;

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        panic!("in a destructor");
    }
}

/// Panics of destructors and payloads stay within the stream, and what was accepted goes out.
#[tokio::test]
async fn a_destructor_that_panics_is_an_error_of_the_stream() {
    let log = Log::default();
    let (give, take) = mpsc::channel();
    let sse = Connect::new().run(async move |tx| {
        let _guard = PanicsOnDrop;
        give.send(tx)?;
        std::future::pending().await
    });
    let mut streaming = body(sse.on_disconnect(log.hook()));
    streaming.next().await;
    let tx = take.recv().unwrap();
    tx.try_send(Event::new("accepted")).unwrap();
    tx.close();
    assert_eq!(
        streaming.next().await.unwrap().unwrap(),
        "data: accepted\n\n"
    );
    assert!(streaming.next().await.is_none());
    assert_eq!(log.lines(), ["Closed panicked: in a destructor"]);

    let log = Log::default();
    let sse = Connect::new().run(async |_| std::panic::panic_any(PanicsOnDrop));
    let mut panicking = body(sse.on_disconnect(log.hook()));
    assert!(panicking.next().await.is_none());
    assert_eq!(log.lines(), ["Panicked panicked: (no text)"]);
}

struct PanicsOnEverything;

impl Observer for PanicsOnEverything {
    fn connected(&self, _: &Client) {
        panic!("connected");
    }
    fn wrote(&self, _: &Client, _: &sidereal_sse::Wrote) {
        panic!("wrote");
    }
    fn ended(&self, _: &Client, _: &Ended) {
        panic!("ended");
    }
}

/// A body is dropped while its server's task unwinds: a second panic there aborts the process.
#[tokio::test]
async fn an_observer_that_panics_is_survived_even_while_unwinding() {
    let options = || StreamOptions::new().observer(PanicsOnEverything);
    let mut reply = body(
        Connect::new()
            .with_options(options())
            .reply([Event::new("x")]),
    );
    assert_eq!(reply.next().await.unwrap().unwrap(), "data: x\n\n");

    let open = Connect::new().with_options(options());
    let mut streaming = body(open.run(async |_| std::future::pending().await));
    streaming.next().await;
    let unwound = catch_unwind(AssertUnwindSafe(move || {
        let _streaming = streaming;
        panic!("the server's task");
    }));
    assert!(unwound.is_err());
}

/// Wakers own tasks, tasks own futures, and futures may own what asks the sender.
#[test]
fn a_waker_whose_drop_asks_the_sender_does_not_deadlock() {
    struct Asks(Sender);
    impl Wake for Asks {
        fn wake(self: Arc<Self>) {}
    }
    impl Drop for Asks {
        fn drop(&mut self) {
            self.0.is_closed();
        }
    }

    let (done, wait) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut body, tx) = open(1).now_or_never().unwrap();
        let asks: Waker = Arc::new(Asks(tx)).into();
        let _ = body.poll_next_unpin(&mut Context::from_waker(&asks));
        drop(asks);
        let _ = body.poll_next_unpin(&mut Context::from_waker(Waker::noop()));
        drop(body);
        done.send(()).unwrap();
    });
    assert!(wait.recv_timeout(Duration::from_secs(3)).is_ok());
}

/// A runtime without time is like none: no heartbeats, and nothing panics.
#[test]
fn a_runtime_without_time_has_no_heartbeats() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut idle = body(Connect::new().run(async |_| std::future::pending().await));
        idle.next().await;
        assert!(idle.next().now_or_never().is_none());

        let mut broken = body(
            Connect::new()
                .respond(async |tx| {
                    tx.send(Event::new("x")).await?;
                    Err(BodyError::new("x"))
                })
                .end_with(EndReason::Failed, End::Broken),
        );
        broken.next().await;
        assert!(broken.next().await.unwrap().is_err());
    });
}

/// An endless source of nothing must not keep its thread to itself.
#[test]
fn a_stream_of_empty_frames_lets_others_run() {
    let (done, wait) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            let nothing = futures_util::stream::repeat(Frame::empty());
            let mut body = body(Connect::new().stream(nothing));
            let _ = poll_now!(body.next());
        });
        done.send(()).unwrap();
    });
    assert!(wait.recv_timeout(Duration::from_secs(3)).is_ok());
}

/// hyper polls the body of an answer to HEAD over HTTP/2, and the client sees an error.
#[tokio::test]
async fn a_head_request_begins_nothing() {
    let log = Log::default();
    let request = http::Request::head("/").body(()).unwrap();
    let sse = Connect::from_request(&request).run(async |_| std::future::pending().await);
    let mut body = body(sse.on_disconnect(log.hook()));
    assert!(body.is_end_stream());
    assert!(body.next().await.is_none());
    drop(body);
    assert!(log.lines().is_empty());
}

/// Events wait in bytes as well as in numbers, and one that is larger than all room goes alone.
#[tokio::test]
async fn the_queue_is_bounded_in_bytes() {
    let (give, take) = mpsc::channel();
    let mut body = body(
        Connect::new()
            .run(async move |tx| {
                give.send(tx)?;
                std::future::pending().await
            })
            .configure(|options| options.queue(usize::MAX).queue_bytes(100)),
    );
    body.next().await;
    let tx = take.recv().unwrap();
    let event = |length: usize| Event::new("x".repeat(length - 8));
    tx.try_send(event(60)).unwrap();
    assert!(tx.try_send(event(60)).unwrap_err().is_full());
    tx.try_send(event(40)).unwrap();
    assert!(tx.try_send(event(9)).unwrap_err().is_full());
    body.next().await;
    body.next().await;
    tx.try_send(event(5000)).unwrap();
    assert_eq!(body.next().await.unwrap().unwrap().len(), 5000);
}
