//! Forms, and signals in both directions.

use axum::{
    Extension, Form, Router,
    extract::{Multipart, State, multipart::MultipartError},
    http::StatusCode,
    response::{Html, IntoResponse, Response},
    routing::{any, get, post},
};
use maud::html;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sidereal::{Config, Connect, PatchElements, Signals, Sse};

use crate::{counts::Counts, page::page, run::Run};

pub(crate) fn routes() -> Router<Counts> {
    // An application that says on the page what was wrong with its request.
    let telling = Config::new().reject_with(|rejection| {
        PatchElements::new(html! { p #problem data-status=(rejection.status().as_u16()) { (rejection.body_text()) } })
    });
    Router::new()
        .route("/told/strict", post(strict).layer(Extension(telling)))
        .route("/forms", get(show))
        .route("/forms/urlencoded", get(urlencoded).post(urlencoded))
        .route("/forms/multipart", post(multipart))
        .route("/forms/signals", any(signals))
        .route("/forms/strict", post(strict))
        .route("/forms/files", post(files))
}

async fn show(run: Run) -> Html<String> {
    page(include_str!("../pages/forms.html"), &run)
}

#[derive(Deserialize)]
struct Person {
    name: String,
    mail: String,
    /// The button that was pressed.
    #[serde(default)]
    press: String,
}

impl Person {
    /// The form's answer: what was wrong with it, or who it was.
    fn checked(&self) -> PatchElements {
        PatchElements::new(if self.mail.contains('@') {
            html! { p #answer { "Welcome, " (self.name) "! " (self.press) } p #problem {} }
        } else {
            html! { p #problem { (self.mail) " is no address" } }
        })
    }
}

/// A form post; axum's own extractor reads it, from the query of a GET too.
async fn urlencoded(Form(person): Form<Person>) -> PatchElements {
    person.checked()
}

async fn multipart(parts: Multipart) -> Result<PatchElements, Response> {
    uploaded(parts)
        .await
        .map_err(|error| (StatusCode::BAD_REQUEST, error.body_text()).into_response())
}

async fn uploaded(mut parts: Multipart) -> Result<PatchElements, MultipartError> {
    let mut said = Vec::new();
    while let Some(part) = parts.next_field().await? {
        let name = part.name().unwrap_or_default().to_owned();
        let file = part.file_name().map(str::to_owned);
        let bytes = part.bytes().await?;
        said.push(match file {
            Some(file) => format!("{name}: {file}, {} bytes, sum {}", bytes.len(), sum(&bytes)),
            None => format!("{name}: {:?}", String::from_utf8_lossy(&bytes)),
        });
    }
    Ok(PatchElements::new(
        html! { p #answer { (said.join("; ")) } },
    ))
}

fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte)).sum()
}

#[derive(Clone, Deserialize, Serialize)]
struct Draft {
    title: String,
    #[serde(default)]
    tags: Vec<String>,
}

/// Signals in, signals out, with every method.
async fn signals(
    State(counts): State<Counts>,
    run: Run,
    method: axum::http::Method,
    connect: Connect,
    Signals(draft): Signals<Draft>,
) -> Sse {
    counts
        .request("signals", &run)
        .note(format!("{method} {}", draft.title));
    connect.respond(async move |tx| {
        let mut tags = draft.tags.clone();
        tags.push(method.to_string());
        let title = draft.title.to_uppercase();
        // Not null where all is well: that removes the signal, and what shows it would not hear of it.
        let problem = if title.len() < 3 { "too short" } else { "" };
        tx.patch_signals(&json!({ "title": title, "tags": tags, "problem": problem }))
            .await?;
        Ok(())
    })
}

#[derive(Deserialize)]
struct Strict {
    age: u8,
}

async fn strict(Signals(strict): Signals<Strict>) -> PatchElements {
    PatchElements::new(html! { p #answer { "age " (strict.age) } p #problem {} })
}

#[derive(Deserialize)]
struct Upload {
    files: Vec<FileSignal>,
}

/// A file that is a signal, as the client sends it.
#[derive(Deserialize)]
struct FileSignal {
    name: String,
    /// In base64.
    contents: String,
    mime: Option<String>,
}

async fn files(Signals(Upload { files }): Signals<Upload>) -> PatchElements {
    PatchElements::new(html! {
        ul #answer {
            @for file in &files {
                li { (file.name) " " (file.mime.as_deref().unwrap_or("-")) " " (file.contents) }
            }
        }
    })
}
