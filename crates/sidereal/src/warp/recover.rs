//! Rejections, and the responses that they are answered with.

use warp::{Rejection, Reply, reject::Reject, reply::Response};

use crate::{SignalsRejection, TabIdError};

impl Reject for SignalsRejection {}

impl Reject for TabIdError {}

/// Answers the rejections of this module's filters, for warp's `recover`: a [`SignalsRejection`]
/// with a 400, 413 or 415 or with the application's events, a [`TabIdError`] with a 400. All others
/// are passed on.
///
/// ```
/// use warp::Filter;
///
/// # let routes = warp::any().and(sidereal::warp::tab_id()).map(|tab: sidereal::TabId| tab.to_string());
/// let routes = routes.recover(sidereal::warp::recover);
/// # drop(routes);
/// ```
///
/// # Errors
///
/// The rejection, where it is another's.
pub async fn recover(rejection: Rejection) -> Result<Response, Rejection> {
    if let Some(signals) = rejection.find::<SignalsRejection>() {
        Ok(signals.clone().into_response())
    } else if let Some(tab) = rejection.find::<TabIdError>() {
        Ok(tab.clone().into_response())
    } else {
        Err(rejection)
    }
}
