//! Names of channels as subjects of NATS.

use std::fmt::Write as _;

/// The longest name, as a subject: the server takes lines of 4 KiB, and some of them name it twice.
const LONGEST: usize = 1000;

/// A name as one or more tokens of a subject: a `/` separates them, an empty part is `%`, and all
/// that is not a letter, a digit, `-` or `_` in ASCII is `%` and two digits for each byte.
pub(super) fn escape(name: &str) -> String {
    let mut subject = String::with_capacity(name.len() + 8);
    for (index, part) in name.split('/').enumerate() {
        if index > 0 {
            subject.push('.');
        }
        if part.is_empty() {
            subject.push('%');
        }
        escape_into(&mut subject, part);
    }
    subject
}

/// A name as one token.
pub(super) fn escape_token(name: &str) -> String {
    let mut token = String::new();
    escape_into(&mut token, name);
    match token.is_empty() {
        true => "%".to_owned(),
        false => token,
    }
}

fn escape_into(subject: &mut String, part: &str) {
    for byte in part.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => subject.push(byte.into()),
            // Writing to a string does not fail.
            _ => drop(write!(subject, "%{byte:02X}")),
        }
    }
}

/// The name that was escaped so.
pub(super) fn unescape(subject: &str) -> Option<String> {
    let mut name = String::with_capacity(subject.len());
    for (index, token) in subject.split('.').enumerate() {
        if index > 0 {
            name.push('/');
        }
        if token != "%" {
            name.push_str(&decode(token)?);
        }
    }
    Some(name)
}

/// Text in which some bytes are `%` and two digits.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let high = char::from(rest.next()?).to_digit(16)?;
                let low = char::from(rest.next()?).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// The subjects of one namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subjects {
    namespace: String,
}

impl Subjects {
    pub(super) fn new(namespace: &str) -> Self {
        Self {
            namespace: escape_token(namespace),
        }
    }

    /// Of messages that are not in the log; `None` if the name is too long.
    pub(super) fn plain(&self, name: &str) -> Option<String> {
        self.subject("plain", name)
    }

    /// Of messages on their way into the log.
    pub(super) fn log(&self, name: &str) -> Option<String> {
        self.subject("log", name)
    }

    fn subject(&self, kind: &str, name: &str) -> Option<String> {
        let name = escape(name);
        (name.len() <= LONGEST).then(|| format!("{}.{kind}.{name}", self.namespace))
    }

    /// Of all messages on their way into the log.
    pub(super) fn all_of_log(&self) -> String {
        format!("{}.log.>", self.namespace)
    }

    /// Of all messages that have come into the log.
    pub(super) fn all_stored(&self) -> String {
        format!("{}.live.>", self.namespace)
    }

    /// The name on whose log this message has come.
    pub(super) fn of_stored(&self, subject: &str) -> Option<String> {
        let rest = subject.strip_prefix(&self.namespace)?;
        unescape(rest.strip_prefix(".live.")?)
    }

    /// The name of the stream that is the log.
    pub(super) fn stream(&self) -> String {
        format!("{}_log", self.namespace)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Names out of what is special in them.
    fn names() -> impl Strategy<Value = String> {
        prop_oneof!["[/.*> %a2F]{0,6}", any::<String>()]
    }

    proptest! {
        #[test]
        fn a_name_is_read_again(name in names()) {
            prop_assert_eq!(unescape(&escape(&name)), Some(name));
        }

        #[test]
        fn two_names_are_two_subjects(a in names(), b in names()) {
            prop_assert_eq!(escape(&a) == escape(&b), a == b);
            prop_assert_eq!(escape_token(&a) == escape_token(&b), a == b);
        }

        #[test]
        fn a_subject_is_one(name in names()) {
            for token in escape(&name).split('.') {
                prop_assert!(!token.is_empty());
                prop_assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_%".contains(&b)));
            }
            prop_assert!(!escape_token(&name).is_empty());
            prop_assert!(!escape_token(&name).contains('.'));
        }

        #[test]
        fn nothing_that_comes_in_panics(subject: String) {
            let _ = unescape(&subject);
            let _ = Subjects::new("a").of_stored(&subject);
        }
    }

    #[test]
    fn names_and_their_subjects() {
        let subjects = Subjects::new("shop");
        for (name, subject) in [
            ("news", "shop.plain.news"),
            ("topic/room/7", "shop.plain.topic.room.7"),
            ("a.b*>", "shop.plain.a%2Eb%2A%3E"),
            ("a/", "shop.plain.a.%"),
            ("", "shop.plain.%"),
            ("ü", "shop.plain.%C3%BC"),
        ] {
            assert_eq!(subjects.plain(name).unwrap(), subject);
        }
        assert_eq!(
            subjects.of_stored("shop.live.room.%2E"),
            Some("room/.".into())
        );
        for other in [
            "shop2.live.a",
            "shop.log.a",
            "shop.live.%2",
            "shop.live.%ff",
        ] {
            assert_eq!(subjects.of_stored(other), None);
        }
        assert_eq!(subjects.plain(&"x".repeat(1001)), None);
        assert_eq!(Subjects::new("").stream(), "%_log");
        assert_eq!(Subjects::new("a.b").stream(), "a%2Eb_log");
    }
}
