//! Patches of elements: every mode, namespaces, and text of several lines.

use axum::{
    Router,
    extract::Path,
    http::StatusCode,
    response::Html,
    routing::{get, post},
};
use sidereal::{Connect, Namespace, PatchElements, PatchSignals, Sse, selector};

use crate::{counts::Counts, page::page, run::Run};

pub(crate) fn routes() -> Router<Counts> {
    Router::new()
        .route("/patches", get(show))
        .route("/patches/{name}", post(patch))
}

async fn show(run: Run) -> Html<String> {
    page(include_str!("../pages/patches.html"), &run)
}

/// Answers with the patch of this name, and says when the page has it.
async fn patch(connect: Connect, Path(name): Path<String>) -> Result<Sse, StatusCode> {
    let patch = by_name(&name).ok_or(StatusCode::NOT_FOUND)?;
    let done = PatchSignals::new(&serde_json::json!({ "done": name }));
    Ok(connect.reply((patch, done.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?)))
}

fn by_name(name: &str) -> Option<PatchElements> {
    Some(match name {
        "outer" => PatchElements::new("<p id='target'>new</p>"),
        "outer-two" => PatchElements::new("<p id='target'>new</p><p id='other'>other new</p>"),
        "outer-selector" => {
            PatchElements::new("<b class='row'>new</b>").selector(selector!("#stage .row"))
        }
        "outer-delete" => PatchElements::without_elements().selector(selector!("#target")),
        "outer-empty" => PatchElements::new("").selector(selector!("#target")),
        "inner" => PatchElements::new("<i>new</i> text").inner(selector!("#target")),
        "inner-empty" => PatchElements::without_elements().inner(selector!("#target")),
        "replace" => PatchElements::new("<p id='target'>new</p>").replace(),
        "replace-selector" => PatchElements::new("<u>new</u>")
            .replace()
            .selector(selector!("#target")),
        "prepend" => PatchElements::new("<i>1</i><i>2</i>").prepend(selector!("#target")),
        "append" => PatchElements::new("<i>1</i><i>2</i>").append(selector!("#target")),
        "append-everywhere" => PatchElements::new("<i>1</i>").append(selector!("#stage .row")),
        "before" => PatchElements::new("<i>1</i><i>2</i>").before(selector!("#target")),
        "after" => PatchElements::new("<i>1</i><i>2</i>").after(selector!("#target")),
        "remove" => PatchElements::remove(selector!("#stage .row")),
        "morph-form" => PatchElements::new(
            "<form id='form' class='new'><h3>A heading that was not there</h3>\
             <label>New label <input id='name' class='new'></label></form>",
        ),
        "lines" => PatchElements::new(
            "<pre id='lines'>\n\r\none\rtwo\r\n\r\nthree\n\n\n four \n</pre>\r\
             <textarea id='area'>a\r\n\r\n\rb\n  c\n\n</textarea>\n",
        ),
        "circle" => PatchElements::new(
            "<circle cx='20' cy='20' r='10'/>\n<rect x='40' width='30' height='20'/>",
        )
        .append(selector!("#drawing"))
        .namespace(Namespace::Svg),
        "circle-by-id" => PatchElements::new("<circle id='dot' cx='9' cy='9' r='9' fill='red'/>")
            .namespace(Namespace::Svg),
        "circle-as-html" => {
            PatchElements::new("<circle cx='20' cy='20' r='10'/>").append(selector!("#drawing"))
        }
        "circles-touching" => PatchElements::new("<circle r='1'/><circle r='2'/><circle r='3'/>")
            .append(selector!("#drawing"))
            .namespace(Namespace::Svg),
        "formula" => PatchElements::new("<mo>=</mo>\n<msup><mi>c</mi><mn>2</mn></msup>")
            .append(selector!("#formula"))
            .namespace(Namespace::MathMl),
        "transition" => PatchElements::new("<p id='target'>new</p>").use_view_transition(true),
        "transition-of-element" => PatchElements::new("<p id='target'>new</p>")
            .view_transition_selector(selector!("#stage")),
        _ => return None,
    })
}
