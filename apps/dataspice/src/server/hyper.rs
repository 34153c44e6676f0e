//! hyper, by `sidereal::serve`, which takes axum's router.

use std::io;
use std::net::SocketAddr;

use ::axum::Extension;
use sidereal::serve::{Listener, stop_signal};

use super::{announce, axum::router, cannot_listen};
use crate::handlers::App;
use crate::site::Site;

pub(super) async fn serve(
    address: SocketAddr,
    workers: Option<usize>,
    app: App,
    site: Site,
) -> io::Result<()> {
    let bound = Listener::bind(address).await;
    let listener = bound.map_err(|error| cannot_listen(address, error))?;
    announce(listener.local_addr()?);
    let config = app.config();
    sidereal::serve(listener, router(app, site).layer(Extension(config)))
        .threads(workers.unwrap_or(0))
        .shutdown_on(stop_signal())
        .await?;
    Ok(())
}
