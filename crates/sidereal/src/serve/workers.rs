//! Threads with a runtime each.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::{
    net::TcpStream,
    runtime::{self, Handle},
    sync::oneshot,
};

/// Threads that serve connections, each with a current-thread runtime. They end when this is
/// dropped.
pub(super) struct Workers {
    workers: Vec<Worker>,
    /// Where the search for the next one begins, so that equals take turns.
    turn: usize,
}

pub(super) struct Worker {
    runtime: Handle,
    connections: Arc<AtomicUsize>,
    stop: oneshot::Sender<()>,
    stopped: oneshot::Receiver<()>,
}

impl Workers {
    /// # Errors
    ///
    /// When the system gives no thread, or no runtime.
    pub(super) async fn start(count: usize) -> io::Result<Self> {
        let mut workers = Vec::new();
        for number in 0..count {
            workers.push(Worker::start(number, count > 1).await?);
        }
        Ok(Self { workers, turn: 0 })
    }

    /// The thread that has the fewest connections; `None` where there is no thread.
    ///
    /// The kernel would share them out too, to listeners with `SO_REUSEPORT`, but by a hash: of
    /// 100 streams, the thread of four with the fewest then has 20 on average, and the one with the
    /// most 30. Streams stay for hours, and so would that.
    pub(super) fn next(&mut self) -> Option<&Worker> {
        let count = self.workers.len();
        let worker = (0..count)
            .map(|index| &self.workers[(self.turn + index) % count])
            .min_by_key(|worker| worker.connections.load(Ordering::Relaxed))?;
        self.turn = (self.turn + 1) % count;
        Some(worker)
    }

    /// Stops the threads, and waits for at most this long until they have.
    pub(super) async fn stop(self, at_most: Duration) {
        let stopped: Vec<_> = self
            .workers
            .into_iter()
            .map(|worker| {
                let _ = worker.stop.send(());
                worker.stopped
            })
            .collect();
        let all = async {
            for stopped in stopped {
                let _ = stopped.await;
            }
        };
        let _ = tokio::time::timeout(at_most, all).await;
    }
}

impl Worker {
    /// Runs a connection on this thread, where it counts for as long as its [`Counted`] is there.
    pub(super) fn spawn<Fut>(
        &self,
        stream: TcpStream,
        serve: impl FnOnce(TcpStream, Counted) -> Fut,
    ) where
        Fut: Future<Output = ()> + Send + 'static,
    {
        // The socket is known to the reactor of the runtime that accepted it, and has to move.
        let _entered = self.runtime.enter();
        if let Ok(stream) = stream.into_std().and_then(TcpStream::from_std) {
            let counted = Counted::new(&self.connections);
            self.runtime.spawn(serve(stream, counted));
        }
    }

    async fn start(number: usize, is_one_of_many: bool) -> io::Result<Self> {
        let (tell, told) = oneshot::channel();
        let (stop, until_stopped) = oneshot::channel();
        let (is_stopped, stopped) = oneshot::channel();
        // The runtime is made on the thread: where there is no thread, there is then no runtime
        // to be dropped here, which tokio forbids.
        thread::Builder::new()
            .name(format!("sidereal-serve-{number}"))
            .spawn(move || {
                if is_one_of_many {
                    sidereal_sse::mark_worker_thread();
                }
                let built = runtime::Builder::new_current_thread().enable_all().build();
                let runtime = match built {
                    Ok(runtime) => runtime,
                    Err(error) => {
                        let _ = tell.send(Err(error));
                        return;
                    }
                };
                let _ = tell.send(Ok(runtime.handle().clone()));
                // An error is a sender that was dropped, which stops it as well.
                let _ = runtime.block_on(until_stopped);
                runtime.shutdown_background();
                let _ = is_stopped.send(());
            })?;
        Ok(Self {
            runtime: told.await.map_err(io::Error::other)??,
            connections: Arc::default(),
            stop,
            stopped,
        })
    }
}

/// One connection of a worker.
#[derive(Debug)]
pub(super) struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(connections: &Arc<AtomicUsize>) -> Self {
        connections.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(connections))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
