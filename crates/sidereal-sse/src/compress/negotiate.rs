//! Which content coding a client gets: its `Accept-Encoding` (RFC 9110, 12.5.3) against the
//! server's order.

use http::{HeaderMap, header::ACCEPT_ENCODING};

use crate::Codec;

/// What a client accepts: a weight in thousandths for each coding that it names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Accepted {
    zstd: Option<u16>,
    gzip: Option<u16>,
    brotli: Option<u16>,
    identity: Option<u16>,
    /// `*`: every coding that is not named.
    any: Option<u16>,
}

/// What the answer is coded with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    Identity,
    Coded(Codec),
    /// The client refuses whatever could be sent: a 406.
    Refused,
}

impl Accepted {
    /// Reads all `Accept-Encoding` lines as one list. A coding whose weight is malformed is not
    /// used; what else is malformed is as if it were not there. Of a coding that is named twice the
    /// lower weight counts. Without the header, nothing was asked for.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Self {
        let mut accepted = Self::default();
        for value in headers.get_all(ACCEPT_ENCODING) {
            for element in value.as_bytes().split(|byte| *byte == b',') {
                accepted.add(element);
            }
        }
        accepted
    }

    fn add(&mut self, element: &[u8]) {
        let mut parts = element.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let Some(name) = parts.next() else { return };
        let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
        let named = if is("zstd") {
            &mut self.zstd
        } else if is("gzip") || is("x-gzip") {
            &mut self.gzip
        } else if is("br") {
            &mut self.brotli
        } else if is("identity") {
            &mut self.identity
        } else if is("*") {
            &mut self.any
        } else {
            return;
        };
        let is_coding = !is("identity") && !is("*");
        if let Some(weight) = weight(parts).or(is_coding.then_some(0)) {
            *named = Some(named.map_or(weight, |before| before.min(weight)));
        }
    }

    /// The coding with the highest weight; among equals the first in the server's order. Identity
    /// is preferred only where the client says so.
    pub(crate) fn choose(&self, order: impl IntoIterator<Item = Codec>) -> Choice {
        let mut best = None;
        for codec in order {
            let weight = self.weight_of(codec);
            if weight > best.map_or(0, |(_, weight)| weight) {
                best = Some((codec, weight));
            }
        }
        match (best, self.identity()) {
            (Some((_, weight)), Some(identity)) if identity > weight => Choice::Identity,
            (Some((codec, _)), _) => Choice::Coded(codec),
            (None, Some(0)) => Choice::Refused,
            (None, _) => Choice::Identity,
        }
    }

    /// Whether the plain stream will not do.
    pub(crate) fn refuses_identity(&self) -> bool {
        self.identity() == Some(0)
    }

    /// It is accepted unless it is refused, by its name or as one of all.
    fn identity(&self) -> Option<u16> {
        self.identity.or(self.any.filter(|any| *any == 0))
    }

    fn weight_of(&self, codec: Codec) -> u16 {
        let named = match codec {
            Codec::Zstd => self.zstd,
            Codec::Gzip => self.gzip,
            Codec::Brotli => self.brotli,
        };
        named.or(self.any).unwrap_or(0)
    }
}

