//! Bodies of requests: read under a limit, and read past it where that helps the page.

use std::pin::{Pin, pin};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use http_body::{Body, Frame};

use crate::{DEFAULT_SIGNALS_LIMIT, ReadSignalsError};

/// How much of a body over the limit is read and thrown away, in bytes.
///
/// A server that answers a request without reading it has to close the connection, and a browser
/// that is still sending then sees an error instead of the answer (Chromium: `Failed to fetch`), and
/// sends everything again. So the rest is read first, up to a bound. It costs no memory.
pub(crate) const READ_PAST_LIMIT: u64 = 64 << 20;

/// How much room is made for a body that announces its length, and may not keep to it, in bytes.
const ROOM: u64 = 64 << 10;

/// The whole body, of at most so many bytes, or of the default limit.
pub(crate) async fn receive<B: Body>(
    body: B,
    limit: Option<usize>,
) -> Result<Bytes, ReadSignalsError> {
    receive_telling(body, limit, |_| ReadSignalsError::unreadable_body()).await
}

/// As [`receive`], where errors of the body have to be told apart.
pub(crate) async fn receive_telling<B: Body>(
    body: B,
    limit: Option<usize>,
    tell: impl Fn(B::Error) -> ReadSignalsError,
) -> Result<Bytes, ReadSignalsError> {
    let limit = limit.unwrap_or(DEFAULT_SIGNALS_LIMIT);
    let mut body = pin!(body);
    let announced = body.size_hint().lower();
    if announced > limit as u64 {
        read_past_limit(body).await;
        return Err(ReadSignalsError::body_too_large());
    }
    let mut received = BytesMut::with_capacity(announced.min(ROOM) as usize);
    while let Some(frame) = next(&mut body).await {
        let frame = frame.map_err(&tell)?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if data.remaining() > limit - received.len() {
            drop((data, received));
            read_past_limit(body).await;
            return Err(ReadSignalsError::body_too_large());
        }
        received.put(data);
    }
    Ok(received.freeze())
}

/// Throws away what still comes.
pub(crate) async fn read_past_limit<B: Body>(mut body: Pin<&mut B>) {
    if body.size_hint().lower() > READ_PAST_LIMIT {
        return;
    }
    let mut read = 0;
    while read < READ_PAST_LIMIT {
        match next(&mut body).await {
            Some(Ok(frame)) => read += length(&frame),
            Some(Err(_)) | None => return,
        }
    }
}

async fn next<B: Body>(body: &mut Pin<&mut B>) -> Option<Result<Frame<B::Data>, B::Error>> {
    std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await
}

/// The bytes in a frame.
pub(crate) fn length<D: Buf>(frame: &Frame<D>) -> u64 {
    frame.data_ref().map_or(0, |data| data.remaining() as u64)
}
