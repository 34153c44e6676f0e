//! A runtime for what has none: the hub's own work, and streams on plain threads.

use std::sync::{OnceLock, mpsc};

use tokio::runtime::{Builder, Handle};

/// A runtime on a thread of its own, once for the process; `None` where the system gives none.
pub(crate) fn runtime() -> Option<&'static Handle> {
    static RUNTIME: OnceLock<Option<Handle>> = OnceLock::new();
    RUNTIME.get_or_init(|| start("sidereal")).as_ref()
}

/// Another one for hubs' brokers, where no render makes them wait.
pub(crate) fn broker_runtime() -> Option<&'static Handle> {
    static RUNTIME: OnceLock<Option<Handle>> = OnceLock::new();
    RUNTIME.get_or_init(|| start("sidereal-broker")).as_ref()
}

fn start(name: &str) -> Option<Handle> {
    // Made on its thread: where there is no thread, there is then no runtime to be dropped here,
    // which tokio forbids within another.
    let (tell, told) = mpsc::channel();
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            // Nothing of the application's is to run here that could run elsewhere.
            crate::mark_worker_thread();
            let runtime = Builder::new_current_thread().enable_all().build();
            let handle = runtime.as_ref().map(|runtime| runtime.handle().clone());
            let _ = tell.send(handle.ok());
            if let Ok(runtime) = runtime {
                runtime.block_on(std::future::pending::<()>());
            }
        })
        .ok()?;
    told.recv().ok().flatten()
}