/// The weight in thousandths, 1,000 where there is none; `None` where it is malformed.
fn weight<'a>(mut parameters: impl Iterator<Item = &'a [u8]>) -> Option<u16> {
    let Some(parameter) = parameters.next() else {
        return Some(1000);
    };
    let [b'q' | b'Q', b'=', value @ ..] = parameter else {
        return None;
    };
    if parameters.next().is_some() {
        return None;
    }
    let (whole, fraction) = match value {
        [whole] | [whole, b'.'] => (whole, &[][..]),
        [whole, b'.', fraction @ ..] if fraction.len() <= 3 => (whole, fraction),
        _ => return None,
    };
    let mut weight = match whole {
        b'0' => 0,
        b'1' => 1000,
        _ => return None,
    };
    let mut unit = 100;
    for digit in fraction {
        if !digit.is_ascii_digit() {
            return None;
        }
        weight += u16::from(digit - b'0') * unit;
        unit /= 10;
    }
    (weight <= 1000).then_some(weight)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn choose(lines: &[&str]) -> Choice {
        choose_in(&[Codec::Zstd, Codec::Gzip, Codec::Brotli], lines)
    }

    fn choose_in(order: &[Codec], lines: &[&str]) -> Choice {
        let mut headers = HeaderMap::new();
        for line in lines {
            if let Ok(value) = HeaderValue::from_bytes(line.as_bytes()) {
                headers.append(ACCEPT_ENCODING, value);
            }
        }
        Accepted::from_headers(&headers).choose(order.iter().copied())
    }

    const ZSTD: Choice = Choice::Coded(Codec::Zstd);
    const GZIP: Choice = Choice::Coded(Codec::Gzip);
    const BROTLI: Choice = Choice::Coded(Codec::Brotli);

    #[test]
    fn the_server_orders_what_the_client_likes_equally() {
        assert_eq!(choose(&["gzip, deflate, br, zstd"]), ZSTD);
        assert_eq!(choose(&["gzip, deflate"]), GZIP);
        assert_eq!(choose(&["gzip;q=0.5, zstd;q=0.5"]), ZSTD);
        assert_eq!(
            choose_in(&[Codec::Brotli, Codec::Gzip], &["gzip, br, zstd"]),
            BROTLI
        );
        assert_eq!(choose_in(&[], &["gzip, br, zstd"]), Choice::Identity);
    }

    #[test]
    fn the_client_weighs() {
        assert_eq!(choose(&["zstd;q=0.1, gzip;q=0.2"]), GZIP);
        assert_eq!(choose(&["zstd;q=0.999, gzip"]), GZIP);
        assert_eq!(choose(&["zstd;q=0, gzip;q=0.001"]), GZIP);
        assert_eq!(choose(&["gzip;q=0.5, identity"]), Choice::Identity);
        assert_eq!(choose(&["gzip;q=0.5, identity;q=0.5"]), GZIP);
    }

    #[test]
    fn a_star_is_everything_that_is_not_named() {
        assert_eq!(choose(&["*"]), ZSTD);
        assert_eq!(choose(&["zstd;q=0, *"]), GZIP);
        assert_eq!(choose(&["gzip;q=0.1, *;q=0.5"]), ZSTD);
        assert_eq!(choose(&["br, *;q=0"]), BROTLI);
    }

    #[test]
    fn who_asks_for_nothing_gets_identity() {
        for lines in [
            &[][..],
            &[""],
            &[" , ,"],
            &["deflate, compress, dcz"],
            &["identity"],
        ] {
            assert_eq!(choose(lines), Choice::Identity, "{lines:?}");
        }
    }

    #[test]
    fn who_refuses_everything_is_refused() {
        assert_eq!(choose(&["identity;q=0, *;q=0"]), Choice::Refused);
        assert_eq!(choose(&["*;q=0"]), Choice::Refused);
        assert_eq!(choose(&["identity;q=0"]), Choice::Refused);
        assert_eq!(choose(&["deflate, identity;q=0"]), Choice::Refused);
        assert_eq!(choose(&["identity;q=0, gzip;q=0.001"]), GZIP);
        assert_eq!(choose(&["identity;q=0, *"]), ZSTD);
        assert_eq!(choose(&["identity;q=0.1, *;q=0"]), Choice::Identity);
    }

    #[test]
    fn case_space_and_several_lines_do_not_matter() {
        assert_eq!(choose(&["GZip"]), GZIP);
        assert_eq!(choose(&["x-gzip"]), GZIP);
        assert_eq!(choose(&["\tgzip ;\tQ=0.5 ,zstd;q=0.4"]), GZIP);
        assert_eq!(choose(&["deflate", "gzip", "zstd"]), ZSTD);
    }

    #[test]
    fn a_coding_named_twice_has_its_lower_weight() {
        assert_eq!(choose(&["zstd, zstd;q=0, gzip"]), GZIP);
        assert_eq!(choose(&["zstd;q=0", "zstd", "gzip"]), GZIP);
    }

    #[test]
    fn what_is_malformed_is_not_used() {
        for bad in [
            "zstd;q=2",
            "zstd;q=1.001",
            "zstd;q=-1",
            "zstd;q=",
            "zstd;q",
            "zstd;q=0.1234",
            "zstd;q=.5",
            "zstd;level=3",
            "zstd;q=1;x=1",
            "zstd;q= 1",
            "zs td",
            "zstd;q=0.٣",
            "\"zstd\"",
            "zstd=1",
        ] {
            assert_eq!(choose(&[bad]), Choice::Identity, "{bad}");
            assert_eq!(choose(&[&format!("{bad}, gzip;q=0.1")]), GZIP, "{bad}");
        }
        assert_eq!(choose(&["zstd;q=1."]), ZSTD);
        assert_eq!(choose(&["zstd;q=0."]), Choice::Identity);
        // Whatever was meant, it was said of this coding, and is not what is said of all others.
        assert_eq!(choose(&["zstd;q=0.0000, *"]), GZIP);
        assert_eq!(choose(&["zstd;q=0.0000, gzip;q=x, *"]), BROTLI);
        // Nothing is refused by a mistake.
        assert_eq!(choose(&["identity;q=x, *;q=x"]), Choice::Identity);
    }

    proptest::proptest! {
        #[test]
        fn no_header_can_panic_or_ask_for_what_it_does_not_name(bytes in "[ -~\t\u{80}-\u{ff}]{0,60}") {
            let choice = choose(&[&bytes]);
            let names = |name| bytes.to_ascii_lowercase().contains(name) || bytes.contains('*');
            match choice {
                Choice::Coded(Codec::Zstd) => proptest::prop_assert!(names("zstd")),
                Choice::Coded(Codec::Gzip) => proptest::prop_assert!(names("gzip")),
                Choice::Coded(Codec::Brotli) => proptest::prop_assert!(names("br")),
                Choice::Identity | Choice::Refused => {}
            }
        }
    }
}
