//! The page and its files, built into the program.

const PAGE: &str = include_str!("../assets/page.html");

/// `assets/style.css`.
pub(crate) const STYLE: &str = include_str!("../assets/style.css");

/// `assets/solar-canvas.js`, the web component `<solar-canvas>`.
pub(crate) const SOLAR_CANVAS: &str = include_str!("../assets/solar-canvas.js");

/// The page, with the address from which it loads the Datastar client.
pub(crate) fn page(datastar: &str) -> String {
    let datastar = maud::html! { (datastar) }.into_string();
    PAGE.replace("{{datastar}}", &datastar)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::Body;

    #[test]
    fn has_a_button_for_every_body() {
        for body in Body::ALL {
            assert!(PAGE.contains(&format!("value=\"{}\"", body.id())), "{body:?}");
        }
    }

    #[test]
    fn names_the_client_once_and_escaped() {
        let page = page("/datastar.js?a=1&b=\"");
        assert_eq!(page.matches("src=\"/datastar.js?a=1&amp;b=&quot;\"").count(), 1);
        assert!(!page.contains("{{"));
    }
}
