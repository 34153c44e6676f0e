//! What a request may have or not, where the framework's own `Option` does not tell it from what
//! is wrong.

/// A [`Signals`](crate::Signals) or a [`TabId`](crate::TabId), or `None` where the request has
/// none. What came and cannot be read is rejected.
///
/// For actix-web, poem, rocket and salvo. An `Option` as an extractor of the first three is `None` for
/// whatever is wrong, too; salvo has none for these types. On axum it is `Option` itself.
///
/// ```
/// use serde::Deserialize;
/// use sidereal::{Optional, Signals};
///
/// #[derive(Deserialize)]
/// struct Form { name: String }
///
/// async fn page(Optional(form): Optional<Signals<Form>>) -> String {
///     form.map_or_else(String::new, |Signals(form)| form.name)
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Optional<E>(pub Option<E>);
