//! Rejections on their way from a guard to the catcher that answers them: rocket hands over no more
//! than a status.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use rocket::{
    Catcher, Request,
    catcher::{Handler, Result},
    http::Status,
};

use super::respond::whole;

/// The statuses of rejections.
const STATUSES: [u16; 3] = [400, 413, 415];

/// What the request was rejected with last: the status that the guard gave, and the answer.
#[derive(Default)]
struct Rejected(Mutex<Option<(Status, http::Response<Bytes>)>>);

impl Rejected {
    fn of<'a>(request: &'a Request<'_>) -> &'a Self {
        request.local_cache(Self::default)
    }

    /// The answer, if that is what failed with this status: a handler may have taken the rejection, by
    /// a `Result` or an `Option`, and have failed with another.
    fn take(&self, status: Status) -> Option<http::Response<Bytes>> {
        let mut rejected = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = rejected.take_if(|(of, _)| *of == status);
        answer.map(|(_, answer)| answer)
    }
}

/// Leaves a rejection with its request.
pub(super) fn leave(
    request: &Request<'_>,
    status: Status,
    rejection: impl Into<http::Response<Bytes>>,
) {
    let rejected = &Rejected::of(request).0;
    *rejected.lock().unwrap_or_else(PoisonError::into_inner) = Some((status, rejection.into()));
}

/// Answers rejections, and has everything else answered as it was without it.
#[derive(Clone)]
struct Answer {
    otherwise: Catcher,
}

/// The catchers for rejections: of each status that the application does not catch itself.
pub(super) fn catchers(of_application: &[Catcher]) -> Vec<Catcher> {
    let at_root = |code| {
        let found = of_application
            .iter()
            .find(|catcher: &&Catcher| catcher.code == code && catcher.base.path() == "/");
        found.cloned()
    };
    let otherwise = at_root(None).unwrap_or_default();
    let free = STATUSES
        .into_iter()
        .filter(|code| at_root(Some(*code)).is_none());
    free.map(|code| {
        let otherwise = otherwise.clone();
        Catcher::new(code, Answer { otherwise })
    })
    .collect()
}

#[rocket::async_trait]
impl Handler for Answer {
    async fn handle<'r>(&self, status: Status, request: &'r Request<'_>) -> Result<'r> {
        match Rejected::of(request).take(status) {
            Some(rejection) => Ok(whole(rejection)),
            None => self.otherwise.handler.handle(status, request).await,
        }
    }
}
