//! Several events at once: what a reply takes.

use crate::{Event, EventDefaults, Frame};

/// One event or several, in order: an event, an array, a `Vec`, an `Option`, or a tuple of these.
///
/// ```
/// use sidereal::{Connect, PatchElements, PatchSignals, selector};
///
/// # fn handler(connect: Connect) -> Result<sidereal::Sse, sidereal::SignalsError> {
/// Ok(connect.reply((
///     PatchElements::new("<li>milk</li>").append(selector!("#list")),
///     PatchSignals::new(&serde_json::json!({ "item": "" }))?,
/// )))
/// # }
/// ```
pub trait Events {
    /// Appends the encoded events.
    fn append_frames(self, defaults: &EventDefaults, frames: &mut Vec<Frame>);

    /// The encoded events.
    fn into_frames(self, defaults: &EventDefaults) -> Vec<Frame>
    where
        Self: Sized,
    {
        let mut frames = Vec::new();
        self.append_frames(defaults, &mut frames);
        frames
    }
}

impl<E: Event> Events for E {
    fn append_frames(self, defaults: &EventDefaults, frames: &mut Vec<Frame>) {
        let frame = self.with_defaults(defaults).into_frame();
        if !frame.is_empty() {
            frames.push(frame);
        }
    }
}

macro_rules! collection {
    ([$($generics:tt)*] $collection:ty) => {
        impl<$($generics)*> Events for $collection {
            fn append_frames(self, defaults: &EventDefaults, frames: &mut Vec<Frame>) {
                self.into_iter()
                    .for_each(|events| events.append_frames(defaults, frames));
            }
        }
    };
}

collection!([E: Events] Vec<E>);
collection!([E: Events] Option<E>);
collection!([E: Events, const N: usize] [E; N]);

macro_rules! tuple {
    ($($name:ident)*) => {
        impl<$($name: Events),*> Events for ($($name,)*) {
            #[allow(non_snake_case, unused_variables)]
            fn append_frames(self, defaults: &EventDefaults, frames: &mut Vec<Frame>) {
                let ($($name,)*) = self;
                $($name.append_frames(defaults, frames);)*
            }
        }
    };
}

tuple!();
tuple!(A);
tuple!(A B);
tuple!(A B C);
tuple!(A B C D);
tuple!(A B C D E);
tuple!(A B C D E F);
tuple!(A B C D E F G);
tuple!(A B C D E F G H);
