//! Who is at the other end of a stream.

use std::{
    error::Error,
    fmt,
    hash::{BuildHasher, RandomState},
    str::FromStr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use http::Extensions;

/// The id of one stream's client, unique among all processes on all machines. A page with several
/// streams has one for each.
///
/// It is a number for the process, drawn at random when it starts, and the number of the stream in
/// it: `9c1f3a5d0e7b2468-17`. As text, it can stand in addresses, in HTML's ids and in JSON as it is,
/// and be read again, from a page's request, say. Whether there is such a client, the hub knows; that
/// the page may do something with it, the id does not prove.
///
/// ```
/// use sidereal_sse::{ClientId, Connect};
///
/// let id = Connect::new().client().id();
/// assert_eq!(id.to_string().parse(), Ok(id));
/// assert!("17".parse::<ClientId>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId {
    process: u64,
    number: u64,
}

impl ClientId {
    /// The client of this process with this number.
    fn here(number: u64) -> Self {
        Self {
            process: process(),
            number,
        }
    }

    /// The process, and the number in it.
    pub(crate) fn parts(self) -> (u64, u64) {
        (self.process, self.number)
    }

    pub(crate) fn from_parts(process: u64, number: u64) -> Self {
        Self { process, number }
    }

    /// Its number, if it is one of this process.
    pub(crate) fn number_here(self) -> Option<u64> {
        (self.process == process()).then_some(self.number)
    }
}

/// Tells this process from all others, and from itself before it was restarted.
pub(crate) fn process() -> u64 {
    static PROCESS: OnceLock<u64> = OnceLock::new();
    *PROCESS.get_or_init(|| RandomState::new().hash_one(0))
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{}", self.process, self.number)
    }
}

/// Of each id there is one text: no capitals, no signs, no other zeros.
impl FromStr for ClientId {
    type Err = ParseClientIdError;

    fn from_str(text: &str) -> Result<Self, ParseClientIdError> {
        let read = || {
            let (process, number) = text.split_once('-')?;
            let process = u64::from_str_radix(process, 16).ok()?;
            let number = number.parse().ok()?;
            let id = Self { process, number };
            (id.to_string() == text).then_some(id)
        };
        read().ok_or(ParseClientIdError(()))
    }
}

/// Why a text is no [`ClientId`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseClientIdError(());

impl fmt::Display for ParseClientIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a client's id is 16 hexadecimal digits, a dash and a number")
    }
}

impl Error for ParseClientIdError {}

/// The client of one stream as hooks and observers see it: its id, and what the application has attached
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
    /// In this process.
    number: u64,
    data: Extensions,
}

impl Client {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self {
            shared: Arc::new(Shared {
                number: NEXT.fetch_add(1, Ordering::Relaxed),
                data: Extensions::new(),
            }),
        }
    }

    /// Its id.
    pub fn id(&self) -> ClientId {
        ClientId::here(self.shared.number)
    }

    /// That of its id, which is never zero.
    pub(crate) fn number(&self) -> u64 {
        self.shared.number
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
            .field("id", &format_args!("{}", self.id()))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn clients_are_in_the_order_in_which_they_came() {
        let ids = [(); 3].map(|()| Client::new().id());
        assert!(ids.is_sorted_by(|one, next| one < next), "{ids:?}");
        assert_ne!(ids[0].process, 0, "as good as never");
    }

    #[test]
    fn a_client_of_another_process_is_none_of_here() {
        let id = Client::new().id();
        assert_eq!(id.number_here(), Some(id.number));
        let process = id.process ^ 1;
        assert_eq!(ClientId { process, ..id }.number_here(), None);
    }

    #[test]
    fn an_id_is_one_text_and_no_other_is_one() {
        let text = "00000000000000ff-17";
        let id: ClientId = text.parse().unwrap();
        assert_eq!((id.process, id.number), (0xff, 17));
        assert_eq!(id.to_string(), text);
        for bad in [
            "",
            "-",
            "17",
            "00000000000000ff",
            "00000000000000ff-",
            "-17",
            "ff-17",
            "000000000000000ff-17",
            "00000000000000FF-17",
            "+0000000000000ff-17",
            "00000000000000ff-+17",
            "00000000000000ff-017",
            "00000000000000ff--17",
            "00000000000000ff-17-1",
            "00000000000000ff-17 ",
            " 00000000000000ff-17",
            "00000000000000ff-١٧",
            "00000000000000ff-18446744073709551616",
        ] {
            let error = bad.parse::<ClientId>().unwrap_err();
            assert!(error.to_string().contains("a dash"), "{bad}: {error}");
        }
    }

    proptest! {
        #[test]
        fn every_id_is_read_as_it_was_written(process: u64, number: u64) {
            let id = ClientId { process, number };
            let text = id.to_string();
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
            prop_assert_eq!(text.parse(), Ok(id));
        }

        #[test]
        fn what_is_read_is_written_the_same(text in "[0-9a-fA-F+-]{0,40}|[0-9a-f]{16}-[0-9]{0,21}|.*") {
            if let Ok(id) = text.parse::<ClientId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }
}
