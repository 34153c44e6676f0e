//! The names of topics.

use std::{
    fmt::{self, Write as _},
    sync::Arc,
};

/// The name of a topic: words and values, joined by `/`.
///
/// Two names are the same topic only if they were made of the same parts: a `/` or `%` in a part is
/// written as `%2F` or `%25`, so that what a user of the page chooses cannot name another topic.
/// The name is the same in every process, on every machine.
///
/// ```
/// use sidereal_sse::TopicName;
///
/// assert_eq!(TopicName::new("room").with(7).as_str(), "room/7");
/// assert_eq!(TopicName::new("room").with("a/b").as_str(), "room/a%2Fb");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicName(Arc<str>);

impl TopicName {
    /// A name of one part.
    pub fn new(part: impl fmt::Display) -> Self {
        let mut name = String::new();
        push(&mut name, part);
        Self(name.into())
    }

    /// The name with one part more.
    #[must_use]
    pub fn with(&self, part: impl fmt::Display) -> Self {
        let mut name = format!("{}/", self.0);
        push(&mut name, part);
        Self(name.into())
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn push(name: &mut String, part: impl fmt::Display) {
    struct Escaped<'s>(&'s mut String);
    impl fmt::Write for Escaped<'_> {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            for letter in text.chars() {
                match letter {
                    '/' => self.0.push_str("%2F"),
                    '%' => self.0.push_str("%25"),
                    other => self.0.push(other),
                }
            }
            Ok(())
        }
    }
    // A part whose `Display` fails is as long as it came.
    let _ = write!(Escaped(name), "{part}");
}

impl fmt::Display for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a topic is asked for by: a type of the application's own, with a name that stays.
///
/// Text is a key too, as one part.
///
/// ```
/// use sidereal_sse::{Hub, TopicKey, TopicName};
///
/// struct Room(u32);
///
/// impl TopicKey for Room {
///     fn topic_name(&self) -> TopicName {
///         TopicName::new("room").with(self.0)
///     }
/// }
///
/// let hub = Hub::new();
/// assert_eq!(hub.topic(Room(7)).name().as_str(), "room/7");
/// assert_eq!(hub.topic("news").name().as_str(), "news");
/// ```
pub trait TopicKey {
    /// The name.
    fn topic_name(&self) -> TopicName;
}

impl TopicKey for TopicName {
    fn topic_name(&self) -> TopicName {
        self.clone()
    }
}

impl TopicKey for str {
    fn topic_name(&self) -> TopicName {
        TopicName::new(self)
    }
}

impl TopicKey for String {
    fn topic_name(&self) -> TopicName {
        TopicName::new(self)
    }
}

impl<K: TopicKey + ?Sized> TopicKey for &K {
    fn topic_name(&self) -> TopicName {
        K::topic_name(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        /// Different parts, different names.
        #[test]
        fn names_are_one_to_one(
            one in proptest::collection::vec("[a/%25F]{0,4}", 1..4),
            other in proptest::collection::vec("[a/%25F]{0,4}", 1..4),
        ) {
            let name = |parts: &[String]| {
                let first = TopicName::new(&parts[0]);
                parts[1..].iter().fold(first, |name, part| name.with(part))
            };
            proptest::prop_assert_eq!(one == other, name(&one) == name(&other));
        }
    }
}
