//! What a page needs to load the client.

use std::fmt;

use crate::attributes::Escaped;

/// The version of the client that this crate is built and tested against.
pub const DATASTAR_CLIENT_VERSION: &str = "1.0.2";

/// Where a public CDN has the client of [`DATASTAR_CLIENT_VERSION`].
pub const DATASTAR_CDN: &str =
    "https://cdn.jsdelivr.net/gh/starfederation/datastar@v1.0.2/bundles/datastar.js";

/// The tag that loads the client: from [`DATASTAR_CDN`], or from a path of your own.
///
/// ```
/// use sidereal::script_tag;
///
/// assert_eq!(
///     script_tag("/assets/datastar.js").to_string(),
///     r#"<script type="module" src="/assets/datastar.js"></script>"#
/// );
/// ```
///
/// It is HTML: in maud, `(maud::PreEscaped(script_tag(DATASTAR_CDN).to_string()))`; in askama, the
/// filter `safe`.
pub fn script_tag(src: &str) -> ScriptTag<'_> {
    ScriptTag(src)
}

/// Displays a `<script>`; made by [`script_tag`].
#[derive(Clone, Copy, Debug)]
pub struct ScriptTag<'a>(&'a str);

impl fmt::Display for ScriptTag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "<script type=\"module\" src=\"{}\"></script>",
            Escaped(self.0)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_is_escaped() {
        assert_eq!(
            script_tag("/a?b=1&c=\"><script>").to_string(),
            "<script type=\"module\" src=\"/a?b=1&amp;c=&quot;&gt;&lt;script&gt;\"></script>"
        );
    }

    #[test]
    fn the_cdn_has_the_version() {
        assert!(DATASTAR_CDN.contains(&format!("@v{DATASTAR_CLIENT_VERSION}/")));
    }
}
