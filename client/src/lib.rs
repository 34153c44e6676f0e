//! Datastar's browser client, for this workspace's own demos, examples and tests.
//!
//! The file is never committed: the build script takes the official bundle from the package registry that the
//! dependencies come from as well, checks it by its hash, and embeds it. Where there is no registry to be had the
//! build succeeds all the same, and pages load the client from a CDN.
//!
//! Datastar is made by Star Federation, under the MIT licence.
//!
//! ```
//! let script = format!(r#"<script type="module" src="{}"></script>"#, datastar_client::script_src("/datastar.js"));
//! assert_eq!(script.contains(datastar_client::CDN), datastar_client::JS.is_none());
//! ```

/// The client's version.
pub const VERSION: &str = "1.0.2";

/// Where the same version is served to everyone.
pub const CDN: &str =
    "https://cdn.jsdelivr.net/gh/starfederation/datastar@v1.0.2/bundles/datastar.js";

/// The client's bytes (34,083, UTF-8), or `None` if no registry could be asked when this was built.
#[cfg(datastar_js)]
pub const JS: Option<&'static [u8]> =
    Some(include_bytes!(concat!(env!("OUT_DIR"), "/datastar.js")));

/// The client's bytes (34,083, UTF-8), or `None` if no registry could be asked when this was built.
#[cfg(not(datastar_js))]
pub const JS: Option<&'static [u8]> = None;

/// The address for a page's script tag: `local_path` if the server has the client to serve there, else [`CDN`].
///
/// Serve [`JS`] at that path, as `text/javascript`.
///
/// ```
/// let src = datastar_client::script_src("/datastar.js");
/// assert!(src == "/datastar.js" || src == datastar_client::CDN);
/// ```
pub fn script_src(local_path: &str) -> &str {
    if JS.is_some() { local_path } else { CDN }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_says_the_same_version() {
        assert!(CDN.contains(&format!("@v{VERSION}/")));
        if let Some(js) = JS {
            let head = String::from_utf8_lossy(&js[..js.len().min(80)]);
            assert!(head.contains(VERSION), "the bundle begins with {head:?}");
        }
    }
}
