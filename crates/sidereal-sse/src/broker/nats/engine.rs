//! A thread and a runtime for one connection.

use std::io;

use tokio::{
    runtime::{Builder, Handle},
    sync::oneshot,
};

/// Where a connection lives. Dropped, it ends with all that belongs to it: the client of NATS would
/// else connect once more, and send what was left.
#[derive(Debug)]
pub(super) struct Engine {
    runtime: Handle,
    _stop: oneshot::Sender<()>,
}

impl Engine {
    pub(super) async fn start() -> io::Result<Self> {
        let (stop, stopped) = oneshot::channel::<()>();
        let (tell, told) = oneshot::channel();
        // The runtime is made on its thread: it must not be dropped within another.
        std::thread::Builder::new()
            .name("sidereal-nats".to_owned())
            .spawn(move || {
                let runtime = match Builder::new_current_thread().enable_all().build() {
                    Ok(runtime) => runtime,
                    Err(error) => return drop(tell.send(Err(error))),
                };
                if tell.send(Ok(runtime.handle().clone())).is_ok() {
                    let _ = runtime.block_on(stopped);
                }
                // Names that are being resolved are not waited for.
                runtime.shutdown_background();
            })?;
        let runtime = told.await.map_err(io::Error::other)??;
        Ok(Self {
            runtime,
            _stop: stop,
        })
    }

    pub(super) fn runtime(&self) -> &Handle {
        &self.runtime
    }
}
