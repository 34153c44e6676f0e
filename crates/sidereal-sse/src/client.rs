//! Who is at the other end of a stream.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use http::Extensions;

/// The number of one stream's client, unique while the process runs. A page with several streams
/// has one for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(u64);

impl ClientId {
    fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// The number.
    pub fn as_u64(self) -> u64 {
        self.0
    }
}

/// The number as it was read again, from a page's request, say. Whether there is such a client, the
/// hub knows; that the page may do something with it, the number does not prove.
impl From<u64> for ClientId {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The client of one stream as hooks and observers see it: its number, and what the application has attached
/// to it (a user, a tab, a tenant), by type.
///
/// Cheap to clone; all clones are the same client.
///
/// ```
/// use sidereal_sse::Connect;
///
/// #[derive(Clone, Debug, PartialEq)]
/// struct User(&'static str);
///
/// let connect = Connect::new().with_data(User("ada"));
/// assert_eq!(connect.client().data::<User>(), Some(&User("ada")));
/// ```
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Clone)]
struct Shared {
    id: ClientId,
    data: Extensions,
}

impl Client {
    pub(crate) fn new() -> Self {
        Self {
            shared: Arc::new(Shared {
                id: ClientId::next(),
                data: Extensions::new(),
            }),
        }
    }

    /// Its number.
    pub fn id(&self) -> ClientId {
        self.shared.id
    }

    /// What the application attached with `with_data`, by its type.
    pub fn data<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.shared.data.get()
    }

    pub(crate) fn insert<T: Clone + Send + Sync + 'static>(&mut self, data: T) {
        Arc::make_mut(&mut self.shared).data.insert(data);
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("id", &self.id().as_u64())
            .finish_non_exhaustive()
    }
}
