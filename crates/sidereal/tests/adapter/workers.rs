//! Servers of several threads, each with a runtime of its own: while a handler keeps one of them busy,
//! what is done for all goes on for the others.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use sidereal::{Connect, Hub, PatchElements, Sse, Ticker, View};

use super::{Answer, DATASTAR, ask};

/// How long a thread is busy at most: long enough for what others see, on a machine that is slow.
const BUSY: Duration = Duration::from_secs(5);

/// How many ticks are to come meanwhile.
const TICKS: usize = 5;

/// What such a server serves.
#[derive(Clone)]
pub(crate) struct Board {
    ticker: Ticker,
    changes: View<u32>,
    is_busy: Arc<AtomicBool>,
    is_seen: Arc<AtomicBool>,
}

impl Board {
    pub(crate) fn new() -> Self {
        let tick = || PatchElements::new("<p id=tick></p>");
        Self {
            ticker: Hub::new().every(Duration::from_millis(50), tick),
            changes: View::new(0, |changes: &u32| {
                PatchElements::new(format!("<p id=changes>{changes}</p>"))
            }),
            is_busy: Arc::default(),
            is_seen: Arc::default(),
        }
    }

    /// The answer of `/watch`: first which thread it is on, and then ticks and changes.
    pub(crate) fn watch(&self, connect: Connect) -> Sse {
        let thread = this_thread();
        connect
            .watch((&self.ticker, &self.changes))
            .on_connect(async move |tx| {
                let thread = format!("<p id=thread>{thread};</p>");
                tx.patch_elements(thread).await?;
                Ok(())
            })
    }

    /// The answer of `/work`: on the thread of the query there is a change, and then much to do,
    /// until others have seen what they are to see; on another its number.
    pub(crate) fn work(&self, query: Option<&str>) -> String {
        if query != Some(&*this_thread()) {
            return this_thread();
        }
        self.is_busy.store(true, Ordering::SeqCst);
        self.changes.update(|changes| *changes += 1);
        let begun = Instant::now();
        while !self.is_seen.load(Ordering::SeqCst) {
            if begun.elapsed() > BUSY {
                return "others have waited".into();
            }
            thread::sleep(Duration::from_millis(1));
        }
        "others went on".into()
    }
}

/// The number of this thread.
fn this_thread() -> String {
    let id = format!("{:?}", thread::current().id());
    id.chars().filter(char::is_ascii_digit).collect()
}

/// Asks a server of two threads that serves the board.
pub(crate) fn a_busy_thread_stops_only_its_own_streams(address: SocketAddr, board: &Board) {
    // Who watches first is on the thread that would tick and render for all.
    let (_first, busy) = watch(address);
    let mut others = (0..20).map(|_| watch(address));
    let (other, _) = others.find(|(_, thread)| *thread != busy).unwrap();
    goes_on(other, address, busy, board);
}

/// The same with a thread that has served no stream, nor anything else that is ours.
pub(crate) fn a_busy_thread_without_streams_stops_none(address: SocketAddr, board: &Board) {
    let (stream, thread) = watch(address);
    let mut threads = (0..20).map(|_| ask(address, "GET", "/work?0", &[], None).text());
    let busy = threads.find(|number| *number != thread).unwrap();
    goes_on(stream, address, busy, board);
}

/// A thread has much to do, and a stream of another goes on.
fn goes_on(mut stream: Answer, address: SocketAddr, busy: String, board: &Board) {
    // Nothing that the beginning of the streams has begun runs any more.
    for _ in 0..TICKS {
        stream.chunk().unwrap();
    }
    let work = thread::spawn(move || {
        let target = format!("/work?{busy}");
        let mut answers = (0..20).map(|_| ask(address, "GET", &target, &[], None).text());
        answers.find(|answer| answer.starts_with("others"))
    });
    let (mut ticks, mut is_changed) = (0, false);
    while ticks < TICKS || !is_changed {
        let chunk = String::from_utf8(stream.chunk().unwrap()).unwrap();
        if board.is_busy.load(Ordering::SeqCst) {
            ticks += chunk.matches("<p id=tick>").count();
            is_changed |= chunk.contains("<p id=changes>1</p>");
        }
    }
    board.is_seen.store(true, Ordering::SeqCst);
    let answer = work.join().unwrap();
    assert_eq!(answer.as_deref(), Some("others went on"));
}

/// A stream, and the thread that it is on.
fn watch(address: SocketAddr) -> (Answer, String) {
    let mut answer = ask(address, "GET", "/watch", &[DATASTAR], None);
    let read = answer.until(";</p>");
    let (_, thread) = read.split_once("<p id=thread>").unwrap();
    let (thread, _) = thread.split_once(';').unwrap();
    let thread = thread.to_owned();
    (answer, thread)
}
