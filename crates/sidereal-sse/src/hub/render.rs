//! Running an application's render or load, synchronous or not, so that neither its errors nor its panics
//! go further.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::Poll,
};

use super::HUB_TARGET;
use crate::{BodyError, Frame, IntoFrame};

/// What a render, or a load, is to come to: at once, or when it is ready.
pub(super) enum Rendering<T = Frame> {
    Now(Result<T, BodyError>),
    Later(Pin<Box<dyn Future<Output = Result<T, BodyError>> + Send>>),
}

/// What a render may return: an event, or a `Result` of one.
///
/// An error is logged, and viewers keep what they have.
pub trait Picture {
    /// The event, if there is one.
    ///
    /// # Errors
    ///
    /// That of the render.
    fn into_picture(self) -> Result<Frame, BodyError>;
}

impl<T: IntoFrame> Picture for T {
    fn into_picture(self) -> Result<Frame, BodyError> {
        Ok(self.into_frame())
    }
}

impl<T: IntoFrame, E: Into<BodyError>> Picture for Result<T, E> {
    fn into_picture(self) -> Result<Frame, BodyError> {
        self.map(IntoFrame::into_frame).map_err(Into::into)
    }
}

/// Runs a render, or a load, to its end.
pub(super) async fn run<T>(render: impl FnOnce() -> Rendering<T>) -> Result<T, BodyError> {
    let rendering = guarded(render)?;
    match rendering {
        Rendering::Now(result) => result,
        Rendering::Later(mut future) => {
            let result = std::future::poll_fn(|cx| match guarded(|| future.as_mut().poll(cx)) {
                Ok(polled) => polled,
                Err(error) => Poll::Ready(Err(error)),
            })
            .await;
            // Its destructor is the application's code too.
            guarded(|| drop(future)).and(result)
        }
    }
}

/// Runs what is the application's code.
pub(super) fn guarded<R>(run: impl FnOnce() -> R) -> Result<R, BodyError> {
    catch_unwind(AssertUnwindSafe(run)).map_err(BodyError::from_panic)
}

/// Says that a render, a load or a tick has failed: an error's text is the application's code too, and so is
/// what takes the log.
pub(super) fn report(what: &str, error: &BodyError) {
    let _ = guarded(|| tracing::error!(target: HUB_TARGET, %error, "{what}"));
}
