//! One name for each tab of a browser.

use std::{
    error::Error,
    fmt,
    hash::{BuildHasher, RandomState},
    str::FromStr,
};

use bytes::Bytes;
use http::{Response, StatusCode};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{read_signals, reply::plain_text};

/// The name of one tab: what tells two tabs of one user apart, and finds the stream of the tab
/// that an action came from.
///
/// It also keeps two windows of Firefox apart: that browser holds back a GET to an address that
/// another window is still reading, for 21 s (seen in Firefox 153). With a tab id among its
/// signals, each tab asks at an address of its own.
///
/// The page carries it as the signal `tabId`, which the client sends along with every request:
///
/// ```
/// use serde::Deserialize;
/// use sidereal::TabId;
///
/// // In the page:
/// let tab = TabId::random();
/// let body = format!("<body {}>", tab.attribute());
/// assert_eq!(body, format!("<body data-signals:tab-id__ifmissing=\"'{tab}'\">"));
///
/// // In a handler, among its signals:
/// #[derive(Deserialize)]
/// #[serde(rename_all = "camelCase")]
/// struct Click { tab_id: TabId, cell: usize }
/// ```
///
/// It names a tab and proves nothing: whoever knows one can send it. Do not decide by it what
/// somebody may see.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TabId(String);

impl TabId {
    /// The signal that carries it.
    pub const SIGNAL: &'static str = "tabId";

    /// The longest id, in bytes.
    pub const MAX_LEN: usize = 64;

    /// Checks an id that a page sent.
    ///
    /// # Errors
    ///
    /// Refuses everything but 1 to 64 characters of `A-Z`, `a-z`, `0-9`, `_` and `-`.
    pub fn new(id: impl Into<String>) -> Result<Self, TabIdError> {
        let id = id.into();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if (1..=Self::MAX_LEN).contains(&id.len()) && id.bytes().all(allowed) {
            Ok(Self(id))
        } else {
            Err(TabIdError(Refused::Invalid))
        }
    }

    /// An id for a page that is being made, of 128 bits in hexadecimal digits.
    ///
    /// They come from the keys with which the standard library seeds its hash maps: random enough
    /// to be unique, not meant to be a secret.
    pub fn random() -> Self {
        // Every `RandomState` has keys of its own; the hash of nothing depends on these alone.
        let word = || RandomState::new().hash_one(());
        Self(format!("{:016x}{:016x}", word(), word()))
    }

    /// The id in the query of a request, among the signals there: for a stream that a page opens
    /// with `@get`.
    ///
    /// ```
    /// use sidereal::TabId;
    ///
    /// let query = "datastar=%7B%22tabId%22%3A%22t-1%22%2C%22count%22%3A3%7D";
    /// assert_eq!(TabId::from_query(Some(query))?.as_str(), "t-1");
    /// assert!(TabId::from_query(None).unwrap_err().is_absent());
    /// # Ok::<(), sidereal::TabIdError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Where the query has no signals, they have no `tabId`, or it is no such id.
    pub fn from_query(query: Option<&str>) -> Result<Self, TabIdError> {
        #[derive(Deserialize)]
        struct Carrier {
            #[serde(rename = "tabId")]
            tab: Option<TabId>,
        }
        match read_signals(&http::Method::GET, query, b"") {
            Ok(Some(Carrier { tab: Some(tab) })) => Ok(tab),
            Ok(_) => Err(TabIdError(Refused::Absent)),
            Err(_) => Err(TabIdError(Refused::Invalid)),
        }
    }

    /// As [`from_query`](Self::from_query); `None` where there is none.
    #[cfg(any(
        feature = "actix",
        feature = "axum",
        feature = "poem",
        feature = "rocket",
        feature = "salvo",
        feature = "warp"
    ))]
    pub(crate) fn from_optional_query(query: Option<&str>) -> Result<Option<Self>, TabIdError> {
        match Self::from_query(query) {
            Err(error) if error.is_absent() => Ok(None),
            id => id.map(Some),
        }
    }

    /// The attribute that gives a page its id, and leaves the one it has: HTML, for an element of
    /// the page that is there from the beginning.
    ///
    /// Attribute names know no capitals; the client makes `tabId` of `tab-id`.
    ///
    /// For templates that write attributes themselves there is [`literal`](Self::literal):
    ///
    /// ```
    /// use maud::html;
    /// use sidereal::TabId;
    ///
    /// # let tab: TabId = "a1b2c3d4".parse()?;
    /// let page = html! { body data-signals:tab-id__ifmissing=(tab.literal()) {} };
    /// assert_eq!(page.into_string(), "<body data-signals:tab-id__ifmissing=\"'a1b2c3d4'\"></body>");
    /// # Ok::<(), sidereal::TabIdError>(())
    /// ```
    pub fn attribute(&self) -> String {
        format!("data-signals:tab-id__ifmissing=\"{}\"", self.literal())
    }

    /// The id as a JavaScript literal, `'…'`, for an attribute of the page.
    pub fn literal(&self) -> String {
        // None of the characters of an id is special in HTML, JavaScript or to the client.
        format!("'{self}'")
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TabId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for TabId {
    type Err = TabIdError;

    fn from_str(id: &str) -> Result<Self, TabIdError> {
        Self::new(id)
    }
}

impl Serialize for TabId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for TabId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// Why there is no [`TabId`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TabIdError(Refused);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Refused {
    Absent,
    Invalid,
}

impl TabIdError {
    /// Whether the request has none, rather than one that is refused.
    pub fn is_absent(&self) -> bool {
        self.0 == Refused::Absent
    }

    /// The status to answer with: 400.
    pub fn status(&self) -> StatusCode {
        StatusCode::BAD_REQUEST
    }

    /// The text to answer with.
    pub fn body_text(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for TabIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Refused::Absent => "the query carries no signal tabId; of other methods than GET and DELETE, take it as a field of `Signals`",
            Refused::Invalid => "a tab id is 1 to 64 characters of A-Z, a-z, 0-9, _ and -",
        })
    }
}

impl Error for TabIdError {}

/// The answer of an extractor: status 400 and the text.
impl From<TabIdError> for Response<Bytes> {
    fn from(error: TabIdError) -> Self {
        plain_text(error.status(), error.body_text())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_short_and_plain() {
        for bad in ["", "a b", "é", "a'", "a\n", "a.b", &"x".repeat(65)] {
            assert!(TabId::new(bad).is_err(), "{bad:?}");
            assert!(serde_json::from_value::<TabId>(bad.into()).is_err());
        }
        for good in ["a", "A-z_09", &"x".repeat(64)] {
            let id: TabId = good.parse().unwrap();
            let json = serde_json::to_value(&id).unwrap();
            assert_eq!(json, good);
            assert_eq!(serde_json::from_value::<TabId>(json).unwrap(), id);
        }
    }

    #[test]
    fn random_ids_are_valid_and_unique() {
        let ids: HashSet<_> = (0..1000).map(|_| TabId::random()).collect();
        assert_eq!(ids.len(), 1000);
        assert!(
            ids.iter()
                .all(|id| TabId::new(id.as_str()).as_ref() == Ok(id))
        );
    }

    #[test]
    fn an_id_is_found_only_where_it_is() {
        let absent = |query| TabId::from_query(Some(query)).unwrap_err().is_absent();
        for query in ["", "tabId=a", "datastar={}", "datastar={\"tabId\":null}"] {
            assert!(absent(query), "{query}");
        }
        for query in [
            "datastar=x",
            "datastar={\"tabId\":1}",
            "datastar={\"tabId\":\"'\"}",
        ] {
            assert!(!absent(query), "{query}");
        }
    }
}
