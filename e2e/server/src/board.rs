//! A board of checkboxes that all pages of a test share: a view, pushed and polled.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Extension, Json, Router,
    extract::{Path, RawQuery, State},
    http::StatusCode,
    response::Html,
    routing::{get, post},
};
use maud::{Markup, html};
use serde::Serialize;
use sidereal::{Compression, Connect, PatchElements, Sse, TabId, View};

use crate::{
    counts::{Counts, milliseconds},
    page::page,
    run::Run,
};

const CELLS: usize = 1600;

pub(crate) fn routes() -> Router<Counts> {
    Router::new()
        .route("/board", get(show))
        .route("/board/stream", get(stream))
        .route("/board/poll", get(poll))
        .route("/board/cells/{cell}/{on}", post(set))
        .route("/board/state", get(state))
        .layer(Extension(Boards::default()))
}

/// The board of each test.
#[derive(Clone, Default)]
struct Boards(Arc<Mutex<BTreeMap<String, Board>>>);

#[derive(Clone)]
struct Board {
    cells: View<Vec<bool>>,
    /// When each render began.
    renders: Arc<Mutex<Vec<f64>>>,
}

impl Boards {
    fn board(&self, Run(run): &Run) -> Board {
        let mut boards = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        boards.entry(run.clone()).or_insert_with(Board::new).clone()
    }
}

impl Board {
    fn new() -> Self {
        let renders = Arc::<Mutex<Vec<f64>>>::default();
        let rendered = renders.clone();
        let cells = View::new(vec![false; CELLS], move |cells: &Vec<bool>| {
            let mut rendered = rendered.lock().unwrap_or_else(PoisonError::into_inner);
            rendered.push(milliseconds());
            PatchElements::new(render(cells))
        })
        .at_most_per_second(20);
        Self { cells, renders }
    }
}

fn render(cells: &[bool]) -> Markup {
    html! {
        div #board {
            @for (cell, on) in cells.iter().enumerate() {
                input type="checkbox" value=(cell) checked[*on];
            }
        }
    }
}

/// The page hands its query on to its stream.
async fn show(run: Run, RawQuery(query): RawQuery) -> Html<String> {
    let body = include_str!("../pages/board.html")
        .replace("{{tab}}", &TabId::random().attribute())
        .replace("{{query}}", &query.unwrap_or_default());
    page(&body, &run)
}

async fn stream(
    State(counts): State<Counts>,
    Extension(boards): Extension<Boards>,
    run: Run,
    RawQuery(query): RawQuery,
    connect: Connect,
) -> Sse {
    let sse = connect.watch(&boards.board(&run).cells);
    // So that a network that is slow is slow with little.
    let sse = match query.is_some_and(|query| query.contains("codec=identity")) {
        true => sse.compression(Compression::from(None)),
        false => sse,
    };
    counts.request("board", &run).follow(sse)
}

async fn poll(Extension(boards): Extension<Boards>, run: Run, connect: Connect) -> Sse {
    connect.once(&boards.board(&run).cells)
}

async fn set(
    Extension(boards): Extension<Boards>,
    run: Run,
    Path((cell, on)): Path<(usize, bool)>,
) -> StatusCode {
    if cell >= CELLS {
        return StatusCode::NOT_FOUND;
    }
    let cells = boards.board(&run).cells;
    cells.update_if(|cells| std::mem::replace(&mut cells[cell], on) != on);
    StatusCode::NO_CONTENT
}

#[derive(Serialize)]
struct Shown {
    /// The cells that are on.
    on: Vec<usize>,
    watchers: usize,
    renders: Vec<f64>,
}

/// What the pages are to show.
async fn state(Extension(boards): Extension<Boards>, run: Run) -> Json<Shown> {
    let Board { cells, renders } = boards.board(&run);
    let state = cells.state();
    Json(Shown {
        on: (0..CELLS).filter(|cell| state[*cell]).collect(),
        watchers: cells.watchers(),
        renders: renders
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone(),
    })
}
