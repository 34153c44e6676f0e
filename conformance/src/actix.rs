//! actix-web.

use std::{
    io,
    net::{SocketAddr, TcpListener},
};

use actix_web::{
    App, HttpResponse, HttpServer, Responder,
    dev::Service,
    http::header::{CONTENT_TYPE, HeaderName, HeaderValue, VARY},
    rt::System,
    web::{self, PayloadConfig, get, post},
};
use serde_json::value::RawValue;
use sidereal::{
    Connect, IsDatastar, LastEventId, LenientSignals, Optional, PatchElements, Signals,
};

use crate::{
    BODY_LIMIT, announce, config,
    suite::{self, Form},
    test_case,
};

pub(crate) fn serve(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    let address = listener.local_addr()?;
    let app = || {
        App::new()
            .app_data(config())
            // Its own limit is 256 KiB.
            .app_data(PayloadConfig::new(BODY_LIMIT))
            .service(
                web::resource("/test")
                    .to(test)
                    .wrap_fn(|mut request, service| {
                        // Whoever asks here is taken for the Datastar client, whatever its tools call
                        // their JSON.
                        let headers = request.headers_mut();
                        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                        let name = HeaderName::from_static("datastar-request");
                        headers.insert(name, HeaderValue::from_static("true"));
                        let response = service.call(request);
                        async {
                            let mut response = response.await?;
                            // What is not negotiated, a refusal for one, might have been: a cache must
                            // not give it to others.
                            let value = HeaderValue::from_static("accept-encoding");
                            response.headers_mut().insert(VARY, value);
                            Ok(response)
                        }
                    }),
            )
            .route("/once", get().to(async |connect| suite::once(connect)))
            .route("/slow", get().to(async |connect| suite::slow(connect)))
            .route("/stream", get().to(async |connect| suite::stream(connect)))
            .route("/view", get().to(async |connect| suite::view(connect)))
            .route("/poll", get().to(async |connect| suite::poll(connect)))
            .route("/topic", get().to(async |connect| suite::topic(connect)))
            .route("/publish", post().to(publish))
            .route("/signals", web::to(signals))
            .route("/optional", web::to(optional))
            .route("/lenient", web::to(lenient))
            .route("/head", get().to(head))
            .route("/html", get().to(async || suite::html()))
            .route("/event", get().to(async || suite::element("event", 1)))
            .route("/fails", get().to(async || suite::fails()))
            .route("/ends", get().to(async || suite::ends()))
            .route("/plain", get().to(async || "plain"))
            .route("/shutdown", post().to(shutdown))
    };
    System::new().block_on(async {
        let server = HttpServer::new(app)
            // So that a client that leaves is noticed at once.
            .h1_allow_half_closed(false)
            .listen(listener)?
            .run();
        announce(address);
        server.await
    })
}

async fn publish() -> HttpResponse {
    suite::publish();
    HttpResponse::NoContent().finish()
}

async fn signals(Signals(form): Signals<Form>) -> PatchElements {
    suite::greeting(Some(form))
}

async fn optional(Optional(form): Optional<Signals<Form>>) -> PatchElements {
    suite::greeting(form.map(|Signals(form)| form))
}

async fn lenient(LenientSignals(form): LenientSignals<Form>) -> PatchElements {
    suite::greeting(form)
}

async fn head(is_datastar: IsDatastar, last_event_id: LastEventId) -> PatchElements {
    suite::head(is_datastar, last_event_id)
}

async fn shutdown() -> HttpResponse {
    suite::shutdown();
    HttpResponse::NoContent().finish()
}

async fn test(connect: Connect, Signals(case): Signals<Box<RawValue>>) -> impl Responder {
    match test_case::frames(case.get()) {
        Ok(frames) => Ok(connect.reply(frames)),
        Err(refused) => Err(actix_web::error::ErrorBadRequest(refused.to_string())),
    }
}
