//! `/test` on actix-web.

use std::{
    io,
    net::{SocketAddr, TcpListener},
};

use actix_web::{
    App, HttpServer, Responder,
    dev::Service,
    http::header::{CONTENT_TYPE, HeaderName, HeaderValue, VARY},
    rt::System,
    web::{self, PayloadConfig},
};
use serde_json::value::RawValue;
use sidereal::{Connect, Signals};

use crate::{BODY_LIMIT, announce, config, test_case};

pub(crate) fn serve(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    let address = listener.local_addr()?;
    let app = || {
        App::new()
            .app_data(config())
            // Its own limit is 256 KiB.
            .app_data(PayloadConfig::new(BODY_LIMIT))
            .wrap_fn(|mut request, service| {
                // Whoever asks here is taken for the Datastar client, whatever its tools call their JSON.
                let headers = request.headers_mut();
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                let name = HeaderName::from_static("datastar-request");
                headers.insert(name, HeaderValue::from_static("true"));
                let response = service.call(request);
                async {
                    let mut response = response.await?;
                    // What is not negotiated, a refusal for one, might have been: a cache must not give
                    // it to others.
                    let value = HeaderValue::from_static("accept-encoding");
                    response.headers_mut().insert(VARY, value);
                    Ok(response)
                }
            })
            .route("/test", web::to(test))
    };
    System::new().block_on(async {
        let server = HttpServer::new(app).listen(listener)?.run();
        announce(address);
        server.await
    })
}

async fn test(connect: Connect, Signals(case): Signals<Box<RawValue>>) -> impl Responder {
    match test_case::frames(case.get()) {
        Ok(frames) => Ok(connect.reply(frames)),
        Err(refused) => Err(actix_web::error::ErrorBadRequest(refused.to_string())),
    }
}
