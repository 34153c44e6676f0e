//! What the server sends without being asked.

use std::sync::{
    Arc, Mutex, PoisonError, Weak,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use bytes::Bytes;
use redis::{PushInfo, PushKind, Value};

use super::{
    super::{BrokerError, Deliver, NODES_TARGET, Place, Stored},
    Names,
};

/// How far this node has seen the log, on any connection.
#[derive(Debug, Default)]
pub(super) struct Log(Mutex<Option<Seen>>);

#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) place: Place,
    /// The run of the server from which it came.
    pub(super) run: Arc<str>,
}

impl Log {
    pub(super) fn seen(&self) -> Option<Seen> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// A place was seen on a connection to this run.
    pub(super) fn sees(&self, place: Place, run: &Arc<str>) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *seen {
            Some(seen) if seen.place.log == place.log => {
                seen.place.number = seen.place.number.max(place.number);
                if seen.run != *run {
                    seen.run = run.clone();
                }
            }
            seen => {
                *seen = Some(Seen {
                    place,
                    run: run.clone(),
                });
            }
        }
    }
}

/// Where what comes in by one connection goes.
pub(super) struct Incoming {
    deliver: Deliver,
    names: Names,
    log: Arc<Log>,
    /// The log's identity and the server's run, when they are known.
    known: AtomicU32,
    run: Mutex<Arc<str>>,
    /// The log has become another, as its identity is now.
    renewed: AtomicU32,
    is_over: AtomicBool,
}

impl Incoming {
    pub(super) fn new(deliver: Deliver, names: Names, log: Arc<Log>) -> Self {
        Self {
            deliver,
            names,
            log,
            known: AtomicU32::new(0),
            run: Mutex::new("".into()),
            renewed: AtomicU32::new(0),
            is_over: AtomicBool::new(false),
        }
    }

    /// What follows is of this run of the server.
    pub(super) fn begin(&self, run: Arc<str>) {
        *self.run.lock().unwrap_or_else(PoisonError::into_inner) = run;
    }

    /// The log has this identity; `false` if it has become another already.
    pub(super) fn knows(&self, log: u32) -> bool {
        self.known.store(log, Ordering::SeqCst);
        let renewed = self.renewed.load(Ordering::SeqCst);
        renewed == 0 || renewed == log
    }

    /// What comes now is not wanted any more.
    pub(super) fn close(&self) {
        self.is_over.store(true, Ordering::SeqCst);
    }

    fn lost(&self, error: &'static str) {
        if !self.is_over.swap(true, Ordering::SeqCst) {
            self.deliver.lost(BrokerError::lost(error));
        }
    }

    fn push(&self, push: PushInfo) {
        match push.kind {
            PushKind::Message => {
                if self.is_over.load(Ordering::SeqCst) {
                    return;
                }
                let mut data = push.data.into_iter();
                if let (Some(Value::BulkString(channel)), Some(Value::BulkString(payload))) =
                    (data.next(), data.next())
                {
                    self.message(&channel, payload.into());
                }
            }
            PushKind::Disconnection => self.lost("the connection to Redis was closed"),
            _ => {}
        }
    }

    fn message(&self, channel: &[u8], payload: Bytes) {
        let channel = std::str::from_utf8(channel).ok();
        let Some(channel) = channel.and_then(|it| it.strip_prefix(&self.names.channels)) else {
            return;
        };
        if let Some(name) = channel.strip_prefix("plain:") {
            self.deliver.message(name, &payload);
        } else if let Some(name) = channel.strip_prefix("live:") {
            let Some(stored) = stored(&payload) else {
                tracing::warn!(target: NODES_TARGET, channel = name, "a message of the log cannot be read");
                return;
            };
            let run = self.run.lock().unwrap_or_else(PoisonError::into_inner);
            self.log.sees(stored.place, &run);
            drop(run);
            self.deliver.stored(name, stored);
        } else if channel == "renewed" {
            let log = std::str::from_utf8(&payload).ok();
            if let Some(log) = log.and_then(|log| log.parse().ok()) {
                self.renewed.store(log, Ordering::SeqCst);
                let known = self.known.load(Ordering::SeqCst);
                if known != 0 && known != log {
                    self.lost("the log has become another");
                }
            }
        }
    }
}

/// A message of the log as the script sends it: log, number, the number before, payload.
fn stored(message: &Bytes) -> Option<Stored> {
    let log = u32::from_be_bytes(message.get(..4)?.try_into().ok()?);
    let number = u64::from_be_bytes(message.get(4..12)?.try_into().ok()?);
    let before = u64::from_be_bytes(message.get(12..20)?.try_into().ok()?);
    if number == 0 || before >= number {
        return None;
    }
    Some(Stored {
        place: Place { log, number },
        before,
        payload: message.slice(20..),
    })
}

/// Takes what comes in, in the task that reads the connection: in order, and before the answer to
/// anything that was asked later.
pub(super) fn pushes(
    incoming: &Arc<Incoming>,
) -> impl Fn(PushInfo) -> Result<(), redis::aio::SendError> + Send + Sync + 'static {
    let end = End(Arc::downgrade(incoming));
    move |push| {
        if let Some(incoming) = end.0.upgrade() {
            incoming.push(push);
        }
        Ok(())
    }
}

/// Gone when nothing reads the connection any more.
struct End(Weak<Incoming>);

impl Drop for End {
    fn drop(&mut self) {
        if let Some(incoming) = self.0.upgrade() {
            incoming.lost("the connection to Redis is not read any more");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn nothing_that_comes_in_panics(bytes: Vec<u8>) {
            let bytes = Bytes::from(bytes);
            if let Some(stored) = stored(&bytes) {
                proptest::prop_assert_eq!(&stored.payload[..], &bytes[20..]);
            }
        }
    }
}
