//! What a place is computed by, and how far off it may be.

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer};

use crate::render::grouped;

/// A source of places.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Source {
    pub(crate) name: Cow<'static, str>,
    #[serde(rename = "error_km")]
    pub(crate) error: Error,
}

/// How far off, in km.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Error {
    /// A kernel does not tell its own; in JSON it is `null`.
    Own,
    Typical(u32),
    Most(u32),
}

impl Error {
    fn km(self) -> Option<u32> {
        match self {
            Error::Own => None,
            Error::Typical(km) | Error::Most(km) => Some(km),
        }
    }
}

impl Source {
    /// The two as one, where some of what is shown is by one and some by the other: its error is the larger one.
    pub(crate) fn and(self, other: Source) -> Source {
        Source {
            name: format!("{} and {}", self.name, other.name).into(),
            error: if other.error.km() > self.error.km() {
                other.error
            } else {
                self.error
            },
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let km = |km: u32| grouped(f64::from(km));
        match *self {
            Error::Own => f.write_str("the kernel's own"),
            Error::Typical(typical) => write!(f, "typically ±{} km", km(typical)),
            Error::Most(most) => write!(f, "at most ±{} km", km(most)),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, error {}", self.name, self.error)
    }
}

impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.km().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_make_one() {
        let theory = Source {
            name: "theory".into(),
            error: Error::Most(30_000),
        };
        let kernel = Source {
            name: "kernel.bsp".into(),
            error: Error::Own,
        };
        let said = |source: &Source| {
            let json = serde_json::to_value(source).unwrap();
            (source.to_string(), json["error_km"].as_u64())
        };
        let words = |words: &str| words.to_owned();
        assert_eq!(
            said(&theory),
            (words("theory, error at most ±30,000 km"), Some(30_000))
        );
        assert_eq!(
            said(&kernel),
            (words("kernel.bsp, error the kernel's own"), None)
        );
        assert_eq!(
            kernel.and(theory).to_string(),
            "kernel.bsp and theory, error at most ±30,000 km"
        );
    }
}
