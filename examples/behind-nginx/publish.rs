//! From one server to the other: the newest votes, by a `PUT`.
//!
//! What is sent is how things are, and not what has changed. So changes that come fast may go as one, one that fails needs
//! no queue, and a server that was away for a while has it all from the next one.

use std::{error::Error, net::SocketAddr, time::Duration};

use bytes::Bytes;
use examples::votes::Votes;
use http_body_util::Full;
use hyper::{
    Request,
    client::conn::http1::handshake,
    header::{CONTENT_TYPE, HOST},
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, sync::watch::Receiver, time::timeout};

/// Also where nothing has changed: the streams may have been started anew, and know nothing.
const EVERY: Duration = Duration::from_secs(1);

/// Tells the streams of every change, for ever.
pub(crate) async fn publish(mut votes: Receiver<Votes>, streams: SocketAddr) {
    let mut was_told = true;
    loop {
        let newest = *votes.borrow_and_update();
        let told = match timeout(EVERY, put(streams, newest)).await {
            Ok(told) => told,
            Err(late) => Err(late.into()),
        };
        if told.is_ok() != was_told {
            was_told = told.is_ok();
            match told {
                Ok(()) => println!("the streams are there again"),
                Err(error) => eprintln!("the streams cannot be told: {error}"),
            }
        }
        // A change, or else the time.
        if let Ok(Err(_gone)) = timeout(EVERY, votes.changed()).await {
            return;
        }
    }
}

async fn put(streams: SocketAddr, votes: Votes) -> Result<(), Box<dyn Error>> {
    let socket = TokioIo::new(TcpStream::connect(streams).await?);
    let (mut sender, connection) = handshake(socket).await?;
    actix_web::rt::spawn(connection);
    let request = Request::put("/internal/votes")
        .header(HOST, streams.to_string())
        .header(CONTENT_TYPE, "application/json")
        .body(Full::<Bytes>::from(serde_json::to_vec(&votes)?))?;
    let status = sender.send_request(request).await?.status();
    match status.is_success() {
        true => Ok(()),
        false => Err(format!("they answer {status}").into()),
    }
}
