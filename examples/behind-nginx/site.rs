//! The site of `examples/behind-nginx`: its page, its files, and the commands of its users. It has the votes, as others
//! have a database.
//!
//! The streams are another program's, which is told whenever there is news: `publish.rs`. See README.md on how to start
//! both, and nginx.

mod publish;

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    web::{Data, Html, Path, get, post},
};
use examples::votes::Votes;
use tokio::sync::watch::Sender;

async fn page(votes: Data<Sender<Votes>>) -> Html {
    Html::new(votes.borrow().page())
}

/// A vote. It is answered with nothing: what is new goes to all, and to who voted too.
async fn vote(
    request: HttpRequest,
    votes: Data<Sender<Votes>>,
    moon: Path<String>,
) -> HttpResponse {
    if !votes.send_if_modified(|votes| votes.add(&moon)) {
        return HttpResponse::NotFound().finish();
    }
    // The user's address, as nginx forwards it. That can be believed as long as nobody but nginx gets here.
    let info = request.connection_info();
    println!(
        "{} votes for {moon}",
        info.realip_remote_addr().unwrap_or("somebody")
    );
    HttpResponse::NoContent().finish()
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let [address, streams] = examples::start_with([("--port", 3001), ("--streams", 3002)]);
    let votes = Data::new(Sender::new(Votes::default()));
    actix_web::rt::spawn(publish::publish(votes.subscribe(), streams));
    let app = move || {
        App::new()
            .app_data(votes.clone())
            .route("/", get().to(page))
            .route("/api/votes/{moon}", post().to(vote))
            .route(
                "/datastar.js",
                get().to(async || {
                    HttpResponse::Ok()
                        .content_type("text/javascript")
                        .body(examples::DATASTAR_JS)
                }),
            )
    };
    let server = HttpServer::new(app).bind(address)?;
    println!("site on http://{}", server.addrs()[0]);
    server.run().await
}
