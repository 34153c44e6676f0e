//! A service of plain `http` types on hyper, by `sidereal::serve`, over a real socket.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![cfg(feature = "serve")]

mod adapter;

use std::convert::Infallible;

use adapter::{Enforced, Form, Framework, Server};
use axum::body::Body;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use sidereal::{
    Config, Connect, IsDatastar, LastEventId, LenientSignals, Signals, SignalsRejection, TabId,
    TabIdError, receive_signals,
    serve::{Listener, serve},
};
use tower::service_fn;

adapter::tests!(Hyper);

struct Hyper;

impl Framework for Hyper {
    const LIMIT_ENFORCED_BY: Enforced = Enforced::Nowhere;

    fn start() -> Server {
        Server::at(adapter::on_tokio(async |listener| {
            let service = service_fn(async |request| {
                let answer = answer(request).await;
                Ok::<_, Infallible>(answer.unwrap_or_else(|refusal| refusal))
            });
            serve(Listener::from(listener), service).await.unwrap();
        }))
    }
}

type Answer = Response<Body>;

async fn answer(mut request: Request<Incoming>) -> Result<Answer, Answer> {
    let path = request.uri().path().to_owned();
    if path.starts_with("/configured/") {
        request.extensions_mut().insert(adapter::settings());
    }
    let connect = Connect::from_request(&request);
    Ok(match &*path {
        "/strict" | "/configured/strict" => {
            let form = Signals::receive(request).await.map_err(reject)?;
            sse(Connect::new().reply(adapter::strict(form)))
        }
        "/optional" => {
            let form = receive_signals::<Form, _>(request).await.map_err(reject)?;
            text(StatusCode::OK, adapter::optional(form.map(Signals)))
        }
        "/result" => {
            let form = Signals::receive(request).await;
            text(StatusCode::OK, adapter::result(form))
        }
        "/lenient" => {
            let LenientSignals(form) = LenientSignals::receive(request).await;
            text(StatusCode::OK, adapter::lenient(form))
        }
        "/head" => {
            let headers = request.headers();
            let is_datastar = IsDatastar::from_headers(headers);
            let id = LastEventId::from_headers(headers);
            let tab = match TabId::from_query(request.uri().query()) {
                Err(error) if error.is_absent() => None,
                tab => Some(tab.map_err(refuse)?),
            };
            text(
                StatusCode::OK,
                adapter::head(is_datastar, id, tab, &connect),
            )
        }
        "/tab" => {
            let tab = TabId::from_query(request.uri().query()).map_err(refuse)?;
            text(StatusCode::OK, tab.to_string())
        }
        "/event" => sse(connect.reply(adapter::event())),
        "/script" => sse(connect.reply(adapter::script())),
        "/html" => adapter::html().into_http().map(Body::from),
        "/json" => adapter::json().into_http().map(Body::from),
        "/error" => match adapter::error() {
            Ok(event) => sse(connect.reply(event)),
            Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        },
        "/slow" => sse(adapter::slow(connect)),
        "/silent" | "/configured/silent" => sse(adapter::silent(connect)),
        "/broken" => sse(adapter::broken(connect)),
        "/old" => sse(adapter::old(connect)),
        "/configured/connected" => sse(adapter::connected(connect)),
        "/configured/settings" => {
            let config = request.extensions().get::<Config>().unwrap();
            sse(adapter::connected_by(config))
        }
        _ => text(StatusCode::NOT_FOUND, "not found"),
    })
}

fn sse(sse: sidereal::Sse) -> Answer {
    sse.into_http().map(Body::new)
}

fn reject(rejection: SignalsRejection) -> Answer {
    rejection.into_http().map(Body::from)
}

fn refuse(error: TabIdError) -> Answer {
    Response::from(error).map(Body::from)
}

fn text(status: StatusCode, text: impl Into<Body>) -> Answer {
    let mut answer = Response::new(text.into());
    *answer.status_mut() = status;
    answer
}
