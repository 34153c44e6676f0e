//! Threads that serve beside others of their kind, each with a runtime of its own.

use std::cell::Cell;

thread_local! {
    static IS_WORKER: Cell<bool> = const { Cell::new(false) };
}

/// Says that this thread is one of several that serve, each with a runtime of its own, as those of
/// actix-web are.
///
/// What a hub does for all, renders of views and ticks, otherwise runs on the runtime of whoever gave
/// cause to it. If that is the runtime of one thread, a handler that blocks it makes viewers on all the
/// others wait. From a thread that is marked so, it runs on a thread of the hub's own. The mark stays.
///
/// `sidereal::serve` with several threads, and Sidereal's adapter for actix-web, do this by themselves.
///
/// ```
/// std::thread::spawn(|| {
///     sidereal_sse::mark_worker_thread();
///     // Builds a current-thread runtime, and serves the connections that it is given.
/// });
/// ```
pub fn mark_worker_thread() {
    IS_WORKER.set(true);
}

/// Whether this thread is one of several.
pub(crate) fn is_worker_thread() -> bool {
    // A thread that is coming to its end has no such mark any more.
    IS_WORKER.try_with(Cell::get).unwrap_or(true)
}
