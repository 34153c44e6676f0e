//! What a subscription costs: all that Sidereal keeps for a connection that follows a topic, which
//! is the response's body and what hangs on it, beside what the web server keeps.

use std::{
    pin::Pin,
    task::{Context, Waker},
};

use bench::page::page;
use futures_util::Stream;
use sidereal::{Connect, Hub, PatchElements, Shutdown, SseBody, Topic, http};

/// The most that it may be, in bytes.
const LIMIT: i64 = 1024;

/// Bytes for each subscriber, after some events: what a thousand more of them add.
fn bytes(accept: &'static str, publish: impl Fn(&Topic, u64)) -> i64 {
    // The encoders of the process are made once, for whoever needs them first.
    of(1, accept, &publish);
    (of(2000, accept, &publish) - of(1000, accept, &publish)) / 1000
}

fn of(subscribers: usize, accept: &'static str, publish: impl Fn(&Topic, u64)) -> i64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    let runtime = runtime.unwrap_or_else(|error| panic!("{error}"));
    let _guard = runtime.enter();
    let hub = Hub::new();
    let topic = hub.topic("news");
    let shutdown = Shutdown::new();
    let mut bodies: Vec<SseBody> = Vec::with_capacity(subscribers);
    let info = allocation_counter::measure(|| {
        for _ in 0..subscribers {
            let mut request = http::Request::builder()
                .header("accept-encoding", accept)
                .body(())
                .unwrap_or_default();
            // As `sidereal::serve` does.
            request.extensions_mut().insert(shutdown.clone());
            let connect = Connect::from_request(&request);
            let mut body = connect.subscribe(&topic).into_http().into_body();
            poll(&mut body);
            bodies.push(body);
        }
        for tick in 0..5 {
            publish(&topic, tick);
            bodies.iter_mut().for_each(|body| assert!(poll(body) > 0));
        }
    });
    assert_eq!(hub.connections(), subscribers);
    info.bytes_current + (size_of::<SseBody>() * subscribers) as i64
}

/// Reads all that is there; says how much it was.
fn poll(body: &mut SseBody) -> usize {
    let mut cx = Context::from_waker(Waker::noop());
    let mut bytes = 0;
    while let std::task::Poll::Ready(Some(Ok(chunk))) = Pin::new(&mut *body).poll_next(&mut cx) {
        bytes += chunk.len();
    }
    bytes
}

#[test]
fn a_subscription_costs_at_most_a_kibibyte() {
    for accept in ["", "zstd", "gzip"] {
        let small = bytes(accept, |topic, tick| {
            let _ = topic.publish(PatchElements::new(format!("<p id='tick'>{tick}</p>")));
        });
        let page = bytes(accept, |topic, tick| {
            let _ = topic.publish(PatchElements::new(page(tick)));
        });
        println!("{accept:>5}: {small} bytes; with a page of 20 KB {page}");
        assert!(small <= LIMIT && page <= LIMIT, "{accept}: {small}, {page}");
    }
}
