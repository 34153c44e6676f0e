//! The word to stop, from a terminal or a service manager.

use tokio::signal;

/// Ready when the process is told to stop: by Ctrl-C, or on Unix by `SIGTERM`, which is what service
/// managers and containers send. For [`Server::shutdown_on`](super::Server::shutdown_on).
///
/// Where a signal cannot be listened for, it is never ready by that one, and the log says so.
///
/// ```no_run
/// # async fn f(app: axum::Router) -> std::io::Result<()> {
/// use sidereal::serve::{self, Listener};
///
/// let listener = Listener::bind("127.0.0.1:3000").await?;
/// sidereal::serve(listener, app).shutdown_on(serve::stop_signal()).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Cancel safety
///
/// May be dropped at any time. From the first call on, the process does not end by these signals
/// alone.
pub async fn stop_signal() {
    tokio::select! {
        () = ctrl_c() => {}
        () = terminate() => {}
    }
    tracing::info!(target: super::TARGET, "told to stop");
}

async fn ctrl_c() {
    if let Err(error) = signal::ctrl_c().await {
        never("Ctrl-C", &error).await;
    }
}

#[cfg(unix)]
async fn terminate() {
    match signal::unix::signal(signal::unix::SignalKind::terminate()) {
        Ok(mut terminate) => {
            terminate.recv().await;
        }
        Err(error) => never("SIGTERM", &error).await,
    }
}

#[cfg(not(unix))]
async fn terminate() {
    std::future::pending().await
}

async fn never(what: &str, error: &std::io::Error) {
    tracing::error!(target: super::TARGET, %error, "cannot listen for {what}");
    std::future::pending::<()>().await;
}
