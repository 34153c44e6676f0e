//! Text that is known to be one line: what may stand in a field of an event.
//!
//! A client of server-sent events ends a line at CR, LF or CRLF ([WHATWG HTML, 9.2.6]), so a line
//! break in a one-line field would let its author write the rest of the event. The types here are
//! checked when they are made, and the encoder takes nothing else: a forged line cannot be
//! written.
//!
//! [WHATWG HTML, 9.2.6]: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

use std::{borrow::Cow, error::Error, fmt};

/// Text without CR, LF and NUL: safe as the value of a one-line field.
///
/// ```
/// use sidereal_sse::Line;
///
/// const FEED: Line = Line::from_static("#feed"); // checked when this is compiled
/// assert_eq!(FEED.as_str(), "#feed");
///
/// assert!(Line::new("#feed\ndata: elements <script>").is_err());
/// assert!(Line::new("#feed\r").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Line(Cow<'static, str>);

impl std::str::FromStr for Line {
    type Err = LineError;

    /// As [`Line::new`], for text that is borrowed.
    fn from_str(text: &str) -> Result<Self, LineError> {
        Self::new(text.to_owned())
    }
}

impl Line {
    /// Checks text that is known only when the program runs.
    ///
    /// # Errors
    ///
    /// Refuses text with CR, LF or NUL in it, and says where.
    pub fn new(text: impl Into<Cow<'static, str>>) -> Result<Self, LineError> {
        let text = text.into();
        match forbidden_at(text.as_bytes()) {
            None => Ok(Self(text)),
            Some(position) => Err(LineError::new(text.as_bytes()[position], position)),
        }
    }

    /// Checks a literal: in a `const` this happens when the program is compiled.
    ///
    /// # Panics
    ///
    /// Where the literal has CR, LF or NUL in it. In a `const` that is a compile error.
    pub const fn from_static(text: &'static str) -> Self {
        assert!(
            forbidden_at(text.as_bytes()).is_none(),
            "a one-line field must not contain CR, LF or NUL"
        );
        Self(Cow::Borrowed(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An event's id: printable ASCII, which is what survives the way back in `Last-Event-ID`.
///
/// Space to `~`, no space at either end (HTTP trims header values), at most 1,024 bytes. Other
/// characters cannot come back in a header: above U+00FF they make every reconnect of that client
/// throw. An empty id is allowed, and makes the client forget the last one.
///
/// ```
/// use sidereal_sse::EventId;
///
/// assert_eq!(EventId::new("42-7")?.as_str(), "42-7");
/// assert!(EventId::new("42\n").is_err());
/// assert!(EventId::new("zweiundvierzig ü").is_err());
/// # Ok::<(), sidereal_sse::LineError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EventId(Cow<'static, str>);

impl std::str::FromStr for EventId {
    type Err = LineError;

    /// As [`EventId::new`], for text that is borrowed.
    fn from_str(id: &str) -> Result<Self, LineError> {
        Self::new(id.to_owned())
    }
}

impl EventId {
    /// The longest id, in bytes: it has to fit in a request header beside the others.
    pub const MAX_LEN: usize = 1024;

    /// Checks an id.
    ///
    /// # Errors
    ///
    /// Refuses everything but printable ASCII, a space at either end, and more than
    /// [`EventId::MAX_LEN`] bytes.
    pub fn new(id: impl Into<Cow<'static, str>>) -> Result<Self, LineError> {
        let id = id.into();
        let bytes = id.as_bytes();
        let edge_space = match (bytes.first(), bytes.last()) {
            (Some(b' '), _) => Some(0),
            (_, Some(b' ')) => Some(bytes.len() - 1),
            _ => None,
        };
        let refused = bytes
            .iter()
            .position(|byte| !matches!(byte, b' '..=b'~'))
            .or(edge_space);
        match refused {
            Some(position) => Err(LineError::new(bytes[position], position)),
            None if bytes.len() > Self::MAX_LEN => Err(LineError(Refused::TooLong {
                length: bytes.len(),
                limit: Self::MAX_LEN,
            })),
            None => Ok(Self(id)),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<u64> for EventId {
    fn from(number: u64) -> Self {
        Self(Cow::Owned(number.to_string()))
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why text was refused as a one-line field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineError(Refused);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Refused {
    Byte { byte: u8, position: usize },
    TooLong { length: usize, limit: usize },
}

impl LineError {
    fn new(byte: u8, position: usize) -> Self {
        Self(Refused::Byte { byte, position })
    }
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Refused::Byte { byte, position } => {
                f.write_str("a one-line field must not contain ")?;
                match byte {
                    b'\r' => f.write_str("a carriage return")?,
                    b'\n' => f.write_str("a line feed")?,
                    0 => f.write_str("NUL")?,
                    b' ' => f.write_str("a space at either end")?,
                    other => write!(f, "the byte {other:#04x}")?,
                }
                write!(f, " (at byte {position})")
            }
            Refused::TooLong { length, limit } => {
                write!(f, "{length} bytes are too long, the limit is {limit}")
            }
        }
    }
}

impl Error for LineError {}

/// Where the first CR, LF or NUL is. A loop, for `const`.
const fn forbidden_at(bytes: &[u8]) -> Option<usize> {
    let mut position = 0;
    while position < bytes.len() {
        if matches!(bytes[position], b'\r' | b'\n' | 0) {
            return Some(position);
        }
        position += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_line_has_no_line_break_and_no_nul() {
        for bad in ["a\rb", "a\nb", "a\r\nb", "\0", "x\n"] {
            assert!(Line::new(bad).is_err(), "{bad:?}");
        }
        for good in ["", " ", "#a > b", "é", "\u{2028}", "\t"] {
            assert_eq!(Line::new(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn an_id_is_printable_ascii() {
        for bad in ["a\rb", "\0", "\u{7f}", "é", "\u{2028}", "\t", " a", "a "] {
            assert!(EventId::new(bad).is_err(), "{bad:?}");
        }
        for good in ["", "0", "a b", "~", "{\"k\":1}"] {
            assert_eq!(EventId::new(good).unwrap().as_str(), good);
        }
        assert!(EventId::new("x".repeat(EventId::MAX_LEN)).is_ok());
        assert!(EventId::new("x".repeat(EventId::MAX_LEN + 1)).is_err());
    }

    #[test]
    fn errors_say_what_and_where() {
        assert_eq!(
            Line::new("ab\rc").unwrap_err().to_string(),
            "a one-line field must not contain a carriage return (at byte 2)"
        );
        assert_eq!(
            EventId::new("a\u{e9}").unwrap_err().to_string(),
            "a one-line field must not contain the byte 0xc3 (at byte 1)"
        );
    }
}
