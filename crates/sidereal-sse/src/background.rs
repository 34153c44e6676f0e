//! A runtime for what has none: the hub's own work, and streams on plain threads.

use std::sync::OnceLock;

use tokio::runtime::{Builder, Handle};

/// A runtime on a thread of its own, once for the process; `None` where the system gives none.
pub(crate) fn runtime() -> Option<&'static Handle> {
    static RUNTIME: OnceLock<Option<Handle>> = OnceLock::new();
    let handle = RUNTIME.get_or_init(|| {
        let runtime = Builder::new_current_thread().enable_all().build().ok()?;
        let handle = runtime.handle().clone();
        std::thread::Builder::new()
            .name("sidereal".to_owned())
            .spawn(move || runtime.block_on(std::future::pending::<()>()))
            .ok()?;
        Some(handle)
    });
    handle.as_ref()
}
