//! Scripts: how often they run, their attributes, and what is made of them.

use axum::{
    Router,
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{Html, IntoResponse},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::json;
use sidereal::{
    AttributeName, Config, Connect, CustomEvent, ExecuteScript, ScriptError, Sse, selector,
};

use crate::{counts::Counts, page, run::Run};

const NONCE: &str = "bm9uY2U";

pub(crate) fn routes() -> Router<Counts> {
    Router::new()
        .route("/scripts", get(show))
        .route("/scripts/{name}", post(script))
        .route("/with-policy", get(show_with_policy))
        .route("/with-policy/script", post(script_with_nonce))
        .route("/next", get(next))
}

async fn show(run: Run) -> Html<String> {
    page::page(include_str!("../pages/scripts.html"), &run)
}

/// Sends the script of this name, and says when the page has it.
async fn script(connect: Connect, run: Run, Path(name): Path<String>) -> Result<Sse, StatusCode> {
    let script = by_name(&name, &run).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let script = script.ok_or(StatusCode::NOT_FOUND)?;
    Ok(connect.respond(async move |tx| {
        tx.execute_script(script).await?;
        tx.patch_signals(&json!({ "done": name })).await?;
        Ok(())
    }))
}

fn by_name(name: &str, Run(run): &Run) -> Result<Option<ExecuteScript>, ScriptError> {
    let attribute = AttributeName::from_static;
    Ok(Some(match name {
        "once" => ExecuteScript::new("window.runs = (window.runs ?? 0) + 1"),
        "kept" => ExecuteScript::new("window.runs = (window.runs ?? 0) + 1")
            .attribute(attribute("id"), "kept")
            .attribute(attribute("data-b"), "\"<&>'\n")
            .attribute(attribute("data-a"), "1")
            .boolean_attribute(attribute("defer"))
            .auto_remove(false),
        "module" => {
            ExecuteScript::new("window.runs = (window.runs ?? 0) + 1; window.url = import.meta.url")
                .module()
        }
        "literal" => ExecuteScript::new(
            "window.text = '</script><!--</SCRIPT ></body></head></html><script>';\nwindow.less = 1 < 2 && 0</x/.source.length;",
        ),
        "lines" => ExecuteScript::new(
            "window.lines = `a\r\nb\rc\n\nd`;\r// a comment ends here\r\nwindow.after = 1",
        ),
        "redirect" => ExecuteScript::redirect(format!("/next?run={run}"))?,
        "replace-url" => ExecuteScript::replace_url("/patches?page='2'&x=</script>#y"),
        "console" => ExecuteScript::console_log("a log's \"line\""),
        "console-error" => ExecuteScript::console_error("an error's line"),
        "event" => {
            ExecuteScript::dispatch_event("saved", &json!({ "row": 7, "by": "'Ada'</script>" }))?
        }
        "targeted" => CustomEvent::new("saved", &json!([1, null]))?
            .target(selector!(".row"))
            .bubbles(false)
            .dispatch(),
        "prefetch" => {
            ExecuteScript::prefetch([format!("/next?run={run}"), "/next?x=</script>".into()])
        }
        _ => return Ok(None),
    }))
}

/// Where redirects and prefetching go.
async fn next(State(counts): State<Counts>, run: Run) -> Html<String> {
    counts.request("next", &run);
    page::page("<h1>next</h1>", &run)
}

#[derive(Deserialize)]
struct Policy {
    /// Whether the page may make functions of strings, as Datastar does with every expression.
    eval: bool,
}

async fn show_with_policy(
    Run(run): Run,
    Query(Policy { eval }): Query<Policy>,
) -> impl IntoResponse {
    let eval = if eval { " 'unsafe-eval'" } else { "" };
    let policy = format!("default-src 'self'; img-src data:; script-src 'nonce-{NONCE}'{eval}");
    let page = page::with_nonce(include_str!("../pages/with-policy.html"), &run, NONCE);
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(page))
}

/// Three scripts: with the page's nonce, with the application's (the same), and with another.
async fn script_with_nonce(connect: Connect, config: Config) -> Sse {
    let config = config.events(|events| events.script_nonce(NONCE));
    connect.with_config(&config).respond(async |tx| {
        let push = |word| ExecuteScript::new(format!("(window.ran ??= []).push('{word}')"));
        tx.execute_script(push("own").nonce(NONCE)).await?;
        tx.execute_script(push("default")).await?;
        tx.execute_script(push("wrong").nonce("d3Jvbmc")).await?;
        tx.patch_signals(&json!({ "done": "nonce" })).await?;
        Ok(())
    })
}
