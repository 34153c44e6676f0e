//! Streams on HTTP/2.

use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::{RecvStream, client::SendRequest};
use http::{HeaderMap, Request};
use sidereal::EndReason;
use tokio::time::timeout;

use super::{
    Framework, Server, ended,
    streams::{patience, to_leave},
};

pub(crate) fn streams_on_http2<F: Framework>() {
    let server = F::start();
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    let all = async {
        events_are_not_held_back(&server).await;
        a_broken_end_is_a_reset::<F>(&server).await;
        a_client_that_resets_its_stream_is_noticed::<F>(&server).await;
    };
    runtime
        .block_on(async { timeout(Duration::from_secs(30), all).await })
        .unwrap();
}

async fn events_are_not_held_back(server: &Server) {
    let mut client = connect(server, "/slow").await;
    let asked = Instant::now();
    let (head, mut body) = get(&mut client, "/slow", "slow").await;
    assert_eq!(head["content-type"], "text/event-stream");
    assert!(!head.contains_key("connection"));
    let mut arrived = Vec::new();
    for text in ["<p id=one>", "<p id=two>"] {
        until(&mut body, text).await;
        arrived.push(asked.elapsed().as_millis());
    }
    println!("HTTP/2: events after {arrived:?} ms");
    assert!(arrived[0] < 200 && arrived[1] >= 290, "{arrived:?}");
}

async fn a_broken_end_is_a_reset<F: Framework>(server: &Server) {
    let mut client = connect(server, "/broken").await;
    let (_, mut body) = get(&mut client, "/broken", "broken-2").await;
    let end = loop {
        match body.data().await {
            Some(Ok(data)) => body.flow_control().release_capacity(data.len()).unwrap(),
            end => break end,
        }
    };
    let is_reset = end.is_some_and(|end| end.unwrap_err().is_reset());
    assert_eq!(is_reset, F::RESETS);
    assert_eq!(ended("broken-2").0, EndReason::Finished);
}

async fn a_client_that_resets_its_stream_is_noticed<F: Framework>(server: &Server) {
    let target = to_leave(F::NOTICES.reset);
    let mut client = connect(server, target).await;
    let (_, mut body) = get(&mut client, target, "reset").await;
    until(&mut body, "<p id=one></p>\n\n").await;
    drop(body);
    let left = Instant::now();
    let end = tokio::task::spawn_blocking(|| ended("reset"));
    let (reason, noticed) = end.await.unwrap();
    assert_eq!(reason, EndReason::Disconnected);
    let noticed = noticed.saturating_duration_since(left);
    println!("HTTP/2: noticed within {noticed:?}");
    assert!(noticed < patience(F::NOTICES.reset), "{noticed:?}");
}

async fn connect(server: &Server, target: &str) -> SendRequest<Bytes> {
    let socket = tokio::net::TcpStream::connect(server.of(target))
        .await
        .unwrap();
    socket.set_nodelay(true).unwrap();
    let (client, connection) = h2::client::handshake(socket).await.unwrap();
    tokio::spawn(connection);
    client.ready().await.unwrap()
}

async fn get(client: &mut SendRequest<Bytes>, target: &str, name: &str) -> (HeaderMap, RecvStream) {
    let request = Request::get(format!("http://x{target}")).header("last-event-id", name);
    let (answer, _) = client
        .send_request(request.body(()).unwrap(), true)
        .unwrap();
    let (head, body) = answer.await.unwrap().into_parts();
    assert_eq!(head.status, 200);
    (head.headers, body)
}

/// Reads until this text has come.
async fn until(body: &mut RecvStream, text: &str) {
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains(text) {
        let data = body.data().await.unwrap().unwrap();
        body.flow_control().release_capacity(data.len()).unwrap();
        read.extend_from_slice(&data);
    }
}
