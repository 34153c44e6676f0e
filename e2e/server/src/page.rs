//! What all pages have.

use axum::response::Html;

use crate::run::Run;

const SHELL: &str = include_str!("../pages/shell.html");

/// A page with this body, in which `{{run}}` is the test's name.
pub(crate) fn page(body: &str, Run(run): &Run) -> Html<String> {
    Html(with_nonce(body, run, ""))
}

/// The same, with a nonce on its scripts.
pub(crate) fn with_nonce(body: &str, run: &str, nonce: &str) -> String {
    SHELL
        .replace("{{body}}", body)
        .replace("{{run}}", run)
        .replace("{{nonce}}", nonce)
}
