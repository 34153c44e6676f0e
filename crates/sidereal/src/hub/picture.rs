//! What a render may return.

use crate::{BodyError, EventDefaults, Events, Frame};

/// What a render of a view, or a ticker, may return: [`Events`], or a `Result` of them.
///
/// Several events are sent as one. An error is logged, and viewers keep what they have.
pub trait Picture {
    /// The events as one frame.
    ///
    /// # Errors
    ///
    /// That of the render.
    fn into_picture(self, defaults: &EventDefaults) -> Result<Frame, BodyError>;
}

impl<E: Events> Picture for E {
    fn into_picture(self, defaults: &EventDefaults) -> Result<Frame, BodyError> {
        Ok(Frame::join(self.into_frames(defaults)))
    }
}

impl<E: Events, F: Into<BodyError>> Picture for Result<E, F> {
    fn into_picture(self, defaults: &EventDefaults) -> Result<Frame, BodyError> {
        let events = self.map_err(Into::into)?;
        events.into_picture(defaults)
    }
}
