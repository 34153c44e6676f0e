//! The crate `datastar` with axum, and one of tokio's broadcast channels for all.

use std::{convert::Infallible, io, sync::Arc};

use axum::{
    Router,
    body::Body,
    http::header,
    response::{IntoResponse as _, Sse},
    routing::get,
};
use bench::publisher::Publisher;
use bytes::Bytes;
use datastar::patch_elements::PatchElements;
use futures_util::{Stream, stream};
use tokio::{
    net::TcpListener,
    sync::broadcast::{self, Receiver, Sender},
};
use tower_http::compression::{CompressionLayer, predicate::SizeAbove};

/// How far a reader may be behind. Sidereal's topics keep as many events.
const CAPACITY: usize = 64;

/// An event for each subscriber, as its users write it. Under tower-http's layer where it is to be
/// compressed.
pub(crate) async fn run(publisher: Publisher, is_compressed: bool) -> io::Result<()> {
    let sender = Sender::<Arc<str>>::new(CAPACITY);
    let subscribed = sender.clone();
    let handler = async move || {
        let events = follow(subscribed.subscribe(), |elements: Arc<str>| {
            PatchElements::new(&*elements).write_as_axum_sse_event()
        });
        Sse::new(events).into_response()
    };
    let publishing = publisher.obey(true, async |elements: &Arc<str>| {
        let _ = sender.send(elements.clone());
        Ok(())
    });
    let mut router = Router::new().route("/events", get(handler));
    if is_compressed {
        // Its default predicate leaves event streams out.
        router = router.layer(CompressionLayer::new().compress_when(SizeAbove::new(0)));
    }
    tokio::select! {
        served = serve(router) => served,
        published = publishing => published,
    }
}

/// The same with bytes that are encoded once.
pub(crate) async fn run_once_encoded(publisher: Publisher) -> io::Result<()> {
    let sender = Sender::<Bytes>::new(CAPACITY);
    let subscribed = sender.clone();
    let handler = async move || {
        let head = [
            (header::CONTENT_TYPE, "text/event-stream"),
            (header::CACHE_CONTROL, "no-cache"),
        ];
        let events = follow(subscribed.subscribe(), |event: Bytes| event);
        (head, Body::from_stream(events))
    };
    let publishing = publisher.obey(true, async |elements: &Arc<str>| {
        let _ = sender.send(crate::serve::encoded(elements).into());
        Ok(())
    });
    tokio::select! {
        served = serve(Router::new().route("/events", get(handler))) => served,
        published = publishing => published,
    }
}

/// What is broadcast, until this reader is too far behind.
fn follow<T: Clone + Send + 'static, E>(
    receiver: Receiver<T>,
    event: impl Fn(T) -> E + Copy + Send + 'static,
) -> impl Stream<Item = Result<E, Infallible>> + Send + 'static {
    stream::unfold(receiver, move |mut receiver| async move {
        match receiver.recv().await {
            Ok(next) => Some((Ok(event(next)), receiver)),
            Err(broadcast::error::RecvError::Lagged(_) | broadcast::error::RecvError::Closed) => {
                None
            }
        }
    })
}

async fn serve(router: Router) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    axum::serve(listener, router).await
}
