//! Bodies of requests, as `http_body` has them.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use rocket::{
    Request,
    data::{ByteUnit, Data, DataStream, Limits},
    tokio::io::{AsyncRead, ReadBuf},
};

use crate::{
    DEFAULT_SIGNALS_LIMIT, ReadSignalsError,
    receive::{announced, receive},
};

/// How much is read at once, in bytes.
const CHUNK: usize = 8 << 10;

/// The whole body, under rocket's limit and the application's, in bytes.
pub(super) async fn receive_data(
    request: &Request<'_>,
    headers: &HeaderMap,
    limit: Option<usize>,
    data: Data<'_>,
) -> Result<Bytes, ReadSignalsError> {
    let rocket = rocket_limit(request.limits());
    let body = DataBody {
        // What is over the limit is thrown away as it comes, and not kept by rocket.
        stream: data.open(ByteUnit::from(u64::MAX)),
        announced: announced(headers),
    };
    let limit = limit.map_or(rocket, |limit| limit.min(rocket));
    receive(body, Some(limit)).await
}

fn rocket_limit(limits: &Limits) -> usize {
    let limit = limits.get("signals").or_else(|| limits.get("json"));
    limit.map_or(DEFAULT_SIGNALS_LIMIT, |limit| {
        usize::try_from(limit.as_u64()).unwrap_or(usize::MAX)
    })
}

/// The body of a request.
struct DataBody<'r> {
    stream: DataStream<'r>,
    announced: SizeHint,
}

impl Body for DataBody<'_> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let mut chunk = [0; CHUNK];
        let mut chunk = ReadBuf::new(&mut chunk);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut chunk))?;
        let read = chunk.filled();
        Poll::Ready((!read.is_empty()).then(|| Ok(Frame::data(Bytes::copy_from_slice(read)))))
    }

    fn size_hint(&self) -> SizeHint {
        self.announced
    }
}
