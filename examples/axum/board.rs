//! Push to everyone: state, how it looks, and at most how often. Rendered, compressed and sent once, for all.
//!
//! `cargo run -p examples --bin axum-board`, then open the address that it prints, in several windows and browsers. At
//! `/polling` the same board is asked for every second.

use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::Html,
    routing::{get, post},
};
use examples::board::{self, Board};
use sidereal::{Connect, PatchElements, Sse, View};
use tokio::net::TcpListener;

/// Push: the board as it is, and then whenever it changes.
async fn updates(connect: Connect, State(board): State<View<Board>>) -> Sse {
    connect.watch(&board)
}

/// Pull: the board as it is.
async fn poll(connect: Connect, State(board): State<View<Board>>) -> Sse {
    connect.once(&board)
}

/// A click. The page says what the box is to be, and not that it changes, so one that is sent twice does no harm. It is
/// answered with nothing: what is new goes to all, and to who clicked too.
async fn set(
    State(board): State<View<Board>>,
    Path((cell, on)): Path<(usize, bool)>,
) -> StatusCode {
    let mut is_there = true;
    // Rendered only if it is news.
    board.update_if(|board| match board.set(cell, on) {
        Some(is_new) => is_new,
        None => {
            is_there = false;
            false
        }
    });
    match is_there {
        true => StatusCode::NO_CONTENT,
        false => StatusCode::NOT_FOUND,
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    // However many click: clicks that come faster are shown together.
    let board = View::new(Board::new(), |board: &Board| {
        PatchElements::new(board.render())
    })
    .at_most_per_second(20);
    let app = Router::new()
        .route("/", get(async || Html(board::page())))
        .route("/polling", get(async || Html(board::polling_page())))
        .route("/updates", get(updates))
        .route("/poll", get(poll))
        .route("/cells/{cell}/{on}", post(set))
        .route(
            "/datastar.js",
            get(async || ([(CONTENT_TYPE, "text/javascript")], examples::DATASTAR_JS)),
        )
        .with_state(board);
    let listener = TcpListener::bind(examples::start()).await?;
    println!("board on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await
}
